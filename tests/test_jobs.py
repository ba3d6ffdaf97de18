"""jobs.py: who holds a job, starting and stopping its process, and files that are whole."""

import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from dino_core import jobs


def test_a_job_is_held_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert not jobs.is_alive(folder)
    with jobs.locked(folder, "It is taken."):
        assert jobs.is_alive(folder)
        with pytest.raises(ValueError, match=r"It is taken\."), jobs.locked(folder, "It is taken."):
            pass
    assert not jobs.is_alive(folder)
    with pytest.raises(KeyError), jobs.locked(folder, "It is taken."):
        raise KeyError
    with jobs.locked(folder, "It is taken."):
        pass


def ask_at_once(folder: Path, count: int) -> list[bool]:
    start, answers = threading.Barrier(count), []

    def ask() -> None:
        start.wait()
        for _ in range(20):
            answers.append(jobs.is_alive(folder))

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_who_asks_is_not_taken_for_the_job(tmp_path: Path) -> None:
    with jobs.locked(tmp_path, "It is taken."):
        assert ask_at_once(tmp_path, 8) == [True] * 160
    assert not any(ask_at_once(tmp_path, 8)), "nobody holds it, eight ask"


def test_threads_that_ask_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has the lock for an instant, and the others would find it taken."""
    inside, most = [0], [0]

    class Watched(jobs.FileLock):
        def __enter__(self) -> "Watched":
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.001)  # long enough for another one to come
            return self

        def __exit__(self, *_: object) -> None:
            inside[0] -= 1

    with jobs.locked(tmp_path, "It is taken."):
        pass
    monkeypatch.setattr(jobs, "FileLock", Watched)
    ask_at_once(tmp_path, 4)
    assert most == [1]


def test_a_lock_that_is_taken_for_a_moment_is_no_job_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process asks at the same time; one that dies leaves its name, and nothing else."""
    with jobs.locked(tmp_path, "It is taken."):
        left = (tmp_path / "holder.json").read_text()
    (tmp_path / "holder.json").write_text(json.dumps(json.loads(left) | {"began": 1.0}))
    other = jobs.FileLock(tmp_path / "lock")
    other.acquire()
    monkeypatch.setattr(jobs.time, "sleep", lambda _: other.release())
    assert not jobs.is_alive(tmp_path)
    other.acquire()
    monkeypatch.setattr(jobs.time, "sleep", lambda _: None)
    assert jobs.is_alive(tmp_path), "one of another machine, which keeps it"
    other.release()


def hold(folder: Path, held: object) -> None:
    with jobs.locked(folder, "It is taken."):
        held.set()  # type: ignore[attr-defined]
        time.sleep(60)


def test_a_lock_is_free_again_when_its_process_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=hold, args=(tmp_path, held))
    process.start()
    try:
        assert held.wait(60)
        assert jobs.is_alive(tmp_path)
    finally:
        process.kill()
        process.join()
    assert not jobs.is_alive(tmp_path)
    with jobs.locked(tmp_path, "It is taken."):
        pass


def test_its_process_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the terminal of whoever started it goes to a session that it is not in."""
    monkeypatch.setattr(jobs.sys, "executable", str(fake_python(tmp_path)))
    pid = jobs.start_command(["train", "--run", "runs/first"], tmp_path / "said.txt")
    try:
        wait_for(lambda: "ready" in (tmp_path / "said.txt").read_text())
        assert os.getsid(pid) == pid != os.getsid(0)
        assert jobs.is_running(pid, "runs/first")
        assert not jobs.is_running(pid, "runs/second"), "an id that another process has by now"
        jobs.stop_process(pid, "runs/second")
        assert jobs.is_running(pid, "runs/first")
        jobs.stop_process(pid, "runs/first")
        wait_for(lambda: not jobs.is_running(pid, "runs/first"))
    finally:
        if psutil.pid_exists(pid):
            psutil.Process(pid).kill()
    assert not jobs.is_running(None, "runs/first")
    jobs.stop_process(pid, "runs/first")  # nothing is there to be stopped
    assert "-m dino_core train --run runs/first" in (tmp_path / "said.txt").read_text()


def test_its_process_reads_nothing_of_what_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = 'if read line; then echo "heard $line"; else echo nothing; fi'
    monkeypatch.setattr(jobs.sys, "executable", str(fake_python(tmp_path, command)))
    typed, said = tmp_path / "typed", tmp_path / "said.txt"
    typed.write_text("a line\n")
    own = os.dup(0)
    try:
        with typed.open() as file:
            os.dup2(file.fileno(), 0)
        jobs.start_command(["train"], said)
        wait_for(lambda: said.read_text().endswith("\n"))
    finally:
        os.dup2(own, 0)
        os.close(own)
    assert said.read_text() == "nothing\n"


def test_signals_are_heard_for_a_while_and_then_as_before() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before, heard = [signal.getsignal(number) for number in numbers], []
    with jobs.signals_heard(lambda number, _: heard.append(number)):
        for number in numbers:
            signal.raise_signal(number)
    assert heard == [*numbers]
    assert [signal.getsignal(number) for number in numbers] == before


ENDLESS = 'echo "ready $*"\nwhile :; do sleep 0.05; done'


def fake_python(folder: Path, command: str = ENDLESS) -> Path:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return path


def wait_for(done: object) -> None:
    end = time.monotonic() + 30
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end, "It did not happen."
        time.sleep(0.01)


# --- files


def test_a_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    jobs.write_text(path, "old")

    def half(self: Path, text: str, **_: object) -> int:
        with self.open("w") as file:
            file.write(text[:1])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", half)
        with pytest.raises(OSError):
            jobs.write_text(path, "new")
    assert path.read_text() == "old"

    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(jobs.os, "replace", refuse)
        with pytest.raises(OSError):
            jobs.write_text(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"], "and nothing beside it"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")]])
def test_json_knows_no_nan(tmp_path: Path, value: object) -> None:
    with pytest.raises(ValueError):
        jobs.write_json(tmp_path / "x.json", {"x": value})
    assert not list(tmp_path.iterdir())


def test_what_is_no_object_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    assert jobs.read_json(path) is None
    jobs.write_json(path, {"name": "Кот", "n": 1})
    assert jobs.read_json(path) == {"name": "Кот", "n": 1}
    for text in ("", "[1]", "{", "null", "\0", "[" * 100_000):
        path.write_text(text)
        assert jobs.read_json(path) is None
    path.write_bytes(b"\xff\xfe")
    assert jobs.read_json(path) is None


@pytest.mark.parametrize("value", ["3", True, None, [3], float("nan"), float("inf")])
def test_what_is_no_number_is_none(value: object) -> None:
    assert jobs.number_in(json.loads(json.dumps({"x": value})), "x") is None
    assert jobs.number_in({"x": 3.5}, "x") == 3.5
    assert jobs.number_in({}, "x") is None
