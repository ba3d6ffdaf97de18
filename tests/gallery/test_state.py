"""gallery/state.py and folder.py without a process: what is fixed, who is at work, what is next."""

import os
import signal
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_runs import coloured, files, picture

from dino_core import jobs
from dino_core.analysis import approximate
from dino_core.gallery import build
from dino_core.gallery.folder import GalleryFolder, start_process
from dino_core.gallery.options import Options
from dino_core.gallery.probes import rows_judged
from dino_core.gallery.projection import extended
from dino_core.gallery.stopping import stop_on_signals


@pytest.fixture
def store(tmp_path: Path) -> GalleryFolder:
    folder = GalleryFolder(tmp_path / "gallery")
    folder.create("samples", Options(size=28))
    return folder


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({"seed": 1}, "--seed"),
        ({"size": 42}, "--size"),
        ({"model": "dinov2_vits14"}, "--model"),
        ({"weights": "own.pth"}, "--weights"),
        ({"patch_megabytes": 1}, "--patch-megabytes"),
        ({"stretch": True}, "--stretch"),
    ],
)
def test_what_changes_a_number_is_fixed(
    store: GalleryFolder, changed: dict[str, Any], flag: str
) -> None:
    with pytest.raises(ValueError, match=f"with other {flag}: name a new folder"):
        store.create("samples", replace(Options(size=28), **changed))
    assert not store.check("samples", Options(size=28, device="cuda", threads=3))


