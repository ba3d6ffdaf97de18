"""Screen 6: what student and teacher say of every crop and masked patch, and what it costs.

The numbers are those of `dino_core/step/loss_inspection.py`; the samples are its reference batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from dino_core.config import LossConfig, TrainConfig
from dino_core.draw.colours import crop_colour
from dino_core.scenes.crops import crop_config
from dino_core.scenes.facts import CropSize, RecipeFacts, ReferenceFacts
from dino_core.scenes.pairs import OpenPair, ReferenceSample
from dino_core.step.loss_inspection import LossBreakdown, PictureLogits, break_down
from dino_core.step.metrics import entropy_of

TOP = 8  # prototypes of each class token's distribution that are named
TOP_PATCH = 4  # of each masked patch's
EXAMPLES = 3  # places in other pictures where a prototype fires most
TARGETS: tuple[Literal["centering"], Literal["sinkhorn_knopp"]] = ("centering", "sinkhorn_knopp")


@dataclass(frozen=True)
class LossesScene:
    """One picture's losses. Cross-entropies and entropies are in nats; M masked patches.

    Distributions are given for the k prototypes that stand out in one of them: `columns`.
    """

    title: str
    file: str
    seed: int
    temperature: float  # of the teacher
    student_temperature: float
    targets_by: str
    recipe: Annotated[dict[str, Any], RecipeFacts]
    own_crops: bool  # the pair's own, and not those of the crops' screen
    prototypes: tuple[int, int]  # K of the DINO and of the iBOT head
    head: list[int]  # widths on the way through the DINO head: token, layers, sphere; then K
    shared: bool  # patches go through the DINO head too
    grid: tuple[int, int]
    crops: list[Annotated[dict[str, Any], CropSize]]
    colours: list[tuple[int, int, int]]
    # Of each: file, title, column on the sheet, distances from both global crops. Nearest first.
    references: list[Annotated[dict[str, Any], ReferenceFacts]]
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
    columns: np.ndarray  # int32 [k]
    teacher: np.ndarray  # float32 [2, k]
    student: np.ndarray  # float32 [2 + L, k]
    examples: np.ndarray  # int32 [k, EXAMPLES, 2]: reference, crop
    mask: np.ndarray  # uint8 [h, w]
    ibot: np.ndarray  # float32 [M], in reading order of the masked patches
    patch_entropy: np.ndarray  # float32 [M] of the teacher's targets
    patch_columns: np.ndarray  # int32 [k']
    teacher_patches: np.ndarray  # float32 [M, k']
    student_patches: np.ndarray  # float32 [M, k']
    patch_examples: np.ndarray  # int32 [k', EXAMPLES, 2]: reference, crop * P + patch


@dataclass(frozen=True)
class Chosen:
    """What a person chose; temperatures of None are those that the pair was trained with.

    Targets come by centring unless something else is chosen, however the pair was trained:
    Sinkhorn-Knopp shares out all prototypes among the batch, and a batch of so few pictures leaves
    it little to share.
    """

    targets: str | None = None
    temperature: float | None = None  # of the teacher
    student_temperature: float | None = None

    def settle(self, config: TrainConfig) -> tuple[LossConfig, float]:
        """The losses' configuration and the teacher's temperature. ValueError for odd targets."""
        wanted = self.targets or TARGETS[0]
        centering = next((one for one in TARGETS if one == wanted), None)
        if centering is None:
            raise ValueError(f"Targets come by one of {', '.join(TARGETS)}, not by {wanted!r}.")
        loss, temperature = replace(config.loss, centering=centering), self.temperature
        if self.student_temperature is not None:
            loss = replace(loss, student_temperature=self.student_temperature)
        return loss, config.schedule.teacher_temperature if temperature is None else temperature


def losses_scene(
    opened: OpenPair,
    references: Sequence[ReferenceSample],
    own: PictureLogits,
    seed: int,
    *,
    sample: str = "",
    chosen: Chosen = Chosen(),
) -> LossesScene:
    """Everything of the screen.

    `sample` names the picture if it is a sample itself: it is no reference for itself.
    """
    loss, temperature = chosen.settle(opened.config)
    others = [i for i, one in enumerate(references) if one.file != sample]
    found = break_down(own, [references[i].answers for i in others], loss, temperature)
    return LossesScene(
        seed=seed,
        temperature=temperature,
        student_temperature=loss.student_temperature,
        targets_by=found.targets_by,
        terms=found.terms,
        uniform=found.uniform,
        weights={"dino": loss.dino_weight, "ibot": loss.ibot_weight, "koleo": loss.koleo_weight},
        koleo=tuple(found.koleo.tolist()),
        **_about_pair(opened),
        **_about_crops(own),
        **_about_references(references, others, found),
        **_between_crops(references, others, found),
        **_on_patches(references, others, found),
    )


def _about_pair(opened: OpenPair) -> dict[str, Any]:
    config, head = opened.config, opened.config.dino_head
    patches = config.ibot_head or head
    hidden = [head.hidden] * (head.layers - 1)
    return {
        "title": opened.title,
        "file": opened.file,
        "recipe": {
            "targets": config.loss.centering,
            "temperature": config.schedule.teacher_temperature,
            "student_temperature": config.loss.student_temperature,
        },
        "own_crops": opened.crops != crop_config(patch_size=config.vit.patch_size),
        "prototypes": (head.prototypes, patches.prototypes),
        "head": [config.vit.dim, *hidden, head.bottleneck, head.prototypes],
        "shared": config.ibot_head is None,
    }


def _about_crops(own: PictureLogits) -> dict[str, Any]:
    h, w = own.mask.mask.shape
    return {
        "grid": (h, w),
        "mask": own.mask.mask.numpy().astype(np.uint8),
        "crops": [
            {"name": f"{crop.kind} {crop.index}", "size": crop.size, "kind": crop.kind}
            for crop in own.crops
        ],
        "colours": [crop_colour(crop.kind, crop.index) for crop in own.crops],
        "pixels": tuple(crop.pixels for crop in own.crops),
    }


def _about_references(
    references: Sequence[ReferenceSample], others: Sequence[int], found: LossBreakdown
) -> dict[str, Any]:
    nearest_first = found.distances[0].argsort().tolist()
    return {
        "columns_of_sheet": len(references),
        "references": [
            {
                "file": references[others[i]].file,
                "title": references[others[i]].title,
                "column": others[i],
                "distances": found.distances[:, i].tolist(),
            }
            for i in nearest_first
        ],
    }


def _between_crops(
    references: Sequence[ReferenceSample], others: Sequence[int], found: LossBreakdown
) -> dict[str, Any]:
    columns = _stand_out([found.teacher, found.student], TOP)
    return {
        "dino": _array(found.dino),
        "teacher_entropy": _array(entropy_of(found.teacher)),
        "student_entropy": _array(entropy_of(found.student)),
        "columns": columns.int().numpy(),
        "teacher": _array(found.teacher[:, columns]),
        "student": _array(found.student[:, columns]),
        "examples": _crop_examples(references, others, columns),
    }


def _on_patches(
    references: Sequence[ReferenceSample], others: Sequence[int], found: LossBreakdown
) -> dict[str, Any]:
    columns = _stand_out([found.teacher_patches, found.student_patches], TOP_PATCH)
    return {
        "ibot": _array(found.ibot),
        "ibot_mean": found.ibot.mean().item(),
        "patch_entropy": _array(entropy_of(found.teacher_patches)),
        "patch_columns": columns.int().numpy(),
        "teacher_patches": _array(found.teacher_patches[:, columns]),
        "student_patches": _array(found.student_patches[:, columns]),
        "patch_examples": _patch_examples(references, others, columns),
    }


def _stand_out(distributions: Sequence[Tensor], count: int) -> Tensor:
    """The prototypes among the `count` likeliest of any row of [n, K]: int64 [k], ascending."""
    best = [rows.topk(min(count, rows.shape[1])).indices.flatten() for rows in distributions]
    return torch.cat(best).unique()


def _crop_examples(
    references: Sequence[ReferenceSample], others: Sequence[int], columns: Tensor
) -> np.ndarray:
    """Which references' crops a prototype likes best: int32 [k, EXAMPLES, 2]."""
    scores = torch.stack([references[i].answers.teacher for i in others])  # [n, 2, K]
    best, crop = scores[..., columns].max(dim=1)  # [n, k]
    return _examples(best, crop, others)


def _patch_examples(
    references: Sequence[ReferenceSample], others: Sequence[int], columns: Tensor
) -> np.ndarray:
    """Which references' patches a prototype likes best: int32 [k', EXAMPLES, 2]."""
    best = torch.stack([references[i].answers.best_score[columns] for i in others])  # [n, k']
    place = torch.stack([references[i].answers.best_patch[columns] for i in others])
    return _examples(best, place, others)


def _examples(best: Tensor, place: Tensor, others: Sequence[int]) -> np.ndarray:
    """Scores and places [n, k] -> the best references and their places, int32 [k, EXAMPLES, 2]."""
    order = best.topk(min(EXAMPLES, len(best)), dim=0).indices  # [EXAMPLES, k]
    who = torch.tensor(others)[order]
    return torch.stack([who, place.gather(0, order)], dim=-1).transpose(0, 1).int().numpy()


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.float().numpy()
