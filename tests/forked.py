"""Processes of tests, forked from one that has imported what they need (`tests/prepared.py`).

A process that imports PyTorch itself costs seconds. What a fork does is the same, as far as no
import is looked at; of each kind one test starts the real program.
"""

import multiprocessing
import os
import runpy
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def forking() -> Any:
    """The context whose processes are forks: one prepared process for all that a test process
    starts, which is why it is the same for servers, commands and training."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.prepared"])
    with chdir(ROOT):  # where it finds what it imports, wherever a test is
        forkserver.ensure_running()
    return context


class Fork:
    """A fork, handled as `subprocess.Popen` is."""

    def __init__(self, target: Callable[..., object], *arguments: Any, **named: Any) -> None:
        found = dict(os.environ), target, arguments, named
        self.process: ForkServerProcess = forking().Process(target=_as_here, args=found)
        self.process.start()
        self.kill, self.terminate = self.process.kill, self.process.terminate

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise TimeoutError(f"The process has not ended in {timeout} s.")
        return self.process.exitcode

    def send_signal(self, sig: int) -> None:
        os.kill(self.pid, sig)


def _as_here(environment: dict[str, str], target: Callable[..., object], *rest: Any) -> None:
    """With the environment of the test, not that of the first one which wanted a fork."""
    arguments, named = rest
    os.environ.clear()
    os.environ.update(environment)
    target(*arguments, **named)


def said_to(out: Path, err: Path) -> None:
    """Sends what this process prints to files."""
    for stream, path in ((1, out), (2, err)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), stream)


# --- programs


class Program(Fork):
    """A program in a fork; what it says is kept in files."""

    def __init__(self, target: Callable[..., object], *arguments: Any, **named: Any) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="forked-")
        self.out, self.err = (Path(self.folder.name, name) for name in ("out", "err"))
        for file in (self.out, self.err):
            file.touch()
        super().__init__(_program, self.out, self.err, target, arguments, named)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it has said, on standard output and error, once it has ended."""
        self.wait(timeout)
        return self.out.read_text(encoding="utf-8"), self.err.read_text(encoding="utf-8")


def _program(
    out: Path, err: Path, target: Callable[..., object], arguments: Any, named: Any
) -> None:
    os.setsid()  # no Ctrl-C of a terminal reaches it but one that is meant
    signal.signal(signal.SIGINT, signal.default_int_handler)
    said_to(out, err)
    target(*arguments, **named)


def run_command(
    words: Sequence[str],
    environment: Mapping[str, str] | None = None,
    before: Callable[[], object] | None = None,
) -> None:
    """In the fork: what `python -m dino_core WORDS` does, after `before`."""
    os.environ.update(environment or {})
    os.chdir(ROOT)
    if before:
        before()
    sys.argv = ["dino_core", *words]
    runpy.run_module("dino_core", run_name="__main__", alter_sys=True)


def run_script(
    script: Path, words: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> None:
    """In the fork: what `python SCRIPT WORDS` does in a folder."""
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [str(script), *words]
    runpy.run_path(str(script), run_name="__main__")


def command(
    words: Sequence[str],
    environment: Mapping[str, str] | None = None,
    before: Callable[[], object] | None = None,
) -> Program:
    """`python -m dino_core WORDS` in a process of its own."""
    return Program(run_command, [*map(str, words)], environment, before)


# --- processes that are one world


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def together(target: Callable[..., None], *arguments: Any, world: int = 2) -> None:
    """target(*arguments, rank, world, port) in processes that find each other at the port."""
    port = free_port()
    children = [Fork(target, *arguments, rank, world, port) for rank in range(world)]
    for child in children:
        child.process.join(100)
    codes = [child.poll() for child in children]
    for child in children:
        child.kill()  # one that waits for another that failed
    assert codes == [0] * world
