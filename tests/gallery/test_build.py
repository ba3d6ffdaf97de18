"""The process behind a gallery: what it writes, where it goes on, what it does for requests."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from forked import command
from PIL import Image
from sharded import picture_table, sharded
from tiny_galleries import (
    arrays_of,
    build_gallery,
    kill_when,
    labelled_folder,
    mixed_folder,
    quick_maps,  # noqa: F401  (a fixture)
)
from tiny_runs import coloured, files, picture, zipped

from dino_core.embedding.embed import cache_for, embed
from dino_core.embedding.preparation import Preparation
from dino_core.gallery import embedding, probes
from dino_core.gallery import folder as folders
from dino_core.gallery.embedding import Embedding
from dino_core.gallery.folder import GalleryFolder, NotReady, digest_of, start_process
from dino_core.gallery.options import Options
from dino_core.gallery.projection import aligned_map
from dino_core.images import open_picture
from dino_core.weights import Backbone
from dino_core.weights.files import content_digest

pytestmark = pytest.mark.usefixtures("quick_maps")


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Requests would start a process: here it is only counted."""
    started: list[tuple] = []
    monkeypatch.setattr(folders, "start_process", lambda *words: started.append(words) or 1)
    return started


def test_a_gallery_holds_what_embedding_gives(
    backbone: Backbone, weights: Path, tmp_path: Path
) -> None:
    data = labelled_folder(tmp_path / "data")
    store = GalleryFolder(build_gallery(data, tmp_path / "g", weights))
    got = arrays_of(store.path)
    with cache_for(backbone, Preparation(28), layers=True) as cache:
        found = embed(backbone, store.pictures(), Preparation(28), cache)
        for name in ("cls", "mean_patch", "layers"):
            atol = 5e-3 if name == "layers" else 1e-5
            np.testing.assert_allclose(got[name], found.array(name), rtol=1e-3, atol=atol)
    facts = store.facts()
    assert facts["names"] == list(found.pictures.names)
    assert facts["labels"] == [0] * 8 + [1] * 8 + [2] * 8
    assert facts["grid"] == [2, 2]
    assert got["rows"].tolist() == [*range(16), *range(17, 25)]  # green/zz.png is broken
    state = store.state()
    assert state["state"] == "ready"
    assert state["broken_count"] == 1
    assert state["broken"][0][0] == "green/zz.png"
    assert (state["alive"], state["can_resume"]) == (False, False)
    made = {tuple(one) for one in state["maps"]}
    assert made == {("cls", 2, how) for how in ("pca", "umap", "tsne", "hdbscan")}
    with torch.inference_mode():
        pixels = np.array(Preparation(28).pixels(found.pictures.picture(5), 14))
        out = backbone.vit(Preparation(28).images(pixels[None], torch.zeros(1)))
    patches = torch.nn.functional.normalize(out.patches[0], dim=-1)
    np.testing.assert_allclose(got["patches"][5], patches, atol=2e-3)


def test_thumbnails_lie_where_they_should(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "TILES_A_SIDE", 3)
    data = files(tmp_path / "data", coloured(7))
    store = GalleryFolder(build_gallery(data, tmp_path / "g", weights))
    assert len(list((store.path / "thumbs").iterdir())) == 3
    for i in range(21):
        number, place = divmod(i, 9)
        row, column = divmod(place, 3)
        with Image.open(store.atlas(number)) as sheet:
            tile = np.asarray(sheet)[64 * row : 64 * row + 64, 64 * column : 64 * column + 64]
        small = Preparation(28).pixels(store.pictures().picture(i), 14)
        expected = Image.fromarray(small).resize((64, 64), Image.Resampling.BICUBIC)
        assert np.abs(tile.astype(int) - np.asarray(expected)).mean() < 6
    with Image.open(store.atlas(2)) as sheet:
        assert sheet.size == (192, 64)  # one line is enough for three
    with pytest.raises(ValueError, match="number 3"):
        store.atlas(3)


