"""jobs/runs.py by itself: what the process of a run is told, who has the machine, what steering
comes to, and what is let go of. No process."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.jobs import galleries as gallery_jobs
from app.jobs import run_cards
from app.jobs import runs as run_jobs
from app.jobs.galleries import Galleries
from app.jobs.run_cards import RunJob
from app.jobs.runs import Runs
from dino_core.runs.folder import RunFolder
from dino_core.runs.request import RunRequest
from dino_core.runs.request_io import write_request

NOW = 10**9 + 0.0
DAY = 24 * 3600.0


def run(name: str, owner: str = "one", **more: Any) -> RunJob:
    facts: dict[str, Any] = {"kind": "pretraining", "steps": 9, "data_name": "s", "asked": 1.0}
    return RunJob(name, owner, "A run", **{"data": "samples"} | facts | more)


@pytest.fixture
def launched() -> list[Any]:
    return []


@pytest.fixture
def living() -> set[int]:
    return set()


@pytest.fixture
def runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launched: list[Any], living: set[int]
) -> Runs:
    monkeypatch.setattr(run_jobs, "launch", lambda *what: launched.append(what) or 77)
    monkeypatch.setattr(run_cards, "is_running", lambda pid, name: pid in living)
    return Runs(tmp_path / "runs", clock=lambda: NOW)


def begun(runs: Runs, name: str, state: str = "stopped", kind: str = "pretraining") -> RunFolder:
    folder = RunFolder(runs.folder / name)
    folder.create({"kind": kind})
    folder.put_state(state, "Words.", 3, 9)  # type: ignore[arg-type]
    return folder


@pytest.mark.parametrize(
    ("kind", "word"),
    [("pretraining", "train"), ("fine-tuning", "finetune"), ("distillation", "distil")],
)
def test_a_run_begins_by_its_request_and_goes_on_by_its_folder(
    runs: Runs, launched: list[Any], kind: Any, word: str
) -> None:
    folder = runs.folder / "a"
    started = runs._start(run("a", kind=kind, mend=True))
    assert launched == [([word, "--request", str(folder / "request.json")], folder)]
    assert (started.waiting, started.pid, started.launched, started.mend) == (False, 77, NOW, False)
    begun(runs, "a")
    launched.clear()
    runs._start(run("a", kind=kind))
    runs._start(run("a", kind=kind, mend=True))
    assert [words for words, _ in launched] == [
        [word, "--run", str(folder), "--resume"],
        [word, "--run", str(folder), "--mend"],
    ]


def test_who_has_the_machine(runs: Runs, living: set[int]) -> None:
    assert runs.running() is None
    runs._put(run("waits", pid=1))
    runs._put(run("works", waiting=False, pid=2))
    living.update({1})
    assert runs.running() is None
    living.update({2})
    assert runs.running() == "works"
    living.clear()
    (runs.folder / "a file").write_text("x")
    with begun(runs, "by-hand").locked():
        assert runs.running() == "by-hand"
    assert runs.running() is None


def test_the_thread_of_runs_sweeps_first(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[Any] = []
    monkeypatch.setattr(runs, "_begin", prepared.append)
    runs.begin()
    assert prepared == [runs.uploads.sweep]
    assert runs.uploads.folder == runs.folder / ".page" / "uploads"
    assert runs.uploads._used == runs._used_files
    assert runs.uploads._now() == NOW


def test_files_that_runs_need(runs: Runs) -> None:
    for name, weights in (("a", "/w.pth"), ("b", None)):
        runs._put(run(name, data=f"/{name}.zip"))
        request = RunRequest("fine-tuning", data="samples", weights=weights, probes=("/p.png",))
        write_request(runs.folder / name, request)
    assert runs._used_files() == {"/a.zip", "/b.zip", "/p.png"}
    assert runs.weights_used() == {"/w.pth", ""}


@pytest.mark.parametrize("state", ["running", "paused", "finished", "failed", "stopped"])
def test_what_is_asked_of_a_run_that_has_ended_is_not_asked_of_its_process(
    runs: Runs, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(run_jobs, "request_action", lambda folder, what: asked.append(what))
    monkeypatch.setattr(run_jobs, "stop_process", lambda pid, name: asked.append((pid, name)))
    monkeypatch.setattr(runs, "_go_on", lambda job, folder: asked.append("goes on"))
    monkeypatch.setattr(runs, "_advance_soon", lambda: None)
    runs._put(run("a", waiting=False, pid=5))
    folder = begun(runs, "a", state)
    with folder.locked():
        for action in ("pause", "resume", "stop"):
            runs.steer("a", "one", action)
    over = state in ("finished", "failed", "stopped")
    assert asked == (["goes on"] if over else ["pause", "resume", "stop"])


def test_a_process_without_a_run_is_stopped(
    runs: Runs, living: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(run_jobs, "stop_process", lambda pid, name: asked.append((pid, name)))
    runs._put(run("a", waiting=False, pid=5))
    living.add(5)
    for action in ("pause", "stop"):
        runs.steer("a", "one", action)
    assert asked == [(5, "a")]
    runs._put(run("w"))
    runs.steer("w", "one", "pause")
    job = runs.job("w")
    assert job is not None
    assert job.waiting, "who waits cannot pause"


def test_a_mending_asks_a_run_at_work_to_stop_and_waits(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(run_jobs, "request_action", lambda folder, what: asked.append(what))
    monkeypatch.setattr(runs, "_advance_soon", lambda: asked.append("looks"))
    runs._put(run("a", waiting=False, pid=5))
    folder = begun(runs, "a", "running")
    with pytest.raises(ValueError, match="no experiment: there is nothing to turn back"):
        runs.steer("a", "one", "mend")
    monkeypatch.setattr(run_jobs, "switches_of", lambda folder: "no KoLeo")
    with folder.locked():
        runs.steer("a", "one", "mend")
    assert asked == ["stop", "looks"]
    job = runs.job("a")
    assert job is not None
    assert (job.waiting, job.mend, job.asked, job.pid) == (True, True, NOW, 5)
    assert runs.card("a", "one")["words"].startswith("Mending: it goes on from its last good")
    asked.clear()
    runs._put(run("b", waiting=False))
    begun(runs, "b")
    runs.steer("b", "one", "mend")
    assert asked == ["looks"]
    for i in range(2):
        runs._put(run(f"w{i}"))
    runs._put(run("c", waiting=False))
    with pytest.raises(ValueError, match="You have 4 runs waiting already"):
        runs.steer("c", "one", "mend")


def test_a_process_on_its_way_out_is_waited_for_before_its_run_goes(
    runs: Runs, living: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    now, leaves_after = [0.0], [2]

    def sleep(seconds: float) -> None:
        done.append(seconds)
        now[0] += 1.0
        if len(done) == leaves_after[0]:
            living.clear()

    clock = SimpleNamespace(sleep=sleep, monotonic=lambda: now[0])
    monkeypatch.setattr(run_jobs, "time", clock)
    monkeypatch.setattr(run_jobs, "stop_process", lambda pid, name: done.append((pid, name)))
    for leaves_after[0], waited in ((2, 2), (9, 3)):  # or never
        done.clear()
        living.add(5)
        runs._put(run("a", waiting=False, pid=5, launched=1.0))
        begun(runs, "a", "finished")
        (runs.folder / "a.launch.txt").write_text("said")
        runs.remove("a", "one")
        assert done == [*[0.1] * waited, (5, "a")]
        assert [path.name for path in runs.folder.rglob("a*")] == []


def test_a_run_is_found_by_its_job_or_its_folder(runs: Runs) -> None:
    for name in ("a", "A", "../a", ""):
        with pytest.raises(ValueError, match=r"^There is no such run\.$"):
            runs.find(name)
    runs._put(run("a"))
    assert runs.find("a") == runs.folder / "a"
    begun(runs, "b")
    begun(runs, "B")
    assert runs.find("b") == runs.folder / "b"
    with pytest.raises(ValueError, match="There is no such run"):
        runs.find("B")
    (runs.folder / "empty").mkdir()
    cards = runs.everything("one")
    assert [card["name"] for card in cards] == ["b", "a"], "the newest first; b was begun just now"
    assert [card["mine"] for card in cards] == [False, True]
    assert runs.everything("two")[1]["mine"] is False


def test_a_name_says_what_and_when(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = time.struct_time((2026, 1, 2, 3, 4, 5, 0, 0, 0))
    real = time.strftime
    clock = SimpleNamespace(strftime=lambda form: real(form, moment))
    monkeypatch.setattr(run_jobs, "time", clock)
    monkeypatch.setattr(gallery_jobs, "time", clock)
    made = runs.new_name("tiny")
    assert made.startswith("tiny-20260102-030405-")
    assert len(made.rpartition("-")[2]) == 4
    made = Galleries(runs.folder).new_name()
    assert made.startswith("20260102-030405-")
    assert len(made.rpartition("-")[2]) == 8
