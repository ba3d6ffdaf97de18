"""Pairs of student and teacher whose losses can be looked at, and the samples for reference.

What `open_pair` finds (a file of heads, a run), with the crops that it is to be shown. Nothing here
knows of a visitor: pairs and what they say of the samples are shared by all.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from dino_core.assets import STATIC
from dino_core.config import CropConfig, TrainConfig
from dino_core.images import open_picture
from dino_core.runs.checkpoint_pairs import open_checkpoint_pair
from dino_core.runs.checkpoints import steps_in
from dino_core.runs.folder import RunFolder
from dino_core.runs.pretrained_heads import CIFAR_PAIR, PREVIEW_HEADS
from dino_core.runs.progress import open_pair
from dino_core.scenes.crops import check_seed, crop_config
from dino_core.step.loss_inspection import (
    REFERENCE_SEED,
    PictureLogits,
    ReferencePicture,
    draw_crops_and_mask,
    picture_logits,
    reference_batch,
    reference_crops,
)
from dino_core.student_teacher import StudentTeacher
from dino_core.weights.variants import PREVIEW, find_variant

SAMPLES = STATIC / "samples"
REFERENCES = STATIC / "first" / "references.safetensors"  # of the pair that the page begins with
ANSWERED = tuple(f.name for f in fields(ReferencePicture) if f.name not in ("crops", "mask"))
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
    files: tuple[Path, ...] = ()  # that it was made of, where something is stored


@dataclass(frozen=True, eq=False)
class ReferenceSample:
    """A sample as the pair sees it."""

    file: str
    title: str
    answers: ReferencePicture


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
    backbone = find_variant(PREVIEW).path
    files = (file,) if backbone is None else (file, backbone)
    return OpenPair(pair.eval(), config, crops, title, written, REFERENCES, files)


def newest_step(folder: Path) -> int:
    """Of a run's checkpoints; 0 when there is none."""
    return max(steps_in(RunFolder(folder).checkpoints), default=0)


def open_run(folder: Path) -> OpenPair:
    """The newest checkpoint of a run. ValueError in a sentence when there is none."""
    if RunFolder(folder).read_config().get("kind") != "pretraining":
        raise ValueError(
            "Only a run without labels has a teacher that follows its student: neither fine-tuning "
            "nor distillation can be chosen here."
        )
    pair, config, _ = open_pair(folder)
    return OpenPair(pair.eval(), config, config.crops, f"Run {folder.name}", f"runs/{folder.name}")


def open_checkpoint(path: Path, title: str, file: str) -> OpenPair:
    """The pair in a visitor's checkpoint; `file` as lines of Python name it. ValueError for none.

    Its crops are the official ones in whole patches: a checkpoint does not say its own.
    """
    try:
        pair, config = open_checkpoint_pair(path)
    except ValueError as error:
        raise ValueError(str(error).replace(str(path), title)) from None
    crops = crop_config(patch_size=config.vit.patch_size)
    return OpenPair(pair, replace(config, crops=crops), crops, title, file)


def references_of(opened: OpenPair) -> tuple[ReferenceSample, ...]:
    """The samples, asked once for every pair; or what was stored of their answers."""
    credits = json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))
    pictures = [open_picture(SAMPLES / sample["file"]) for sample in credits]
    references = read_references(opened, pictures)
    if references is None:
        references = reference_batch(opened.pair, opened.config, pictures, opened.crops)
    return tuple(
        ReferenceSample(sample["file"], sample["title"], answers)
        for sample, answers in zip(credits, references, strict=True)
    )


def write_references(opened: OpenPair, path: Path) -> None:
    """Stores what the samples' crops were answered, so that nobody waits for it."""
    references = references_of(replace(opened, stored=None))
    tensors = {
        f"{i}.{name}": getattr(one.answers, name).contiguous()
        for i, one in enumerate(references)
        for name in ANSWERED
    }
    save_file(tensors, path, {"origin": origin_of(opened)})


def origin_of(opened: OpenPair) -> str:
    """What stored answers are true of, as a digest: the pair's files, the samples, their crops."""
    digest = hashlib.sha256(repr((opened.crops, opened.config.masks, REFERENCE_SEED)).encode())
    credits = json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))
    for path in (*opened.files, *(SAMPLES / sample["file"] for sample in credits)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read_references(
    opened: OpenPair, pictures: Sequence[Image.Image]
) -> list[ReferencePicture] | None:
    """The answers of `write_references`, with the crops and masks that they are about.

    None where nothing is stored, or only of another pair or of other samples.
    """
    if opened.stored is None:
        return None
    try:
        with safe_open(opened.stored, "pt") as file:
            if (file.metadata() or {}).get("origin") != origin_of(opened):
                return None
        stored = load_file(opened.stored)
    except (OSError, SafetensorError):
        return None
    whole = reference_crops(opened.crops)
    references = []
    for i, picture in enumerate(pictures):
        crops, mask = draw_crops_and_mask(opened.config, picture, REFERENCE_SEED, crops=whole)
        answered = {name: stored[f"{i}.{name}"] for name in ANSWERED}
        references.append(ReferencePicture(crops=crops, mask=mask, **answered))
    return references


def pair_outputs(opened: OpenPair, source: Image.Image, seed: int) -> PictureLogits:
    """The forwards: all that the screen needs of a picture and seed."""
    check_seed(seed)
    return picture_logits(opened.pair, opened.config, source, seed, crops=opened.crops)


def reference_sheet(references: Sequence[ReferenceSample]) -> Image.Image:
    """The references' global crops, a column each: first crops above, second ones below."""
    size = references[0].answers.crops[0].size
    sheet = Image.new("RGB", (size * len(references), 2 * size))
    for column, reference in enumerate(references):
        for row in range(2):
            pixels = Image.fromarray(reference.answers.crops[row].pixels)
            sheet.paste(pixels, (column * size, row * size))
    return sheet
