"""What the process of a gallery makes, in which order, and how it ends; its thumbnails."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dino_core import jobs
from dino_core.gallery import build as building
from dino_core.gallery import neighbours, stopping, tiles
from dino_core.gallery.build import _message_of, keep_reason, make, make_the_rest
from dino_core.gallery.folder import GalleryFolder, NotReady
from dino_core.gallery.options import Options
from dino_core.gallery.state import GalleryState
from dino_core.gallery.stopping import Stopped, stop_on_signals


@pytest.fixture
def store(tmp_path: Path) -> GalleryFolder:
    folder = GalleryFolder(tmp_path / "gallery")
    folder.create("samples", Options(size=28))
    return folder


# --- requests


def test_a_request_is_kept_and_a_process_is_seen_to(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    monkeypatch.setattr(
        "dino_core.gallery.folder.start_process", lambda *words: started.append(words)
    )
    jobs.write_json(store.path / "state.json", {"state": "ready", "words": "", "doing": "Maps."})
    assert store.requests() == []
    with pytest.raises(NotReady) as wait:
        store.request("cls", 1, "umap")
    assert wait.value.words == "This is being computed in the background."
    assert started == [("samples", store.path, Options(size=28))]
    monkeypatch.setattr(GalleryState, "is_alive", lambda _: True)
    with pytest.raises(NotReady) as wait:
        store.request("both", 0, "pca")
    assert wait.value.words == "This is being computed in the background. Maps."
    assert len(started) == 1, "there is one at work"
    assert sorted(store.requests()) == [("both", 0, "pca"), ("cls", 1, "umap")]
    for features, method in (("pixels", "pca"), ("cls", "dream")):
        with pytest.raises(ValueError, match=f"no map of '{features}' by '{method}'"):
            store.request(features, 0, method)
    keep_reason(store.map_file("cls", 1, "umap"), "Too few.")
    with pytest.raises(ValueError, match=r"^Too few\.$"):
        store.stored("cls", 1, "umap")
    assert store.stored("cls", 0, "umap") is None


def test_what_is_asked_for_is_made_first(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then maps, then probes; "ready" once; after that it waits, and ends when it was asked to."""
    made: list[Any] = []
    requests = [("both", 0, "pca")]
    now = [0.0]
    monkeypatch.setattr(GalleryFolder, "layer", lambda *_: 2)
    monkeypatch.setattr(GalleryFolder, "is_large", lambda _: large)
    monkeypatch.setattr(GalleryFolder, "requests", lambda _: requests[:1])
    monkeypatch.setattr("dino_core.gallery.projection.reference_of", lambda _: made.append("pca"))
    monkeypatch.setattr(
        "dino_core.gallery.probes.probe_layers",
        lambda _: iter([made.append(("probes", n)) or n for n in (2,)]),
    )

    def one(_: Any, *wanted: Any) -> None:
        made.append(wanted)
        if wanted in requests:
            requests.remove(wanted)

    def sleep(seconds: float) -> None:
        assert seconds == pytest.approx(0.1, rel=0.2)
        now[0] += 25
        if now[0] == 25:
            requests.append(("cls", 1, "tsne"))

    monkeypatch.setattr(building, "make", one)
    monkeypatch.setattr(building.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(building.time, "sleep", sleep)
    large = False
    make_the_rest(store, 60.0)
    last = [("cls", 2, how) for how in ("hdbscan", "umap", "tsne")]
    assert [one for one in made if one != ("probes", 2)] == [
        "pca",
        ("both", 0, "pca"),
        *last,
        ("cls", 1, "tsne"),
    ]
    assert now[0] == 25 + 75, "a minute after the last request"
    state = jobs.read_json(store.path / "state.json") or {}
    assert (state["state"], state["doing"], state["seconds_left"]) == ("ready", "", None)
    made.clear()
    large = True
    make_the_rest(store, 0.0)
    order = ("neighbours", "umap", "tsne", "hdbscan")
    assert [one[2] for one in made if len(one) == 3 and one[0] == "cls"] == list(order)
    store.request_stop()
    with pytest.raises(Stopped):
        make_the_rest(store, 0.0)


def test_of_what_cannot_be_made_the_reason_is_kept(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def maker(name: str) -> Any:
        return lambda _, *what: calls.append((name, *what))

    for name in ("clusters.make_hdbscan", "neighbours.make_neighbours", "projection.make_map"):
        monkeypatch.setattr(f"dino_core.gallery.{name}", maker(name.split(".")[1]))
    doing: list[str] = []
    watched = GalleryFolder(store.path, lambda state: doing.append(state["doing"]))
    for features, method in (("cls", "hdbscan"), ("mean_patch", "neighbours"), ("both", "tsne")):
        make(watched, features, 1, method)
    assert calls == [
        ("make_hdbscan", "cls", 1),
        ("make_neighbours", "mean_patch", 1),
        ("make_map", "both", 1, "tsne"),
    ]
    assert doing == [
        *("At work: HDBSCAN of layer 1 (class token).", ""),
        *("At work: the neighbours of layer 1 (mean patch).", ""),
        *("At work: t-SNE of layer 1 (both).", ""),
    ]

    def broken(error: Exception) -> Any:
        def fail(*_: Any) -> None:
            raise error

        return fail

    for error, said in (
        (ValueError("Too few."), "Too few.\n"),
        (TypeError("odd"), "UMAP found no map (TypeError: odd).\n"),
    ):
        monkeypatch.setattr("dino_core.gallery.projection.make_map", broken(error))
        file = store.map_file("cls", 0, "umap").with_suffix(".txt")
        file.unlink(missing_ok=True)
        (store.path / "requests").mkdir(exist_ok=True)
        (store.path / "requests" / "cls-0-umap").touch()
        make(watched, "cls", 0, "umap")
        assert file.read_text() == said
        assert store.requests() == []
    doing.clear()
    make(watched, "cls", 0, "umap")
    assert doing == [""], "nobody tries again"


# --- how it ends


def test_sentences_on_what_went_wrong() -> None:
    for error, said in (
        (ValueError("No."), "No."),
        (KeyboardInterrupt(), "Interrupted; it can go on from the last batch."),
        (OSError(28, "No space left", "f"), "f: No space left."),
        (OSError("odd"), "The system says: odd."),
        (MemoryError(), "There is not enough memory: choose a smaller size or model."),
        (
            RuntimeError("out of memory"),
            "There is not enough memory: choose a smaller size or model.",
        ),
        (RuntimeError("odd"), "An error of the program: RuntimeError: odd"),
    ):
        assert _message_of(error) == said


@pytest.mark.parametrize(
    ("error", "end", "state", "words"),
    [
        (Stopped(), "stopped", "stopped", "Stopped as asked; it can go on from here."),
        (ValueError("No."), None, "failed", "No."),
        (
            KeyboardInterrupt(),
            None,
            "failed",
            "Interrupted; it can go on from the last batch.",
        ),
    ],
)
def test_how_building_ends(
    error: BaseException,
    end: str | None,
    state: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def fail(store: GalleryFolder, data: str, options: Options, by_page: bool) -> None:
        asked.append((data, options, by_page, store.is_alive()))
        store.put_state(doing="x")
        raise error

    monkeypatch.setattr(building, "_build", fail)
    folder, options = tmp_path / "g", Options(size=28)
    (tmp_path / "g").mkdir()
    if end is None:
        with pytest.raises(type(error)):
            building.build("samples", folder, options)
    else:
        assert building.build("samples", folder, options) == end
    assert asked == [("samples", options, False, True)]
    said = jobs.read_json(folder / "state.json") or {}
    assert (said["state"], said["words"], said["doing"]) == (state, words, "")
    store = GalleryFolder(folder)
    assert not store.is_alive()
    jobs.write_json(folder / "started.json", {"pid": os.getpid()})
    store.request_stop()
    with pytest.raises(type(error)) if end is None else pytest.MonkeyPatch.context():
        building.build("samples", folder, options)
    assert asked[1][2] is True, "a page has started this process"
    assert store.stop_requested(), "and has taken back an old stop itself"
    (folder / "started.json").unlink()
    with pytest.raises(type(error)) if end is None else pytest.MonkeyPatch.context():
        building.build("samples", folder, options)
    assert not store.stop_requested()


def test_an_interrupted_one_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(store: GalleryFolder, *_: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        raise Stopped

    monkeypatch.setattr(building, "_build", fail)
    monkeypatch.setattr(jobs, "GRACE", 600.0)
    assert building.build("samples", tmp_path / "g", Options(size=28)) == "interrupted"
    assert GalleryFolder(tmp_path / "g").stop_requested()


def test_what_is_said_when_it_gives_up(
    store: GalleryFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ends: list[Any] = []
    given: list[Any] = []
    timers: list[str] = []

    class Timer:
        def cancel(self) -> None:
            timers.append("cancelled")

    monkeypatch.setattr(jobs, "after_grace", lambda what: given.append(what) or Timer())
    monkeypatch.setattr(stopping.interruption, "end", lambda code: ends.append(code))
    with stop_on_signals(store) as heard:
        signal.raise_signal(signal.SIGTERM)
        assert (heard, given) == ({signal.SIGTERM}, [])
        signal.raise_signal(signal.SIGINT)
        (give_up,) = given
        give_up()
    assert (ends, timers) == ([130], ["cancelled"])
    words = "Interrupted; it can go on from the last batch."
    assert capfd.readouterr().err == f"\n{words}\n"
    said = jobs.read_json(store.path / "state.json") or {}
    assert (said["state"], said["words"], said["doing"]) == ("stopped", words, "")
    assert stopping.interruption.said.is_set()
    stopping.interruption.said.clear()


# --- thumbnails one by one, and threads


def test_sheets_of_thumbnails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen beside each other; from files of single ones, or cut out of an atlas."""
    store = GalleryFolder(tmp_path)
    (tmp_path / "thumbs").mkdir()
    colours = np.random.default_rng(0).integers(0, 256, (20, 1, 1, 3), np.uint8)
    every = np.broadcast_to(colours, (20, 64, 64, 3))
    tiles.write_tiles(tmp_path / "thumbs" / "tiles-0.bin", every)
    order = [*range(17), 3]
    sheet = tiles.sheet(store, order)
    assert sheet.size == (64 * 16, 64 * 2)
    assert tiles.sheet(store, [4, 5]).size == (128, 64)
    for at, index in enumerate(order):
        row, column = divmod(at, 16)
        seen = np.asarray(sheet)[64 * row + 32, 64 * column + 32].astype(int)
        assert np.abs(seen - colours[index, 0, 0]).max() < 8
    assert np.asarray(sheet)[100, 64 * 10].tolist() == [128, 128, 128]
    atlas = np.zeros((64 * 2, 64 * 32, 3), np.uint8)
    atlas[64:, 64 * 7 : 64 * 8] = 200
    Image.fromarray(atlas).save(tmp_path / "thumbs" / "atlas-1.jpg", quality=95)
    cut = np.asarray(tiles.sheet(store, [1024 + 32 + 7]))
    assert cut.shape == (64, 64, 3)
    assert abs(int(cut[32, 32, 0]) - 200) < 8
    with pytest.raises(ValueError, match="no thumbnails number 2"):
        tiles.sheet(store, [2048])


def test_where_single_thumbnails_lie(tmp_path: Path) -> None:
    tiles.join_tiles(tmp_path / "t.bin", [b"abc", b"", b"de"])
    data = (tmp_path / "t.bin").read_bytes()
    assert np.frombuffer(data[:16], "<u4").tolist() == [16, 19, 19, 21]
    assert data[16:] == b"abcde"


def test_threads_as_many_as_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert [neighbours.threads_of(n) for n in (0, 1, 3, 4)] == [None, 1, 3, None]
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert [neighbours.threads_of(n) for n in (2, 3)] == [2, None]
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert [neighbours.threads_of(n) for n in (1, 2)] == [1, None]
