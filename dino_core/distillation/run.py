"""Starts a distillation, or goes on with one.

distil(folder, setup)            starts one         distil(folder, resume=True)   goes on with it
"""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from dino_core.distillation.features import follow
from dino_core.distillation.setup import DistilSetup, load_teacher, validated
from dino_core.runs.exit_codes import failures_reported
from dino_core.runs.folder import RunFolder
from dino_core.runs.pretraining import End, check_folder
from dino_core.runs.setup import as_config, check_same_pictures, read_pictures, setup_in
from dino_core.step.distributed import joined


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
        if setup.threads:
            torch.set_num_threads(setup.threads)
        if resume:
            pictures, teacher = read_pictures(setup), load_teacher(setup)
            check_same_pictures(run, pictures)
        else:
            check_folder(run, world)
            setup, pictures, teacher = validated(setup)
        if world.first:
            stack.enter_context(run.locked())
            if not resume:
                run.create(as_config(setup, pictures, world, "distillation"))
                run.log_all(pictures.summary())
        with failures_reported(run, setup.run.steps, world.first):
            return follow(run, setup, pictures, teacher, world)
