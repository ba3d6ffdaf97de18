"""Galleries above the limit of exact search, here a small one: what is read in parts, and where
from. The index itself is tested in tests/analysis/test_approximate.py; here exact search stands in.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_galleries import build_gallery, labelled_folder, quick_maps  # noqa: F401

from benchmarks.synthetic import CLASSES, clustered_rows, write_gallery
from dino_core.analysis import approximate
from dino_core.analysis.approximate import Graph, Recall
from dino_core.analysis.neighbours import near_duplicates, nearest, outlier_scores
from dino_core.embedding.preparation import Preparation
from dino_core.gallery import embedding, neighbours
from dino_core.gallery import folder as folders
from dino_core.gallery import rows as rows_of_gallery
from dino_core.gallery import tiles as one_by_one
from dino_core.gallery.build import make, make_the_rest
from dino_core.gallery.folder import GalleryFolder, NotReady
from dino_core.gallery.listing import facts_of_listing
from dino_core.gallery.projection import MIN_DISTANCE, NEIGHBOURS, umap_of_many
from dino_core.gallery.rows import unit_rows
from dino_core.scenes import gallery, gallery_parts, gallery_probes, gallery_similarity

COUNT = 450


def exact_graph(points: np.ndarray, k: int, *, seed: int, threads: int | None) -> Graph:
    x = torch.from_numpy(np.array(points))
    values, found = nearest(x, x, k, themselves=True)
    return Graph(found.numpy().astype(np.int32), values.numpy(), Recall(0.987, 20, k))


def square(graph: Graph, start: np.ndarray, *_: object) -> np.ndarray:
    """UMAP compiles itself for tens of seconds: a stand-in."""
    assert graph.indices.shape[1] >= 14
    return (np.sign(start) * start**2).astype(np.float32)


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "EXACT_MOST", 400)
    monkeypatch.setattr(approximate, "ROWS", 77)
    monkeypatch.setattr("dino_core.analysis.projection.EXACT_MOST", 400)
    monkeypatch.setattr("dino_core.analysis.projection.TSNE_MOST", 400)
    monkeypatch.setattr("dino_core.analysis.clustering.HDBSCAN_MOST", 400)
    monkeypatch.setattr("dino_core.gallery.neighbours.neighbour_graph", exact_graph)
    monkeypatch.setattr("dino_core.gallery.projection.umap_of_graph", square)
    monkeypatch.setattr(gallery_parts, "PART", 200)
    monkeypatch.setattr(folders, "start_process", lambda *words: 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Drawn rows, with all that the process makes of them."""
    with pytest.MonkeyPatch.context() as patch:
        small_limits.__wrapped__(patch)  # type: ignore[attr-defined]
        folder = write_gallery(tmp_path_factory.mktemp("large") / "g", COUNT, width=16)
        make_the_rest(GalleryFolder(folder), 0)
        yield folder


def unit(folder: Path) -> np.ndarray:
    return approximate.unit(np.load(folder / "arrays" / "cls.npy"))


def test_the_process_makes_what_there_can_be(made: Path) -> None:
    store = GalleryFolder(made)
    state = store.state()
    assert {tuple(one) for one in state["maps"]} == {
        ("cls", 1, how) for how in ("pca", "umap", "neighbours")
    }
    for method in ("tsne", "hdbscan"):
        with pytest.raises(ValueError, match="would take hours"):
            store.stored("cls", 1, method)
    facts = gallery.points(made, method="umap").facts
    assert facts["recall"]["value"] == 0.987
    assert "98.7 % of the true 30 nearest" in facts["recall"]["words"]
    assert 0 < facts["trustworthiness"] <= 1
    assert not list(made.glob("rows-*")), "mapped rows go when they have been used"


