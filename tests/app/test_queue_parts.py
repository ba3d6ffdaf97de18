"""jobs/queue.py by itself, and what runs and galleries do under its lock: who may change what, and
when the queue is looked at again. No process, no thread that goes on."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from app.jobs import galleries as gallery_jobs
from app.jobs import queue as module
from app.jobs import run_cards
from app.jobs import runs as run_jobs
from app.jobs.galleries import Galleries
from app.jobs.gallery_cards import GalleryJob
from app.jobs.queue import Job, JobQueue, Limits
from app.jobs.run_cards import RunJob
from app.jobs.runs import Runs
from dino_core.runs.folder import RunFolder
from dino_core.runs.request import RunRequest
from dino_core.scenes.gallery import Options

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

    class Thread:
        def __init__(self, **named: Any) -> None:
            started.append(named)

        def start(self) -> None:
            started.append("started")

    monkeypatch.setattr(module.threading, "Thread", Thread)
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


# --- what happens under the lock


class Guard:
    """Says whether the lock is held, and notes each time that it was."""

    def __init__(self, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held = self.times = 0
        self.unguarded: list[str] = []

        @contextmanager
        def locked(_: Any) -> Iterator[None]:
            assert not self.held, "it would wait for itself"
            self.held, self.times = 1, self.times + 1
            try:
                yield
            finally:
                self.held = 0

        monkeypatch.setattr(kind, "_locked", locked)

    def watch(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        """Notes where a call is made without the lock."""
        call = getattr(owner, name)

        def watched(*words: Any, **named: Any) -> Any:
            if not self.held:
                self.unguarded.append(name)
            return call(*words, **named)

        monkeypatch.setattr(owner, name, watched)


def run(name: str, owner: str = "one", asked: float = 1.0, **more: Any) -> RunJob:
    return RunJob(
        name, owner, "A run", "samples", kind="pretraining", steps=9, data_name="s", asked=asked,
        **more,
    )  # fmt: skip


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs(tmp_path / "runs", clock=lambda: 100.0)
    monkeypatch.setattr(run_jobs, "launch", lambda words, folder: 1)
    monkeypatch.setattr(run_jobs, "stop_process", lambda pid, name: None)
    monkeypatch.setattr(run_cards, "is_running", lambda pid, name: False)
    monkeypatch.setattr(run_jobs, "switches_of", lambda folder: "a switch")
    monkeypatch.setattr(made, "_advance_soon", lambda: None)
    for name, state in (("ended", "stopped"), ("mended", "stopped")):
        made._put(run(name, waiting=False))
        folder = RunFolder(made.folder / name)
        folder.create({"kind": "pretraining"})
        folder.put_state(state, "Words.", 3, 9)  # type: ignore[arg-type]
    made._put(run("waits"))
    return made


CHANGES: list[tuple[str, Callable[[Runs], Any], str]] = [
    ("add", lambda runs: runs.add(run("new"), ASKED), "_put"),
    ("resume", lambda runs: runs.steer("ended", "one", "resume"), "_put"),
    ("mend", lambda runs: runs.steer("mended", "one", "mend"), "_put"),
    ("stop", lambda runs: runs.steer("waits", "one", "stop"), "_throw_away"),
    ("delete", lambda runs: runs.remove("ended", "one"), "_throw_away"),
]


@pytest.mark.parametrize(("what", "change", "call"), CHANGES, ids=[what for what, *_ in CHANGES])
def test_a_run_changes_under_the_lock_alone(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, what: str, change: Any, call: str
) -> None:
    guard, done = Guard(JobQueue, monkeypatch), []
    guard.watch(monkeypatch, runs, call)
    monkeypatch.setattr(runs, "_advance_soon", lambda: done.append((guard.held, "looks")))
    change(runs)
    assert (guard.times, guard.unguarded) == (1, [])
    looks = what in ("add", "resume", "mend")
    assert done == ([(0, "looks")] if looks else []), "whoever looks needs the lock itself"


def test_notes_are_written_under_the_lock(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    guard, noted = Guard(JobQueue, monkeypatch), []
    monkeypatch.setattr(
        run_jobs, "write_notes", lambda folder, words: noted.append((guard.held, folder, words))
    )
    runs.note("ended", "one", {"name": "mine"})
    assert noted == [(1, runs.folder / "ended", {"name": "mine"})]
    with pytest.raises(run_jobs.NotYours):
        runs.note("ended", "two", {"name": "mine"})
    assert len(noted) == 1


def gallery(name: str, owner: str = "one", **more: Any) -> GalleryJob:
    facts: dict[str, Any] = {"pictures": 3, "classes": 0, "label": "m", "options": {"size": 98}}
    return GalleryJob(name, owner, f"{name}.zip", f"/z/{name}.zip", asked=1.0, **facts | more)


@pytest.fixture
def galleries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Galleries:
    made = Galleries(tmp_path / "galleries", clock=lambda: 10**9 + 100.0)
    monkeypatch.setattr(gallery_jobs, "launch", lambda *what: 1)
    monkeypatch.setattr(gallery_jobs, "stop", lambda folder: None)
    monkeypatch.setattr(made, "_advance_soon", lambda: None)
    made._put(gallery("waits", "two"))
    for name in ("ended", "other"):
        made._put(gallery(name, waiting=False, refused="A test."))
        made.zip_of(name).write_bytes(b"zip")
    made._put(gallery("died", waiting=False, launched=1.0))
    return made


GALLERY_CHANGES: list[tuple[str, Callable[[Galleries], Any], str, int]] = [
    ("add", lambda all: all.add(gallery("new")), "_put", 1),
    ("stop", lambda all: all.steer("waits", "two", "stop"), "_put", 1),
    ("resume", lambda all: all.steer("died", "one", "resume"), "_put", 1),
    (
        "again",
        lambda all: all.again("ended", "one", lambda old, new: replace(old, name=new)),
        "_put",
        2,
    ),
    ("delete", lambda all: all.remove("ended", "one"), "_own", 1),
    ("samples", lambda all: all.bring_samples(Options("m"), all.folder / "none"), "_put", 1),
]


@pytest.mark.parametrize(
    ("what", "change", "call", "times"), GALLERY_CHANGES, ids=[what for what, *_ in GALLERY_CHANGES]
)
def test_a_gallery_changes_under_the_lock_alone(
    galleries: Galleries,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    change: Any,
    call: str,
    times: int,
) -> None:
    guard, done = Guard(JobQueue, monkeypatch), []
    guard.watch(monkeypatch, galleries, call)
    monkeypatch.setattr(galleries, "_advance_soon", lambda: done.append((guard.held, "looks")))
    change(galleries)
    assert (guard.times, guard.unguarded) == (times, [])
    looks = what in ("add", "resume", "again")
    assert done == ([(0, "looks")] if looks else [])


def test_a_zip_takes_another_name_under_the_lock(
    galleries: Galleries, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = Guard(JobQueue, monkeypatch)
    rename, renamed = Path.rename, []

    def watched(path: Path, to: Path) -> Path:
        renamed.append((guard.held, path.name))
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", watched)

    def refuse(old: GalleryJob, new: str) -> GalleryJob:
        raise ValueError("no such choice")

    with pytest.raises(ValueError, match="no such choice"):
        galleries.again("ended", "one", refuse)
    assert renamed[0] == (1, "ended.zip")
    assert galleries.zip_of("ended").is_file(), "everything stays as it was"
    assert galleries.job("ended") is not None
    made = galleries.again("ended", "one", lambda old, new: replace(old, name=new, waiting=True))
    assert galleries.job("ended") is None
    assert galleries.zip_of(made).is_file()
    assert not galleries.zip_of("ended").exists()
