"""Mend: the switches of an experiment are turned back, from the last checkpoint that was good.

    mend(folder)                     then    train(folder, resume=True)
    python -m dino_core train --run DIR --mend      does both

A run under an experiment keeps, beside its newest two checkpoints, the newest one at which it had
not collapsed (`diagnosis.has_collapsed`), and one of its beginning, so that there is always
something to go back to. What was learnt and measured after it goes, but for the lines of the
metrics, which stay beside as metrics-1.jsonl; config.json notes what was done, under `history`.
"""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from dino_core.runs import checkpoints
from dino_core.runs.folder import RunFolder, read_metrics, write_json
from dino_core.runs.history import sentence
from dino_core.runs.progress import good_steps
from dino_core.runs.request import RunRequest, config_of
from dino_core.runs.setup import Setup, stored_setup
from dino_core.step import diagnosis

Config = TypeVar("Config")


def mend(folder: str | Path) -> str:
    """Turns the switches of a run back that is not at work; a sentence about what was done.

    ValueError, with nothing changed, where there is nothing to turn back or to go back to.
    """
    run = RunFolder(folder)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError("--mend is for one process: mend the run first, then go on by --resume.")
    setup = stored_setup(run)
    request = setup.request
    if request is None or not request.experiment:
        raise ValueError(f"{run.path} has no experiment: there is nothing to turn back.")
    with run.locked():
        lines = read_metrics(run.path)
        step = last_good_step(run, lines, setup.run.steps)
        healthy = without_experiment(setup, request)
        done = {
            "turned_back": list(request.experiment),
            "after": lines[-1]["step"] if lines else 0,
            "verdict": diagnosis.diagnose(lines).message,
            "step": step,
            "time": time.time(),
        }
        _go_back(run, step)
        config = run.read_config()
        config["setup"] = asdict(healthy)
        config["history"] = [*config.get("history", []), done]
        write_json(run.config_file, config)  # last: until then it is the run that it was
        words = sentence(done)
        run.log(words)
        return words


def last_good_step(run: RunFolder, lines: Sequence[diagnosis.Metrics], steps: int) -> int:
    """The newest checkpoint that is whole and at which the run had not collapsed; of a run of so
    many steps that is at its end, the one before, so that there is something to go on with.

    ValueError where there is none.
    """
    complaints = []
    for step in good_steps(run, lines):
        if step >= steps:
            continue
        try:
            return checkpoints.load_checkpoint(run.checkpoints, step).step
        except ValueError as error:
            complaints.append(str(error))
    raise ValueError(
        " ".join(
            [
                f"{run.path} has no whole checkpoint from before it collapsed, so there is nothing "
                f"to go back to: start a new run without --experiment.",
                *complaints,
            ]
        )
    )


def without_experiment(setup: Setup, request: RunRequest) -> Setup:
    """The setup with every number that a switch had changed as the recipe has it."""
    plain = replace(request, experiment=())
    run = turned_back(setup.run, config_of(request), config_of(plain))
    return replace(setup, run=run, request=plain)


def turned_back(stored: Config, switched: Config, plain: Config) -> Config:
    """`stored`, with the value of `plain` wherever `switched` has another than that."""
    changes: dict[str, Any] = {}
    for name, value in vars(plain).items():
        before, now = getattr(switched, name), getattr(stored, name)
        if before == value:
            continue
        nested = is_dataclass(value) and is_dataclass(before)
        changes[name] = turned_back(now, before, value) if nested else value
    return replace(stored, **changes)  # type: ignore[type-var]


def _go_back(run: RunFolder, step: int) -> None:
    """What came after a step goes; its lines are kept beside."""
    number = 1
    while (kept := run.path / f"metrics-{number}.jsonl").exists():
        number += 1
    if run.metrics_file.exists():
        shutil.copyfile(run.metrics_file, kept)
    checkpoints.remove_after(run.checkpoints, step)
    for probe in run.probes.glob("step-*.npz"):
        if int(probe.stem.removeprefix("step-")) > step:
            probe.unlink()
    (run.path / "backbone.safetensors").unlink(missing_ok=True)
