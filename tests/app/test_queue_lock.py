"""What runs and galleries do under the lock of their queue: who changes what holds it, and whoever
looks at the queue does not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.jobs import galleries as gallery_jobs
from app.jobs import run_cards
from app.jobs import runs as run_jobs
from app.jobs.galleries import Galleries
from app.jobs.gallery_cards import GalleryJob
from app.jobs.queue import JobQueue
from app.jobs.run_cards import RunJob
from app.jobs.runs import Runs
from dino_core.runs.folder import RunFolder
from dino_core.runs.request import RunRequest
from dino_core.scenes.gallery import Options

ASKED = RunRequest("pretraining", data="samples")


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
