"""jobs/queue.py by itself, and what runs and galleries do under its lock: who may change what, and
when the queue is looked at again. No process, no thread that goes on."""

import json
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
from stand_ins import note_threads

from app.jobs import queue as module
from app.jobs.queue import Job, JobQueue, Limits
from dino_core.runs.request import RunRequest

ASKED = RunRequest("pretraining", data="samples")


class Queue(JobQueue[Job]):
    """Jobs that are at work as long as a test says so."""

    busy = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Job)
        self.started: list[str] = []

    def _is_busy(self) -> bool:
        return self.busy

    def _start(self, job: Job) -> Job:
        self.started.append(job.name)
        return replace(job, waiting=False, launched=7.0)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "jobs")


def job(name: str, owner: str = "one", asked: float = 1.0, **more: Any) -> Job:
    return Job(name, owner, "A title", "samples", asked=asked, **more)


# --- limits


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        ([("one", "x")] * 2, "You have 2 things waiting already"),
        ([("one", "x")], None),
        ([("a", "here"), ("b", "here"), ("c", "here")], "3 things wait already that were asked"),
        ([("a", "here"), ("b", "here"), ("c", "x")], None),
        ([(f"{i}", f"{i}") for i in range(5)], "There are 5 things waiting already"),
        ([(f"{i}", f"{i}") for i in range(4)], None),
    ],
)
def test_how_many_may_wait(waiting: list[tuple[str, str]], words: str | None) -> None:
    limits = Limits("thing", "things", places=5, per_visitor=2, per_address=3)
    there = [job(f"j{i}", who, address=where) for i, (who, where) in enumerate(waiting)]
    new = job("new", address="here")
    if words is None:
        limits.check(there, new)
        return
    with pytest.raises(ValueError, match=words) as refused:
        limits.check(there, new)
    assert str(refused.value).endswith(": wait until one of them has begun, or stop one.")


def test_one_is_one_and_where_nobody_knows_is_nowhere() -> None:
    limits = Limits("thing", "things", places=9, per_visitor=1, per_address=1)
    with pytest.raises(ValueError, match="You have 1 thing waiting already"):
        limits.check([job("a")], job("b"))
    limits.check([job("a", "two", address="")], job("b", address=""))


# --- looking at the queue


