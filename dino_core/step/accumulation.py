"""One step in several parts, for a batch that does not fit into memory at once.

Every part goes through `train_step` with an optimiser that holds still and a teacher that stays;
then the mean of the gradients makes one update. With centring the result is that of as many
processes with a part each; Sinkhorn-Knopp and KoLeo see one part at a time.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import torch
import torch.distributed as dist

from dino_core.config import TrainConfig
from dino_core.losses import dino_terms, ibot_terms, koleo_terms
from dino_core.schedules import StepValues
from dino_core.step.train_step import (
    GLOBAL_CROPS,
    Batch,
    Centers,
    StepResult,
    check_finite,
    study,
    teach,
    train_step,
)
from dino_core.student_teacher import StudentTeacher
from dino_core.update import clip_gradients, update_teacher


class HeldStill:
    """Stands in for the optimiser while gradients gather: takes the schedule, moves nothing."""

    def __init__(self, optimiser: torch.optim.Optimizer) -> None:
        self.param_groups = optimiser.param_groups

    def zero_grad(self, set_to_none: bool = True) -> None:
        pass

    def step(self) -> None:
        pass


def step_in_parts(
    pair: StudentTeacher,
    parts: Sequence[Batch],
    optimiser: torch.optim.Optimizer,
    values: StepValues,
    config: TrainConfig,
    centers: Centers,
    *,
    generators: Sequence[torch.Generator | None],
    group: dist.ProcessGroup | None = None,
) -> StepResult:
    """One training step on several batches of the same size; one of them is a plain `train_step`.

    Losses are means over the parts, terms of single pictures and patches lie one part after the
    other. Raises FloatingPointError, which names the term, before any weight is changed.
    """
    whole = len(parts) == 1
    stand_in = optimiser if whole else cast(torch.optim.Optimizer, HeldStill(optimiser))
    quiet = values if whole else replace(values, momentum=1.0)
    limits = config if whole else replace(config, optim=replace(config.optim, clip=None))
    optimiser.zero_grad(set_to_none=True)
    results = []
    for part, generator in zip(parts, generators, strict=True):
        state = generator.get_state() if generator is not None else None
        try:
            results.append(
                train_step(
                    pair, part, stand_in, quiet, limits, centers, generator=generator, group=group
                )
            )
        except FloatingPointError as error:
            if generator is not None and state is not None:
                generator.set_state(state)
            where = broken_terms(pair, part, values, config, centers, generator, group)
            raise FloatingPointError(f"{where} {error}") from error
    if whole:
        return results[0]

    for parameter in pair.student.parameters():
        if parameter.grad is not None:
            parameter.grad /= len(parts)
    norms = clip_gradients(pair.student.parts, config.optim.clip)
    loss = mean_of([result.loss for result in results])
    check_finite(torch.tensor(loss), norms)
    optimiser.step()
    update_teacher(pair.student, pair.teacher, values.momentum)
    return StepResult(
        loss=loss,
        terms=mean_of([result.terms for result in results]),
        logged=mean_of([result.logged for result in results]),
        anchors=mean_of([result.anchors for result in results]),
        gradient_norms={name: norm.item() for name, norm in norms.items()},
        centers=Centers(
            dino=torch.stack([result.centers.dino for result in results]).mean(0),
            ibot=torch.stack([result.centers.ibot for result in results]).mean(0),
        ),
        dino_terms=torch.cat([result.dino_terms for result in results], dim=-1),
        ibot_terms=torch.cat([result.ibot_terms for result in results]),
        koleo_terms=torch.cat([result.koleo_terms for result in results], dim=-1),
    )


def mean_of(values: Sequence[Any]) -> Any:
    """Mean of numbers, or of dicts of numbers name by name."""
    if isinstance(values[0], dict):
        return {name: mean_of([value[name] for value in values]) for name in values[0]}
    return math.fsum(values) / len(values)


@torch.no_grad()
def broken_terms(
    pair: StudentTeacher,
    batch: Batch,
    values: StepValues,
    config: TrainConfig,
    centers: Centers,
    generator: torch.Generator | None,
    group: dist.ProcessGroup | None,
) -> str:
    """Says which terms of the loss are not finite. The weights are still those of before."""
    targets = teach(pair.teacher, batch, values.teacher_temperature, config, centers, group)
    cls, scores, patch_scores = study(pair.student, batch, config, generator)
    scores = scores.reshape(-1, batch.pictures, scores.shape[-1])
    found = {"DINO": dino_terms(scores, targets.cls, config.loss.student_temperature)}
    if config.loss.koleo_weight:
        views = [koleo_terms(view)[0] for view in cls.chunk(GLOBAL_CROPS)]
        found["KoLeo"] = torch.stack(views)
    if patch_scores is not None and targets.patches is not None:
        found["iBOT"] = ibot_terms(patch_scores, targets.patches, config.loss.student_temperature)
    broken = [name for name, terms in found.items() if not terms.isfinite().all()]
    if not broken:
        return "All terms of the loss are finite, a gradient is not."
    return f"Not finite: the {' and the '.join(broken)} term."
