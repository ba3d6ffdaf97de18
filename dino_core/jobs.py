"""A job is a folder that one process writes and everybody else reads.

    lock     held by the process; free again when it ends, however it ends
    *.json   replaced as a whole: a reader sees the old one or the new one, never half of it

Runs (`runs/folder.py`) and galleries (`gallery/folder.py`) are jobs: they can be started from a
page, watched by reading files and steered by writing one.

No torch here, so that a page can list and watch jobs at once.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]  # where dino_core lies
TRIES = 10  # for a lock, 50 ms apart


# --- who is at work


@contextmanager
def locked(folder: Path, refusal: str) -> Iterator[None]:
    """Holds the job. ValueError, in the words of `refusal`, when another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        for _ in range(TRIES):  # whoever asks `is_alive` has it for an instant
            if take_lock(file):
                break
            time.sleep(0.05)
        else:
            raise ValueError(refusal)
        yield


def is_alive(folder: Path) -> bool:
    """Whether a process holds the job."""
    try:
        with (folder / "lock").open("r") as file:
            return not take_lock(file, shared=True)
    except OSError:  # nobody ever held it
        return False


def take_lock(file: IO[str], shared: bool = False) -> bool:
    """Takes the lock of an open file until it is closed. False when another process has it.

    Any number of processes may share a lock while none has it for itself.
    """
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# --- starting and stopping its process


def start_command(arguments: Sequence[str], output: Path) -> int:
    """Starts `python -m dino_core ARGUMENTS` as a process of its own; its id.

    It goes on when the caller ends. What it prints goes to the file `output`.
    """
    inherited = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "dino_core", *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *inherited])},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    return process.pid


@contextmanager
def signals_heard(notice: Callable[[int, object], None]) -> Iterator[None]:
    """Ctrl-C and a polite kill (SIGTERM) call `notice` with their number, and end nothing."""
    before: dict[signal.Signals, Any] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, notice)
    except ValueError:  # not the main thread: whoever started it has the signals
        pass
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


# --- its files


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; what was written takes its place if nothing went wrong."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace")


def write_json(path: Path, values: dict[str, Any], indent: int | None = None) -> None:
    """ValueError for NaN and infinity, which JSON does not know."""
    write_text(path, json.dumps(values, indent=indent, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """None when it is not there, or no JSON object."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None
