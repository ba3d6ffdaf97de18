"""One small gallery, all of it: what each of its files holds and says."""

import json
import os
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from alike import are_close
from PIL import Image
from tiny_galleries import build_gallery, labelled_folder
from tiny_runs import coloured, files

from dino_core.analysis import projection as maps
from dino_core.analysis.clustering import hdbscan
from dino_core.datasets import find_pictures
from dino_core.embedding.preparation import Preparation
from dino_core.evaluation.folds import folds_of
from dino_core.evaluation.probes import probe
from dino_core.gallery import projection
from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.options import Options
from dino_core.gallery.projection import OTHER_WORDS, PCA_WORDS
from dino_core.jobs import read_json
from dino_core.weights import Backbone, load_backbone
from dino_core.weights.files import content_digest

N = 24  # pictures; one more is broken, and one file is none


def mapped(points: np.ndarray, start: np.ndarray, *_: object) -> np.ndarray:
    return (np.sign(start) * start**2).astype(np.float32)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> tuple[Path, list[Any], list]:
    """The gallery's folder, every state on the way, and what UMAP and t-SNE were asked."""
    from dino_core.gallery.build import build

    root = tmp_path_factory.mktemp("whole")
    data = labelled_folder(root / "data")
    files(data, {"notes.txt": b"words"})
    states: list[Any] = []
    asked: list[Any] = []

    def remembered(name: str) -> Any:
        def make(points: np.ndarray, start: np.ndarray, *options: Any) -> np.ndarray:
            asked.append((name, points, start, options))
            return mapped(points, start)

        return make

    with pytest.MonkeyPatch.context() as patch:
        for name in ("umap_map", "tsne_map"):
            patch.setattr(projection, name, remembered(name))
        options = Options(weights=str(weights), size=28, seed=3)
        assert build(data, root / "g", options, lambda state: states.append(dict(state))) == "ready"
    return root / "g", states, asked


@pytest.fixture
def store(built: tuple[Path, list[Any], list]) -> GalleryFolder:
    return GalleryFolder(built[0])


def units(store: GalleryFolder, kind: str = "cls", layer: int | None = None) -> np.ndarray:
    rows = store.features(kind, layer)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_files_of_a_gallery(store: GalleryFolder) -> None:
    there = {str(path.relative_to(store.path)) for path in store.path.rglob("*") if path.is_file()}
    arrays = ("cls", "mean_patch", "layers", "patches", "rows", "digests")
    assert there - {"lock", "holder.json"} == {
        *("config.json", "state.json", "facts.json", "source.json", "progress.json"),
        *("probes.npz", "thumbs/atlas-0.jpg"),
        *(f"arrays/{name}.npy" for name in arrays),
        *(f"maps/cls-2-{method}.npz" for method in ("pca", "umap", "tsne", "hdbscan")),
    }


def test_what_it_was_made_of(store: GalleryFolder, backbone: Backbone, weights: Path) -> None:
    data = store.path.parent / "data"
    assert read_json(store.path / "config.json") == {
        "format": 1,
        "data": str(data),
        "options": {
            "model": None,
            "weights": str(weights),
            "size": 28,
            "seed": 3,
            "device": "cpu",
            "threads": 0,
            "patch_megabytes": 1024,
            "include": [],
            "exclude": [],
            "stretch": False,
        },
    }
    pictures = find_pictures(data)
    assert read_json(store.path / "source.json") == {
        "fingerprint": pictures.fingerprint,
        "weights": content_digest(backbone.info.path),
    }
    progress = read_json(store.path / "progress.json")
    assert progress is not None
    assert (progress["next"], progress["rows"], list(progress["broken"])) == (25, 24, ["16"])
    names = [name for name in pictures.names if name != "green/zz.png"]
    assert store.facts() == {
        "names": names,
        "labels": [0] * 8 + [1] * 8 + [2] * 8,
        "splits": [""] * N,
        "classes": ["blue", "green", "red"],
        "layers": 3,
        "dim": 32,
        "grid": [2, 2],
        "patch_pictures": N,
        "model": backbone.name,
        "title": backbone.info.title,
        "official": False,
        "size": 28,
    }


