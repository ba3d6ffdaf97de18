"""One picture's losses, term by term: what student and teacher say of each crop, and what it costs.

The losses are those of a training step (`train_step.compute_losses`), without a gradient. A loss is
never one picture's alone: targets are made from all pictures of a batch, and KoLeo needs a
neighbour. So the picture comes with others for reference, for example the samples.

    own = picture_logits(pair, config, picture, seed=0)                # the forwards, once
    reference = reference_batch(pair, config, others)
    parts = break_down(own, reference, config.loss, temperature=0.04)  # cheap, for every slider

Followed with a ViT-S/14, 2 x 224 and 8 x 98 px: ten crops are given to the student, two of them to
the teacher as well; the first of those hides 30 % of its 256 patches from the student, 76. So there
are 10 x 2 cross-entropies between crops, of which 18 count, 76 of masked patches, and 2 distances.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from dino_core.config import GLOBAL_CROPS, CropConfig, LossConfig, TrainConfig
from dino_core.crops import Crop, sample_crops, stack_crops
from dino_core.losses import koleo_loss, log_probabilities
from dino_core.masks import BlockMask, sample_block_mask
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers, Outputs, make_targets, student_outputs
from dino_core.step.train_step import compute_losses
from dino_core.student_teacher import Network, StudentTeacher

REFERENCE_SEED = 0
RATIO = 0.3  # of the first global crop's patches, hidden from the student


@dataclass(frozen=True, eq=False)
class ReferencePicture:
    """What the losses of another picture need to know of one. K prototypes, K' of iBOT."""

    crops: tuple[Crop, ...]  # the global ones first
    mask: BlockMask  # on the first global crop, M patches; the second one is whole
    cls: Tensor  # [2, D] the student's class tokens of the global crops
    teacher: Tensor  # [2, K] logits, before any temperature
    teacher_patches: Tensor  # [M, K'] of the masked patches, in reading order
    best_score: Tensor  # [K'] the teacher's highest logit for any patch of the global crops, and
    best_patch: Tensor  # [K'] which patch that was, counted through both crops: crop * P + patch


@dataclass(frozen=True, eq=False)
class PictureLogits(ReferencePicture):
    """All that a pair says of one picture."""

    student: Tensor  # [2 + L, K] logits
    student_patches: Tensor  # [M, K']


@dataclass(frozen=True, eq=False)
class LossBreakdown:
    """The picture's share of the losses. Cross-entropies and entropies are in nats."""

    dino: Tensor  # [2 + L, 2] student crop, teacher view; a crop with itself does not count
    teacher: Tensor  # [2, K] targets, rows sum to 1
    student: Tensor  # [2 + L, K] probabilities
    ibot: Tensor  # [M]
    teacher_patches: Tensor  # [M, K'] targets
    student_patches: Tensor  # [M, K'] probabilities
    koleo: Tensor  # [2] one for each global crop
    distances: Tensor  # [2, n] to the n others, on the unit sphere: 0 to 2
    terms: dict[str, float]  # weights included: they add up to the loss that is optimised
    uniform: dict[str, float]  # the same for a student whose output is uniform; without KoLeo
    targets_by: str  # centering or sinkhorn_knopp


@torch.inference_mode()
def picture_logits(
    pair: StudentTeacher,
    config: TrainConfig,
    picture: Image.Image,
    seed: int,
    *,
    crops: CropConfig | None = None,
    ratio: float = RATIO,
) -> PictureLogits:
    """Crops, mask and both networks' logits of one RGB picture.

    `crops` replaces the pair's own configuration. The same seed gives the same crops and mask as
    everywhere. ValueError for a ratio at which no patch is hidden.
    """
    drawn, mask = draw_crops_and_mask(config, picture, seed, crops=crops, ratio=ratio)
    device = pair.student.backbone.pos_embed.device
    batch = Batch.from_crops(
        stack_crops(drawn[:GLOBAL_CROPS]),
        stack_crops(drawn[GLOBAL_CROPS:]) if len(drawn) > GLOBAL_CROPS else torch.empty(0),
        torch.stack([mask.mask, torch.zeros_like(mask.mask)]),
    ).to(device)
    training = pair.training
    pair.eval()
    student = student_outputs(pair.student, batch, config)
    teacher, teacher_patches, best = _teacher_logits(pair.teacher, batch)
    pair.train(training)
    if student.patch_logits is None:
        raise ValueError("This pair was trained without iBOT: nothing guesses masked patches.")
    return PictureLogits(
        crops=drawn,
        mask=mask,
        cls=student.tokens.cpu(),
        student=student.logits[:, 0].cpu(),
        teacher=teacher.cpu(),
        student_patches=student.patch_logits.cpu(),
        teacher_patches=teacher_patches.cpu(),
        best_score=best[0].cpu(),
        best_patch=best[1].cpu(),
    )


