"""One picture's losses, taken apart: what student and teacher say of each crop, and what it costs.

The functions are those of a training step (`step.py`), without a gradient. A loss is never one
picture's alone: targets are made from all pictures of a batch, and KoLeo needs a neighbour. So the
picture comes in company, for example that of the samples.

    own = ask(pair, config, picture, seed=0)                        # the forwards, once
    company = ask_company(pair, config, others)
    parts = dissect(own, company, config.loss, temperature=0.04)    # cheap, for every slider

Followed with a ViT-S/14, 2 x 224 and 8 x 98 px: ten crops are given to the student, two of them to
the teacher as well; the first of those hides 30 % of its 256 patches from the student, 76. So there
are 10 x 2 cross-entropies between crops, of which 18 count, 76 of masked patches, and 2 distances.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from dino_core.config import CropConfig, LossConfig, TrainConfig
from dino_core.crops import Crop, sample_crops, stack_crops
from dino_core.losses import (
    dino_terms,
    ibot_terms,
    koleo_terms,
    log_probabilities,
    reduce_ibot_terms,
    split_dino_terms,
    uniform_anchors,
)
from dino_core.masks import BlockMask, sample_block_mask
from dino_core.step.train_step import GLOBAL_CROPS, Batch, as_targets, study
from dino_core.student_teacher import Network, StudentTeacher

COMPANY_SEED = 0
RATIO = 0.3  # of the first global crop's patches, hidden from the student


@dataclass(frozen=True, eq=False)
class BatchMate:
    """What the losses of another picture want to know of one. K prototypes, K' of iBOT."""

    crops: tuple[Crop, ...]  # the global ones first
    mask: BlockMask  # on the first global crop, M patches; the second one is whole
    cls: Tensor  # [2, D] the student's class tokens of the global crops
    teacher: Tensor  # [2, K] scores, before any temperature
    teacher_patches: Tensor  # [M, K'] of the masked patches, in reading order
    best_score: Tensor  # [K'] the teacher's highest for any patch of the global crops, and
    best_patch: Tensor  # [K'] which patch that was, counted through both crops: crop * P + patch


@dataclass(frozen=True, eq=False)
class Answers(BatchMate):
    """All that a pair says of one picture."""

    student: Tensor  # [2 + L, K] scores
    student_patches: Tensor  # [M, K']

    @property
    def local_crops(self) -> int:
        """L."""
        return len(self.crops) - GLOBAL_CROPS


@dataclass(frozen=True, eq=False)
class Dissection:
    """The picture's share of the losses. Cross-entropies and entropies are in nats."""

    dino: Tensor  # [2 + L, 2] student crop, teacher view; a crop with itself does not count
    teacher: Tensor  # [2, K] targets, rows sum to 1
    student: Tensor  # [2 + L, K] probabilities
    ibot: Tensor  # [M]
    teacher_patches: Tensor  # [M, K'] targets
    student_patches: Tensor  # [M, K']
    koleo: Tensor  # [2] one for each global crop
    distances: Tensor  # [2, n] to the n others of the company, on the unit sphere: 0 to 2
    terms: dict[str, float]  # weights included: they add up to the loss that is optimised
    uniform: dict[str, float]  # the same for a student whose output is uniform; without KoLeo
    targets_by: str  # centering or sinkhorn_knopp


@torch.inference_mode()
def ask(
    pair: StudentTeacher,
    config: TrainConfig,
    picture: Image.Image,
    seed: int,
    crops: CropConfig | None = None,
    ratio: float = RATIO,
) -> Answers:
    """Crops, mask and both networks' scores of one RGB picture.

    `crops` replaces the pair's own configuration. The same seed gives the same crops and mask as
    everywhere. ValueError for a ratio at which no patch is hidden.
    """
    drawn, mask = draw(config, picture, seed, crops, ratio)
    device = pair.student.backbone.pos_embed.device
    batch = Batch.from_crops(
        stack_crops(drawn[:GLOBAL_CROPS]),
        stack_crops(drawn[GLOBAL_CROPS:]) if len(drawn) > GLOBAL_CROPS else torch.empty(0),
        torch.stack([mask.mask, torch.zeros_like(mask.mask)]),
    ).to(device)
    training = pair.training
    pair.eval()
    cls, student, student_patches = study(pair.student, batch, config)
    teacher, teacher_patches, best = _teacher_scores(pair.teacher, batch)
    pair.train(training)
    if student_patches is None:
        raise ValueError("This pair was trained without iBOT: nothing guesses masked patches.")
    return Answers(
        crops=drawn,
        mask=mask,
        cls=cls.cpu(),
        student=student.cpu(),
        teacher=teacher.cpu(),
        student_patches=student_patches.cpu(),
        teacher_patches=teacher_patches.cpu(),
        best_score=best[0].cpu(),
        best_patch=best[1].cpu(),
    )


