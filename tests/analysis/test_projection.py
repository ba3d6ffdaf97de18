"""analysis/projection.py: maps against linear algebra and scikit-learn, laid over each other."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as peer_trust

from dino_core.analysis import projection
from dino_core.analysis.approximate import Graph, Recall
from dino_core.analysis.projection import (
    into_square,
    pca_scores,
    procrustes,
    trustworthiness,
    tsne_map,
    umap_map,
)


def cloud(n: int, D: int, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (draw.normal(size=(n, D)) * np.arange(D, 0, -1) + 3).astype(np.float32)


@pytest.mark.parametrize(("n", "D"), [(50, 6), (6, 50)])
def test_pca_keeps_as_much_variance_as_can_be_kept(n: int, D: int) -> None:
    points = cloud(n, D)
    scores, ratio = pca_scores(points)
    values = np.linalg.svd(points - points.mean(0), compute_uv=False) ** 2
    np.testing.assert_allclose(ratio, values[:2] / values.sum(), rtol=1e-4)
    np.testing.assert_allclose((scores**2).sum(0), values[:2], rtol=1e-3)
    peer = PCA(2).fit_transform(points)
    np.testing.assert_allclose(np.abs(scores), np.abs(peer), atol=1e-2)


def test_pca_of_next_to_nothing() -> None:
    assert pca_scores(cloud(1, 5))[0].tolist() == [[0, 0]]
    scores, ratio = pca_scores(cloud(2, 5))
    assert (scores[:, 1] == 0).all()
    assert ratio.tolist() == pytest.approx([1, 0])
    same, ratio = pca_scores(np.ones((7, 5), np.float32))
    assert not same.any()
    assert not ratio.any()


@pytest.mark.parametrize("mirrored", [False, True])
def test_procrustes_undoes_a_turn_and_a_mirror_image(mirrored: bool) -> None:
    reference = cloud(30, 2)
    angle = 2.1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn @ np.diag([1, -1]) if mirrored else turn
    R = procrustes(reference @ turn + [5, -3], reference)
    np.testing.assert_allclose(R, turn.T, atol=1e-6)
    np.testing.assert_allclose(R @ R.T, np.eye(2), atol=1e-9)


def test_procrustes_is_the_best_of_many_turns() -> None:
    x, y = cloud(30, 2, 1), cloud(30, 2, 2)
    x, y = x - x.mean(0), y - y.mean(0)
    best = np.square(x @ procrustes(x, y) - y).sum()
    for angle in np.linspace(0, 2 * np.pi, 100):
        for sign in (1, -1):
            c, s = np.cos(angle), np.sin(angle)
            turn = np.array([[c, -s * sign], [s, c * sign]])
            assert best <= np.square(x @ turn - y).sum() + 1e-6


def test_the_square_holds_the_map_without_stretching_it() -> None:
    xy = cloud(40, 2)
    got = into_square(xy)
    assert np.abs(got).max() == pytest.approx(1)
    ratio = np.ptp(xy, axis=0)[0] / np.ptp(xy, axis=0)[1]
    assert np.ptp(got, axis=0)[0] / np.ptp(got, axis=0)[1] == pytest.approx(ratio, rel=1e-4)
    assert into_square(np.ones((3, 2))).tolist() == [[0, 0]] * 3


@pytest.mark.slow
def test_tsne_parts_what_is_parted_and_comes_back_the_same() -> None:
    points = cloud(60, 10)
    points[30:] += 200
    start = pca_scores(points)[0]
    xy = tsne_map(points, start, 5, seed=3)
    assert xy.shape == (60, 2)
    assert trustworthiness(points[:, :2] - 100, xy) is not None
    np.testing.assert_array_equal(xy, tsne_map(points, start, 5, seed=3))
    left, right = xy[:30].mean(0), xy[30:].mean(0)
    nearer = np.linalg.norm(xy - left, axis=1) < np.linalg.norm(xy - right, axis=1)
    assert nearer.tolist() == [True] * 30 + [False] * 30
    assert tsne_map(points[:4], start[:4]).shape == (4, 2)


def test_tsne_says_where_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="at least 4 pictures, there are 3"):
        tsne_map(cloud(3, 5), cloud(3, 2))
    monkeypatch.setattr(projection, "TSNE_MOST", 10)
    with pytest.raises(ValueError, match="use UMAP"):
        tsne_map(cloud(11, 5), cloud(11, 2))


def test_trustworthiness_is_that_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    points = cloud(80, 5)
    xy = pca_scores(points)[0]
    expected = peer_trust(points, xy, n_neighbors=10, metric="cosine")
    assert trustworthiness(points, xy) == pytest.approx(expected)
    assert trustworthiness(points[:20], xy[:20]) is None
    monkeypatch.setattr(projection, "JUDGED", 60)
    some = trustworthiness(points, xy)
    assert some == trustworthiness(points, xy)
    assert some == pytest.approx(expected, abs=0.1)


# --- UMAP takes a minute to import the first time: one slow test, the rest is refused before that


def groups(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Three groups of directions, and whose each is."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), n)
    points = np.eye(3, 12)[labels] + 0.05 * generator.normal(size=(3 * n, 12))
    return points.astype(np.float32), labels


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_groups_stay_together_and_the_seed_decides() -> None:
    points, labels = groups()
    start = points[:, :2]
    one, two = (umap_map(points, start, neighbours=10, seed=3) for _ in range(2))
    assert one.shape == (120, 2)
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, umap_map(points, start, neighbours=10, seed=4))
    distances = np.linalg.norm(one[:, None] - one, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(1)] == labels).all()


@pytest.mark.parametrize(
    ("n", "options", "words"),
    [
        (3, {}, "at least 4"),
        (20, {"neighbours": 1}, "2 to 200"),
        (20, {"neighbours": 999}, "2 to 200"),
        (20, {"min_distance": 2}, "from 0 to 1"),
    ],
)
def test_umap_refuses_in_words(n: int, options: dict, words: str) -> None:
    points = np.ones((n, 5), dtype=np.float32)
    with pytest.raises(ValueError, match=words):
        umap_map(points, points[:, :2], **options)


def test_neither_torch_nor_umap_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, dino_core.analysis.projection as it\n"
        "print({'torch', 'umap', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_in_slices_the_map_is_the_same_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gallery that grows past the limit does not turn over."""
    points = np.random.default_rng(3).normal(size=(50, 6)).astype(np.float32) * [5, 3, 2, 1, 1, 1]
    whole, _ = projection.pca_scores(points, 3)
    monkeypatch.setattr(projection, "EXACT_MOST", 10)
    np.testing.assert_allclose(projection.pca_scores(points, 3)[0], whole, atol=1e-3)


