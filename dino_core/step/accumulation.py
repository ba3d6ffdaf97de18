"""One step in several parts, for a batch that does not fit into memory at once.

Every part adds its gradients to those of the parts before it; then one update is made of the mean.
With centring the result is that of as many processes with a part each; Sinkhorn-Knopp and KoLeo see
one part at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.distributed as dist
from torch import Tensor

from dino_core.config import TrainConfig
from dino_core.schedules import StepValues
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers, make_targets, student_outputs, teacher_outputs
from dino_core.step.train_step import Losses, StepResult, apply_update, compute_losses
from dino_core.student_teacher import StudentTeacher


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
    inspect: Callable[[Losses], None] | None = None,
) -> StepResult:
    """One training step on several batches of the same size; one of them is a plain `train_step`.

    Losses are means over the parts, terms of single pictures and patches lie one part after the
    other. `inspect` is shown the losses of the first part while their graph is there, which it
    leaves as it is. Raises FloatingPointError, which names the term, before any weight is changed.
    """
    optimiser.zero_grad(set_to_none=True)
    temperature = values.teacher_temperature
    done: list[Losses] = []
    for part, generator in zip(parts, generators, strict=True):
        teacher = teacher_outputs(pair.teacher, part, config)
        targets = make_targets(teacher, temperature, config.loss, centers, group=group)
        student = student_outputs(pair.student, part, config, generator)
        losses = compute_losses(student, targets, part.mask_weights, config.loss)
        if inspect is not None and not done:
            inspect(losses)
        (losses.total / len(parts)).backward()
        done.append(losses)
    return apply_update(
        pair, optimiser, values, mean_losses(done), clip=config.optim.clip, group=group
    )


@torch.no_grad()
def mean_losses(parts: Sequence[Losses]) -> Losses:
    """Of a batch in parts of the same size: means of the losses and centres, all of the terms."""

    first = parts[0]
    return replace(
        first,
        total=mean([part.total for part in parts]),
        terms={name: mean([part.terms[name] for part in parts]) for name in first.terms},
        logged={name: mean([part.logged[name] for part in parts]) for name in first.logged},
        dino_terms=torch.cat([part.dino_terms for part in parts], dim=-1),
        ibot_terms=torch.cat([part.ibot_terms for part in parts]),
        koleo_terms=torch.cat([part.koleo_terms for part in parts], dim=-1),
        masked=mean([part.masked for part in parts]),
        centers=Centers(
            dino=mean([part.centers.dino for part in parts]),
            ibot=mean([part.centers.ibot for part in parts]),
        ),
    )


def mean(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(tensors)).mean(dim=0)
