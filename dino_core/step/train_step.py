"""One training step of DINOv2, read from top to bottom.

DINOv2 is DINO + iBOT + KoLeo (paper, section 4; official `train/ssl_meta_arch.py`). With G = 2
global and L = 8 local crops of each of B pictures the loss is the sum of four terms:

    weight  term          what it asks for
    1       DINO, global  a crop's class token predicts the teacher's of the other global crop:
                          what a picture is does not depend on which part of it is seen
    1       DINO, local   a small crop's class token predicts the teacher's of both global crops:
                          a part tells of the whole
    1       iBOT          a hidden patch predicts what the teacher, who sees it, says of it: patches
                          have content of their own (almost 3 % in segmentation, table 3b)
    0.1     KoLeo         class tokens of different pictures keep apart: a neighbour means
                          something (more than 8 % in retrieval, table 3a)

The first three are cross-entropies over prototypes, whose targets come from the teacher, the moving
average of the student: no label is needed, and centring or Sinkhorn-Knopp (`targets.py`) keeps the
answers from becoming all the same.

This trained ViT-g. The released ViT-S, B and L were distilled from it, by the same loop with a few
exceptions (section 5, table 16): the teacher is the frozen ViT-g, nothing is masked, no path is
dropped, iBOT is on the patches of both global crops, and a moving average of the student is kept
beside, which is what was released.
"""

import math
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from dino_core.config import GLOBAL_CROPS, LossConfig, TrainConfig
from dino_core.losses import dino_loss, ibot_loss, koleo_loss, uniform_anchors
from dino_core.schedules import StepValues
from dino_core.step.batch import Batch
from dino_core.step.forward import (
    Centers,
    Outputs,
    Targets,
    make_targets,
    student_outputs,
    teacher_outputs,
)
from dino_core.student_teacher import StudentTeacher
from dino_core.update import apply_schedule, average_gradients, clip_gradients, update_teacher


@dataclass(frozen=True)
class Losses:
    """What a batch costs the student. `terms` add up to `total`, which is what is optimised."""

    total: Tensor  # scalar
    terms: dict[str, Tensor]  # scalars: dino_global, dino_local, koleo, ibot, weights included
    logged: dict[str, Tensor]  # scalars as the official log shows them: KoLeo and iBOT halved
    dino_terms: Tensor  # [2 + L, 2, B] student crop, teacher view, picture, in nats
    ibot_terms: Tensor  # [M] in nats; `losses.ibot_map` puts them on the grid
    koleo_terms: Tensor  # [2, B], [0] without KoLeo
    masked: Tensor  # scalar, share of the global crops that have a mask; 0 without iBOT
    centers: Centers  # for the next step

    def not_finite(self) -> list[str]:
        """The losses, by name, of which a term is not finite."""
        each = {"DINO": self.dino_terms, "KoLeo": self.koleo_terms, "iBOT": self.ibot_terms}
        return [name for name, terms in each.items() if not terms.isfinite().all()]

    def anchors(self) -> dict[str, float]:
        """`logged` of a student whose output is uniform, for this batch, and ln K itself."""
        K, K_patches = len(self.centers.dino), len(self.centers.ibot)
        L = len(self.dino_terms) - GLOBAL_CROPS
        uniform = uniform_anchors(K, GLOBAL_CROPS, L, K_patches, masked=self.masked.item())
        return {**uniform, "ln_k_dino": math.log(K), "ln_k_ibot": math.log(K_patches)}


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
    koleo_terms: Tensor  # [2, B], [0] without KoLeo


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
    """Trains the student on one batch, moves the teacher, and reports all about it.

        pair = StudentTeacher(config, generator=generator)
        optimiser = build_optimiser(pair.student.parts, config.optim)
        centers = Centers.zeros(config)
        for step, batch in enumerate(batches):
            values = values_at(step, config.schedule)
            result = train_step(pair, batch, optimiser, values, config, centers)
            centers = result.centers

    `generator` draws the drop path. `group` joins processes that each bring a batch of their own;
    None is this process alone. Raises FloatingPointError, before any weight is changed, when the
    loss or a gradient is not finite.
    """
    optimiser.zero_grad(set_to_none=True)
    teacher = teacher_outputs(pair.teacher, batch, config)
    targets = make_targets(teacher, values.teacher_temperature, config.loss, centers, group=group)
    student = student_outputs(pair.student, batch, config, generator)
    losses = compute_losses(student, targets, batch.mask_weights, config.loss)
    losses.total.backward()
    return apply_update(pair, optimiser, values, losses, clip=config.optim.clip, group=group)


