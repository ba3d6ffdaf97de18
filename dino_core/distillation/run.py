"""Starts a distillation by either recipe, or goes on with one.

distil(folder, setup)            starts one         distil(folder, resume=True)   goes on with it
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dino_core.datasets import Pictures
from dino_core.distillation import heads
from dino_core.distillation.features import follow
from dino_core.distillation.setup import DistilSetup, load_teacher, validated
from dino_core.runs import checkpoints
from dino_core.runs.exit_codes import failures_reported
from dino_core.runs.folder import RunFolder
from dino_core.runs.pretraining import End, with_pictures
from dino_core.runs.setup import as_config, setup_in
from dino_core.runs.tensorboard import check_installed, events_of
from dino_core.step.distributed import World, joined

Learn = Callable[[RunFolder, DistilSetup, Pictures, World], End]


def distil(
    folder: str | Path,
    setup: DistilSetup | None = None,
    *,
    resume: bool = False,
    changes: dict[str, Any] | None = None,
) -> End:
    """Runs until the last step or until asked to stop. Everything that goes wrong is raised, after
    it was written into the folder in words.

    `changes` replaces fields of the stored setup that do not decide the numbers: data (where the
    same pictures lie now), device, workers.
    """
    run = RunFolder(folder)
    if resume:
        setup = replace(setup_in(run, DistilSetup, "distillation"), **(changes or {}))
    assert setup is not None
    with ExitStack() as stack:
        world = stack.enter_context(joined(setup.device))
        check_installed(setup.tensorboard)
        if setup.threads:
            torch.set_num_threads(setup.threads)
        setup, pictures = with_pictures(run, setup, world, resume=resume, check=validated)
        setup, learn, digest = with_teacher(setup)
        if resume:
            check_same_teacher(run, setup, digest)
        if world.first:
            stack.enter_context(run.locked())
            stack.enter_context(events_of(run, setup.tensorboard))
            if not resume:
                config = as_config(setup, pictures, world, "distillation")
                run.create(config | {"teacher_digest": digest})
                run.log_all(pictures.summary())
        with failures_reported(run, setup.run.steps, world.first):
            return learn(run, setup, pictures, world)


def with_teacher(setup: DistilSetup) -> tuple[DistilSetup, Learn, str]:
    """The setup as the teacher lets it be, what runs it, and the digest of the teacher."""
    if setup.run.follow is None:
        network, config = heads.load_teacher(setup)
        setup = heads.with_heads_of(setup, config)
        return setup, partial(heads.learn_by_heads, teacher=network), digest_of(network)
    teacher = load_teacher(setup)
    return setup, partial(follow, teacher=teacher), digest_of(teacher.vit)


def digest_of(teacher: nn.Module) -> str:
    """Of its tensors, whatever file they are in."""
    return checkpoints.digest(teacher.state_dict())


def check_same_teacher(run: RunFolder, setup: DistilSetup, digest: str) -> None:
    if run.read_config().get("teacher_digest", digest) != digest:
        raise ValueError(
            f"The teacher {setup.teacher} is not the one that the run began with: put it back, or "
            f"start a new run."
        )
