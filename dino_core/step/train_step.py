"""One training step of DINOv2, read from top to bottom.

Paper, section 4; official file `train/ssl_meta_arch.py`. With 2 global crops, 8 local crops and B
pictures the student is given 10 B crops, the teacher the 2 B global ones, without masks.

    config = TrainConfig(...)
    pair = StudentTeacher(config, generator=generator)
    optimiser = build_optimiser(pair.student.parts, config.optim)
    centers = Centers.zeros(config)
    for step, batch in enumerate(batches):
        result = train_step(
            pair, batch, optimiser, values_at(step, config.schedule), config, centers
        )
        centers = result.centers
"""

import math
from dataclasses import dataclass, fields

import torch
import torch.distributed as dist
from torch import Tensor

from dino_core.config import LossConfig, TrainConfig
from dino_core.losses import (
    dino_terms,
    ibot_terms,
    koleo_terms,
    reduce_ibot_terms,
    split_dino_terms,
    uniform_anchors,
)
from dino_core.schedules import StepValues
from dino_core.student_teacher import Network, StudentTeacher
from dino_core.targets import center_and_sharpen, sinkhorn_knopp, update_center
from dino_core.update import apply_schedule, average_gradients, clip_gradients, update_teacher

GLOBAL_CROPS = 2


@dataclass(frozen=True)
class Batch:
    """The crops of B pictures. Crops lie crop by crop: first crop of all pictures, then second.

    The official collate also pads the masked patches to a fixed number; the padding is thrown away
    behind the head and changes no number, so there is none here.
    """

    global_crops: Tensor  # [2B, 3, H, W] normalised
    local_crops: Tensor  # [L B, 3, H', W'], L may be 0
    masks: Tensor  # [2B, P] bool, True where the student sees the mask token
    mask_indices: Tensor  # [M] of the masked patches, counted through all 2B * P
    mask_weights: Tensor  # [M] 1 / number of masked patches of the same crop

    @classmethod
    def from_crops(cls, global_crops: Tensor, local_crops: Tensor, masks: Tensor) -> "Batch":
        """Works out the masks' indices and weights; masks bool [2B, P] or [2B, h, w]."""
        masks = masks.flatten(1)
        weights = 1 / masks.sum(dim=1, keepdim=True).clamp(min=1)  # [2B, 1]
        return cls(
            global_crops,
            local_crops,
            masks,
            mask_indices=masks.flatten().nonzero().flatten(),
            mask_weights=weights.expand(masks.shape)[masks].to(global_crops.dtype),
        )

    @property
    def pictures(self) -> int:
        """B."""
        return len(self.global_crops) // GLOBAL_CROPS

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "Batch":
        """On another device; crops and weights in another dtype if one is given."""
        moved = {f.name: getattr(self, f.name).to(device) for f in fields(self)}
        for name in ("global_crops", "local_crops", "mask_weights"):
            moved[name] = moved[name].to(dtype or moved[name].dtype)
        return Batch(**moved)


@dataclass(frozen=True)
class Centers:
    """The memory of the softmax centring; Sinkhorn-Knopp has none and leaves it alone."""

    dino: Tensor  # [K]
    ibot: Tensor  # [K of the head that sees patches]

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
    patches: Tensor | None  # [M, K], None without iBOT
    centers: Centers  # for the next step


@dataclass(frozen=True)
class StepResult:
    """What one step did. `terms` add up to `loss`; nothing here has a gradient."""

    loss: float  # what was optimised
    terms: dict[str, float]  # as optimised, weights included
    logged: dict[str, float]  # as the official log shows them: KoLeo and iBOT halved
    anchors: dict[str, float]  # `logged` of a student with uniform output, and ln K
    gradient_norms: dict[str, float]  # of backbone and heads, before clipping
    centers: Centers  # for the next step
    dino_terms: Tensor  # [2 + L, 2, B] student crop, teacher view, picture, in nats
    ibot_terms: Tensor  # [M] in nats; `losses.ibot_map` puts them on the grid
    koleo_terms: Tensor  # [2, B], empty without KoLeo


def train_step(
    pair: StudentTeacher,
    batch: Batch,
    optimiser: torch.optim.Optimizer,
    values: StepValues,
    config: TrainConfig,
    centers: Centers,
    *,
    generator: torch.Generator | None = None,
    group: dist.ProcessGroup | None = None,
) -> StepResult:
    """Trains the student on one batch, moves the teacher, and tells all about it.

    `generator` draws the drop path. `group` joins processes that each bring a batch of their own;
    None is this process alone. Raises FloatingPointError, before any weight is changed, when the
    loss or a gradient is not finite.
    """
    student, teacher = pair.student, pair.teacher
    apply_schedule(optimiser, values)
    optimiser.zero_grad(set_to_none=True)

    targets = teach(teacher, batch, values.teacher_temperature, config, centers, group)
    cls, scores, patch_scores = study(student, batch, config, generator)

    # DINO: every crop predicts what the teacher says of the picture's other views.
    # [(2 + L) B, K] -> [2 + L, B, K]
    scores = scores.reshape(-1, batch.pictures, scores.shape[-1])
    between_crops = dino_terms(scores, targets.cls, config.loss.student_temperature)
    dino_global, dino_local = split_dino_terms(between_crops)

    # KoLeo: the pictures of a batch keep apart. View by view, for the views of one picture shall
    # come together.
    koleo = dino_global.new_zeros(0)
    if config.loss.koleo_weight:
        koleo = torch.stack([koleo_terms(view)[0] for view in cls.chunk(GLOBAL_CROPS)])

    # iBOT: a masked patch is predicted from what is around it.
    on_patches, ibot = dino_global.new_zeros(0), dino_global.new_zeros(())
    if patch_scores is not None and targets.patches is not None:
        on_patches = ibot_terms(patch_scores, targets.patches, config.loss.student_temperature)
        ibot = reduce_ibot_terms(on_patches, batch.mask_weights, len(batch.masks))

    terms = {
        "dino_global": config.loss.dino_weight * dino_global,
        "dino_local": config.loss.dino_weight * dino_local,
        "koleo": config.loss.koleo_weight * koleo.sum() / batch.pictures,
        # The official code scales iBOT by 2 for its two global crops and by 1/2 again.
        "ibot": config.loss.ibot_weight * ibot,
    }
    loss = torch.stack(list(terms.values())).sum()

    loss.backward()
    average_gradients(student, group)
    norms = clip_gradients(student.parts, config.optim.clip)
    check_finite(loss, norms)
    optimiser.step()
    update_teacher(student, teacher, values.momentum)

    return StepResult(
        loss=loss.item(),
        terms={name: term.item() for name, term in terms.items()},
        logged=as_logged(dino_global, dino_local, terms["koleo"], ibot),
        anchors=anchors(batch, config),
        gradient_norms={name: norm.item() for name, norm in norms.items()},
        centers=targets.centers,
        dino_terms=between_crops.detach(),
        ibot_terms=on_patches.detach(),
        koleo_terms=koleo.detach(),
    )


