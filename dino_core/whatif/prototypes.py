"""What a pair's heads say of a picture before and after: prototypes, and the losses that follow.

The teacher has seen the picture as it is, the student the edited one. So the losses ask the
question of training: does what is left still lead to what the teacher says of the whole? Targets
are made by centring, with the mean logits of reference pictures as the centre.

    dino    H(teacher(cls before), student(cls after))
    ibot    mean over patches of H(teacher(patch before), student(patch after))

with H the cross-entropy in nats. The same with the student before says what it costs anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dino_core.analysis.effects import Effects
from dino_core.analysis.inspection import Inspection
from dino_core.config import TrainConfig
from dino_core.losses import log_probabilities
from dino_core.step.forward import Centers
from dino_core.step.loss_inspection import ReferencePicture
from dino_core.student_teacher import StudentTeacher
from dino_core.targets import center_and_sharpen

TOP = 5  # prototypes that are named
PATCHES_AT_ONCE = 256  # whose logits of tens of thousands of prototypes fill memory


@dataclass(frozen=True)
class HeadsSay:
    """A picture before and after. Cross-entropies in nats, each (before, after)."""

    prototypes: Tensor  # int64 [2, k] likeliest of the teacher's distribution, first the likeliest
    probabilities: Tensor  # float32 [2, k] of these
    dino: tuple[float, float]
    ibot: tuple[float, float] | None  # None for a pair that was trained without


def centers_of(references: Sequence[ReferencePicture]) -> Centers:
    """The mean logits of reference pictures, of class tokens and of masked patches."""
    if not references:
        raise ValueError("Targets need reference pictures for their centre.")
    cls = torch.stack([one.teacher.float() for one in references]).mean(dim=(0, 1))
    patches = torch.cat([one.teacher_patches.float() for one in references]).mean(0)
    return Centers(cls, patches)


@torch.inference_mode()
def heads_say(
    pair: StudentTeacher,
    config: TrainConfig,
    found: Effects,
    centers: Centers,
    *,
    temperature: float | None = None,
) -> HeadsSay:
    """What the pair's heads say of features that its own backbone has made.

    `temperature` is the teacher's, None: as it was trained. ValueError for features of a model that
    is not the pair's.
    """
    if found.before.normed.shape[1] != config.vit.dim:
        raise ValueError(
            f"These heads read features of width {config.vit.dim}, not of "
            f"{found.before.normed.shape[1]}: open the picture in the model of the pair."
        )
    heat = config.schedule.teacher_temperature if temperature is None else temperature
    sharpness = config.loss.student_temperature
    cls = [seen.normed[:1] for seen in (found.before, found.after)]
    targets = [center_and_sharpen(pair.teacher.dino_head(one), centers.dino, heat) for one in cls]
    best = torch.cat([one.topk(min(TOP, one.shape[1])).indices for one in targets])  # [2, k]
    dino = [_cross_entropy(targets[0], pair.student.dino_head(one), sharpness) for one in cls]
    ibot = None
    if config.loss.ibot_weight:
        ibot = _patches(pair, found, centers.ibot, temperatures=(heat, sharpness))
    return HeadsSay(
        prototypes=best,
        probabilities=torch.cat([t.gather(1, b[None]) for t, b in zip(targets, best, strict=True)]),
        dino=(float(dino[0]), float(dino[1])),
        ibot=ibot,
    )


def _patches(
    pair: StudentTeacher, found: Effects, center: Tensor, *, temperatures: tuple[float, float]
) -> tuple[float, float]:
    """The mean cross-entropy over all patches, before and after."""
    teacher = pair.teacher.ibot_head or pair.teacher.dino_head
    student = pair.student.ibot_head or pair.student.dino_head
    heat, sharpness = temperatures
    parts = [_in_parts(seen) for seen in (found.before, found.after)]
    sums = [0.0, 0.0]
    for before, after in zip(*parts, strict=True):
        targets = center_and_sharpen(teacher(before), center, heat)
        for i, features in enumerate((before, after)):
            sums[i] += float(_cross_entropy(targets, student(features), sharpness).sum())
    h, w = found.before.grid
    return sums[0] / (h * w), sums[1] / (h * w)


def _in_parts(seen: Inspection) -> tuple[Tensor, ...]:
    return seen.normed[seen.first_patch :].split(PATCHES_AT_ONCE)


def _cross_entropy(targets: Tensor, logits: Tensor, temperature: float) -> Tensor:
    """[n, K], [n, K] -> [n], in nats."""
    return -(targets * log_probabilities(logits, temperature)).sum(-1)
