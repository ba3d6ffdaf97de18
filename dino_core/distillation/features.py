"""A distillation by features, from its first step to its last, over any number of interruptions.

    for each step
        crops of B pictures, as the student sees them                     views
        what the frozen teacher says of them, asked or looked up          answers
        the student's tokens through linear maps; 1 - cosine with that    student
        one update of everything in the student

What a step needs follows from (seed, step), from the checkpoint (student, maps, the optimiser's
memory, what the teacher usually says) and from the teacher's answers, which are kept. So a run that
was killed and resumed ends with the same weights, bit for bit.
"""

import json
import math
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dino_core.datasets import Pictures
from dino_core.distillation.answers import Answers
from dino_core.distillation.likeness import Palette, in_colours, palette_of
from dino_core.distillation.setup import (
    DistilSetup,
    student_grid,
    teacher_size,
    used_pictures,
)
from dino_core.distillation.student import Follower, Usual, agreement, flipped_answers
from dino_core.distillation.verdict import diagnose
from dino_core.distillation.views import RawViews, View, ViewMaker, student_images
from dino_core.interruption import files_written
from dino_core.runs import checkpoints, sample_pictures
from dino_core.runs.checkpoints import Checkpoint
from dino_core.runs.control import Control
from dino_core.runs.folder import RunFolder, read_metrics
from dino_core.runs.milestones import Milestones
from dino_core.runs.presets import RunConfig
from dino_core.runs.pretraining import (
    End,
    end_of_step,
    is_due,
    report_broken,
    resume_from_checkpoint,
    timed,
    with_clock,
)
from dino_core.runs.setup import labelled_set, read_probe
from dino_core.schedules import values_at
from dino_core.slow_motion.gradients import gradient_shares
from dino_core.step.distributed import World
from dino_core.step.loader import background_batches, generator_for
from dino_core.update import apply_schedule, average_gradients, build_optimiser, clip_gradients
from dino_core.vit import VisionTransformer
from dino_core.weights import Backbone, save_backbone


@dataclass
class Progress:
    """What changes from step to step."""

    student: Follower
    optimiser: torch.optim.Optimizer
    usual: Usual
    step: int = 0  # steps done
    durations: deque[float] = field(default_factory=lambda: deque(maxlen=50))  # seconds a step


def begin(setup: DistilSetup, width: int, device: torch.device) -> Progress:
    """Step 0: everything drawn from the seed. `width` is the teacher's."""
    config = setup.run
    student = Follower(config.train.vit, width, generator_for(config.seed, "weights", 0))
    student.to(device)
    optimiser = build_optimiser(student.parts, config.train.optim)
    empty = torch.zeros(2, width, device=device)
    return Progress(student, optimiser, Usual(empty, empty + 1))


def follow(
    run: RunFolder, setup: DistilSetup, pictures: Pictures, world: World, teacher: Backbone
) -> End:
    """The run, in each of its processes."""
    config = setup.run
    if world.first:
        run.clear_action()
        run.put_state("starting", "The teacher looks at its first pictures.", 0, config.steps)
    chosen, crops = used_pictures(setup, pictures)
    maker = ViewMaker(chosen, crops, config, world.rank, world.size)
    progress = begin(setup, teacher.vit.config.dim, world.device)
    resume_from_checkpoint(run, progress, world, restore)
    with ExitStack() as stack:
        size, half = teacher_size(setup, teacher), config.train.bfloat16
        answers = stack.enter_context(Answers(teacher, size, student_grid(setup), half))
        if progress.step == 0:
            if world.first:
                run.log(asking_sentence(teacher, size, len(chosen), crops))
            progress.usual = first_look(maker, answers, world)
        watch = LikenessMilestones.of(run, setup, world, pictures, progress, (teacher.vit, size))
        if progress.step == 0:
            watch.visit_student()
        control = stack.enter_context(Control(run))
        batches = background_batches(maker, progress.step, config.steps, setup.workers)
        told: set[str] = set()
        for raw, waited in timed(batches):
            begun = time.perf_counter()
            shares = is_due(setup.gradient_shares, progress.step)
            line = one_step(progress, raw, config, answers, maker, world, with_shares=shares)
            if world.first:
                report_broken(run, raw.broken, told)
                seconds = waited + time.perf_counter() - begun
                progress.durations.append(seconds)
                run.add_metrics(with_clock(line, progress, config, seconds, waited))
            if config.is_milestone(progress.step):
                watch.visit_student()
            with files_written():
                end = end_of_step(run, control, progress, config, world, save)
            if end is not None:
                batches.close()
                return end
    return finish(run, progress, config, world)


def asking_sentence(teacher: Backbone, size: int, pictures: int, crops: int) -> str:
    each = "as they are" if crops == 1 else f"in {crops} crops each"
    return (
        f"{teacher.info.title} answers for {pictures} pictures {each}, at {size} px, as they come."
    )


@torch.inference_mode()
def first_look(maker: ViewMaker, answers: Answers, world: World) -> Usual:
    """What the teacher usually says, from the first crops of the run."""
    usual = None
    if world.first:
        broken: dict[str, str] = {}
        count = min(maker.follow.first_look, len(maker.pictures) * maker.crops)
        views = [maker.view_at(place, broken) for place in range(count)]
        found = Usual.of(asked(answers, maker, views)[0].cpu())
        usual = found.mean, found.std
    mean, std = world.share(usual)
    return Usual(mean.clone().to(world.device), std.clone().to(world.device))


def asked(answers: Answers, maker: ViewMaker, views: list[View]) -> tuple[Tensor, int]:
    """The teacher's answers [B, 1 + P, F] for upright crops, and how many of them are new."""

    def pixels(i: int) -> np.ndarray:
        return maker.pixels(views[i], answers.size, upright=True)

    return answers.of([view.key for view in views], pixels)