def test_its_last_state(store: GalleryFolder) -> None:
    state = store.state()
    broken = state.pop("broken")
    assert [(name, type(why)) for name, why in broken] == [("green/zz.png", str)]
    assert state == {
        "state": "ready",
        "words": "Everything is there: maps, clusters and probes.",
        "done": 25,
        "total": 25,
        "seconds_left": None,
        "broken_count": 1,
        "left_out": [["notes.txt", "This is a text file, no picture."]],
        "left_out_count": 1,
        "notes": ["1 file was left out (notes.txt): This is a text file, no picture."],
        "doing": "",
        "alive": False,
        "can_resume": False,
        "maps": [["cls", 2, how] for how in ("hdbscan", "pca", "tsne", "umap")],
    }
    said = read_json(store.path / "state.json") or {}
    assert said["pid"] == os.getpid()
    assert abs(said["updated"] - os.stat(store.path / "state.json").st_mtime) < 30


def test_what_it_says_on_the_way(built: tuple[Path, list[Any], list]) -> None:
    _, states, _ = built
    said = []
    for one in states:
        words = (one["state"], one.get("doing") or one["words"])
        said += [words] if said[-1:] != [words] else []
    looked = [one for one in said if "looked at" in one[1]]
    assert looked[-1] == ("embedding", "25 of 25 pictures have been looked at.")
    there = ("mapping", "The map is there; more maps and the probes follow.")
    works = [f"{how} of layer 2 (class token)" for how in ("HDBSCAN", "UMAP", "t-SNE")]
    works += [f"the probes of layer {layer}" for layer in (2, 1, 0)]
    assert [one for one in said if one not in looked] == [
        ("embedding", "The model is being loaded."),
        *[pair for what in works for pair in (there, ("mapping", f"At work: {what}."))],
        there,
        ("ready", "Everything is there: maps, clusters and probes."),
    ]
    lefts = [one["seconds_left"] for one in states if one["state"] == "mapping"]
    assert set(lefts) == {0}


