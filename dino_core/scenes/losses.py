"""Screen 6: what student and teacher say of every crop and masked patch, and what it costs.

The numbers are those of `dino_core/training/dissection.py`; the samples keep the picture company.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from dino_core.config import CropConfig, TrainConfig
from dino_core.draw.colours import crop_colour
from dino_core.images import open_picture
from dino_core.scenes.crops import crop_config
from dino_core.student_teacher import StudentTeacher
from dino_core.training.bundled import CIFAR_PAIR, PREVIEW_HEADS
from dino_core.training.checkpoints import steps_in
from dino_core.training.dissection import (
    COMPANY_SEED,
    Answers,
    BatchMate,
    Dissection,
    ask,
    ask_company,
    company_crops,
    dissect,
    draw,
)
from dino_core.training.metrics import entropy_of
from dino_core.training.runs import RunFolder
from dino_core.training.setup import open_pair

STATIC = Path(__file__).resolve().parents[2] / "static"
SAMPLES = STATIC / "samples"
COMPANY = STATIC / "first" / "company.safetensors"  # of the pair that the page begins with
ANSWERED = tuple(f.name for f in fields(BatchMate) if f.name not in ("crops", "mask"))
TOP = 8  # prototypes of each class token's distribution that are named
TOP_PATCH = 4  # of each masked patch's
EXAMPLES = 3  # places in other pictures where a prototype fires most
TARGETS: tuple[Literal["centering"], Literal["sinkhorn_knopp"]] = ("centering", "sinkhorn_knopp")

BUNDLED = {
    "preview": (PREVIEW_HEADS, "Preview ViT-S/14 with heads of this project"),
    "cifar": (CIFAR_PAIR, "Small pair, from scratch on CIFAR-10"),
}


@dataclass(frozen=True, eq=False)
class OpenPair:
    """A pair that can be asked; stays on the server, and knows nothing of a visitor."""

    pair: StudentTeacher
    config: TrainConfig
    crops: CropConfig
    title: str
    file: str  # what `open_pair` takes, for the lines of Python
    stored: Path | None = None  # what it says of the samples, where that was worked out before


@dataclass(frozen=True, eq=False)
class Companion:
    """A sample as the pair sees it."""

    file: str
    title: str
    answers: BatchMate


@dataclass(frozen=True)
class LossesScene:
    """One picture's losses. Cross-entropies and entropies are in nats; M masked patches.

    Distributions are given for the C prototypes that stand out in one of them: `columns`.
    """

    title: str
    file: str
    seed: int
    temperature: float  # of the teacher
    student_temperature: float
    targets_by: str
    recipe: dict[str, Any]  # the temperature and the targets that the pair was trained with
    own_crops: bool  # the pair's own, and not those of the crops' screen
    prototypes: tuple[int, int]  # K of the DINO and of the iBOT head
    head: list[int]  # widths on the way through the DINO head: token, layers, sphere; then K
    shared: bool  # patches go through the DINO head too
    grid: tuple[int, int]
    crops: list[dict[str, Any]]
    colours: list[tuple[int, int, int]]
    # Of each: file, title, column on the sheet, distances from both global crops. Nearest first.
    company: list[dict[str, Any]]
    columns_of_sheet: int
    terms: dict[str, float]  # weights included: they add up to the loss
    uniform: dict[str, float]
    weights: dict[str, float]
    koleo: tuple[float, ...]
    ibot_mean: float
    pixels: tuple[np.ndarray, ...]  # uint8 [size, size, 3] of each crop
    dino: np.ndarray  # float32 [2 + L, 2]
    teacher_entropy: np.ndarray  # float32 [2]
    student_entropy: np.ndarray  # float32 [2 + L]
    columns: np.ndarray  # int32 [C]
    teacher: np.ndarray  # float32 [2, C]
    student: np.ndarray  # float32 [2 + L, C]
    examples: np.ndarray  # int32 [C, EXAMPLES, 2]: companion, crop
    mask: np.ndarray  # uint8 [h, w]
    ibot: np.ndarray  # float32 [M], in reading order of the masked patches
    patch_entropy: np.ndarray  # float32 [M] of the teacher's targets
    patch_columns: np.ndarray  # int32 [C']
    teacher_patches: np.ndarray  # float32 [M, C']
    student_patches: np.ndarray  # float32 [M, C']
    patch_examples: np.ndarray  # int32 [C', EXAMPLES, 2]: companion, crop * P + patch


# --- the pair and its company


def open_bundled(name: str) -> OpenPair:
    """A pair that comes with the project. ValueError for a name that is none."""
    if name not in BUNDLED:
        raise ValueError(f"There is no pair {name!r}: it is one of {', '.join(BUNDLED)}.")
    file, title = BUNDLED[name]
    pair, config, _ = open_pair(file)
    written = f"static/weights/{file.name}"
    if name != "preview":
        return OpenPair(pair.eval(), config, config.crops, title, written)
    crops = crop_config(patch_size=config.vit.patch_size)
    return OpenPair(pair.eval(), config, crops, title, written, COMPANY)


def newest_step(folder: Path) -> int:
    """Of a run's checkpoints; 0 when there is none."""
    return max(steps_in(RunFolder(folder).checkpoints), default=0)