def test_the_queue_is_looked_at_soon_while_anybody_waits(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    answers: list[Any] = [True, False, ValueError("damaged"), OSError("disk"), True]

    def advance() -> bool:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    class Wake(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0)
            self.set()
            return True

        def clear(self) -> None:
            waited.append(0)
            queue._ended = not answers

    prepared: list[int] = []

    def prepare() -> None:
        prepared.append(1)
        raise OSError

    monkeypatch.setattr(queue, "advance", advance)
    queue._wake = Wake()
    queue._serve(prepare)
    assert prepared == [1]
    assert waited == [1.0, 0, 30.0, 0, 30.0, 0, 30.0, 0, 1.0, 0]


def test_one_thread_looks_after_a_queue(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []

    note_threads(monkeypatch, module, started)
    queue._ended = True
    queue._begin(print)
    told = {"target": queue._serve, "args": (print,), "name": "queue", "daemon": True}
    assert started == [told, "started"]
    assert not queue._ended
    queue.end()
    assert queue._ended
    assert queue._wake.is_set()
    queue._serve(lambda: None)  # it has ended already


def test_the_next_one_starts_when_none_is_at_work(queue: Queue) -> None:
    assert queue.advance() is False
    for i in range(3):
        queue._put(job(f"j{i}", asked=float(-i)))
    queue.busy = True
    assert queue.advance() is True
    assert queue.started == []
    queue.busy = False
    assert queue.advance() is True
    assert queue.advance() is True
    assert queue.advance() is False, "nobody waits after it"
    assert queue.started == ["j2", "j1", "j0"]
    assert [one.launched for one in queue.all_jobs()] == [7.0] * 3
    queue._wake.clear()
    queue._put(job("last"))
    queue._advance_soon()
    assert queue.started[-1] == "last"
    assert queue._wake.is_set()


def test_the_lock_is_a_file_of_the_folder(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Lock:
        def __init__(self, path: Path, **named: Any) -> None:
            asked.append((path, named, path.parent.is_dir()))

        def __enter__(self) -> None:
            asked.append("held")

        def __exit__(self, *_: object) -> None:
            asked.append("free")

    monkeypatch.setattr(module, "FileLock", Lock)
    with queue._locked():
        asked.append("inside")
    path = queue.folder / ".page" / "queue.lock"
    assert asked == [(path, {"poll_interval": 0.01}, True), "held", "inside", "free"]


# --- a job's file


@dataclass(frozen=True)
class Fields(Job):
    kind: Literal["a", "b"]
    steps: int
    options: dict[str, Any]
    pid: int | None = None


class FieldQueue(Queue):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._kind = Fields


WHOLE: dict[str, Any] = {
    "name": "x",
    "owner": "one",
    "title": "t",
    "data": "samples",
    "asked": 1.5,
    "kind": "a",
    "steps": 3,
    "options": {"size": 98},
}


def test_what_a_file_leaves_out_and_what_it_has_more(tmp_path: Path) -> None:
    queue = FieldQueue(tmp_path)
    queue.jobs.mkdir(parents=True)
    path = queue.jobs / "x.json"
    path.write_text(json.dumps(WHOLE | {"of a later version": 1}))
    found: Any = queue.job("x")
    assert found == Fields(**WHOLE)
    assert (found.waiting, found.launched, found.address, found.pid) == (True, 0.0, "", None)
    for missing in WHOLE:
        path.write_text(json.dumps({k: v for k, v in WHOLE.items() if k != missing}))
        assert queue.job("x") is None, missing


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({"asked": 2}, True),
        ({"asked": True}, False),
        ({"asked": "1"}, False),
        ({"asked": None}, False),
        ({"kind": "b"}, True),
        ({"kind": "c"}, False),
        ({"steps": 3.0}, False),
        ({"steps": True}, False),
        ({"pid": 7}, True),
        ({"pid": None}, True),
        ({"pid": "7"}, False),
        ({"options": {}}, True),
        ({"options": []}, False),
        ({"waiting": False}, True),
        ({"waiting": 0}, False),
        ({"owner": None}, False),
        ({"title": ""}, True),
    ],
)
def test_a_value_is_what_its_field_wants(
    tmp_path: Path, changed: dict[str, Any], fits: bool
) -> None:
    queue = FieldQueue(tmp_path)
    queue.jobs.mkdir(parents=True)
    (queue.jobs / "x.json").write_text(json.dumps(WHOLE | changed))
    assert (queue.job("x") is not None) == fits
    assert queue.damaged() == ([] if fits else ["x"])


def test_whose_a_job_is_is_noted_once_more(queue: Queue) -> None:
    queue._put(job("a", "ada"))
    queue._put(job("everybody-s", ""))
    assert queue._owner_file("a").read_text() == "ada"
    assert not queue._owner_file("everybody-s").exists()
    queue._put(job("a", "bob"))
    assert queue._owner_file("a").read_text() == "ada", "the first one stays"
    assert not queue._is_damaged_of("a", "ada"), "it can be read"
    queue._file("a").write_text("{")
    answers = [queue._is_damaged_of("a", who) for who in ("ada", "bob", "")]
    assert answers == [True, False, False]
    assert not queue._is_damaged_of("../a", "ada")
    assert not queue._is_damaged_of("none", "ada")
    queue._owner_file("a").write_bytes("ä".encode())
    assert not queue._is_damaged_of("a", "ä")
    queue._owner_file("a").unlink()
    assert not queue._is_damaged_of("a", "ada")
