"""A self-supervised run from its first step to its last, over any number of interruptions.

    train(folder, setup)            starts one         train(folder, resume=True)    goes on with it

What a step needs follows from (seed, step) and from the checkpoint: weights of student and teacher,
the optimiser's memory and the two centres. Nothing else is carried from step to step, so a run that
was killed and resumed ends with the same weights, bit for bit, on the same processor and the same
number of threads.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch

from dino_core.datasets import Pictures
from dino_core.interruption import files_written
from dino_core.runs import checkpoints
from dino_core.runs.checkpoints import Checkpoint
from dino_core.runs.control import Control
from dino_core.runs.exit_codes import failures_reported
from dino_core.runs.folder import Action, RunFolder, read_metrics
from dino_core.runs.milestones import Milestones
from dino_core.runs.presets import RunConfig
from dino_core.runs.progress import Counted, Progress, begin, restore, save, set_trainable
from dino_core.runs.setup import (
    AnySetup,
    Setup,
    as_config,
    check_processes,
    check_same_pictures,
    labelled_set,
    read_pictures,
    read_probe,
    stored_setup,
    validated,
)
from dino_core.runs.tensorboard import events_of
from dino_core.schedules import values_at
from dino_core.slow_motion.gradients import gradient_shares
from dino_core.step import diagnosis, metrics
from dino_core.step.accumulation import step_in_parts
from dino_core.step.distributed import World, joined
from dino_core.step.loader import (
    BatchMaker,
    Made,
    RawBatch,
    background_batches,
    generator_for,
    parts_of,
    to_batch,
)
from dino_core.step.sharding import whole_backbone
from dino_core.student_teacher import TaughtStudent
from dino_core.weights import save_backbone

ACTIONS: tuple[Action | None, ...] = (None, "pause", "resume", "stop")
End = Literal["finished", "stopped", "interrupted"]
AnyProgress = TypeVar("AnyProgress", bound=Counted)


def train(
    folder: str | Path,
    setup: Setup | None = None,
    *,
    resume: bool = False,
    changes: dict[str, Any] | None = None,
) -> End:
    """Runs until the last step or until asked to stop. Everything that goes wrong is raised, after
    it was written into the folder in words.

    `changes` replaces fields of the stored setup that do not decide the numbers: data (where the
    same pictures lie now), device, workers, shard.
    """
    run = RunFolder(folder)
    if resume:
        setup = replace(stored_setup(run), **(changes or {}))
    assert setup is not None
    with ExitStack() as stack:
        world = stack.enter_context(joined(setup.device))
        check_processes(setup, world)
        if setup.threads:
            torch.set_num_threads(setup.threads)
        setup, pictures = with_pictures(run, setup, world, resume=resume, check=validated)
        if world.first:
            stack.enter_context(run.locked())
            stack.enter_context(events_of(run, setup.tensorboard))
            if not resume:
                run.create(as_config(setup, pictures, world))
                run.log_all(pictures.summary())
        with failures_reported(run, setup.run.steps, world.first):
            say_start(run, setup.run, world)
            progress = begin(setup, world.device, world.group)
            return learn(run, setup, pictures, world, progress)


def with_pictures(
    run: RunFolder,
    setup: AnySetup,
    world: World,
    *,
    resume: bool,
    check: Callable[[AnySetup], tuple[AnySetup, Pictures]],
) -> tuple[AnySetup, Pictures]:
    """The setup and its pictures: those that the run began with, or, of a new one, `check`ed.

    ValueError, before anything is written, where a run cannot begin or go on.
    """
    if resume:
        pictures = read_pictures(setup)
        check_same_pictures(run, pictures)
        return setup, pictures
    check_folder(run, world)
    return check(setup)


def check_folder(run: RunFolder, world: World) -> None:
    """ValueError, in every process, unless the folder can take a new run.

    The first process looks: another one might look when the first has begun to write.
    """
    refusal = None
    if world.first:
        try:
            run.check_new()
        except ValueError as error:
            refusal = error
    if world.agree(int(refusal is not None)):
        raise refusal or ValueError("The first process says why this run cannot begin.")


def say_start(run: RunFolder, config: RunConfig, world: World) -> None:
    """What was asked of the run before it began no longer counts."""
    if world.first:
        run.clear_action()
        run.put_state("starting", "Reading weights and pictures.", 0, config.steps)


def learn(
    run: RunFolder, setup: Setup, pictures: Pictures, world: World, progress: Progress
) -> End:
    """From the newest checkpoint, or from `progress`, to the end."""
    config = setup.run
    knn = labelled_set(setup)
    probes = [(name, read_probe(name)) for name in setup.probes]
    resume_from_checkpoint(run, progress, world, restore)
    watch = Milestones(run, config, world, knn, probes, pictures)
    if isinstance(progress.pair, TaughtStudent):
        watch.teacher = progress.pair.teacher.backbone, config.train.crops.global_size
    if progress.step == 0:
        watch.visit(progress)
        if config.keep_good:
            save(run, progress, config, world)

    maker = BatchMaker(pictures, config.train, config.seed, world.rank, world.size)
    batches = background_batches(maker, progress.step, config.steps, setup.workers)
    told: set[str] = set()
    with Control(run) as control:
        for raw, waited in timed(batches):
            begun = time.perf_counter()
            shares = is_due(setup.gradient_shares, progress.step)
            line = one_step(progress, raw, config, world, with_shares=shares)
            if world.first:
                report_broken(run, raw.broken, told)
                seconds = waited + time.perf_counter() - begun
                progress.durations.append(seconds)
                run.add_metrics(with_clock(line, progress, config, seconds, waited))
            if config.is_milestone(progress.step):
                watch.visit(progress)
            with files_written():
                end = end_of_step(run, control, progress, config, world, save)
            if end is not None:
                batches.close()
                return end
    return finish(run, progress, config, world)


def resume_from_checkpoint(
    run: RunFolder,
    progress: AnyProgress,
    world: World,
    restore: Callable[[AnyProgress, Checkpoint], None],
) -> None:
    """Goes on from the newest checkpoint that is whole, if there is one."""
    found, complaints = checkpoints.newest_checkpoint(run.checkpoints)
    if found is None and complaints:
        raise ValueError(
            f"No checkpoint of {run.path} is whole, so the run cannot go on. {' '.join(complaints)}"
        )
    if found is not None:
        restore(progress, found)
    if not world.first:
        return
    for complaint in complaints:
        run.log(f"{complaint} Going on from the checkpoint before it, of step {progress.step}.")
    checkpoints.remove_after(run.checkpoints, progress.step)
    run.cut_metrics(progress.step if found is not None else -1)
    run.log(f"Going on after step {progress.step}." if found is not None else "Starting.")


# --- one step


def is_due(every: int, step: int) -> bool:
    """Whether something is looked at in the step after so many: the first and every so many-th."""
    return every > 0 and (step == 0 or (step + 1) % every == 0)


def one_step(
    progress: Progress,
    raw: RawBatch,
    config: RunConfig,
    world: World,
    *,
    with_shares: bool = False,
) -> dict[str, Any]:
    """Trains on one batch; the step's line of metrics, averaged over the processes.

    `with_shares`: also whose the gradients are, of the first process's first part.
    """
    step, train_config = progress.step, config.train
    values = values_at(step, train_config.schedule)
    set_trainable(progress.pair.student, config, step)
    parts = [to_batch(part, world.device) for part in parts_of(raw, config.accumulate)]
    generators = [
        generator_for(config.seed, f"drop path {world.rank} {i}", step) for i in range(len(parts))
    ]
    measured = None
    if is_due(config.measure_every, step):
        measured = metrics.measure(
            progress.pair, parts[0], values, train_config, progress.centers, world.group
        )
        measured = replace(measured, pictures=min(raw.different, measured.pictures))
    shares: dict[str, Any] = {}
    result = step_in_parts(
        progress.pair,
        parts,
        progress.optimiser,
        values,
        train_config,
        progress.centers,
        generators=generators,
        group=world.group,
        inspect=(
            (lambda losses: shares.update(gradient_shares(progress.pair.student, losses.terms)))
            if with_shares and world.first
            else None
        ),
    )
    progress.centers = result.centers
    progress.step += 1
    first = replace(result, dino_terms=result.dino_terms[..., : parts[0].pictures])
    line = metrics.metrics_of(first, values, measured)
    line["loss"] = world.mean({"loss": line["loss"]})["loss"]
    for name in ("terms", "logged", "uniform", "relative"):
        line[name] = world.mean(line[name])
    if shares:
        line["gradient_shares"] = shares
    return {"step": progress.step, "steps": config.steps, **line}


def timed(batches: Generator[Made, None, None]) -> Iterator[tuple[Made, float]]:
    """Each batch with the seconds that were spent waiting for it."""
    while True:
        begun = time.perf_counter()
        raw = next(batches, None)
        if raw is None:
            return
        yield raw, time.perf_counter() - begun


def with_clock(
    line: dict[str, Any], progress: Counted, config: RunConfig, seconds: float, waited: float
) -> dict[str, Any]:
    return {
        **line,
        "seconds": seconds,
        "steps_per_second": 1 / seconds,
        "pictures_per_second": config.batch_size / seconds,
        "data_wait": waited / seconds,  # share of the step
        "seconds_left": seconds_left(progress, config),
        "time": time.time(),
    }


def seconds_left(progress: Counted, config: RunConfig) -> float | None:
    if not progress.durations:
        return None
    return sum(progress.durations) / len(progress.durations) * (config.steps - progress.step)


def report_broken(run: RunFolder, broken: Iterable[tuple[str, str]], told: set[str]) -> None:
    """Names each file that could not be read, once."""
    for name, reason in broken:
        if name not in told:
            told.add(name)
            run.log(f"Skipped {name}: {reason} ({len(told)} so far)")


# --- between two steps


def end_of_step(
    run: RunFolder,
    control: Control,
    progress: AnyProgress,
    config: RunConfig,
    world: World,
    save: Callable[[RunFolder, AnyProgress, RunConfig, World], None],
) -> End | None:
    """Writes what is due and does what was asked from outside. Says "stopped" when to stop."""
    step = progress.step
    control.heard()
    action = ACTIONS[world.agree(ACTIONS.index(control.action() if world.first else None))]
    due = step % config.checkpoint_every == 0 or config.is_milestone(step)
    if due or action in ("pause", "stop"):
        save(run, progress, config, world)
    if action == "pause":
        if world.first:
            run.log(f"Paused after step {step}.")
            run.put_state("paused", f"Paused after step {step}.", step, config.steps)
        action = ACTIONS[world.agree(ACTIONS.index(control.wait() if world.first else None))]
        if world.first and action != "stop":
            run.log("Going on.")
    if action == "stop" and step < config.steps:
        if world.first:
            words = f"Stopped after step {step} of {config.steps}, as asked."
            run.log(words)
            run.put_state("stopped", words, step, config.steps)
            run.clear_action()
        return control.end
    if world.first and step < config.steps:
        words = f"Step {step} of {config.steps}."
        run.put_state("running", words, step, config.steps, seconds_left(progress, config))
    return None


def finish(run: RunFolder, progress: Progress, config: RunConfig, world: World) -> End:
    vit = whole_backbone(progress.pair.follower.backbone, world.first)
    if vit is None:
        return "finished"
    save_backbone(
        vit,
        run.path / "backbone.safetensors",
        {"source": f"trained here, preset {config.preset}, {progress.step} steps"},
    )
    sentence = diagnosis.diagnose(read_metrics(run.path)).message
    words = f"Finished {progress.step} steps. {sentence}"
    run.log(words)
    run.put_state("finished", words, progress.step, config.steps, 0.0)
    return "finished"