def open_run(folder: Path) -> OpenPair:
    """The newest checkpoint of a run. ValueError in a sentence when there is none."""
    if RunFolder(folder).read_config().get("kind") != "pretraining":
        raise ValueError("Fine-tuning has neither heads nor teacher: choose a run without labels.")
    pair, config, _ = open_pair(folder)
    return OpenPair(pair.eval(), config, config.crops, f"Run {folder.name}", f"runs/{folder.name}")


def company_of(opened: OpenPair) -> tuple[Companion, ...]:
    """The samples, asked once for every pair; or what was stored of their answers."""
    credits = json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))
    pictures = [open_picture(SAMPLES / sample["file"]) for sample in credits]
    if opened.stored is not None and opened.stored.is_file():
        company = read_company(opened, pictures)
    else:
        company = ask_company(opened.pair, opened.config, pictures, opened.crops)
    return tuple(
        Companion(sample["file"], sample["title"], answers)
        for sample, answers in zip(credits, company, strict=True)
    )


def write_company(opened: OpenPair, path: Path) -> None:
    """Stores what the samples' crops were answered, so that nobody waits for it."""
    company = company_of(replace(opened, stored=None))
    tensors = {
        f"{i}.{name}": getattr(one.answers, name).contiguous()
        for i, one in enumerate(company)
        for name in ANSWERED
    }
    save_file(tensors, path)


def read_company(opened: OpenPair, pictures: Sequence[Image.Image]) -> list[BatchMate]:
    """The answers of `write_company`, with the crops and masks that they are about."""
    assert opened.stored is not None
    stored = load_file(opened.stored)
    whole = company_crops(opened.crops)
    company = []
    for i, picture in enumerate(pictures):
        crops, mask = draw(opened.config, picture, COMPANY_SEED, whole)
        answered = {name: stored[f"{i}.{name}"] for name in ANSWERED}
        company.append(BatchMate(crops=crops, mask=mask, **answered))
    return company


def ask_pair(opened: OpenPair, source: Image.Image, seed: int) -> Answers:
    """The forwards: all that the screen needs of a picture and seed."""
    return ask(opened.pair, opened.config, source, seed, opened.crops)


def company_sheet(company: Sequence[Companion]) -> Image.Image:
    """The companions' global crops, a column each: first crops above, second ones below."""
    size = company[0].answers.crops[0].size
    sheet = Image.new("RGB", (size * len(company), 2 * size))
    for column, companion in enumerate(company):
        for row in range(2):
            pixels = Image.fromarray(companion.answers.crops[row].pixels)
            sheet.paste(pixels, (column * size, row * size))
    return sheet


# --- the scene