def test_the_map_of_many_is_drawn_by_the_seed_of_its_gallery(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, asked = GalleryFolder(made), []
    config = store.read_config()
    options = config["options"] | {"seed": 5}
    monkeypatch.setattr(GalleryFolder, "read_config", lambda _: config | {"options": options})

    def noted(graph: Graph, start: np.ndarray, *how: object) -> np.ndarray:
        asked.append((len(graph.indices), float(np.abs(start).max()), how))
        return start

    monkeypatch.setattr("dino_core.gallery.projection.umap_of_graph", noted)
    points = unit(made)
    umap_of_many(store, ("cls", 1, "umap"), points, points[:, :2])
    assert asked == [(COUNT, pytest.approx(10, rel=1e-5), (NEIGHBOURS, MIN_DISTANCE, 5))]


def test_features_are_mapped_and_not_held(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, taken = GalleryFolder(made), []
    monkeypatch.setattr(rows_of_gallery, "take_room", lambda _, size: taken.append(size))
    assert store.is_large()
    with unit_rows(store, "both", 0) as rows:
        assert isinstance(rows, np.memmap)
        assert taken == [Path(str(rows.filename)).stat().st_size], "room, before it is written"
        assert rows.flags.writeable, "for others numba would compile the index once more"
        expected = approximate.unit(store.features("both", 0))
        np.testing.assert_allclose(rows, expected, atol=1e-6)
    graph = gallery_similarity._graph_of(store, "cls", None)
    assert isinstance(graph.indices, np.memmap)
    assert isinstance(graph.similarities, np.memmap)


def test_nothing_is_made_by_whoever_reads(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [
        lambda: gallery.points(made, layer=0),
        lambda: gallery_similarity.outliers(made, layer=0),
        lambda: gallery_similarity.near_duplicates(made, layer=0),
    ]
    for ask in wanted:
        with pytest.raises(NotReady):
            ask()
    store = GalleryFolder(made)
    assert {how for _, _, how in store.requests()} == {"pca", "neighbours"}
    for request in store.requests():
        store.forget_request(*request)


def test_what_would_take_hours_is_refused_at_once_with_what_to_do_instead(made: Path) -> None:
    with pytest.raises(ValueError, match=r"t-SNE of 450 pictures .* stops at 400: use UMAP"):
        gallery.points(made, layer=0, method="tsne")
    with pytest.raises(ValueError, match=r"HDBSCAN of 450 pictures .* at 400: use k-means"):
        gallery_similarity.clusters(made, method="hdbscan", layer=0)
    assert GalleryFolder(made).requests() == []


def test_the_listing_is_read_in_parts(made: Path) -> None:
    one = gallery.names(made)
    assert (one.names, one.splits, one.large, one.count) == ([], [], True, COUNT)
    assert one.labels.tolist() == [i % CLASSES for i in range(COUNT)]
    assert len(json.loads((made / "facts.json").read_text())["names"]) == 0
    names = [f"class-{i % CLASSES:02}/{i:07}.jpg" for i in range(COUNT)]
    assert gallery_parts.names(made, [449, 0, 123]) == [names[449], names[0], names[123]]
    assert gallery.name_of(made, 449) == names[449]
    with pytest.raises(ValueError, match="no picture 450"):
        gallery_parts.names(made, [3, 450])
    with pytest.raises(ValueError, match="1 to 256 names, not 257"):
        gallery_parts.names(made, range(257))
    for text, expected in (
        ("CLASS-07", [i for i in range(COUNT) if i % CLASSES == 7]),
        (" 0000123", [123]),
        ("nowhere", []),
    ):
        assert gallery_parts.found(made, text).indices.tolist() == expected
    table = gallery.export_csv(made, selection=[3, 400]).splitlines()
    assert [line.split(",")[1] for line in table[1:]] == [names[3], names[400]]
    assert len(gallery.export_csv(made).splitlines()) == COUNT + 1


def test_names_in_files_are_what_they_were(tmp_path: Path) -> None:
    (tmp_path / "arrays").mkdir()
    names = [f"ä{i}/\udcff" if i % 7 else "" for i in range(401)]
    splits = ["train", "val", "test", ""] * 101
    facts = facts_of_listing(tmp_path, names, [-1] * 401, splits[:401]) | {"classes": []}
    listing = folders.Listing(tmp_path, facts)
    assert listing.names() == names
    assert listing.names(slice(5, 9)) == names[5:9]
    assert listing.names(slice(500, 600)) == []
    assert listing.splits(slice(1, 3)) == ["val", "test"]
    assert listing.labels().tolist() == [-1] * 401


def test_parts_of_a_map_are_even_samples_and_all_of_it_together(made: Path) -> None:
    whole = gallery.points(made, method="umap").xy
    parts = [gallery_parts.part(made, i, method="umap") for i in range(3)]
    together = np.full_like(whole, np.nan)
    for i, part in enumerate(parts):
        assert (part.part, part.parts, part.count) == (i, 3, COUNT)
        together[i::3] = part.xy
    np.testing.assert_array_equal(together, whole)
    with pytest.raises(ValueError, match="parts 0 to 2"):
        gallery_parts.part(made, 3, method="umap")


def test_neighbours_come_from_the_graph_and_else_from_all(made: Path) -> None:
    x = unit(made)
    for k, words in ((10, "98.7 %"), (30, "98.7 %"), (31, "Exact"), (1000, "Exact")):
        got = gallery_similarity.neighbours(made, 7, k)
        similarity = x @ x[7]
        similarity[7] = -9
        order = np.argsort(-similarity, kind="stable")[: min(k, COUNT - 1)]
        np.testing.assert_allclose(got.similarities, similarity[order], atol=1e-5)
        assert set(got.indices.tolist()) == set(order.tolist())
        assert words in got.words
        assert got.votes[0][0] == "class-07"
    assert "Exact" in gallery_similarity.neighbours(made, 7, 5, layer=0).words


def test_duplicates_and_outliers_are_those_of_the_graph(made: Path) -> None:
    x = torch.from_numpy(unit(made))
    got = gallery_similarity.near_duplicates(made, 0.999)
    pairs, _, total = near_duplicates(x, 0.999)
    assert got.pairs.tolist() == pairs.tolist() == [[0, 40]]
    assert total == len(got.same) == 1
    assert not got.same[0]
    assert "98.7 %" in got.words
    odd = gallery_similarity.outliers(made, 10)
    np.testing.assert_allclose(odd.scores, outlier_scores(x, 10), atol=1e-5)
    assert odd.order[0] == odd.scores.argmax()
    assert "98.7 %" in odd.words


def test_kmeans_of_a_sample_finds_the_classes(made: Path) -> None:
    got = gallery_similarity.clusters(made, k=CLASSES)
    assert got.facts["agreement"] > 0.9
    assert sum(got.sizes) == COUNT
    assert "400 of the 450" in got.facts["words"]


def test_a_sample_is_judged(made: Path) -> None:
    found = gallery_probes.probe(made)
    assert found.complete
    assert "a sample of all 450" in found.words
    said = gallery_probes.predictions(made)
    assert said.labels.shape == (COUNT,)
    assert (said.labels >= 0).sum() == found.pictures == 400
    truth = gallery.names(made).labels
    judged = said.labels >= 0
    share = (said.labels == truth)[judged].mean()
    assert share == pytest.approx(float(found.accuracy[1, 0, 0]))
    assert (truth[said.mistakes] != said.labels[said.mistakes]).all()


def test_thumbnails_come_one_by_one(made: Path) -> None:
    sheet = np.asarray(gallery_parts.tiles(made, [3, 43, 4, *range(100, 114)]), int)
    assert sheet.shape == (2 * 64, 16 * 64, 3)
    tiles = [sheet[32, 64 * i + 32] for i in range(16)]
    assert np.abs(tiles[0] - tiles[1]).max() < 4, "the same class"
    assert np.abs(tiles[0] - tiles[2]).max() > 8
    for wrong, words in (([], "1 to 256"), ([450], "no picture 450"), ([0] * 257, "not 257")):
        with pytest.raises(ValueError, match=words):
            gallery_parts.tiles(made, wrong)


@pytest.mark.usefixtures("quick_maps")
def test_embedding_writes_what_a_large_gallery_is_read_from(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("analysis.approximate", "analysis.projection"):
        monkeypatch.setattr(f"dino_core.{place}.EXACT_MOST", 20)
    for module in (folders, one_by_one, embedding):
        monkeypatch.setattr(module, "TILES_A_SIDE", 3)
    data = labelled_folder(tmp_path / "data")  # 24 pictures and a broken one
    store = GalleryFolder(build_gallery(data, tmp_path / "g", weights))
    assert len(store.listing()) == 24
    assert store.listing().names() == [name for name in store.pictures().names if "zz" not in name]
    for index in (0, 8, 9, 23):
        tile = np.asarray(gallery_parts.tiles(store.path, [index]), int)
        picture = store.one(index).picture(0)
        small = Image.fromarray(Preparation(28).pixels(picture, 14))
        expected = np.asarray(small.resize((64, 64), Image.Resampling.BICUBIC), int)
        assert np.abs(tile - expected).mean() < 6
        (store.path / "thumbs" / f"tiles-{index // 9}.bin").rename(tmp_path / "away")
        cut = np.asarray(gallery_parts.tiles(store.path, [index]), int)
        assert np.abs(cut - expected).mean() < 6, "of a gallery from before"
        (tmp_path / "away").rename(store.path / "thumbs" / f"tiles-{index // 9}.bin")


def test_a_reason_is_kept_where_a_graph_cannot_be_made(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Graph:
        raise RuntimeError("no compiler")

    monkeypatch.setattr("dino_core.gallery.neighbours.neighbour_graph", broken)
    make(GalleryFolder(made), "both", 1, "neighbours")
    with pytest.raises(ValueError, match="no compiler"):
        gallery_similarity.outliers(made, features="both", layer=1)


def test_drawn_rows_are_the_same_each_time_and_cluster() -> None:
    rows = clustered_rows(200, 16)
    np.testing.assert_array_equal(rows, clustered_rows(200, 16))
    x = approximate.unit(rows)
    near = (x @ x.T - 2 * np.eye(200)).argmax(1)
    assert (near % CLASSES == np.arange(200) % CLASSES).mean() > 0.9


def test_as_many_threads_as_there_are_may_be_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours.os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert [neighbours.threads_of(n) for n in (0, 1, 3, 4)] == [None, 1, 3, None]


def test_a_graph_is_there_once_all_of_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks meanwhile finds none, and the process makes it again."""
    store = GalleryFolder(write_gallery(tmp_path / "g", 60, 8))
    seen: list[bool] = []
    write = neighbours._write

    def watched(path: Path, array: np.ndarray) -> None:
        seen.append(store.stored("cls", 0, neighbours.METHOD) is None)
        write(path, array)

    monkeypatch.setattr(neighbours, "_write", watched)
    monkeypatch.setattr(neighbours, "neighbour_graph", exact_graph)
    neighbours.make_graph(store, "cls", 0, np.eye(60, 60, dtype=np.float32))
    assert seen == [True, True]
    assert store.stored("cls", 0, neighbours.METHOD) is not None


def test_what_breaks_off_leaves_the_rows_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others have them mapped from the disk meanwhile."""
    path = tmp_path / "rows.npy"
    neighbours._write(path, np.arange(5))

    def full(file: Any, array: np.ndarray) -> None:
        file.write(b"half")
        raise OSError("no space")

    monkeypatch.setattr(neighbours.np, "save", full)
    with pytest.raises(OSError, match="no space"):
        neighbours._write(path, np.arange(9))
    assert np.load(path).tolist() == [0, 1, 2, 3, 4]


def test_what_does_not_fit_together_is_damaged(tmp_path: Path) -> None:
    store = GalleryFolder(write_gallery(tmp_path / "g", 60, 8))
    assert [store.layer(layer) for layer in (None, 0, 1)] == [1, 0, 1]
    for layer in (-1, 2):
        with pytest.raises(ValueError, match="layers 0 to 1, and no layer"):
            store.layer(layer)
    facts = json.loads((store.path / "facts.json").read_text())
    for name in ("names", "labels", "splits"):
        shorter = facts | {name: facts[name][:-1]}
        (store.path / "facts.json").write_text(json.dumps(shorter))
        with pytest.raises(ValueError, match="is damaged: build the gallery again"):
            store.facts()