def test_umap_is_told_how_far_neighbours_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 - cosine, itself first; the index is asked for nothing."""
    told: dict[str, Any] = {}

    def model(**options: Any) -> Any:
        told.update(options)
        return SimpleNamespace(fit_transform=lambda start: start)

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=model))
    alike = np.array([[0.9, 0.5, 0.1], [1.0001, 0.2, -1.0]], np.float32)
    near = np.array([[1, 5, 6], [0, 7, 8]], np.int32)
    graph = Graph(near, alike, Recall(1.0, 2, 3))
    projection.umap_of_graph(graph, np.zeros((2, 2)), neighbours=3, seed=4)
    indices, distances = told["precomputed_knn"]
    assert indices.tolist() == [[0, 1, 5], [1, 0, 7]]
    np.testing.assert_allclose(distances, [[0, 0.1, 0.5], [0, 0, 0.8]], atol=1e-6)
    assert told["init"].dtype == np.float32
    plain = {name: told[name] for name in told if name not in ("init", "precomputed_knn")}
    assert plain == {
        "n_neighbors": 3,
        "min_dist": 0.1,
        "metric": "cosine",
        "random_state": 4,
        "n_jobs": 1,
    }


@pytest.mark.parametrize(("n", "wanted"), [(9, 8), (40, 20)])
def test_umap_of_features_is_told_what_was_chosen(
    n: int, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few points have few neighbours; it begins where it is told."""
    told: dict[str, Any] = {}

    def model(**options: Any) -> Any:
        told.update(options)
        return SimpleNamespace(fit_transform=lambda features: features[:, :2] + 1)

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=model))
    points, start = cloud(n, 6), cloud(n, 2).astype(np.float64)
    found = projection.umap_map(points, start, 20, 0.25, 7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, points[:, :2] + 1, rtol=1e-6)
    np.testing.assert_allclose(told.pop("init"), start.astype(np.float32))
    assert told == {
        "n_neighbors": wanted,
        "min_dist": 0.25,
        "metric": "cosine",
        "random_state": 7,
        "n_jobs": 1,
    }
    projection.umap_map(points, start)
    assert (told["n_neighbors"], told["min_dist"], told["random_state"]) == (min(15, n - 1), 0.1, 0)
    projection.warm_up()
    assert told["init"].shape == (64, 2)


@pytest.mark.parametrize(
    ("neighbours", "distance", "fine"),
    [
        (2, 0, True),
        (1, 0, False),
        (200, 1, True),
        (201, 1, False),
        (9, -0.1, False),
        (9, 1.1, False),
    ],
)
def test_limits_of_umap(
    neighbours: int, distance: float, fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = SimpleNamespace(fit_transform=lambda features: features[:, :2])
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=lambda **_: made))
    points = cloud(4, 3)
    if fine:
        assert projection.umap_map(points, points[:, :2], neighbours, distance).shape == (4, 2)
        return
    with pytest.raises(ValueError, match="UMAP"):
        projection.umap_map(points, points[:, :2], neighbours, distance)


@pytest.mark.parametrize(("n", "perplexity"), [(7, 2), (200, 30)])
def test_tsne_starts_small_from_the_map_it_is_given(
    n: int, perplexity: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the main components, the first axis 0.0001 wide; few points have few neighbours."""
    told: dict[str, Any] = {}

    def model(**options: Any) -> Any:
        told.update(options)
        return SimpleNamespace(fit_transform=lambda reduced: told.update(of=reduced) or reduced)

    monkeypatch.setattr("sklearn.manifold.TSNE", model)
    points, start = cloud(n, 60), cloud(n, 2)
    tsne_map(points, start, seed=4)
    assert (told["random_state"], told["perplexity"]) == (4, perplexity)
    assert told["init"][:, 0].std() == pytest.approx(1e-4, rel=1e-5)
    np.testing.assert_allclose(told["init"] * start[:, 0].std(), start * 1e-4, rtol=1e-4)
    assert told["of"].shape == (n, min(50, n - 1))
