"""The real server as a process of its own: a program, or a fork of one that is prepared."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psutil
import pytest
from filelock import FileLock
from forked import ROOT, Fork, free_port, said_to

__all__ = ["free_port", "launch", "serving", "shared"]


class Process(Protocol):
    """A server's process."""

    @property
    def pid(self) -> int | None: ...

    def kill(self) -> None: ...

    def terminate(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def poll(self) -> int | None: ...

    def send_signal(self, sig: int) -> None: ...


def environment(home: Path) -> dict[str, str]:
    """All files of a server in a folder of its own."""
    return {
        "INSIDE_DINOV2_HOME": str(home),  # no official weights of this machine's user
        "TORCH_HOME": str(home),
        "GRADIO_TEMP_DIR": str(home / "gradio"),
        "INSIDE_DINOV2_RUNS": str(home / "runs"),
        "INSIDE_DINOV2_GALLERIES": str(home / "galleries"),
    }


def serve(home: Path, words: list[str]) -> None:
    """In the fork: what `python -m app` does, with what it says in the file log.txt."""
    from app.__main__ import main

    said_to(home / "log.txt", home / "log.txt")
    os.environ.update(environment(home))
    os.chdir(ROOT)
    sys.exit(main(words))


def start_program(home: Path, words: list[str]) -> Process:
    """`python -m app` as people start it."""
    with (home / "log.txt").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "app", *words],
            cwd=ROOT,
            env=os.environ | environment(home),
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def start_fork(home: Path, words: list[str]) -> Process:
    """The same in a process that has imported everything."""
    (home / "log.txt").write_text("")
    return Fork(serve, home, words)


def launch(home: Path, port: int, *options: str, program: bool = False) -> Process:
    """A page as `python -m app` serves it, with its files in `home`, once it answers."""
    start = start_program if program else start_fork
    process = start(home, ["--port", str(port), *options])
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(f"The server ended: {(home / 'log.txt').read_text()}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    return process


@contextmanager
def serving(home: Path, port: int, *options: str) -> Iterator[str]:
    """A page of its own for as long as it is needed: its address."""
    process = launch(home, port, *options)
    try:
        yield f"http://127.0.0.1:{port}"
        text = (home / "log.txt").read_text()  # before the end, which cuts off open streams
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert_nothing_went_wrong(text)


@contextmanager
def shared(home: Path) -> Iterator[str]:
    """The page that all test processes share, a program as people start it: its address.

    The first that needs it starts it, and the last that leaves ends it.
    """
    note = home.with_suffix(".json")
    lock = FileLock(home.with_suffix(".lock"))
    with lock:
        if note.exists():
            known = json.loads(note.read_text())
        else:
            home.mkdir(exist_ok=True)
            port = free_port()
            known = {"port": port, "pid": launch(home, port, program=True).pid, "users": 0}
        note.write_text(json.dumps(known | {"users": known["users"] + 1}))
    try:
        yield f"http://127.0.0.1:{known['port']}"
    finally:
        with lock:
            known = json.loads(note.read_text())
            note.write_text(json.dumps(known | {"users": known["users"] - 1}))
            text = (home / "log.txt").read_text()
            if known["users"] == 1:
                end(psutil.Process(known["pid"]))
                note.unlink()
    assert_nothing_went_wrong(text)


def end(process: psutil.Process) -> None:
    """Ends a process that another test process may have started, and waits for it."""
    process.terminate()
    for _ in range(200):
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    pytest.fail("The shared server does not end.")


def assert_nothing_went_wrong(log: str) -> None:
    """Gradio itself prints how it refused a file that nobody uploaded; nothing else may."""
    assert log.count("Traceback") == log.count("InvalidPathError: Cannot move"), log