def draw_crops_and_mask(
    config: TrainConfig,
    picture: Image.Image,
    seed: int,
    *,
    crops: CropConfig | None = None,
    ratio: float = RATIO,
) -> tuple[tuple[Crop, ...], BlockMask]:
    """What the networks are shown by `picture_logits`: the crops, and the mask of the first."""
    drawn = sample_crops(picture, crops or config.crops, torch.Generator().manual_seed(seed))
    side = drawn[0].size // config.vit.patch_size
    generator = torch.Generator().manual_seed(seed)
    mask = sample_block_mask((side, side), int(side * side * ratio), config.masks, generator)
    if not mask.achieved:
        raise ValueError(f"At a ratio of {ratio} no patch of {side} x {side} is hidden.")
    return drawn, mask


def reference_batch(
    pair: StudentTeacher,
    config: TrainConfig,
    pictures: Iterable[Image.Image],
    crops: CropConfig | None = None,
) -> list[ReferencePicture]:
    """The rest of a batch, with the global crops of seed 0: local ones only cost their own."""
    whole = reference_crops(crops or config.crops)
    return [
        picture_logits(pair, config, picture, REFERENCE_SEED, crops=whole) for picture in pictures
    ]


def reference_crops(crops: CropConfig) -> CropConfig:
    return replace(crops, local_count=0)


def _teacher_logits(teacher: Network, batch: Batch) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Of the class tokens [2, K], of the masked patches [M, K'], and each prototype's best patch.

    One crop after the other: the logits of all patches for 65 536 prototypes would fill memory.
    """
    out = teacher.backbone(batch.global_crops)
    cls, masked, best, position = [], [], [], []
    for crop in range(GLOBAL_CROPS):
        of_cls, of_patches = teacher.logits(out.cls[crop : crop + 1], out.patches[crop])
        assert of_patches is not None
        cls.append(of_cls)
        masked.append(of_patches[batch.masks[crop]])
        highest, where = of_patches.max(dim=0)  # [P, K'] -> [K']
        best.append(highest)
        position.append(where + crop * len(of_patches))
    score, crop_of = torch.stack(best).max(dim=0)  # [2, K'] -> [K']
    positions = torch.stack(position).gather(0, crop_of[None])[0]
    return torch.cat(cls), torch.cat(masked), (score, positions)


@torch.inference_mode()
def break_down(
    own: PictureLogits,
    reference: Sequence[ReferencePicture],
    config: LossConfig,
    temperature: float,
) -> LossBreakdown:
    """The losses of one picture in a batch of 1 + n, at a temperature of the teacher's above 0.

    Centring takes off the mean logits of this batch; in a run it is a moving average over batches.
    ValueError without any other picture.
    """
    if not reference:
        raise ValueError("KoLeo needs a neighbour and targets need a batch: bring other pictures.")
    if temperature <= 0 or config.student_temperature <= 0:
        raise ValueError("A temperature is a number above 0.")
    everybody = [own, *reference]
    # Targets are made of the whole batch, and the picture's own are taken from them.
    teacher = Outputs(
        tokens=own.cls,
        logits=torch.stack([one.teacher for one in everybody], dim=1).float(),  # [2, 1 + n, K]
        patch_logits=torch.cat([one.teacher_patches for one in everybody]).float(),
    )
    assert teacher.patch_logits is not None
    centers = Centers(teacher.logits.mean(dim=(0, 1)), teacher.patch_logits.mean(dim=0))
    targets = make_targets(teacher, temperature, config, centers)
    assert targets.patches is not None
    M = len(own.student_patches)
    patches = targets.patches[:M]
    targets = replace(targets, cls=targets.cls[:, :1], patches=patches)

    # What it costs alone, and KoLeo between it and the others.
    student = Outputs(own.cls, own.student[:, None], own.student_patches)
    weights = own.student_patches.new_full((M,), 1 / M)
    losses = compute_losses(student, targets, weights, replace(config, koleo_weight=0.0))
    views = torch.stack([one.cls for one in everybody], dim=1)  # [2, 1 + n, D]
    koleo = torch.stack([koleo_loss(view)[1][0] for view in views])
    terms = {name: term.item() for name, term in losses.terms.items()}
    terms["koleo"] = config.koleo_weight * koleo.sum().item()

    on_sphere = F.normalize(views, dim=-1)
    uniform = losses.anchors()
    softness = config.student_temperature
    return LossBreakdown(
        dino=losses.dino_terms[..., 0],
        teacher=targets.cls[:, 0],
        student=log_probabilities(own.student, softness).exp(),
        ibot=losses.ibot_terms,
        teacher_patches=patches,
        student_patches=log_probabilities(own.student_patches, softness).exp(),
        koleo=koleo,
        distances=(on_sphere[:, :1] - on_sphere[:, 1:]).norm(dim=-1),
        terms=terms,
        uniform={
            "dino_global": config.dino_weight * uniform["dino_global_crops_loss"],
            "dino_local": config.dino_weight * uniform["dino_local_crops_loss"],
            "ibot": config.ibot_weight * 2 * uniform["ibot_loss"],  # which is logged by half
        },
        targets_by=config.centering,
    )
