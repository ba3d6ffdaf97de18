"""One real training step, recorded: its lines, and what cannot be read off a name.

    recorded = record_step(pair, batch, optimiser, values, config, centers)

is `train_step`, run once, with the same weights behind it bit for bit. The recorder looks at what
its lines leave behind; around four of them something more is looked at:

    losses.total.backward()    before: the gradients of each term alone; after: those of the sum
    optimiser.step()           how far the student moves
    update_teacher(...)        how far the teacher moves after it, and what is still between them

Behind the step the student sees the same crops once more, with the same targets.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from dino_core.config import TrainConfig
from dino_core.losses import dino_loss, ibot_loss, koleo_loss
from dino_core.schedules import StepValues
from dino_core.slow_motion.gradients import Layers, LossGradients, gradients_in
from dino_core.slow_motion.lines import Function
from dino_core.slow_motion.recorder import Names, Probe, Recorder, Visit
from dino_core.step.batch import Batch
from dino_core.step.forward import (
    Centers,
    Outputs,
    Targets,
    make_targets,
    student_outputs,
    teacher_outputs,
)
from dino_core.step.train_step import (
    Losses,
    StepResult,
    apply_update,
    compute_losses,
    numbers,
    train_step,
)
from dino_core.student_teacher import StudentTeacher
from dino_core.targets import center_and_sharpen, sinkhorn_knopp, update_center
from dino_core.update import clip_gradients, update_teacher

# In the order of a step. The first is run; of the others what it calls.
WATCHED = (
    *(train_step, teacher_outputs, make_targets, center_and_sharpen, update_center),
    *(sinkhorn_knopp, student_outputs, compute_losses, dino_loss, koleo_loss, ibot_loss),
    *(apply_update, clip_gradients, update_teacher),
)


@dataclass(frozen=True, eq=False)
class Movement:
    """Lengths by layer, float64 [n] each."""

    weights: Tensor  # of the student before the step
    student: Tensor  # of its change
    teacher: Tensor  # of the teacher's change
    apart: Tensor  # of teacher - student behind the step


@dataclass(frozen=True, eq=False)
class RecordedStep:
    """A step and all that was seen of it. Nothing here has a gradient."""

    functions: tuple[Function, ...]
    visits: tuple[Visit, ...]
    result: StepResult
    batch: Batch
    values: StepValues
    config: TrainConfig
    teacher: Outputs
    targets: Targets
    student: Outputs
    layers: tuple[str, ...]  # n of them, in the data's order
    gradients: LossGradients  # of each term alone
    gradient_norms: Tensor  # float64 [n] of the gradients that the step had, before clipping
    moved: Movement
    terms_after: dict[str, float]  # on the same crops against the same targets, behind the step

    @property
    def loss_after(self) -> float:
        return sum(self.terms_after.values())

    @property
    def clipped(self) -> dict[str, float]:
        """What the gradients of each part were multiplied by: below 1 where they were clipped."""
        limit = self.config.optim.clip
        norms = self.result.gradient_norms
        # As `clip_grad_norm_`, which adds a little to the norm.
        return {n: 1.0 if limit is None else min(1.0, limit / (x + 1e-6)) for n, x in norms.items()}


class _Watch:
    """The probes of one step, and what they saw."""

    def __init__(self, pair: StudentTeacher, check: Callable[[], None]) -> None:
        self.pair, self.check = pair, check
        self.parameters = list(pair.student.parameters())
        self.layers = Layers.of_network(pair.student)
        self._student: list[Tensor] = []
        self._teacher: list[Tensor] = []
        self.found: dict[str, Tensor] = {}
        self.gradients: LossGradients | None = None

    def probes(self) -> tuple[Probe, ...]:
        return (
            Probe("train_step", "losses.total.backward()", self.alone, self.together),
            Probe("apply_update", "optimiser.step()", self.student_stands, self.student_moved),
            Probe("apply_update", "update_teacher(", self.teacher_stands, self.teacher_moved),
        )

    def alone(self, names: Names) -> None:
        _, self.gradients = gradients_in(self.pair.student, names["losses"].terms, self.check)

    def together(self, names: Names) -> None:
        self.found["gradients"] = self.layers.squares(p.grad for p in self.parameters).sqrt()

    @torch.no_grad()
    def student_stands(self, names: Names) -> None:
        self._student = [p.clone() for p in self.parameters]
        self.found["weights"] = self.layers.squares(self.parameters).sqrt()

    def student_moved(self, names: Names) -> None:
        self.found["student"] = self._change(self.parameters, self._student)

    @torch.no_grad()
    def teacher_stands(self, names: Names) -> None:
        self._teacher = [p.clone() for p in self.pair.teacher.parameters()]

    def teacher_moved(self, names: Names) -> None:
        teacher = list(self.pair.teacher.parameters())
        self.found["teacher"] = self._change(teacher, self._teacher)
        self.found["apart"] = self._change(teacher, self.parameters)

    @torch.no_grad()
    def _change(
        self, now: "list[nn.Parameter]", before: "list[Tensor] | list[nn.Parameter]"
    ) -> Tensor:
        return self.layers.squares(a - b for a, b in zip(now, before, strict=True)).sqrt()


def record_step(
    pair: StudentTeacher,
    batch: Batch,
    optimiser: torch.optim.Optimizer,
    values: StepValues,
    config: TrainConfig,
    centers: Centers,
    *,
    generator: torch.Generator | None = None,
    check: Callable[[], None] = lambda: None,
) -> RecordedStep:
    """One `train_step`, whose arguments these are, and what was seen of it.

    It takes about three times as long: each term's gradients are a backward pass of their own.
    `check` is called at each line and before each backward pass; what it raises ends the step, in
    the middle of which the pair is not to be used any more.
    """
    watch = _Watch(pair, check)
    recorder = Recorder(WATCHED, watch.probes(), check)
    paths = generator.get_state() if generator is not None else None
    result = recorder.run(
        lambda: train_step(pair, batch, optimiser, values, config, centers, generator=generator)
    )
    names = recorder.names
    assert watch.gradients is not None
    check()
    after = losses_again(pair, batch, config, names["targets"], paths)
    return RecordedStep(
        functions=recorder.functions,
        visits=tuple(recorder.visits),
        result=result,
        batch=batch,
        values=values,
        config=config,
        teacher=names["teacher"],
        targets=names["targets"],
        student=without_graph(names["student"]),
        layers=watch.layers.names,
        gradients=watch.gradients,
        gradient_norms=watch.found["gradients"],
        moved=Movement(*(watch.found[field.name] for field in fields(Movement))),
        terms_after=numbers(after.terms),
    )


@torch.no_grad()
def losses_again(
    pair: StudentTeacher,
    batch: Batch,
    config: TrainConfig,
    targets: Targets,
    paths: Tensor | None = None,
) -> Losses:
    """What the student pays for the same crops and targets now. `paths`: the generator's state
    from which the paths were dropped, so that the same ones are."""
    generator = None
    if paths is not None:
        generator = torch.Generator()
        generator.set_state(paths)
    student = student_outputs(pair.student, batch, config, generator)
    return compute_losses(student, targets, batch.mask_weights, config.loss)


def without_graph(outputs: Outputs) -> Outputs:
    patches = outputs.patch_logits
    return Outputs(
        outputs.tokens.detach(),
        outputs.logits.detach(),
        None if patches is None else patches.detach(),
    )
