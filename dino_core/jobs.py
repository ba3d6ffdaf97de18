"""A job is a folder that one process writes and everybody else reads.

    lock     held by the process; free again when it ends, however it ends
    holder.json  which process that is
    *.json   replaced as a whole: a reader sees the old one or the new one, never half of it

Runs (`runs/folder.py`) and galleries (`gallery/folder.py`) are jobs: they can be started from a
page, watched by reading files and steered by writing one.

No torch here, so that a page can list and watch jobs at once.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from filelock import FileLock, Timeout

from dino_core.writing import replacing

ROOT = Path(__file__).resolve().parents[1]  # where dino_core lies
PATIENCE = 0.5  # s to wait for a lock: whoever asks `is_alive` has it for an instant
GRACE = 1.2  # s that Ctrl-C leaves for what is begun
ASKED = 10  # times that a lock without a name must be taken to count as a job's, 20 ms apart
_ASKING = threading.Lock()  # the threads of a process do not get in each other's way


# --- who is at work


@contextmanager
def locked(folder: Path, refusal: str) -> Iterator[None]:
    """Holds the job. ValueError, in the words of `refusal`, when another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=PATIENCE, poll_interval=0.02)
    except Timeout:
        raise ValueError(refusal) from None
    try:
        write_json(folder / "holder.json", {"pid": os.getpid(), "began": began(os.getpid())})
        yield
    finally:
        with suppress(OSError):
            (folder / "holder.json").unlink()
        lock.release()


def is_alive(folder: Path) -> bool:
    """Whether a process holds the job.

    Asking is trying: who asks has a free lock for an instant, and others who ask find it taken. So
    a lock counts as a job's if the process that wrote its name there lives, or if it stays taken:
    a process of another machine or container cannot be seen from here.
    """
    path = folder / "lock"
    if not path.exists():  # nobody ever held it
        return False
    with _ASKING:
        for _ in range(ASKED):
            try:
                with FileLock(path, timeout=0):
                    return False
            except Timeout:
                if _holder_lives(folder):
                    return True
                time.sleep(0.02)
            except OSError:  # a folder that is somebody else's, or that goes just now
                return False
    return True


def _holder_lives(folder: Path) -> bool:
    holder = read_json(folder / "holder.json") or {}
    pid, since = number_in(holder, "pid"), number_in(holder, "began")
    return pid is not None and since is not None and began(int(pid)) == since


def began(pid: int) -> float | None:
    """When a process began, in seconds since 1970; None where there is none."""
    try:
        return float(psutil.Process(pid).create_time())
    except (psutil.Error, ValueError, OverflowError):
        return None


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
            start_new_session=True,  # no Ctrl-C of the caller's terminal reaches it
        )
    return process.pid


def is_running(pid: int | None, word: str) -> bool:
    """Whether a process is there and still the one that was started with `word` in its command."""
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        command = process.cmdline()
    except psutil.Error:
        return False
    return not command or any(word in one for one in command)  # empty for its first instant


def stop_process(pid: int | None, word: str) -> None:
    """A polite kill (SIGTERM) of the process of `is_running`; nothing where there is none."""
    if pid is not None and is_running(pid, word):
        with suppress(psutil.Error):  # it has ended since
            psutil.Process(pid).terminate()


def after_grace(end: Callable[[], None]) -> threading.Timer:
    """Does `end` in a moment, unless the timer is cancelled: whoever presses Ctrl-C waits for what
    is begun, but not for long."""
    timer = threading.Timer(GRACE, end)
    timer.daemon = True
    timer.start()
    return timer


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


def write_text(path: Path, text: str) -> None:
    with replacing(path, lasting=False) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace")


def write_json(path: Path, values: dict[str, Any], indent: int | None = None) -> None:
    """ValueError for NaN and infinity, which JSON does not know."""
    write_text(path, json.dumps(values, indent=indent, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """None when it is not there, or no JSON object."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def number_in(values: dict[str, Any], name: str) -> float | None:
    """None where a file has something else in its place."""
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < float("inf") else None