def compute_losses(
    student: Outputs, targets: Targets, mask_weights: Tensor, config: LossConfig
) -> Losses:
    """The four terms and their sum. Weights [M] of the masked patches are those of a `Batch`."""
    temperature, crops = config.student_temperature, targets.cls.shape[:2].numel()  # 2B
    dino_global, dino_local, dino_terms = dino_loss(student.logits, targets.cls, temperature)

    # View by view: the pictures of a batch shall keep apart, but the views of one come together.
    # The paper has the first global crop alone (appendix B.1), the official code takes both.
    koleo, koleo_terms = dino_global.new_zeros(()), dino_global.new_zeros(0)
    if config.koleo_weight:
        views = [koleo_loss(view) for view in student.tokens.chunk(GLOBAL_CROPS)]
        koleo = torch.stack([loss for loss, _ in views]).sum()
        koleo_terms = torch.stack([terms for _, terms in views])

    ibot, ibot_terms, masked = (dino_global.new_zeros(n) for n in ((), 0, ()))
    if student.patch_logits is not None and targets.patches is not None:
        ibot, ibot_terms = ibot_loss(
            student.patch_logits, targets.patches, mask_weights, crops, temperature
        )
        masked = mask_weights.sum() / crops

    terms = {
        "dino_global": config.dino_weight * dino_global,
        "dino_local": config.dino_weight * dino_local,
        "koleo": config.koleo_weight * koleo,
        # The official code scales iBOT by 2 for its two global crops and by 1/2 again.
        "ibot": config.ibot_weight * ibot,
    }
    return Losses(
        total=torch.stack(list(terms.values())).sum(),
        terms=terms,
        logged={
            "dino_local_crops_loss": dino_local,
            "dino_global_crops_loss": dino_global,
            "koleo_loss": terms["koleo"] / 2,
            "ibot_loss": ibot / 2,
        },
        dino_terms=dino_terms.detach(),
        ibot_terms=ibot_terms.detach(),
        koleo_terms=koleo_terms.detach(),
        masked=masked,
        centers=targets.centers,
    )


def apply_update(
    pair: StudentTeacher,
    optimiser: torch.optim.Optimizer,
    values: StepValues,
    losses: Losses,
    *,
    clip: float | None,
    group: dist.ProcessGroup | None = None,
) -> StepResult:
    """From the student's gradients to new weights: average, clip, check, AdamW, moving average.

    In distillation it is not the teacher that is moved, but the average kept beside the student.

    Raises FloatingPointError, before any weight is changed, when the loss or a gradient is not
    finite.
    """
    average_gradients(pair.student, group)
    norms = clip_gradients(pair.student.parts, clip)
    check_finite(losses, norms)
    apply_schedule(optimiser, values)
    optimiser.step()
    update_teacher(pair.student, pair.follower, values.momentum)
    return StepResult(
        loss=losses.total.item(),
        terms=numbers(losses.terms),
        logged=numbers(losses.logged),
        anchors=losses.anchors(),
        gradient_norms=numbers(norms),
        centers=losses.centers,
        dino_terms=losses.dino_terms,
        ibot_terms=losses.ibot_terms,
        koleo_terms=losses.koleo_terms,
    )


def check_finite(losses: Losses, norms: dict[str, Tensor]) -> None:
    """Stops before weights are spoilt. Averaged gradients stop all processes at the same step."""
    each = {"loss": losses.total, **{f"gradient of {name}": norm for name, norm in norms.items()}}
    for name, value in each.items():
        if not torch.isfinite(value):
            broken = losses.not_finite()
            where = (
                f"Not finite: the {' and the '.join(broken)} term."
                if broken
                else "All terms of the loss are finite, a gradient is not."
            )
            raise FloatingPointError(
                f"{where} The {name} is {value.item()}. The weights are left as they were before "
                f"this step. A lower learning rate, a longer warm-up or float32 usually helps."
            )


def numbers(values: dict[str, Tensor]) -> dict[str, float]:
    return {name: value.item() for name, value in values.items()}
