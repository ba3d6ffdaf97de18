"""What the folder of a gallery says of itself, whole and damaged."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from dino_core import jobs
from dino_core.gallery.folder import GalleryFolder, NotReady
from dino_core.gallery.options import Options
from dino_core.gallery.state import GalleryState

NOTHING: dict[str, Any] = {
    "state": "waiting",
    "words": "The gallery is about to start.",
    "done": 0,
    "total": 0,
    "seconds_left": None,
    "broken": [],
    "broken_count": 0,
    "left_out": [],
    "left_out_count": 0,
    "notes": [],
    "doing": "",
}


@pytest.fixture
def store(tmp_path: Path) -> GalleryFolder:
    folder = GalleryFolder(tmp_path / "gallery")
    folder.create("samples", Options(size=28))
    return folder


# --- state.json


def test_nothing_said_yet_and_nothing_that_makes_sense(store: GalleryFolder) -> None:
    assert store._last_state() == NOTHING
    jobs.write_json(
        store.path / "state.json",
        {
            "state": "dreaming",
            "words": 7,
            "done": "many",
            "total": None,
            "doing": ["x"],
            "seconds_left": "soon",
            "broken": "all",
            "broken_count": [],
            "notes": {},
            "left_out": 3,
            "left_out_count": "x",
            "more": 1,
        },
    )
    assert store._last_state() == NOTHING


def test_what_makes_sense_is_kept(store: GalleryFolder) -> None:
    said = {
        "state": "embedding",
        "words": "W",
        "done": 3,
        "total": 9,
        "seconds_left": 1.5,
        "broken": [["a", "b"], ["a"], ["a", 1], "ab", ["a", "b", "c"]],
        "broken_count": 4,
        "left_out": [["c", "d"], 5],
        "left_out_count": 2,
        "notes": ["n", 1],
        "doing": "D",
    }
    jobs.write_json(store.path / "state.json", said)
    wanted = said | {"broken": [["a", "b"]], "left_out": [["c", "d"]], "notes": ["n"]}
    assert store._last_state() == wanted


@pytest.mark.parametrize("alive", [True, False])
@pytest.mark.parametrize("said", ["waiting", "embedding", "mapping", "ready", "failed", "stopped"])
def test_a_state_without_its_process(
    said: str, alive: bool, store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GalleryState, "is_alive", lambda _: alive)
    told = {"state": said, "words": "W", "seconds_left": 7, "doing": "D"}
    jobs.write_json(store.path / "state.json", told)
    maps = store.path / "maps"
    maps.mkdir()
    for name in ("cls-2-pca.npz", "both-11-umap.npz", "cls-2-pca.txt", "odd.npz", "x-2-pca.npz"):
        (maps / name).touch()
    state = store.state()
    unfinished = said in ("waiting", "embedding", "mapping")
    ended = unfinished and not alive
    assert state["state"] == ("stopped" if ended else said)
    gone = "Its process ended without a word; it can go on where it was."
    assert state["words"] == (gone if ended else "W")
    assert (state["seconds_left"], state["doing"]) == ((7, "D") if alive else (None, ""))
    assert state["alive"] is alive
    assert state["can_resume"] is (not alive and said != "ready")
    assert state["maps"] == [["both", 11, "umap"], ["cls", 2, "pca"]]


def test_a_state_is_added_to_and_told(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    store = GalleryState(tmp_path, lambda state: told.append(dict(state)))
    store.put_state(state="embedding", done=1)
    store.put_state(done=2)
    written = jobs.read_json(tmp_path / "state.json") or {}
    assert told[-1] == written
    assert [one["done"] for one in told] == [1, 2]
    assert (written["state"], written["pid"]) == ("embedding", os.getpid())
    assert 0 <= time.time() - written["updated"] < 60
    GalleryState(tmp_path).put_state(done=3)


def test_a_process_is_awaited_for_a_minute(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(jobs, "is_running", lambda pid, word: asked.append((pid, word)) or True)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    for started, awaited in (
        ({}, False),
        ({"pid": 7}, False),
        ({"time": now}, False),
        ({"pid": 7, "time": now - 60}, True),
        ({"pid": 7, "time": now - 60.5}, False),
        ({"pid": "x", "time": now}, False),
    ):
        jobs.write_json(store.path / "started.json", started)
        assert store._just_started() is awaited
        assert store.at_work() is awaited
    assert set(asked) == {(7, "gallery")}


# --- what is refused


def test_a_folder_that_is_no_gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    store = GalleryFolder("~/g")
    assert store.path == tmp_path / "g"
    with pytest.raises(ValueError, match=r"holds no gallery: there is no config\.json in it"):
        store.read_config()
    for config in (
        "{",
        '{"data": 1, "options": {}}',
        '{"data": "x"}',
        '{"data": "x", "options": []}',
        '{"data": "x", "options": {"colour": 1}}',
    ):
        store.path.mkdir(exist_ok=True)
        (store.path / "config.json").write_text(config)
        with pytest.raises(ValueError, match=r"config\.json is damaged: build the gallery again"):
            store.read_config()
    (store.path / "config.json").write_text('{"format": 2, "data": "x", "options": {}}')
    with pytest.raises(ValueError, match="not of this version"):
        store.read_config()
    (store.path / "config.json").write_text('{"data": "x", "options": {}}')
    assert store.read_config() == {"data": "x", "options": {}}


def test_only_an_empty_folder_becomes_one(tmp_path: Path) -> None:
    store = GalleryFolder(tmp_path / "g")
    assert store.check("a", Options())
    assert not store.path.exists()
    store.path.mkdir()
    (store.path / "lock").touch()
    (store.path / "holder.json").touch()
    assert store.check("a", Options())
    (store.path / "dear.txt").touch()
    with pytest.raises(ValueError, match="is not empty and holds no gallery: name a new folder"):
        store.create("a", Options())
    (store.path / "dear.txt").unlink()
    store.create("a", Options(include=("masks",)))
    assert not store.check("a", Options(include=("masks",), device="mps", threads=9))
    for data, options, what in (
        ("b", Options(include=("masks",)), "pictures"),
        ("b", Options(seed=1), "pictures"),
        ("a", Options(), "--include"),
        ("a", Options(include=("masks",), patch_megabytes=3), "--patch-megabytes"),
    ):
        with pytest.raises(ValueError, match=f"holds a gallery with other {what}: name a new"):
            store.create(data, options)


def facts(**changes: Any) -> dict[str, Any]:
    lists = {"names": ["a"], "labels": [0], "classes": ["c"], "splits": [""], "grid": [1, 1]}
    numbers = {"layers": 1, "dim": 2, "patch_pictures": 0, "size": 28}
    return {**lists, **numbers, "model": "m", "title": "t", "official": False, **changes}


def test_facts_are_there_or_awaited_or_damaged(store: GalleryFolder) -> None:
    path = store.path / "facts.json"
    for state, progress in (
        ({"state": "ready", "words": "W"}, None),
        ({"state": "ready", "words": "W", "done": 3, "total": 12}, 0.25),
    ):
        jobs.write_json(store.path / "state.json", state)
        with pytest.raises(NotReady) as wait:
            store.facts()
        assert (wait.value.words, wait.value.progress) == ("W", progress)
    for said in ("failed", "stopped"):
        jobs.write_json(store.path / "state.json", {"state": said, "words": "Why."})
        with pytest.raises(ValueError, match="Why"):
            store.facts()
    jobs.write_json(path, facts())
    assert store.facts() == facts()
    assert store.count() == 1
    kinds = facts()
    wrong: list[Any] = [{name: 7.5} for name in kinds] + [{"labels": []}, {"names": ["a", "b"]}]
    for change in (*wrong, {"splits": []}, {"count": "x"}):
        jobs.write_json(path, facts(**change))
        with pytest.raises(ValueError, match=r"facts\.json is damaged: build the gallery again"):
            store.facts()
    path.write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        store.facts()