def facts_of(store: GalleryFolder, method: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    stored = store.stored("cls", 2, method)
    assert stored is not None
    facts = json.loads(str(stored.pop("facts")))
    if method != "hdbscan":
        assert 0 <= facts.pop("seconds") < 60
    return facts, stored


def test_its_map_by_pca(store: GalleryFolder) -> None:
    facts, stored = facts_of(store, "pca")
    points = units(store)
    scores, explained = maps.pca_scores(points)
    assert are_close(
        facts,
        {
            "seed": None,
            "explained": [float(one) for one in explained],
            "words": PCA_WORDS,
            "parameters": {"features of length 1": True},
            "trustworthiness": maps.trustworthiness(points, scores, seed=3),
        },
    )
    np.testing.assert_allclose(stored["xy"], maps.into_square(scores), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("umap", {"neighbours": 15, "min_distance": 0.1, "metric": "cosine"}),
        ("tsne", {"perplexity": 23 / 3}),
    ],
)
def test_its_other_maps(
    method: str,
    parameters: dict[str, Any],
    store: GalleryFolder,
    built: tuple[Path, list[Any], list],
) -> None:
    facts, stored = facts_of(store, method)
    points = units(store)
    scores, _ = maps.pca_scores(points)
    start = scores * (10 / np.abs(scores).max()) if method == "umap" else scores
    ((_, given, begun, options),) = [one for one in built[2] if one[0] == f"{method}_map"]
    np.testing.assert_allclose(given, points, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(begun, start, rtol=1e-3, atol=1e-4)
    assert options == ((15, 0.1, 3) if method == "umap" else (30, 3))
    xy = mapped(points, begun)
    assert are_close(
        facts,
        {
            "seed": 3,
            "explained": None,
            "words": OTHER_WORDS,
            "parameters": parameters,
            "trustworthiness": maps.trustworthiness(points, xy, seed=3),
        },
    )
    reference = store.stored("cls", 2, "pca")
    assert reference is not None
    turned = maps.into_square(xy @ maps.procrustes(xy, reference["xy"]))
    np.testing.assert_allclose(stored["xy"], turned, rtol=1e-3, atol=1e-4)


def test_its_thumbnails_and_grey_beyond_the_last(store: GalleryFolder) -> None:
    with Image.open(store.atlas(0)) as atlas:
        values = np.asarray(atlas).astype(int)
    assert values.shape == (64, 32 * 64, 3)
    tiles = values.reshape(64, 32, 64, 3).swapaxes(0, 1)
    assert (np.abs(tiles[N:] - 128) <= 1).all()
    for number in (0, N - 1):
        small = Image.fromarray(Preparation(28).pixels(store.one(number).picture(0), 14))
        wanted = np.asarray(small.resize((64, 64), Image.Resampling.BICUBIC)).astype(int)
        assert np.abs(tiles[number] - wanted).mean() < 6


def test_its_dense_groups(store: GalleryFolder) -> None:
    facts, stored = facts_of(store, "hdbscan")
    labels = hdbscan(store.features("cls", 2), 5)
    np.testing.assert_array_equal(stored["labels"], labels)
    noise = int((labels < 0).sum())
    assert facts == {
        "parameters": {"smallest group": 5, "principal components": 50},
        "seed": None,
        "noise": noise,
        "words": f"HDBSCAN finds dense groups and leaves out the rest: {noise} of 24 pictures are "
        f"in none.",
    }


def test_its_probes(store: GalleryFolder) -> None:
    """Every layer, kind and classifier, as the evaluation gives it alone."""
    found = store.probes()
    labels = store.listing().labels()
    folds = folds_of(labels.tolist(), None, torch.Generator().manual_seed(3))
    truth = torch.from_numpy(labels.astype(np.int64))
    assert float(found["chance"]) == pytest.approx(1 / 3)
    assert int(found["pictures"]) == N
    assert str(found["words"]) == (
        f"Judged: {len(folds)} parts of all pictures, judged by turns by what the others taught; "
        f"24 pictures."
    )
    assert "rows" not in found
    for layer in (0, 2):
        for i, kind in enumerate(("cls", "mean_patch", "both")):
            features = torch.from_numpy(store.features(kind, layer))
            for j, method in enumerate(("knn", "logistic")):
                one = probe(features, truth, folds, 3, method)  # type: ignore[arg-type]
                at = (layer, i, j)
                assert found["accuracy"][at] == pytest.approx(one.accuracy)
                assert (found["low"][at], found["high"][at]) == pytest.approx(one.interval)
                np.testing.assert_array_equal(found["predicted"][at], one.predicted)
                np.testing.assert_allclose(found["confidence"][at], one.confidence, atol=2e-3)


def test_its_features_layer_by_layer(store: GalleryFolder) -> None:
    layers = store.array("layers")
    for place, kind in enumerate(("cls", "mean_patch")):
        np.testing.assert_array_equal(store.features(kind, None), store.array(kind))
        np.testing.assert_array_equal(store.features(kind, 1), layers[:, 1, place])
        assert store.features(kind, 1).dtype == np.float32
        rows = np.array([5, 2])
        np.testing.assert_array_equal(store.features(kind, 0, rows), layers[rows, 0, place])
    both = store.features("both", 1, slice(2, 4))
    np.testing.assert_array_equal(both[:, :32], layers[2:4, 1, 0])
    np.testing.assert_array_equal(both[:, 32:], layers[2:4, 1, 1])
    with pytest.raises(ValueError, match="Features are cls, mean_patch, both, but not 'pixels'"):
        store.features("pixels", None)
    assert [store.layer(layer) for layer in (None, 0, 2)] == [2, 0, 2]
    for layer in (-1, 3):
        with pytest.raises(ValueError, match=f"layers 0 to 2, and no layer {layer}"):
            store.layer(layer)


def test_single_pictures_of_it(store: GalleryFolder) -> None:
    every = store.pictures()
    names = store.listing().names()
    (one,) = store.one(17).names
    assert one == names[17]
    assert store.some([3, 1]).names == (names[3], names[1])
    assert store.some([3]).picture(0).tobytes() == every.picture(3).tobytes()


def test_what_searching_finds(store: GalleryFolder) -> None:
    listing = store.listing()
    assert listing.find(" GREEN ").tolist() == list(range(8, 16))
    assert listing.find("07").tolist() == [7, 15, 23]
    assert listing.find("red/07").tolist() == [23]
    assert listing.find("nothing").tolist() == []
    assert listing.find("").tolist() == list(range(N))
    assert listing.names(slice(7, 10)) == ["blue/07.png", "green/00.png", "green/01.png"]
    assert listing.name(23) == "red/07.png"
    assert listing.splits(slice(0, 2)) == ["", ""]


def test_the_room_for_patches_is_in_megabytes(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 x 2 patches of 32 numbers of two bytes: 256 bytes a picture."""
    from dino_core.gallery import embedding

    class Seen:
        patch_size, dim, depth = 14, 32, 3

    class Some:
        fingerprint = "x"

        def __len__(self) -> int:
            return 5000

    vit: Any = type("", (), {"vit": type("", (), {"config": Seen})})
    monkeypatch.setattr(embedding.Embedding, "_check_source", lambda self: None)
    monkeypatch.setattr(embedding.Embedding, "_array", lambda self, name, *shape: shape)
    some: Any = Some()
    for megabytes, kept in ((0, 0), (1, 3906), (2, 5000)):
        folder = tmp_path / str(megabytes)
        folder.mkdir()
        options = Options(size=28, patch_megabytes=megabytes)
        made = embedding.Embedding(GalleryFolder(folder), some, vit, options)
        assert made.patch_pictures == kept
        assert made.arrays["patches"][0] == (kept, 4, 32)
    assert (made.next, made.rows, made.broken) == (0, 0, {})


def test_the_time_left_is_that_of_the_pictures_left(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock on which every look takes a second, and a report at each of them."""
    from dino_core.gallery import embedding

    ticks = iter(range(1000))
    monkeypatch.setattr(embedding.time, "monotonic", lambda: float(next(ticks)))
    said: list[float | None] = []
    monkeypatch.setattr(embedding.Embedding, "report", lambda _, pace: said.append(pace))
    folder = GalleryFolder(tmp_path / "g")
    folder.path.mkdir()
    pictures = find_pictures(files(tmp_path / "data", coloured(2)))
    made = embedding.Embedding(folder, pictures, load_backbone(weights=weights), Options(size=28))
    made.run()
    paces = [pace for pace in said if pace is not None]
    assert said[-1] is None, "at the end nothing is left"
    assert paces, "and something was said on the way"
    assert all(0 < pace <= 6 for pace in paces)


def test_a_second_look_changes_nothing(store: GalleryFolder, weights: Path) -> None:
    before = {path: path.read_bytes() for path in store.path.rglob("*.np[yz]")}
    build_gallery(store.path.parent / "data", store.path, weights, seed=3)
    assert {path: path.read_bytes() for path in store.path.rglob("*.np[yz]")} == before


def test_given_tests_are_what_is_judged(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last layer alone, which is enough here; what is not judged is told apart."""
    from dino_core.gallery import probes

    contents = coloured(4, "train/") | coloured(2, "test/")
    monkeypatch.setattr(projection, "umap_map", mapped)
    monkeypatch.setattr(projection, "tsne_map", mapped)
    monkeypatch.setattr(
        probes, "probe_layers", lambda store, inner=probes.probe_layers: islice(inner(store), 1)
    )
    folder = build_gallery(files(tmp_path / "data", contents), tmp_path / "g", weights)
    found = GalleryFolder(folder).probes()
    assert str(found["words"]) == (
        "Judged: the given test pictures, judged by what the training pictures taught; 6 pictures."
    )
    assert (int(found["pictures"]), float(found["chance"])) == (6, pytest.approx(1 / 3))
    judged = np.array([name.startswith("test/") for name in GalleryFolder(folder).facts()["names"]])
    assert (found["predicted"][2][..., judged] >= 0).all()
    assert (found["predicted"][2][..., ~judged] == -1).all()
    assert (found["confidence"][2][..., ~judged] == 0).all()
    for name, nothing in (("predicted", -1), ("confidence", 0)):
        assert (found[name][:2] == nothing).all()
    for name in ("accuracy", "low", "high"):
        assert np.isnan(found[name][:2]).all()


def test_what_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    from dino_core.gallery.build import build

    full = files(tmp_path / "full", {"letter.txt": b"dear"})
    with pytest.raises(ValueError, match="is not empty and holds no gallery"):
        build("samples", full, Options(size=28))
    with pytest.raises(ValueError, match="There is no"):
        build(tmp_path / "none", tmp_path / "g", Options(size=28))
    with pytest.raises(ValueError, match="cannot be used on this machine"):
        build("samples", tmp_path / "g", Options(size=28, device="gpu9"))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["full", "letter.txt"]
