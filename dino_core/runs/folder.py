"""A run is a folder. Whoever can read files can follow it; whoever can write one can steer it.

    request.json     what was asked for, where a page asked (`request.py`)
    config.json      what the run is made of, written once
    notes.json       what a person calls it (`notes.py`)
    state.json       where it is now: state, words for a person, step, process; replaced as a whole
    metrics.jsonl    a line for each step (or each epoch of a fine-tuning), only ever added to;
                     docs/metrics.md says what its names mean
    log.txt          what was said, with the time
    control          one word from outside: pause, resume or stop; obeyed between two steps
    lock             held by the process that runs; free again when it ends, however it ends
    checkpoints/     `checkpoints.py`
    probes/          attention, PCA and masks of chosen pictures at each milestone
    backbone.safetensors   what came out, once the run is finished

No torch here, so that a page can list and watch runs at once.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from dino_core import jobs
from dino_core.jobs import is_alive, number_in, read_json, write_text

State = Literal["starting", "running", "paused", "stopped", "finished", "failed"]
Action = Literal["pause", "resume", "stop"]
FORMAT = 1


@dataclass(frozen=True)
class RunState:
    """What a run says about itself, corrected when its process is gone."""

    folder: Path
    kind: str  # pretraining, fine-tuning
    state: State
    words: str
    step: int
    steps: int
    pid: int | None
    updated: float  # seconds since 1970
    seconds_left: float | None
    alive: bool  # its process holds the lock

    @property
    def can_resume(self) -> bool:
        return not self.alive and self.state in ("starting", "stopped", "failed")


class Listener(Protocol):
    """Who hears of what a run notes, beside its files (`tensorboard.py`)."""

    def line(self, line: Mapping[str, Any], /) -> None: ...
    def pictures(self, arrays: Mapping[str, Any], step: int, /) -> None: ...


class RunFolder:
    """The files of one run, written by the process that runs it."""

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder).expanduser()
        self.events: Listener | None = None

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def probes(self) -> Path:
        return self.path / "probes"

    @property
    def config_file(self) -> Path:
        return self.path / "config.json"

    @property
    def metrics_file(self) -> Path:
        return self.path / "metrics.jsonl"

    def check_new(self) -> None:
        """ValueError when the folder already has a run, or other things, in it."""
        if self.config_file.exists():
            raise ValueError(
                f"{self.path} already holds a run. Go on with it by --resume, or name a new folder."
            )
        expected = {
            "log.txt",
            "lock",
            "holder.json",
            "control",
            "request.json",
            "notes.json",
        }  # a page may have been here
        if self.path.exists() and {entry.name for entry in self.path.iterdir()} - expected:
            raise ValueError(f"{self.path} is not empty and holds no run: name a new folder.")

    def create(self, config: dict[str, Any]) -> None:
        """A new run."""
        self.check_new()
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.config_file, {"format": FORMAT, **config})

    def read_config(self) -> dict[str, Any]:
        """ValueError when there is no run here."""
        try:
            config = json.loads(self.config_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ValueError(f"{self.path} holds no run: there is no config.json in it.") from None
        except OSError as error:
            raise ValueError(f"{self.config_file} cannot be read: {error.strerror}.") from error
        except (ValueError, RecursionError):
            raise ValueError(f"{self.config_file} is damaged: it is no JSON.") from None
        if not isinstance(config, dict):
            raise ValueError(f"{self.config_file} is damaged: it holds no JSON object.")
        if config.get("format") != FORMAT:
            raise ValueError(f"{self.config_file} is not of this version of the project.")
        return config

    def log(self, words: str) -> None:
        """A line of log.txt, and of standard error for the person who waits."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        with (self.path / "log.txt").open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{stamp} {words}\n")
        with suppress(OSError):  # a terminal that is closed ends no run
            print(words, file=sys.stderr, flush=True)

    def log_all(self, sentences: Sequence[str]) -> None:
        for sentence in sentences:
            self.log(sentence)

    def put_state(
        self, state: State, words: str, step: int, steps: int, seconds_left: float | None = None
    ) -> None:
        values = {
            "state": state,
            "words": words,
            "step": step,
            "steps": steps,
            "seconds_left": seconds_left,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "updated": time.time(),
        }
        write_json(self.path / "state.json", values)

    def add_metrics(self, line: dict[str, Any]) -> None:
        with self.metrics_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(finite(line), allow_nan=False) + "\n")
        if self.events is not None:
            self.events.line(line)

    def cut_metrics(self, step: int) -> None:
        """Keeps the lines up to a number of steps done: those after it are about to come again."""
        kept = [line for line in read_metrics(self.path) if line["step"] <= step]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        write_text(self.metrics_file, text)

    def action(self) -> Action | None:
        """What was last asked from outside."""
        try:
            word = (self.path / "control").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return word if word in get_args(Action) else None  # type: ignore[return-value]

    def clear_action(self) -> None:
        (self.path / "control").unlink(missing_ok=True)

    def locked(self) -> AbstractContextManager[None]:
        """Holds the run. ValueError when another process has it."""
        return jobs.locked(
            self.path,
            f"Another process is running {self.path}: stop it first, or watch it with "
            f"`python -m dino_core runs`.",
        )