@torch.no_grad()
def teach(
    teacher: Network,
    batch: Batch,
    temperature: float,
    config: TrainConfig,
    centers: Centers,
    group: dist.ProcessGroup | None = None,
) -> Targets:
    """The teacher sees the global crops without masks; its scores become targets."""
    with autocast(batch, config):
        out = teacher.backbone(batch.global_crops)
        cls_scores, patch_scores = teacher.score(
            out.cls, masked_patches(out.patches, batch, config)
        )
    loss = config.loss
    cls, dino_center = as_targets(cls_scores, temperature, loss, centers.dino, group)
    patches, ibot_center = None, centers.ibot
    if patch_scores is not None:
        patches, ibot_center = as_targets(patch_scores, temperature, loss, centers.ibot, group)
    # [2B, K] -> [2, B, K]
    cls = cls.reshape(GLOBAL_CROPS, batch.pictures, -1)
    return Targets(cls, patches, Centers(dino_center, ibot_center))


def as_targets(
    scores: Tensor,
    temperature: float,
    config: LossConfig,
    center: Tensor,
    group: dist.ProcessGroup | None,
) -> tuple[Tensor, Tensor]:
    """Scores [n, K] -> targets [n, K] and the centre for the next step."""
    if config.centering == "sinkhorn_knopp":
        return sinkhorn_knopp(scores, temperature, config.sinkhorn_iterations, group), center
    targets = center_and_sharpen(scores, center, temperature)
    return targets, update_center(center, scores, config.center_momentum, group)


def study(
    student: Network, batch: Batch, config: TrainConfig, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The student sees the global crops through their masks, and the local crops whole.

    -> class tokens of the global crops [2B, D], for KoLeo; scores of all crops' class tokens
    [(2 + L) B, K], global crops first; scores of the masked patches [M, K], None without iBOT.
    """
    with autocast(batch, config):
        out = student.backbone(batch.global_crops, batch.masks, generator=generator)
        cls = [out.cls]
        if len(batch.local_crops):
            cls.append(student.backbone(batch.local_crops, generator=generator).cls)
        patches = masked_patches(out.patches, batch, config)
        scores, patch_scores = student.score(torch.cat(cls), patches)
    return out.cls, scores, patch_scores


def masked_patches(patches: Tensor, batch: Batch, config: TrainConfig) -> Tensor | None:
    """[2B, P, D] -> the masked ones alone [M, D], for which a head's work is done; None without."""
    if not config.loss.ibot_weight:
        return None
    return patches.flatten(0, 1)[batch.mask_indices]


def autocast(batch: Batch, config: TrainConfig) -> torch.autocast:
    """bfloat16 where the configuration asks for it."""
    device = batch.global_crops.device.type
    return torch.autocast(device, torch.bfloat16, enabled=config.bfloat16)


def check_finite(loss: Tensor, norms: dict[str, Tensor]) -> None:
    """Stops before weights are spoilt. Averaged gradients stop all processes at the same step."""
    for name, value in {"loss": loss, **{f"gradient of {n}": g for n, g in norms.items()}}.items():
        if not torch.isfinite(value):
            raise FloatingPointError(
                f"The {name} is {value.item()}. The weights are left as they were before this "
                f"step. A lower learning rate, a longer warm-up or float32 usually helps."
            )


def as_logged(
    dino_global: Tensor, dino_local: Tensor, koleo: Tensor, ibot: Tensor
) -> dict[str, float]:
    """The official log's names and scales: its total is not the loss that is optimised."""
    return {
        "dino_local_crops_loss": dino_local.item(),
        "dino_global_crops_loss": dino_global.item(),
        "koleo_loss": koleo.item() / 2,  # with its weight
        "ibot_loss": ibot.item() / 2,
    }


def anchors(batch: Batch, config: TrainConfig) -> dict[str, float]:
    """`logged` of a student whose output is uniform, for this batch, and ln K itself."""
    dino, ibot = config.dino_head, config.ibot_head or config.dino_head
    local_crops = len(batch.local_crops) // batch.pictures
    masked = batch.mask_weights.sum().item() / len(batch.masks) if config.loss.ibot_weight else 0.0
    return {
        **uniform_anchors(
            dino.prototypes, GLOBAL_CROPS, local_crops, ibot.prototypes, masked=masked
        ),
        "ln_k_dino": math.log(dino.prototypes),
        "ln_k_ibot": math.log(ibot.prototypes),
    }