def losses_scene(
    opened: OpenPair,
    company: Sequence[Companion],
    own: Answers,
    seed: int,
    sample: str = "",
    targets: str | None = None,
    temperature: float | None = None,
    student_temperature: float | None = None,
) -> LossesScene:
    """Everything of the screen; temperatures of None are those that the pair was trained with.

    Targets come by centring unless something else is asked for, however the pair was trained:
    Sinkhorn-Knopp shares out all prototypes among the batch, and a batch of so few pictures leaves
    it little to share. `sample` names the picture if it is a sample: it is no company for itself.
    """
    config = opened.config
    recipe = {
        "targets": config.loss.centering,
        "temperature": config.schedule.teacher_temperature,
        "student_temperature": config.loss.student_temperature,
    }
    centering = next((one for one in TARGETS if one == (targets or TARGETS[0])), None)
    if centering is None:
        raise ValueError(f"Targets come by one of {', '.join(TARGETS)}, not by {targets!r}.")
    softness = student_temperature or config.loss.student_temperature
    loss = replace(config.loss, centering=centering, student_temperature=softness)
    hotness = temperature or config.schedule.teacher_temperature
    others = [i for i, one in enumerate(company) if one.file != sample]
    found = dissect(own, [company[i].answers for i in others], loss, hotness)
    nearest = found.distances[0].argsort().tolist()
    columns = _stand_out([found.teacher, found.student], TOP)
    patch_columns = _stand_out([found.teacher_patches, found.student_patches], TOP_PATCH)
    crops = [f"{crop.kind} {crop.index + 1}" for crop in own.crops]
    return LossesScene(
        title=opened.title,
        file=opened.file,
        seed=seed,
        temperature=hotness,
        student_temperature=softness,
        targets_by=found.targets_by,
        recipe=recipe,
        own_crops=opened.crops != crop_config(patch_size=config.vit.patch_size),
        prototypes=(found.teacher.shape[1], found.teacher_patches.shape[1]),
        head=_widths(config),
        shared=config.ibot_head is None,
        grid=(own.mask.mask.shape[0], own.mask.mask.shape[1]),
        crops=[
            {"name": name, "size": crop.size, "kind": crop.kind}
            for name, crop in zip(crops, own.crops, strict=True)
        ],
        colours=[crop_colour(crop.kind, crop.index) for crop in own.crops],
        company=[
            {
                "file": company[others[i]].file,
                "title": company[others[i]].title,
                "column": others[i],
                "distances": found.distances[:, i].tolist(),
            }
            for i in nearest
        ],
        columns_of_sheet=len(company),
        terms=found.terms,
        uniform=found.uniform,
        weights={"dino": loss.dino_weight, "ibot": loss.ibot_weight, "koleo": loss.koleo_weight},
        koleo=tuple(found.koleo.tolist()),
        ibot_mean=found.ibot.mean().item(),
        pixels=tuple(crop.pixels for crop in own.crops),
        dino=_array(found.dino),
        teacher_entropy=_array(entropy_of(found.teacher)),
        student_entropy=_array(entropy_of(found.student)),
        columns=columns.numpy().astype(np.int32),
        teacher=_array(found.teacher[:, columns]),
        student=_array(found.student[:, columns]),
        examples=_crop_examples(company, others, columns),
        mask=own.mask.mask.numpy().astype(np.uint8),
        patch_columns=patch_columns.numpy().astype(np.int32),
        patch_examples=_patch_examples(company, others, patch_columns),
        **_of_patches(found, patch_columns),
    )


def _widths(config: TrainConfig) -> list[int]:
    head = config.dino_head
    return [config.vit.dim, *[head.hidden] * (head.layers - 1), head.bottleneck, head.prototypes]


def _of_patches(found: Dissection, columns: Tensor) -> dict[str, np.ndarray]:
    return {
        "ibot": _array(found.ibot),
        "patch_entropy": _array(entropy_of(found.teacher_patches)),
        "teacher_patches": _array(found.teacher_patches[:, columns]),
        "student_patches": _array(found.student_patches[:, columns]),
    }


def _stand_out(distributions: Sequence[Tensor], count: int) -> Tensor:
    """The prototypes among the `count` likeliest of any row of [n, K]: int64 [C], ascending."""
    best = [rows.topk(min(count, rows.shape[1])).indices.flatten() for rows in distributions]
    return torch.cat(best).unique()


def _crop_examples(
    company: Sequence[Companion], others: Sequence[int], columns: Tensor
) -> np.ndarray:
    """Which companions' crops a prototype likes best: int32 [C, EXAMPLES, 2]."""
    scores = torch.stack([company[i].answers.teacher for i in others])  # [n, 2, K]
    best, crop = scores[..., columns].max(dim=1)  # [n, C]
    return _examples(best, crop, others)


def _patch_examples(
    company: Sequence[Companion], others: Sequence[int], columns: Tensor
) -> np.ndarray:
    """Which companions' patches a prototype likes best: int32 [C', EXAMPLES, 2]."""
    best = torch.stack([company[i].answers.best_score[columns] for i in others])  # [n, C']
    place = torch.stack([company[i].answers.best_patch[columns] for i in others])
    return _examples(best, place, others)


def _examples(best: Tensor, place: Tensor, others: Sequence[int]) -> np.ndarray:
    """Scores and places [n, C] -> the best companions and their places, int32 [C, EXAMPLES, 2]."""
    order = best.topk(min(EXAMPLES, len(best)), dim=0).indices  # [EXAMPLES, C]
    who = torch.tensor(others)[order]
    return torch.stack([who, place.gather(0, order)], dim=-1).transpose(0, 1).int().numpy()


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.float().numpy()