def draw(
    config: TrainConfig,
    picture: Image.Image,
    seed: int,
    crops: CropConfig | None = None,
    ratio: float = RATIO,
) -> tuple[tuple[Crop, ...], BlockMask]:
    """What the networks are shown by `ask`: the crops, and the mask of the first."""
    drawn = sample_crops(picture, crops or config.crops, torch.Generator().manual_seed(seed))
    side = drawn[0].size // config.vit.patch_size
    generator = torch.Generator().manual_seed(seed)
    mask = sample_block_mask((side, side), int(side * side * ratio), config.masks, generator)
    if not mask.achieved:
        raise ValueError(f"At a ratio of {ratio} no patch of {side} x {side} is hidden.")
    return drawn, mask


def ask_company(
    pair: StudentTeacher,
    config: TrainConfig,
    pictures: Iterable[Image.Image],
    crops: CropConfig | None = None,
) -> list[BatchMate]:
    """The rest of a batch, with the global crops of seed 0: local ones tell only of themselves."""
    whole = company_crops(crops or config.crops)
    return [ask(pair, config, picture, COMPANY_SEED, whole) for picture in pictures]


def company_crops(crops: CropConfig) -> CropConfig:
    return replace(crops, local_count=0)


def _teacher_scores(teacher: Network, batch: Batch) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Of the class tokens [2, K], of the masked patches [M, K'], and each prototype's best patch.

    One crop after the other: the scores of all patches for 65 536 prototypes would fill memory.
    """
    out = teacher.backbone(batch.global_crops)
    cls, masked, best, place = [], [], [], []
    for crop in range(GLOBAL_CROPS):
        of_cls, of_patches = teacher.score(out.cls[crop : crop + 1], out.patches[crop])
        assert of_patches is not None
        cls.append(of_cls)
        masked.append(of_patches[batch.masks[crop]])
        highest, where = of_patches.max(dim=0)  # [P, K'] -> [K']
        best.append(highest)
        place.append(where + crop * len(of_patches))
    score, crop_of = torch.stack(best).max(dim=0)  # [2, K'] -> [K']
    places = torch.stack(place).gather(0, crop_of[None])[0]
    return torch.cat(cls), torch.cat(masked), (score, places)


@torch.inference_mode()
def dissect(
    own: Answers, company: Sequence[BatchMate], config: LossConfig, temperature: float
) -> Dissection:
    """The losses of one picture in a batch of 1 + n, at a temperature of the teacher's above 0.

    Centring takes off the mean score of this batch; in a run it is a moving average over batches.
    ValueError without any company.
    """
    if not company:
        raise ValueError("KoLeo needs a neighbour and targets need a batch: bring other pictures.")
    if temperature <= 0 or config.student_temperature <= 0:
        raise ValueError("A temperature is a number above 0.")
    everybody: list[BatchMate] = [own, *company]
    teacher = _targets([one.teacher for one in everybody], temperature, config)
    patches = _targets([one.teacher_patches for one in everybody], temperature, config)
    softness = config.student_temperature

    between = dino_terms(own.student[:, None], teacher[:, None], softness)[..., 0]  # [2 + L, 2]
    dino_global, dino_local = split_dino_terms(between[..., None])
    on_patches = ibot_terms(own.student_patches, patches, softness)
    weights = torch.full_like(on_patches, 1 / len(on_patches))
    ibot = reduce_ibot_terms(on_patches, weights, GLOBAL_CROPS)

    views = torch.stack([one.cls for one in everybody], dim=1)  # [2, 1 + n, D]
    koleo = torch.stack([koleo_terms(view)[0][0] for view in views])
    on_sphere = torch.nn.functional.normalize(views, dim=-1)
    K, K_patches = own.student.shape[1], own.student_patches.shape[1]
    flat = uniform_anchors(K, GLOBAL_CROPS, own.local_crops, K_patches, masked=1 / GLOBAL_CROPS)
    return Dissection(
        dino=between,
        teacher=teacher,
        student=log_probabilities(own.student, softness).exp(),
        ibot=on_patches,
        teacher_patches=patches,
        student_patches=log_probabilities(own.student_patches, softness).exp(),
        koleo=koleo,
        distances=(on_sphere[:, :1] - on_sphere[:, 1:]).norm(dim=-1),
        terms={
            "dino_global": config.dino_weight * dino_global.item(),
            "dino_local": config.dino_weight * dino_local.item(),
            "koleo": config.koleo_weight * koleo.sum().item(),
            "ibot": config.ibot_weight * ibot.item(),
        },
        uniform={
            "dino_global": config.dino_weight * flat["dino_global_crops_loss"],
            "dino_local": config.dino_weight * flat["dino_local_crops_loss"],
            "ibot": config.ibot_weight * math.log(K_patches) / GLOBAL_CROPS,
        },
        targets_by=config.centering,
    )


def _targets(scores: list[Tensor], temperature: float, config: LossConfig) -> Tensor:
    """Targets of the first picture [n, K], made together with those of all others."""
    rows = torch.cat(scores).float()
    center = rows.mean(dim=0)
    return as_targets(rows, temperature, config, center, None)[0][: len(scores[0])]