def test_a_kill_between_two_atlases_costs_no_thumbnail(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 9 tiles: the second batch fills an atlas and begins the next one in its place."""
    monkeypatch.setattr(embedding, "TILES_A_SIDE", 3)
    data, note = files(tmp_path / "data", coloured(7)), embedding.write_json

    def killed(path: Path, values: dict[str, Any]) -> None:
        if path.name == "progress.json" and values["rows"] == 21:
            raise RuntimeError("killed")
        note(path, values)

    with monkeypatch.context() as patch:
        patch.setattr(embedding, "write_json", killed)
        with pytest.raises(RuntimeError, match="killed"):
            build_gallery(data, tmp_path / "g", weights)
    build_gallery(data, tmp_path / "g", weights)
    build_gallery(data, tmp_path / "whole", weights)
    for number in range(3):
        atlas = (GalleryFolder(tmp_path / name).atlas(number) for name in ("g", "whole"))
        assert next(atlas).read_bytes() == next(atlas).read_bytes(), number


def test_digests_are_of_the_pixels(weights: Path, tmp_path: Path) -> None:
    data = mixed_folder(tmp_path / "data")
    store = GalleryFolder(build_gallery(data, tmp_path / "g", weights))
    for row, index in zip(store.array("digests"), store.array("rows"), strict=True):
        assert row.tobytes().hex() == digest_of(store.pictures().picture(int(index)))
    other = open_picture(picture(0))
    again = Image.fromarray(np.asarray(other))
    assert digest_of(other) == digest_of(again) != digest_of(other.transpose(Image.Transpose(0)))
    assert digest_of(Image.new("RGB", (2, 3))) != digest_of(Image.new("RGB", (3, 2)))


def test_patches_are_kept_as_far_as_there_is_room(weights: Path, tmp_path: Path) -> None:
    data = labelled_folder(tmp_path / "data")
    none = GalleryFolder(build_gallery(data, tmp_path / "none", weights, patch_megabytes=0))
    assert none.facts()["patch_pictures"] == 0
    assert none.array("patches").shape == (0, 4, 32)


@pytest.mark.slow
def test_a_stop_is_obeyed_and_the_rest_comes_later(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = files(tmp_path / "data", coloured(20) | {"blue/05b.png": b"junk", "red/99.png": b""})
    whole = build_gallery(data, tmp_path / "whole", weights)
    add, calls = Embedding.add, []

    def add_and_stop(self: Embedding, *batch: Any) -> None:
        add(self, *batch)
        calls.append(self.rows)
        if len(calls) == 2:
            self.store.request_stop()

    monkeypatch.setattr(Embedding, "add", add_and_stop)
    folder = build_gallery(data, tmp_path / "parts", weights)
    state = GalleryFolder(folder).state()
    assert state["state"] == "stopped"
    assert "as asked" in state["words"]
    assert state["can_resume"]
    assert 32 <= state["done"] < 62
    with pytest.raises(ValueError, match="as asked"):
        GalleryFolder(folder).facts()
    build_gallery(data, folder, weights)
    assert calls == [16, 32, 48, 60]  # two batches were not done again
    for name, expected in arrays_of(whole).items():
        np.testing.assert_array_equal(arrays_of(folder)[name], expected)
    assert GalleryFolder(folder).state()["broken_count"] == 2
    one, other = (sorted((f / "thumbs").iterdir()) for f in (whole, folder))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]


@pytest.mark.slow
def test_a_killed_process_goes_on(weights: Path, tmp_path: Path) -> None:
    data = files(tmp_path / "data", {f"{i:04}.png": picture(i) for i in range(150)})
    whole = build_gallery(data, tmp_path / "whole", weights)
    folder = tmp_path / "killed"
    words = ["gallery", str(data), "--output", str(folder), "--weights", str(weights)]
    process = command([*words, "--size", "28"], {"INSIDE_DINOV2_HOME": str(tmp_path / "home")})

    def rows() -> int:
        try:
            return json.loads((folder / "progress.json").read_text())["rows"]
        except (OSError, ValueError):
            return 0

    kill_when(process, lambda: 0 < rows() < 140)
    state = GalleryFolder(folder).state()
    assert state["state"] == "stopped"
    assert "without a word" in state["words"]
    assert state["can_resume"]
    before = rows()
    assert 0 < before < 150
    build_gallery(data, folder, weights)
    assert GalleryFolder(folder).state()["state"] == "ready"
    for name, expected in arrays_of(whole).items():
        np.testing.assert_array_equal(arrays_of(folder)[name], expected)


@pytest.mark.slow
def test_a_folder_holds_one_gallery(weights: Path, tmp_path: Path) -> None:
    data, other = labelled_folder(tmp_path / "a", 2), mixed_folder(tmp_path / "b")
    folder = build_gallery(data, tmp_path / "g", weights)
    with pytest.raises(ValueError, match="other pictures"):
        build_gallery(other, folder, weights)
    with pytest.raises(ValueError, match="other --size"):
        build_gallery(data, folder, weights, size=42)
    build_gallery(data, folder, weights, threads=1)  # changes no number
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="not empty"):
        build_gallery(data, tmp_path / "full", weights)
    assert not (tmp_path / "full" / "lock").exists(), "what is refused is left as it was"
    with pytest.raises(ValueError, match="holds no gallery"):
        GalleryFolder(tmp_path / "full").state()
    with GalleryFolder(folder).locked(), pytest.raises(ValueError, match="Another process"):
        build_gallery(data, folder, weights)


@pytest.mark.slow
def test_a_source_that_has_changed_is_not_mixed_in(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = labelled_folder(tmp_path / "data")

    def stop(self: Embedding, *batch: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Embedding, "add", stop)
        with pytest.raises(KeyboardInterrupt):
            build_gallery(data, tmp_path / "g", weights)
    assert GalleryFolder(tmp_path / "g").state()["state"] == "failed"
    files(data, {"red/new.png": picture(1)})
    with pytest.raises(ValueError, match="has changed"):
        build_gallery(data, tmp_path / "g", weights)
    assert "has changed" in GalleryFolder(tmp_path / "g").state()["words"]
    (data / "red" / "new.png").unlink()
    source = tmp_path / "g" / "source.json"
    noted = json.loads(source.read_text())
    assert noted["weights"] == content_digest(weights)
    source.write_text(json.dumps(noted | {"weights": "0" * 64}))
    with pytest.raises(ValueError, match="weights have changed"):
        build_gallery(data, tmp_path / "g", weights)
    source.write_text(json.dumps(noted))
    build_gallery(data, tmp_path / "g", weights)
    assert GalleryFolder(tmp_path / "g").count() == 24


def test_pictures_none_of_which_can_be_read(weights: Path, tmp_path: Path) -> None:
    data = files(tmp_path / "data", {"a.png": b"junk", "b.png": b"x"})
    with pytest.raises(ValueError, match="None of the 2"):
        build_gallery(data, tmp_path / "g", weights)
    state = GalleryFolder(tmp_path / "g").state()
    assert (state["state"], state["done"]) == ("failed", 2)
    assert "None of the 2" in state["words"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_next_to_nothing(weights: Path, tmp_path: Path, count: int) -> None:
    data = files(tmp_path / "data", {f"{i}.png": picture(i) for i in range(count)})
    store = GalleryFolder(build_gallery(data, tmp_path / "g", weights))
    assert store.state()["state"] == "ready"
    assert aligned_map(store, "cls", None, "pca").xy.shape == (count, 2)
    for method in ("umap", "tsne"):
        with pytest.raises(ValueError, match="at least 4 pictures"):
            aligned_map(store, "cls", None, method)
    with pytest.raises(ValueError, match="two classes"):
        store.probes()


@pytest.mark.slow
def test_requests_are_met_first_and_once(
    weights: Path, tmp_path: Path, no_process: list[tuple]
) -> None:
    data = labelled_folder(tmp_path / "data")
    folder = build_gallery(data, tmp_path / "g", weights)
    store = GalleryFolder(folder)
    for _ in range(3):
        with pytest.raises(NotReady, match="being computed"):
            aligned_map(store, "both", 0, "umap")
    assert len(no_process) == 3  # each asked for a process, and there was none
    assert store.requests() == [("both", 0, "umap")]
    build_gallery(data, folder, weights)
    assert store.requests() == []
    found = aligned_map(store, "both", 0, "umap")
    assert found.xy.shape == (24, 2)
    assert np.abs(found.xy).max() == pytest.approx(1)
    assert found.facts["seed"] == 0
    assert found.facts["parameters"]["neighbours"] == 15
    with pytest.raises(ValueError, match="no map"):
        aligned_map(store, "cls", None, "magic")
    with pytest.raises(ValueError, match="layer 9"):
        aligned_map(store, "cls", 9, "pca")


@pytest.mark.slow
def test_what_cannot_be_made_is_said_once_and_for_all(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> np.ndarray:
        raise TypeError("numba is in a bad mood")

    monkeypatch.setattr("dino_core.gallery.projection.umap_map", broken)
    store = GalleryFolder(
        build_gallery(labelled_folder(tmp_path / "data"), tmp_path / "g", weights)
    )
    assert store.state()["state"] == "ready"
    with pytest.raises(ValueError, match="bad mood"):
        aligned_map(store, "cls", None, "umap")


def test_probes_are_there_layer_by_layer(
    weights: Path, tmp_path: Path, no_process: list[tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = labelled_folder(tmp_path / "data")
    folder = tmp_path / "g"
    probe_layers = probes.probe_layers

    def only_one(store: GalleryFolder) -> Iterator[int]:
        yield next(probe_layers(store))

    with monkeypatch.context() as patch:
        patch.setattr(probes, "probe_layers", only_one)
        store = GalleryFolder(build_gallery(data, folder, weights))
    first = store.probes()
    assert np.isnan(first["accuracy"]).any((1, 2)).tolist() == [True, True, False]
    build_gallery(data, folder, weights)
    every = store.probes()
    assert not np.isnan(every["accuracy"]).any()
    np.testing.assert_array_equal(every["accuracy"][2], first["accuracy"][2])
    assert (every["low"] < every["accuracy"]).all()
    assert every["accuracy"].max() > 0.9
    predicted = every["predicted"][2, 0, 0]
    truth = np.array(store.facts()["labels"])
    assert (predicted == truth).mean() == pytest.approx(every["accuracy"][2, 0, 0])


# --- as a process


@pytest.mark.slow
def test_a_process_of_its_own_does_all_of_it(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    data = zipped(tmp_path / "data.zip", {f"{i}.png": picture(i) for i in range(3)})
    store = GalleryFolder(tmp_path / "g")
    options = Options(weights=str(weights), size=28, threads=1)
    start_process(data, store.path, options)
    assert store.state()["state"] == "waiting"
    assert store.state()["alive"]
    with pytest.raises(ValueError, match="Another process"):
        start_process(data, store.path, options)
    stop = time.monotonic() + 60
    while store.state()["state"] not in ("ready", "failed", "stopped"):
        assert time.monotonic() < stop, (store.path / "launch.txt").read_text()
        time.sleep(0.05)
    assert store.state()["state"] == "ready", (store.path / "launch.txt").read_text()
    assert store.count() == 3
    assert store.state()["alive"]  # it waits for requests
    store.request_stop()
    while store.at_work():
        assert time.monotonic() < stop
        time.sleep(0.05)
    assert store.state()["state"] == "ready"  # there was nothing left to stop


def test_a_refusal_is_said_before_anything_starts(tmp_path: Path) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"no zip")
    with pytest.raises(ValueError, match="no zip"):
        start_process(bad, tmp_path / "g", Options())
    assert not (tmp_path / "g").exists()


def test_options_travel_as_words() -> None:
    chosen = Options(model="preview_vits14", seed=3)
    assert chosen.arguments() == ["--model", "preview_vits14", "--seed", "3"]
    assert Options().arguments() == []


@pytest.mark.parametrize("kind", ["shards", "table"])
def test_a_gallery_of_shards_is_that_of_the_folder(
    weights: Path, tmp_path: Path, kind: str
) -> None:
    """And a picture of it is found alone, without looking through the shards again."""
    contents = coloured(3)
    names = sorted(contents)
    folder = build_gallery(files(tmp_path / "data", contents), tmp_path / "a", weights)
    rows = [contents[name] for name in names]
    data = sharded(tmp_path / "shards", contents, per_shard=4)
    if kind == "table":
        data = picture_table(tmp_path / "t.parquet", rows, [i // 3 for i in range(9)])
    store = GalleryFolder(build_gallery(data, tmp_path / "b", weights))
    one, other = arrays_of(folder), arrays_of(store.path)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    assert store.facts()["labels"] == GalleryFolder(folder).facts()["labels"]
    assert store.one(5).read(0) == rows[5]
    assert store.pictures().read(5) == rows[5]
