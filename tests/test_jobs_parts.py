"""jobs.py and writing.py, part by part: what is asked of locks, processes and files, and in what
order. No process is started."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from dino_core import interruption, jobs, writing


class Lock:
    """A file lock that is taken so many times before it is free."""

    taken = 0
    asked: list[Any] = []  # noqa: RUF012  emptied by each test

    def __init__(self, path: Path, **named: Any) -> None:
        self.asked.append((path.name, named))

    def acquire(self, **named: Any) -> None:
        self.asked.append(("acquire", named))
        if type(self).taken > 0:
            type(self).taken -= 1
            raise jobs.Timeout("lock")

    def release(self) -> None:
        self.asked.append("release")

    def __enter__(self) -> "Lock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> type[Lock]:
    Lock.taken, Lock.asked = 0, []
    monkeypatch.setattr(jobs, "FileLock", Lock)
    return Lock


def test_a_lock_is_waited_for_a_moment_and_says_whose_it_is(
    tmp_path: Path, lock: type[Lock]
) -> None:
    folder = tmp_path / "new" / "job"
    with jobs.locked(folder, "It is taken."):
        holder = json.loads((folder / "holder.json").read_text())
        assert holder == {"pid": os.getpid(), "began": psutil.Process().create_time()}
    assert not (folder / "holder.json").exists()
    acquired = ("acquire", {"timeout": 0.5, "poll_interval": 0.02})
    assert lock.asked == [("lock", {}), acquired, "release"]
    with jobs.locked(folder, "It is taken."):
        (folder / "holder.json").unlink()  # the folder's files may go while the job is held
    lock.taken = 1
    with pytest.raises(ValueError, match=r"^It is taken\.$"), jobs.locked(folder, "It is taken."):
        pass
    assert lock.asked[-1] == acquired, "what is another's is not released"


@pytest.mark.parametrize(("taken", "alive"), [(0, False), (9, False), (10, True)])
def test_a_lock_that_stays_taken_is_a_job_s(
    tmp_path: Path,
    lock: type[Lock],
    monkeypatch: pytest.MonkeyPatch,
    taken: int,
    alive: bool,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(jobs.time, "sleep", slept.append)
    (tmp_path / "lock").touch()
    lock.taken = taken
    assert jobs.is_alive(tmp_path) == alive
    assert slept == [0.02] * taken
    assert lock.asked[0] == ("lock", {"timeout": 0})


def test_whose_holder_lives_is_a_job_s_at_once(
    tmp_path: Path, lock: type[Lock], monkeypatch: pytest.MonkeyPatch
) -> None:
    began = psutil.Process().create_time()
    monkeypatch.setattr(jobs.time, "sleep", lambda _: None)
    (tmp_path / "lock").touch()
    for holder, asked in (
        ({"pid": os.getpid(), "began": began}, 1),
        ({"pid": os.getpid(), "began": began - 1}, 10),
        ({"pid": os.getpid()}, 10),
        ({"began": began}, 10),
        ({"pid": 2**30, "began": None}, 10),
        ({"pid": 2**30, "began": began}, 10),
        ({"pid": 10**30, "began": began}, 10),
    ):
        (tmp_path / "holder.json").write_text(json.dumps(holder))
        lock.taken, lock.asked[:] = 10, []
        assert jobs.is_alive(tmp_path)
        assert sum(one[0] == "acquire" for one in lock.asked) == asked, holder
    assert jobs.began(2**30) is None
    assert jobs.began(-1) is None


def test_a_lock_that_nobody_may_open_is_no_job_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError

    (tmp_path / "lock").touch()
    monkeypatch.setattr(jobs, "FileLock", refuse)
    assert not jobs.is_alive(tmp_path)
    assert not jobs.is_alive(tmp_path / "nothing"), "nobody ever held it"


# --- processes


@pytest.mark.parametrize("inherited", ["", "/mine:/yours"])
def test_a_command_is_started_where_it_finds_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inherited: str
) -> None:
    started: list[Any] = []

    def popen(words: list[str], **named: Any) -> Any:
        started.append((words, named))
        return SimpleNamespace(pid=77)

    monkeypatch.setattr(jobs.subprocess, "Popen", popen)
    monkeypatch.setattr(jobs.os, "environ", {"PYTHONPATH": inherited, "A": "b"})
    output = tmp_path / "said.txt"
    output.write_text("before")
    assert jobs.start_command(["train", "--run", "x"], output) == 77
    ((words, named),) = started
    assert words == [sys.executable, "-m", "dino_core", "train", "--run", "x"]
    root = str(Path(jobs.__file__).resolve().parents[1])
    path = os.pathsep.join([root, inherited]) if inherited else root
    assert named["env"] == {"A": "b", "PYTHONPATH": path}
    assert (named["stdin"], named["start_new_session"]) == (subprocess.DEVNULL, True)
    assert named["stdout"] is named["stderr"]
    assert named["stdout"].name == str(output)
    assert output.read_text() == "", "of this process alone"


class Process:
    """One that is there, in name only."""

    def __init__(self, status: str = "running", command: Any = ("python", "x")) -> None:
        self._status, self._command = status, command
        self.ended: list[str] = []

    def status(self) -> str:
        return self._status

    def cmdline(self) -> list[str]:
        if self._command is None:
            raise psutil.AccessDenied
        return list(self._command)

    def terminate(self) -> None:
        self.ended.append("terminated")
        raise psutil.NoSuchProcess(1)


@pytest.mark.parametrize(
    ("process", "runs"),
    [
        (Process(command=("python", "-m", "dino_core", "/runs/first/request.json")), True),
        (Process(command=("python", "-m", "dino_core", "/runs/second")), False),
        (Process(command=()), True),
        (Process("zombie", ("python", "first")), False),
        (Process(command=None), False),
    ],
)
def test_a_process_runs_while_its_command_names_the_job(
    process: Process, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def find(pid: int) -> Process:
        asked.append(pid)
        return process

    monkeypatch.setattr(jobs.psutil, "Process", find)
    assert jobs.is_running(77, "first") == runs
    assert not jobs.is_running(None, "first")
    jobs.stop_process(None, "first")
    assert asked == [77]
    jobs.stop_process(77, "first")
    assert process.ended == (["terminated"] if runs else [])


def test_what_is_begun_has_a_moment() -> None:
    ended = threading.Event()
    timer = jobs.after_grace(ended.set)
    assert (timer.interval, timer.daemon, timer.is_alive()) == (1.2, True, True)
    timer.cancel()
    timer.join(20)
    assert not ended.is_set()


def test_signals_belong_to_the_main_thread() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    entered: list[int] = []

    def work() -> None:
        with jobs.signals_heard(lambda *_: None):
            entered.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert entered == [1]
    with pytest.raises(KeyError), jobs.signals_heard(lambda *_: None):
        raise KeyError
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


# --- files


def test_what_is_written_is_read_by_anybody(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    jobs.write_json(path, {"a": [1, 2], "b": "ä"})
    assert path.read_bytes() == b'{"a": [1, 2], "b": "\\u00e4"}\n'
    jobs.write_json(path, {"a": 1}, 2)
    assert path.read_text() == '{\n  "a": 1\n}\n'
    jobs.write_text(path, "ä\udcff")
    assert path.read_bytes() == "ä?".encode()
    with pytest.raises(ValueError, match="Out of range"):
        jobs.write_json(path, {"a": float("inf")})
    with pytest.raises(OSError):
        jobs.write_json(tmp_path / "gone" / "x.json", {})
    assert not (tmp_path / "gone").exists(), "a run that was deleted does not come back"


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), (-2.5, -2.5), (0, 0), (True, None), ("3", None), (None, None), (-1e999, None)],
)
def test_a_number_is_a_finite_one(value: Any, number: float | None) -> None:
    assert jobs.number_in({"x": value}, "x") == number


def test_half_a_file_is_named_so_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.npy"
    with writing.replacing(path) as partial:
        assert partial.parent == path.parent
        assert partial.name.startswith("x.npy.")
        assert partial.name.endswith(".part")
        assert len(partial.name) == len("x.npy.") + 8 + len(".part")
        assert len(interruption._writers) == 1, "Ctrl-C waits for it"
        partial.write_text("new")
    assert path.read_text() == "new"
    with writing.replacing(path) as other:
        other.write_text("newer")
    assert path.read_text() == "newer"
    assert [one.name for one in path.parent.iterdir()] == ["x.npy"]
    with pytest.raises(KeyError), writing.replacing(path) as broken:
        raise KeyError(broken.write_text("half"))
    assert path.read_text() == "newer"
    assert [one.name for one in path.parent.iterdir()] == ["x.npy"]


def test_room_is_taken_where_a_system_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    with (tmp_path / "x").open("wb") as file:
        there = SimpleNamespace(posix_fallocate=lambda *what: asked.append(what))
        monkeypatch.setattr(writing, "os", there)
        writing.take_room(file, 100)
        assert asked == [(file.fileno(), 0, 100)]
        writing.take_room(file, 0)
        monkeypatch.setattr(writing, "os", SimpleNamespace())
        writing.take_room(file, 50)
        assert os.fstat(file.fileno()).st_size == 50
    assert len(asked) == 1, "no room is an error to ask for"