# --- from outside


def request_action(folder: str | Path, action: Action) -> None:
    """Asks a run to pause, resume or stop at its next step. Asking twice is asking once."""
    if action not in get_args(Action):
        raise ValueError(f"A run can be asked to pause, resume or stop, not to {action!r}.")
    RunFolder(folder).read_config()
    write_text(Path(folder) / "control", action + "\n")


def read_state(folder: str | Path) -> RunState:
    """What the run says; where its process is gone without a word, that is said instead.

    ValueError where there is no run, or its config.json cannot be read. A state.json that makes no
    sense counts as far as it does.
    """
    run = RunFolder(folder)
    kind = str(run.read_config().get("kind", ""))
    values = read_json(run.path / "state.json") or {}
    alive = is_alive(run.path)
    state: Any = values.get("state")
    words = values.get("words")
    if state not in get_args(State) or not isinstance(words, str):
        state, words = "starting", "The run is starting."
    if not alive and state in ("starting", "running", "paused"):
        state = "stopped"
        words = "The process ended without a word; the run can go on from its newest checkpoint."
    pid, updated = number_in(values, "pid"), number_in(values, "updated")
    return RunState(
        folder=run.path,
        kind=kind,
        state=state,
        words=words,
        step=int(number_in(values, "step") or 0),
        steps=int(number_in(values, "steps") or 0),
        pid=None if pid is None else int(pid),
        updated=run.config_file.stat().st_mtime if updated is None else updated,
        seconds_left=number_in(values, "seconds_left") if alive else None,
        alive=alive,
    )


def list_runs(folder: str | Path) -> list[RunState]:
    """All runs in a folder, the one that moved last first; damaged ones have failed."""
    root = Path(folder).expanduser()
    if not root.is_dir():
        return []
    runs = []
    for path in root.iterdir():
        if not (path / "config.json").exists():
            continue
        try:
            runs.append(read_state(path))
        except (ValueError, OSError) as error:
            runs.append(_unreadable(path, str(error)))
    return sorted(runs, key=lambda run: run.updated, reverse=True)


def _unreadable(path: Path, words: str) -> RunState:
    updated = path.stat().st_mtime if path.exists() else 0.0
    return RunState(
        folder=path,
        kind="unknown",
        state="failed",
        words=words,
        step=0,
        steps=0,
        pid=None,
        updated=updated,
        seconds_left=None,
        alive=False,
    )


def read_metrics(folder: str | Path, after: int = -1) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl past a number of steps. A line still being written is left out."""
    try:
        text = (Path(folder) / "metrics.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    lines = []
    for raw in text.split(b"\n"):
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        step = number_in(line, "step") if isinstance(line, dict) else None
        if step is not None and step > after:
            lines.append(line)
    return lines


def launch(arguments: Sequence[str], folder: str | Path) -> int:
    """Starts `python -m dino_core ARGUMENTS` as a process of its own; its id.

    It goes on when the caller ends. What it prints is in the run's log.txt already; an error
    before there is a run goes to launch.txt beside it.
    """
    path = Path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    return jobs.start_command(arguments, path.with_name(f"{path.name}.launch.txt"))


# --- plain files


def write_json(path: Path, values: dict[str, Any]) -> None:
    """For people to read too: a line for each value, and null for NaN."""
    jobs.write_json(path, finite(values), indent=1)


def finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity: null stands for them."""
    if isinstance(value, float):
        return value if abs(value) != float("inf") and value == value else None
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
