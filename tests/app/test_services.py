"""services.py and server.py: who is told of what, and what is let go of by itself."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fastapi import FastAPI

from app import server as module
from app.jobs.exports import notes_in
from app.jobs.gallery_cards import GalleryJob, card_of
from app.jobs.gallery_cards import actions_for as gallery_actions
from app.jobs.run_cards import RunJob, last_log_line, without_paths
from app.jobs.run_cards import actions_for as run_actions
from app.middleware.protection import Access
from app.services import Services, build_services
from app.visitors import address_of
from dino_core.runs.request import RunRequest
from dino_core.runs.request_io import write_request


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    for name in ("RUNS", "GALLERIES", "HOME"):
        monkeypatch.setenv(f"INSIDE_DINOV2_{name}", str(tmp_path / name.lower()))
    return build_services("preview_vits14", None, "cpu")


def gallery(name: str, **values: Any) -> GalleryJob:
    known: dict[str, Any] = {"owner": "one", "title": "t.zip", "data": "/x/t.zip", "asked": 1.0}
    facts = {"pictures": 3, "classes": 0, "label": "model", "options": {"size": 98}}
    return GalleryJob(name=name, **known | facts | values)


def test_an_address_is_known_by_a_hash_and_none_is_no_address() -> None:
    one, other = address_of("10.0.0.1"), address_of("10.0.0.2")
    assert one == address_of("10.0.0.1") != other
    assert (len(one), "10.0.0.1" in one, address_of("")) == (32, False, "")


def test_weights_that_a_run_or_a_waiting_gallery_needs_are_kept(
    services: Services, tmp_path: Path
) -> None:
    """A checkpoint asks both, each time."""
    request = RunRequest("fine-tuning", data="samples", weights="/of/a/run.pth")
    run = RunJob("a", "one", "", "samples", kind="fine-tuning", steps=1, data_name="", asked=1.0)
    services.runs._put(run)
    write_request(services.runs.folder / "a", request)
    services.galleries._put(gallery("b", options={"weights": "/of/a/gallery.pth"}))
    ended = gallery("c", options={"weights": "/of/none.pth"}, waiting=False, refused="A test.")
    services.galleries._put(ended)
    used = services.checkpoints._used()
    assert {"/of/a/run.pth", "/of/a/gallery.pth"} <= used
    assert "/of/none.pth" not in used, "it has what it needed"


@pytest.mark.parametrize(
    ("access", "asked", "allowed"),
    [
        (Access(), None, True),
        (Access(), False, False),
        (Access("0.0.0.0"), None, False),
        (Access("0.0.0.0"), True, True),
        (Access(hosts=("example.org",)), None, False),
    ],
)
def test_weights_are_downloaded_for_who_sits_at_the_machine(
    access: Access, asked: bool | None, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}

    class Built(Exception):  # noqa: N818  no error
        pass

    def build(*_: Any, **options: Any) -> None:
        told.update(options)
        raise Built

    monkeypatch.setattr(module, "build_services", build)
    with pytest.raises(Built):
        module.build_server(access=access, allow_downloads=asked)
    assert told["allow_downloads"] == allowed


def test_a_server_that_nobody_visits_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio's queue would look a thousand times a second whether somebody has asked."""
    with gr.Blocks() as page:
        queue = page._queue
    module.mount(FastAPI(), page, "127.0.0.1", 7860)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        queue.stopped = len(slept) % 3 == 0

    monkeypatch.setattr(gr.queueing.asyncio, "sleep", sleep)
    # In a thread: where a browser is open, this one has a loop that is running already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, queue.start_processing()).result()
        queue.stopped = False
        thread.submit(asyncio.run, queue.start_progress_updates()).result()
    assert len(slept) == 6
    assert min(slept) >= 0.02


