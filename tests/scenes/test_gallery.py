"""What a page asks of a gallery, against brute force on the features that lie in the folder."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from alike import assert_same
from PIL import Image
from sklearn.metrics import adjusted_rand_score
from tiny_galleries import build_gallery, labelled_folder, tiny_weights
from tiny_runs import picture as noise

from dino_core.analysis import neighbours
from dino_core.gallery import folder as folders
from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.options import Options
from dino_core.images import open_picture
from dino_core.scenes import gallery, gallery_probes, gallery_similarity
from dino_core.scenes.packing import pack, plain


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 blue, 8 green, one broken, 8 red; a copy of one and a near copy of another."""
    root = labelled_folder(tmp_path_factory.mktemp("data"))
    shutil.copy(root / "red" / "03.png", root / "red" / "copy.png")
    with Image.open(root / "blue" / "02.png") as image:
        pixels = np.asarray(image).copy()
    pixels[0, 0] ^= 4
    Image.fromarray(pixels).save(root / "blue" / "near.png")
    return root


@pytest.fixture(scope="module")
def made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    def square(features: np.ndarray, start: np.ndarray, *_: object) -> np.ndarray:
        return (np.sign(start) * start**2).astype(np.float32)

    home = tmp_path_factory.mktemp("galleries")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dino_core.gallery.projection.umap_map", square)
        patch.setattr("dino_core.gallery.projection.tsne_map", square)
        yield build_gallery(data, home / "one", tiny_weights(home))


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "start_process", lambda *words: 1)


def unit(folder: Path, kind: str = "cls", layer: int | None = None) -> np.ndarray:
    x = GalleryFolder(folder).features(kind, layer)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_names(made: Path) -> None:
    one = gallery.names(made)
    assert len(one.names) == 26
    assert one.classes == ["blue", "green", "red"]
    assert [one.classes[label] for label in one.labels] == [n.split("/")[0] for n in one.names]
    assert one.splits == [""] * 26
    assert (one.layers, one.dim, one.grid, one.patch_pictures) == (3, 32, (2, 2), 26)
    assert (one.official, one.size, one.atlases, one.tile, one.columns) == (False, 28, 1, 64, 32)
    assert "26 pictures in 3 classes" in gallery.describe(made)
    assert one.known == "", "a file of one's own"
    samples = Path(__file__).resolve().parents[2] / "static" / "gallery"
    assert gallery.names(samples).known.startswith("Not the official DINOv2 weights")


def test_pictures_come_from_the_source(made: Path, data: Path) -> None:
    names = gallery.names(made).names
    for index in (0, 9, 17, 25):
        expected = open_picture(data / names[index])
        np.testing.assert_array_equal(gallery.picture(made, index), expected)
        name, content = gallery.picture_file(made, index)
        assert name == Path(names[index]).name
        assert_same(content, (data / names[index]).read_bytes())
        found = gallery.find(made, expected)
        assert found is not None
        assert names[found] == names[index] or "copy" in names[index]
    assert gallery.find(made, open_picture(noise(999))) is None
    assert gallery.find(made, "00") is None
    with pytest.raises(ValueError, match="no picture 26"):
        gallery.picture(made, 26)
    with pytest.raises(ValueError, match="no picture -1"):
        gallery.picture_file(made, -1)


