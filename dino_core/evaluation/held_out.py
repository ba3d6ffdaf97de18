"""Heads on pictures they were not trained on: do their answers mean anything?

A loss alone does not say. Asked here of a student and a teacher, over n pictures with two global
crops each. Entropies and cross-entropies are of the targets that training makes, by Sinkhorn-Knopp
over all of them at once. Answers are the likeliest prototypes once the logits are centred, which
means that the mean logit of each prototype is taken off: uncentred, even random heads agree, since
a few prototypes win everywhere; and Sinkhorn-Knopp gives away what is left over.

    agreement         how often both crops of a picture get the same answer of the teacher, and how
                      often two crops of different pictures do
    entropy           of a picture's target, and of the mean target, in units of ln K: low and high
    masked top-1      how often the student knows the teacher's answer for a patch it cannot see;
                      beside it three answers that need no model of the picture at all: always the
                      commonest one, the answer for some other patch, and a copy of the teacher's
                      answer for the nearest visible patch

Copying the nearest visible patch is hard to beat. Masked prediction that does no better has not
learnt to fill in content, whatever its loss.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dino_core.config import GLOBAL_CROPS, TrainConfig
from dino_core.datasets import Pictures
from dino_core.losses import dino_loss, ibot_loss
from dino_core.step.forward import student_outputs
from dino_core.step.loader import BatchMaker, to_batch
from dino_core.step.metrics import entropy_of
from dino_core.student_teacher import StudentTeacher
from dino_core.targets import sinkhorn_knopp

BATCH = 32  # pictures at a time


@dataclass(frozen=True)
class HeldOut:
    """What heads are worth. Shares are 0 to 1, cross-entropies in nats."""

    pictures: int
    prototypes: tuple[int, int]  # K of the DINO and the iBOT head
    dino_cross_entropy: float  # between different crops of a picture; uniform output: ln K
    ibot_cross_entropy: float  # on masked patches
    agreement: float  # of two crops of a picture
    agreement_of_others: float  # of two crops of different pictures
    entropy: float  # of a class token's target, share of ln K
    marginal_entropy: float  # of the mean target, share of ln K
    masked_top1: float
    commonest: float  # always saying the commonest prototype
    shuffled: float  # the student's answer for another masked patch
    nearest_visible: float  # copying the teacher's answer for the nearest patch in sight


@torch.inference_mode()
def evaluate_heads(
    pair: StudentTeacher, pictures: Pictures, config: TrainConfig, seed: int = 0
) -> HeldOut:
    """Looks at every picture once, by the crops and masks of the configuration.

    ValueError for fewer than 2 pictures.
    """
    if len(pictures) < 2:
        raise ValueError(f"Agreement wants at least 2 pictures, there is {len(pictures)}.")
    size = min(BATCH, len(pictures))
    config = replace(config, schedule=replace(config.schedule, batch_size=size))
    maker = BatchMaker(pictures, config, seed)
    device = pair.student.backbone.pos_embed.device
    was_training = pair.training
    pair.eval()
    cls, patches, student, masks = [], [], [], []
    for step in range(len(pictures) // size):
        batch = to_batch(maker.make(step), device)
        out = pair.teacher.backbone(batch.global_crops)
        of_cls, of_patches = pair.teacher.logits(out.cls, out.patches.flatten(0, 1))
        assert of_patches is not None
        cls.append(of_cls.unflatten(0, (GLOBAL_CROPS, size)))  # [2, B, K]
        patches.append(of_patches.unflatten(0, (GLOBAL_CROPS * size, -1)))  # [2B, P, K]
        student.append(student_outputs(pair.student, batch, config))
        masks.append(batch.masks)  # [2B, P]
    pair.train(was_training)
    temperature = config.schedule.teacher_temperature
    return HeldOut(
        pictures=size * len(cls),
        prototypes=(cls[0].shape[-1], patches[0].shape[-1]),
        **_of_classes(
            torch.cat(cls, 1), torch.cat([one.logits for one in student], 1), temperature, config
        ),
        **_of_patches(
            torch.cat(patches),
            torch.cat([one.patch_logits for one in student if one.patch_logits is not None]),
            torch.cat(masks),
            temperature,
            config,
        ),
    )


def _of_classes(
    teacher: Tensor, student: Tensor, temperature: float, config: TrainConfig
) -> dict[str, float]:
    """Teacher's logits [2, n, K] and student's [2 + L, n, K]."""
    n, K = teacher.shape[1:]
    targets = sinkhorn_knopp(teacher.flatten(0, 1), temperature, config.loss.sinkhorn_iterations)
    targets = targets.unflatten(0, (GLOBAL_CROPS, n))
    of_global, of_local, _ = dino_loss(student, targets, config.loss.student_temperature)
    first, second = likeliest_prototype(teacher.flatten(0, 1)).unflatten(
        0, (GLOBAL_CROPS, n)
    )  # [n] each
    both = (first == second).sum().item()
    uses = [torch.bincount(view, minlength=K).double() for view in (first, second)]
    return {
        "dino_cross_entropy": (of_global + of_local).item(),
        "agreement": both / n,
        "agreement_of_others": ((uses[0] @ uses[1]).item() - both) / (n * (n - 1)),
        "entropy": entropy_of(targets).mean().item() / math.log(K),
        "marginal_entropy": entropy_of(targets.mean((0, 1))).item() / math.log(K),
    }


def _of_patches(
    teacher: Tensor, predictions: Tensor, masks: Tensor, temperature: float, config: TrainConfig
) -> dict[str, float]:
    """Teacher's logits [n, P, K], student's of masked patches [M, K], masks bool [n, P]."""
    K = teacher.shape[-1]
    targets = sinkhorn_knopp(teacher.flatten(0, 1), temperature, config.loss.sinkhorn_iterations)
    targets = targets.unflatten(0, teacher.shape[:2])
    hidden = targets[masks]  # [M, K]
    likeliest = likeliest_prototype(teacher.flatten(0, 1)).unflatten(0, teacher.shape[:2])  # [n, P]
    predicted = likeliest_prototype(predictions)  # [M]
    expected = likeliest[masks]
    each = torch.ones(len(predictions), device=predictions.device)
    _, terms = ibot_loss(predictions, hidden, each, len(masks), config.loss.student_temperature)
    shares = [torch.bincount(x, minlength=K).double() / len(x) for x in (expected, predicted)]
    return {
        "ibot_cross_entropy": terms.mean().item(),
        "masked_top1": (predicted == expected).double().mean().item(),
        "commonest": shares[0].max().item(),
        "shuffled": (shares[0] @ shares[1]).item(),
        "nearest_visible": (nearest_visible(likeliest, masks) == expected).double().mean().item(),
    }


def likeliest_prototype(logits: Tensor) -> Tensor:
    """The likeliest prototype of centred logits: [n, K] -> [n]."""
    return (logits - logits.mean(0)).argmax(-1)


def nearest_visible(likeliest: Tensor, masks: Tensor) -> Tensor:
    """The prototype [n, P] of the visible patch nearest to each masked one: [M], in their order.

    Square grids; of several at the same distance, the first in reading order.
    """
    P = masks.shape[1]
    side = math.isqrt(P)
    assert side * side == P
    place = torch.arange(P, device=masks.device)
    places = torch.stack([place // side, place % side], 1).double()  # [P, 2]
    distance = torch.cdist(places, places)  # [P, P]
    found = []
    for row, mask in zip(likeliest, masks, strict=True):
        if not mask.any():
            continue
        nearest = distance[mask].masked_fill(mask, math.inf).argmin(1)
        found.append(row[nearest])
    return torch.cat(found) if found else likeliest.new_zeros(0)