def test_a_process_is_awaited_until_it_has_spoken(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its lock it imports; once it has said how it is, only the lock counts."""
    monkeypatch.setattr(jobs, "is_running", lambda pid, word: (pid, word) == (7, "gallery"))
    assert not store.at_work()
    jobs.write_json(store.path / "started.json", {"pid": 7, "time": time.time()})
    assert store.at_work()
    assert store.state()["state"] == "waiting"
    jobs.write_json(store.path / "state.json", {"pid": 7, "state": "failed", "words": "No."})
    assert not store.at_work()
    assert store.state()["can_resume"]
    jobs.write_json(store.path / "started.json", {"pid": 7, "time": time.time() - 61})
    jobs.write_json(store.path / "state.json", {"pid": 6})
    assert not store.at_work(), "it has hung for a minute"


def test_who_asked_first_is_first(store: GalleryFolder) -> None:
    folder = store.path / "requests"
    folder.mkdir()
    for moment, name in enumerate(("mean_patch-2-tsne", "both-0-umap", "cls-1-pca")):
        (folder / name).touch()
        os.utime(folder / name, (moment, moment))
    asked = [("mean_patch", 2, "tsne"), ("both", 0, "umap"), ("cls", 1, "pca")]
    assert store.requests() == asked
    store.forget_request("both", 0, "umap")
    assert store.requests() == [asked[0], asked[2]]


def test_pictures_are_those_that_were_embedded(tmp_path: Path) -> None:
    data = files(tmp_path / "data", coloured(1))
    store = GalleryFolder(tmp_path / "gallery")
    store.create(str(data), Options(size=28))
    jobs.write_json(store.path / "source.json", {"fingerprint": store.pictures().fingerprint})
    assert len(store.pictures()) == 3
    files(data, {"red/new.png": picture(1)})
    with pytest.raises(ValueError, match="has changed since"):
        store.pictures()


def test_the_first_ctrl_c_asks_and_the_second_one_ends(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE", 600.0)
    monkeypatch.setattr(jobs, "signals_heard", told := Signals())
    with stop_on_signals(store) as heard:
        told(signal.SIGINT)
        assert heard == {signal.SIGINT}
        assert store.stop_requested()
        told(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            told(signal.SIGINT)


class Signals:
    """Stands for the system: `notice` is called by the test."""

    def __call__(self, first: Any) -> Any:
        if callable(first):
            self.notice = first
            return nullcontext()
        return self.notice(first, None)


def test_who_starts_its_process_takes_back_the_stop(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[list[str], Path]] = []
    monkeypatch.setattr(jobs, "start_command", lambda *words: started.append(words) or 7)
    monkeypatch.setattr(jobs, "is_running", lambda pid, word: pid == 7)
    store.request_stop()
    assert start_process("samples", store.path, Options(size=28, seed=0)) == 7
    assert not store.stop_requested()
    words = ["gallery", "samples", "--output", str(store.path), "--size", "28"]
    assert started == [(words, store.path / "launch.txt")]
    with pytest.raises(ValueError, match="Another process is at work"):
        start_process("samples", store.path, Options(size=28))


def test_of_many_files_that_are_no_pictures_some_are_named_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("so far")

    monkeypatch.setattr(build, "FILES_NAMED", 2)
    monkeypatch.setattr("dino_core.weights.load_backbone", refuse)
    data = files(tmp_path / "data", coloured(1) | {f"{i}.txt": b"x" for i in range(4)})
    store = GalleryFolder(tmp_path / "gallery")
    store.create(str(data), Options(size=28))
    with pytest.raises(RuntimeError, match="so far"):
        build._build(store, str(data), Options(size=28), by_page=False)
    state = store.state()
    assert [name for name, _ in state["left_out"]] == ["0.txt", "1.txt"]
    assert (state["left_out_count"], state["total"]) == (4, 3)


def test_while_its_process_is_there_nobody_goes_on_with_it(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for said in ("stopped", "failed"):
        store.put_state(state=said)
        assert jobs.read_json(store.path / "state.json")["pid"] == os.getpid()
        for alive in (True, False):
            monkeypatch.setattr(GalleryFolder, "is_alive", lambda _, now=alive: now)
            monkeypatch.setattr(GalleryFolder, "_just_started", lambda _: False)
            assert store.state()["can_resume"] != alive


def test_who_has_gone_is_at_work_on_nothing(store: GalleryFolder) -> None:
    """What was ready stays so; what was not has stopped."""
    for said, now in (("ready", "ready"), ("mapping", "stopped"), ("failed", "failed")):
        store.put_state(state=said, doing="At work: UMAP.", seconds_left=9.0)
        state = store.state()
        assert (state["state"], state["doing"], state["seconds_left"]) == (now, "", None)
        assert state["can_resume"] == (now != "ready")


def test_a_gallery_of_another_version_is_not_read(store: GalleryFolder) -> None:
    config = jobs.read_json(store.path / "config.json")
    jobs.write_json(store.path / "config.json", {**config, "format": 99})
    with pytest.raises(ValueError, match="not of this version of the project: build it again"):
        store.state()


def test_options_are_words_of_the_command_as_they_are() -> None:
    assert Options(size=28, stretch=True, exclude=["a", "b"]).arguments() == [
        "--size", "28", "--exclude", "a", "b", "--stretch",
    ]  # fmt: skip
    assert Options().arguments() == []
    own = Options(weights="own.pth").weights
    assert own == os.path.abspath("own.pth"), "whoever goes on may stand elsewhere"


def test_of_two_that_are_the_same_the_first_is_found(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = np.array([[1] * 16, [2] * 16, [1] * 16, [2] * 16], np.uint8)
    monkeypatch.setattr(GalleryFolder, "array", lambda self, name: {"digests": digests}[name])
    assert store.find("02" * 16) == 1
    assert store.find("03" * 16) is None
    assert store.find("02" * 15) is None, "no digest of ours"


def test_those_who_are_judged_have_labels_and_stand_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(approximate, "EXACT_MOST", 40)
    labels = np.arange(120) % 4 - 1
    rows = rows_judged(labels, 0)
    assert len(rows) == 40
    assert (np.diff(rows) > 0).all()
    assert set(labels[rows]) == {0, 1, 2}
    assert (rows != rows_judged(labels, 1)).any()
    assert rows_judged(labels[:40], 0).tolist() == list(range(40)), "few are judged all"


def test_umap_starts_as_far_apart_to_either_side() -> None:
    start = np.array([[-4.0, 1.0], [2.0, 0.5]], np.float32)
    np.testing.assert_allclose(extended(start), 2.5 * start)
    assert not extended(np.zeros((2, 2), np.float32)).any()
