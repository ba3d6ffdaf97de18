"""The forwards of a step: crops -> logits of student and teacher, teacher's logits -> targets."""

from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from dino_core.config import GLOBAL_CROPS, LossConfig, TrainConfig
from dino_core.step.batch import Batch
from dino_core.student_teacher import Network
from dino_core.targets import center_and_sharpen, sinkhorn_knopp, update_center


@dataclass(frozen=True)
class Outputs:
    """What one of the two networks makes of a batch."""

    tokens: Tensor  # [2B, D] class tokens of the global crops, for KoLeo
    logits: Tensor  # [2 + L, B, K] of all class tokens, global crops first; the teacher's [2, B, K]
    patch_logits: Tensor | None  # [M, K'] of the masked patches; None without iBOT


@dataclass(frozen=True)
class Centers:
    """The memory of the softmax centring; Sinkhorn-Knopp has none and leaves it alone."""

    dino: Tensor  # [K]
    ibot: Tensor  # [K'] of the head that sees patches

    @classmethod
    def zeros(
        cls,
        config: TrainConfig,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> "Centers":
        ibot_head = config.ibot_head or config.dino_head
        return cls(
            dino=torch.zeros(config.dino_head.prototypes, device=device, dtype=dtype),
            ibot=torch.zeros(ibot_head.prototypes, device=device, dtype=dtype),
        )


@dataclass(frozen=True)
class Targets:
    """What the teacher says: distributions over prototypes, rows sum to 1."""

    cls: Tensor  # [2, B, K]
    patches: Tensor | None  # [M, K']
    centers: Centers  # for the next step


def student_outputs(
    student: Network, batch: Batch, config: TrainConfig, generator: torch.Generator | None = None
) -> Outputs:
    """The student sees the global crops through their masks, and the local crops whole.

    Where nothing is hidden (`config.masks.hide`) the masks only say which patches are compared.
    `generator` draws the drop path of a student in training mode.
    """
    with autocast(batch, config):
        masks = batch.masks if config.masks.hide else None
        out = student.backbone(batch.global_crops, masks, generator=generator)
        cls = [out.cls]
        if len(batch.local_crops):
            cls.append(student.backbone(batch.local_crops, generator=generator).cls)
        logits, patch_logits = student.logits(
            torch.cat(cls), masked_patches(out.patches, batch, config)
        )
    # [(2 + L) B, K] -> [2 + L, B, K]
    return Outputs(out.cls, logits.unflatten(0, (-1, batch.pictures)), patch_logits)


@torch.no_grad()
def teacher_outputs(teacher: Network, batch: Batch, config: TrainConfig) -> Outputs:
    """The teacher sees the global crops alone, and nothing of them is hidden."""
    with autocast(batch, config):
        out = teacher.backbone(batch.global_crops)
        logits, patch_logits = teacher.logits(out.cls, masked_patches(out.patches, batch, config))
    # [2B, K] -> [2, B, K]
    return Outputs(out.cls, logits.unflatten(0, (GLOBAL_CROPS, -1)), patch_logits)


@torch.no_grad()
def make_targets(
    teacher: Outputs,
    temperature: float,
    config: LossConfig,
    centers: Centers,
    *,
    group: dist.ProcessGroup | None = None,
) -> Targets:
    """The teacher's logits become targets, those of class tokens and of patches each among theirs.

    `group` joins processes that each hold some of the rows; all of them must call it.
    """

    def targets_of(logits: Tensor, center: Tensor) -> tuple[Tensor, Tensor]:
        """[n, K], [K] -> targets [n, K] and the centre for the next step."""
        if config.centering == "sinkhorn_knopp":
            rows = sinkhorn_knopp(logits, temperature, config.sinkhorn_iterations, group)
            return rows, center
        rows = center_and_sharpen(logits, center, temperature)
        return rows, update_center(center, logits, config.center_momentum, group)

    # [2, B, K] -> [2B, K]: both views of all pictures are one set of rows
    cls, dino_center = targets_of(teacher.logits.flatten(0, 1), centers.dino)
    patches, ibot_center = None, centers.ibot
    if teacher.patch_logits is not None:
        patches, ibot_center = targets_of(teacher.patch_logits, centers.ibot)
    return Targets(cls.reshape(teacher.logits.shape), patches, Centers(dino_center, ibot_center))


def masked_patches(patches: Tensor, batch: Batch, config: TrainConfig) -> Tensor | None:
    """[2B, P, D] -> the masked ones alone [M, D], for which a head's work is done; None without."""
    if not config.loss.ibot_weight:
        return None
    return patches.flatten(0, 1)[batch.mask_indices]


def autocast(batch: Batch, config: TrainConfig) -> torch.autocast:
    """bfloat16 where the configuration asks for it."""
    device = batch.global_crops.device.type
    return torch.autocast(device, torch.bfloat16, enabled=config.bfloat16)