def test_what_nobody_uses_is_let_go_of_while_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures, trays, models and steps, a minute after the other, until the server ends."""
    done: list[str] = []

    def part(*names: str) -> Any:
        calls = {name: (lambda name=name: done.append(name)) for name in names}
        return SimpleNamespace(**calls)

    waits: list[float] = []

    class Twice(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return len(waits) > 1

    services: Any = SimpleNamespace(
        pictures=part("evict"),
        trays=part("evict"),
        models=part("release_unused"),
        steps=part("release_unused"),
    )
    module.tidy(services, Twice())
    assert sorted(done) == ["evict"] * 2 + ["release_unused"] * 2
    assert waits == [60.0, 60.0]
    done.clear()
    module.end(
        SimpleNamespace(  # type: ignore[arg-type]
            exports=part("end"), galleries=part("end"), runs=part("end"), umap=part("stop")
        )
    )
    assert sorted(done) == ["end", "end", "end", "stop"]


# --- cards


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        ("waiting", ["stop"]),
        ("starting", ["stop"]),
        ("running", ["pause", "stop"]),
        ("paused", ["resume", "stop"]),
        ("stopped", ["resume", "delete"]),
        ("failed", ["resume", "delete"]),
        ("finished", ["delete"]),
    ],
)
def test_what_can_be_asked_of_a_run(state: str, actions: list[str]) -> None:
    assert run_actions({"state": state}) == actions  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("state", "alive", "can_resume", "actions"),
    [
        ("waiting", True, False, ["stop"]),
        ("starting", True, False, ["stop"]),
        ("embedding", True, True, ["stop"]),
        ("mapping", True, False, ["stop"]),
        ("ready", True, False, []),
        ("ready", True, True, []),
        ("stopped", False, True, ["resume"]),
        ("embedding", False, True, ["resume"]),
        ("failed", False, False, []),
    ],
)
def test_what_can_be_asked_of_a_gallery(
    state: str, alive: bool, can_resume: bool, actions: list[str]
) -> None:
    card: Any = {"state": state, "alive": alive, "can_resume": can_resume}
    assert gallery_actions(card) == actions


def test_a_gallery_has_a_minute_to_begin(tmp_path: Path) -> None:
    job = gallery("a", waiting=False, launched=1000.0)
    cards = [card_of(tmp_path / "a", job, place=1, now=1000.0 + age) for age in (59, 60, 61)]
    assert [card["state"] for card in cards] == ["starting", "starting", "failed"]
    assert [card["alive"] for card in cards] == [True, True, False]
    assert cards[-1]["actions"] == ["resume"]
    assert [card["actions"] for card in cards[:2]] == [["stop"]] * 2
    assert cards[0]["choice"] == {"include": [], "exclude": [], "stretch": False}
    assert (cards[0]["size"], cards[0]["total"], cards[0]["mine"]) == (98, 3, True)
    shown = card_of(tmp_path / "a", gallery("a", owner=""), place=2, now=0)
    assert (shown["mine"], shown["actions"], shown["words"]) == (
        False, [], "Number 2 in the queue.",
    )  # fmt: skip


def test_folders_are_nobody_s_business_and_the_last_line_counts(tmp_path: Path) -> None:
    job: Any = SimpleNamespace(private=True, data="/u/secret.zip")
    said = f"{tmp_path}/runs/a: /u/secret.zip is gone."
    assert without_paths(said, job, tmp_path / "runs") == "a: the pictures is gone."
    assert "/u/secret.zip" in without_paths(said, None, tmp_path / "runs")
    folder = tmp_path / "runs" / "a"
    assert last_log_line(folder) == "The process ended before the run began."
    folder.parent.mkdir()
    (tmp_path / "runs" / "a.launch.txt").write_text("one\ntwo\n  \n")
    assert last_log_line(folder) == "two"


def test_the_notes_of_an_export_stand_between_its_proof_and_its_end() -> None:
    proof = ["224 x 224 px: equal to 1e-7", "252 x 182 px: equal to 2e-7"]
    assert notes_in(["Writing.", *proof, "One.", "Two.", "timm -> x"]) == ["One.", "Two."]
    assert notes_in(["Writing.", *proof, "timm -> x"]) == []
    assert notes_in(["Writing.", "One."]) == []