# --- one step


def one_step(
    progress: Progress,
    raw: RawViews,
    config: RunConfig,
    answers: Answers,
    maker: ViewMaker,
    world: World,
    *,
    with_shares: bool = False,
) -> dict[str, Any]:
    """Trains on one batch; the step's line of metrics, averaged over the processes.

    `with_shares`: also whose the gradients are, the class token's loss's or the patches', of the
    first process's batch. FloatingPointError, before any weight is changed, when the loss or a
    gradient is not finite.
    """
    assert config.follow is not None
    said, new = asked(answers, maker, list(raw.views))
    flipped = torch.tensor([view.flipped for view in raw.views], device=said.device)
    wanted = progress.usual.standardised(flipped_answers(said, flipped, answers.grid))
    images = student_images(raw, world.device)
    student, values = progress.student.train(), values_at(progress.step, config.train.schedule)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=config.train.bfloat16):
        ours = student(images)
    found = agreement(ours, wanted, config.follow.patch_weight)
    looked = with_shares and world.first
    shares = gradient_shares(student, found.terms) if looked else None
    progress.optimiser.zero_grad(set_to_none=True)
    found.loss.backward()
    average_gradients(student, world.group)
    norms = clip_gradients(student.parts, config.train.optim.clip)
    check_finite(found.loss, norms)
    apply_schedule(progress.optimiser, values)
    progress.optimiser.step()
    progress.step += 1
    measured = {"loss": found.loss, "cls": found.cls, "patches": found.patches}
    mean = world.mean({name: value.item() for name, value in measured.items()})
    return {
        "step": progress.step,
        "steps": config.steps,
        "loss": mean["loss"],
        "agreement": {"cls": mean["cls"], "patches": mean["patches"]},
        "gradient_norms": {name: norm.item() for name, norm in norms.items()},
        "learning_rate": values.learning_rate,
        "weight_decay": values.weight_decay,
        "asked": new,
        **({"gradient_shares": shares} if shares else {}),
    }


def check_finite(loss: Tensor, norms: dict[str, Tensor]) -> None:
    each = {"loss": loss, **{f"gradient of {name}": norm for name, norm in norms.items()}}
    for name, value in each.items():
        if not math.isfinite(value.item()):
            raise FloatingPointError(
                f"Not finite: the {name} is {value.item()}. The weights are left as they were "
                f"before this step. A longer warm-up or float32 usually helps."
            )


# --- milestones


class LikenessMilestones(Milestones):
    """The student at a milestone: k-NN of what it says, its patches in the teacher's colours."""

    progress: Progress
    palette: Palette | None = None

    @classmethod
    def of(
        cls,
        run: RunFolder,
        setup: DistilSetup,
        world: World,
        pictures: Pictures,
        progress: Progress,
        teacher: tuple[VisionTransformer, int],  # and the px at which it looks
    ) -> "LikenessMilestones":
        """Keeps what the teacher makes of the chosen pictures too, as a moment of its own."""
        probes = [(name, read_probe(name)) for name in setup.probes]
        watch = cls(run, setup.run, world, labelled_set(setup), probes, pictures)
        watch.progress, watch.teacher = progress, teacher
        if probes and world.first:
            vit, size = teacher
            watch.palette = palette_of(vit, probes, size)
            arrays = sample_pictures.probe(vit, probes, size)
            sample_pictures.save_arrays(run.probes / "teacher.npz", arrays)
        return watch

    def visit_student(self) -> None:
        if self.first:
            self.look(self.progress.student.backbone, self.progress.step)

    def _seen_by(self, vit: VisionTransformer, size: int, step: int) -> dict[str, np.ndarray]:
        arrays = sample_pictures.probe(vit, self.probes, size)
        assert self.palette is not None
        student, usual = self.progress.student, self.progress.usual
        arrays["pca"] = in_colours(self.palette, student.eval(), usual, arrays["pictures"])
        return arrays


# --- checkpoints


def save(run: RunFolder, progress: Progress, config: RunConfig, world: World) -> None:
    """All that the next step needs, written by the first process."""
    if not world.first:
        return
    student = {f"student.{name}": value for name, value in progress.student.state_dict().items()}
    usual = {"usual.mean": progress.usual.mean, "usual.std": progress.usual.std}
    checkpoints.save_checkpoint(
        run.checkpoints,
        Checkpoint(
            progress.step,
            {**student, **usual},
            checkpoints.optimiser_tensors(progress.optimiser, progress.student),
            {"preset": config.preset, "steps": config.steps},
        ),
        keep=config.is_milestone,
        metadata={"config": json.dumps(asdict(config.train.vit))},
    )


def restore(progress: Progress, found: Checkpoint) -> None:
    model = dict(found.model)
    device = progress.usual.mean.device
    mean, std = (model.pop(f"usual.{name}").to(device) for name in ("mean", "std"))
    progress.usual = Usual(mean, std)
    weights = {name.removeprefix("student."): value for name, value in model.items()}
    progress.student.load_state_dict(weights)
    checkpoints.load_optimiser(progress.optimiser, progress.student, found.optimiser)
    progress.step = found.step


def finish(run: RunFolder, progress: Progress, config: RunConfig, world: World) -> End:
    if not world.first:
        return "finished"
    save_backbone(
        progress.student.backbone,
        run.path / "backbone.safetensors",
        {"source": f"distilled here, preset {config.preset}, {progress.step} steps"},
    )
    words = f"Finished {progress.step} steps. {diagnose(read_metrics(run.path)).message}"
    run.log(words)
    run.put_state("finished", words, progress.step, config.steps, 0.0)
    return "finished"