def test_pictures_that_were_taken_away_are_said_to_be(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    config = json.loads((folder / "config.json").read_text())
    for data, words in (
        (tmp_path / "gone", "no longer there"),
        (tmp_path, "cannot be read|longer"),
    ):
        (folder / "config.json").write_text(json.dumps(config | {"data": str(data)}))
        for look in (gallery.picture, gallery.picture_file):
            with pytest.raises(ValueError, match=words):
                look(folder, 0)


def test_the_pca_map_is_that_of_the_features(made: Path) -> None:
    got = gallery.points(made)
    assert (got.features, got.layer, got.method) == ("cls", 2, "pca")
    x = unit(made)
    x = x - x.mean(0)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    scores = u[:, :2] * s[:2]
    assert got.facts["explained"] == pytest.approx((s[:2] ** 2 / (s**2).sum()).tolist(), rel=1e-3)
    distances = np.linalg.norm(got.xy[:, None] - got.xy[None], axis=-1)
    expected = np.linalg.norm(scores[:, None] - scores[None], axis=-1)
    np.testing.assert_allclose(
        distances / distances.max(), expected / expected.max(), atol=1e-3
    )  # the same shape, whichever way it is turned
    assert got.xy.dtype == np.float32
    assert np.abs(got.xy).max() == pytest.approx(1)


def test_maps_are_turned_onto_each_other(made: Path) -> None:
    first = gallery.points(made).xy
    for layer, kind, method in ((0, "cls", "pca"), (1, "both", "pca"), (2, "cls", "umap")):
        second = gallery.points(made, kind, layer, method).xy
        x, y = first - first.mean(0), second - second.mean(0)
        best = np.linalg.svd(y.T @ x)[1].sum()  # of all turns and mirror images
        assert (x * y).sum() == pytest.approx(best, rel=1e-3)


def test_two_models_can_be_laid_over_each_other(
    made: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dino_core.gallery.build.make", lambda *_: None)
    monkeypatch.setattr("dino_core.gallery.probes.probe_layers", lambda store: iter(()))
    other = build_gallery(data, tmp_path / "two", tiny_weights(tmp_path, 1))
    turned = gallery.points(other, like=made).xy
    first, alone = gallery.points(made).xy, gallery.points(other).xy
    x, y = first - first.mean(0), turned - turned.mean(0)
    assert (x * y).sum() == pytest.approx(np.linalg.svd(y.T @ x)[1].sum(), rel=1e-3)
    assert not np.allclose(turned, alone)


def test_a_map_that_is_not_there_is_asked_for(made: Path) -> None:
    with pytest.raises(gallery.NotReady) as waiting:
        gallery.points(made, "both", 0, "tsne")
    assert "background" in waiting.value.words
    store = GalleryFolder(made)
    assert store.requests() == [("both", 0, "tsne")]
    store.forget_request("both", 0, "tsne")
    with pytest.raises(ValueError, match="not 'magic'"):
        gallery.points(made, "magic")  # type: ignore[arg-type]


def test_kmeans_parts_as_well_as_scikit_learn(made: Path) -> None:
    from sklearn.cluster import KMeans

    got = gallery_similarity.clusters(made)
    x = unit(made)
    peer = KMeans(3, n_init=10, random_state=0).fit(x)
    inertia = sum(
        np.square(x[got.labels == i] - x[got.labels == i].mean(0)).sum() for i in range(3)
    )
    assert inertia <= peer.inertia_ * 1.02
    assert got.sizes == np.bincount(got.labels).tolist() == sorted(got.sizes, reverse=True)
    truth = gallery.names(made).labels
    assert got.facts["agreement"] == pytest.approx(adjusted_rand_score(truth, got.labels))
    assert len(gallery_similarity.clusters(made, k=5, features="both", layer=0).sizes) == 5
    np.testing.assert_array_equal(gallery_similarity.clusters(made).labels, got.labels)
    for k in (0, 27):
        with pytest.raises(ValueError, match="1 to 26 clusters"):
            gallery_similarity.clusters(made, k=k)


def test_hdbscan_comes_from_the_process(made: Path) -> None:
    got = gallery_similarity.clusters(made, "hdbscan")
    assert got.labels.shape == (26,)
    assert got.facts["noise"] == (got.labels < 0).sum()
    with pytest.raises(gallery.NotReady):
        gallery_similarity.clusters(made, "hdbscan", layer=0)
    GalleryFolder(made).forget_request("cls", 0, "hdbscan")


@pytest.mark.parametrize("kind", ["cls", "both"])
def test_neighbours_are_exact(made: Path, kind: str) -> None:
    x = unit(made, kind, 1)
    labels = gallery.names(made).labels
    for index in (0, 13, 25):
        got = gallery_similarity.neighbours(made, index, 7, kind, 1)  # type: ignore[arg-type]
        similarity = x @ x[index]
        similarity[index] = -9
        np.testing.assert_allclose(got.similarities, np.sort(similarity)[::-1][:7], atol=1e-5)
        np.testing.assert_allclose(similarity[got.indices], got.similarities, atol=1e-5)
        weights = np.bincount(labels[got.indices], np.exp(got.similarities / 0.07), 3)
        shares = dict(got.votes)
        for label, weight in zip(("blue", "green", "red"), weights, strict=True):
            assert shares.get(label, 0) == pytest.approx(weight / weights.sum(), abs=1e-3)
        assert got.votes == sorted(got.votes, key=lambda vote: -vote[1])
    assert len(gallery_similarity.neighbours(made, 0, 1000).indices) == 25


@pytest.mark.parametrize("per_picture", [1, 2, None])
def test_similar_patches_are_the_best_of_all(
    made: Path, per_picture: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "PICTURES_AT_ONCE", 4)
    patches = GalleryFolder(made).array("patches").astype(np.float32)
    got = gallery_similarity.similar_patches(made, 4, 1, 0, 9, per_picture)
    similarity = patches @ patches[4, 2]  # [26, 4]
    expected = []
    for i, row in enumerate(similarity):
        best = sorted(((value, i, j) for j, value in enumerate(row)), reverse=True)
        expected += [] if i == 4 else best[:per_picture]
    expected = sorted(expected, reverse=True)[:9]
    np.testing.assert_allclose(got.similarities, [one[0] for one in expected], atol=1e-3)
    for i, row, column, value in zip(
        got.indices, got.rows, got.columns, got.similarities, strict=True
    ):
        assert similarity[i, 2 * row + column] == pytest.approx(value, abs=1e-3)
    assert 4 not in got.indices
    assert (got.searched, got.total, got.words) == (26, 26, "")
    with pytest.raises(ValueError, match="no patch 2,0"):
        gallery_similarity.similar_patches(made, 4, 2, 0)


def test_patches_that_were_not_kept_are_said(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    facts = json.loads((folder / "facts.json").read_text())
    (folder / "facts.json").write_text(json.dumps(facts | {"patch_pictures": 10}))
    got = gallery_similarity.similar_patches(folder, 3, 0, 0, 50)
    assert len(got.indices) == 9
    assert got.words.startswith("Searched were the first 10 of 26")
    with pytest.raises(ValueError, match="the first 10 pictures"):
        gallery_similarity.similar_patches(folder, 10, 0, 0)


def test_odd_ones_and_doubles(made: Path) -> None:
    x = unit(made)
    similarity = x @ x.T - 9 * np.eye(26)
    got = gallery_similarity.outliers(made, 5)
    np.testing.assert_allclose(got.scores, 1 - np.sort(similarity, 1)[:, -5:].mean(1), atol=1e-5)
    assert got.scores[got.order].tolist() == sorted(got.scores.tolist(), reverse=True)
    names = gallery.names(made).names
    doubles = gallery_similarity.near_duplicates(made, 0.9999)
    found = {
        (names[i], names[j]): bool(same)
        for (i, j), same in zip(doubles.pairs, doubles.same, strict=True)
    }
    assert found["red/03.png", "red/copy.png"]
    assert found["blue/02.png", "blue/near.png"] is False
    assert gallery_similarity.near_duplicates(made, 0.5, most=3).words.startswith(
        "The 3 most similar of"
    )


def test_probes_and_their_mistakes(made: Path) -> None:
    probe = gallery_probes.probe(made)
    assert probe.accuracy.shape == probe.low.shape == probe.high.shape == (3, 3, 2)
    assert probe.complete
    assert probe.pictures == 26
    assert probe.chance == pytest.approx(9 / 26)
    truth = gallery.names(made).labels
    for layer in range(3):
        for i, kind in enumerate(probe.kinds):
            for j, method in enumerate(probe.methods):
                got = gallery_probes.predictions(made, layer, kind, method)  # type: ignore[arg-type]
                accuracy = (got.labels == truth).mean()
                assert accuracy == pytest.approx(probe.accuracy[layer, i, j], abs=1e-6)
                assert sorted(got.mistakes) == (got.labels != truth).nonzero()[0].tolist()
                assert (np.diff(got.confidence[got.mistakes]) <= 0).all()
                assert ((got.confidence > 0) & (got.confidence <= 1)).all()


def test_what_can_be_taken_along(made: Path) -> None:
    xy = gallery.points(made).xy
    rows = list(csv.DictReader(io.StringIO(gallery.export_csv(made))))
    assert len(rows) == 26
    for index, row in enumerate(rows):
        assert int(row["index"]) == index
        assert row["name"] == gallery.names(made).names[index]
        assert row["class"] == row["name"].split("/")[0]
        assert [float(row["x"]), float(row["y"])] == pytest.approx(xy[index].tolist(), abs=1e-5)
    some = list(csv.DictReader(io.StringIO(gallery.export_csv(made, selection=[7, 3]))))
    assert [row["index"] for row in some] == ["7", "3"]
    with pytest.raises(ValueError, match="no picture 99"):
        gallery.export_csv(made, selection=[99])
    assert gallery._cell("=1+1") == "'=1+1"
    words = gallery.command_of(made, "my pictures.zip")
    assert words.startswith("python -m dino_core gallery 'my pictures.zip' --output")
    assert "--size 28" in words


def test_everything_can_be_sent(made: Path) -> None:
    for scene in (
        gallery.names(made),
        gallery.points(made),
        gallery_similarity.clusters(made),
        gallery_similarity.neighbours(made, 0),
        gallery_similarity.similar_patches(made, 0, 0, 0),
        gallery_similarity.outliers(made),
        gallery_similarity.near_duplicates(made),
        gallery_probes.probe(made),
        gallery_probes.predictions(made),
    ):
        assert pack(scene)
        json.dumps(plain(scene))


def test_a_gallery_that_is_not_there_yet(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no gallery"):
        gallery.state_of(tmp_path)
    store = GalleryFolder(tmp_path / "new")
    store.create(str(data), Options())
    with store.locked():
        store.put_state(state="embedding", words="10 of 40 pictures.", done=10, total=40)
        with pytest.raises(gallery.NotReady) as waiting:
            gallery.names(store.path)
        assert waiting.value.words == "10 of 40 pictures."
        assert waiting.value.progress == 0.25
    with pytest.raises(ValueError, match="without a word"):
        gallery.points(store.path)
