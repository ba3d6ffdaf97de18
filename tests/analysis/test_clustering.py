"""analysis/clustering.py: groups that are there are found, numbered by size, the same each time."""

import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from dino_core.analysis import clustering
from dino_core.analysis.clustering import agreement, by_size, hdbscan, kmeans, same_numbers


def points_of(n: int, D: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, D)).astype(np.float32)


def blobs(sizes: list[int], D: int = 12, spread: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Well parted groups far from the origin, shuffled, and whose each point is."""
    draw = np.random.default_rng(1)
    centres = draw.normal(size=(len(sizes), D)) * 3 + 20
    labels = draw.permutation(np.repeat(np.arange(len(sizes)), sizes))
    points = centres[labels] + spread * draw.normal(size=(len(labels), D))
    return points.astype(np.float32), labels


@pytest.mark.parametrize("k", [2, 5, 9])
def test_as_good_as_the_best_of_many_restarts(k: int) -> None:
    points = points_of(200, 6, 3)
    best = KMeans(k, n_init=50, random_state=0).fit(points)
    ours = kmeans(points, k, 0, restarts=20)
    assert ours.inertia <= best.inertia_ * 1.02
    total = np.square(points - points.mean(0)).sum()
    assert ours.explained == pytest.approx(1 - ours.inertia / total, abs=1e-6)


def test_groups_are_found_and_numbered_by_size() -> None:
    points, truth = blobs([20, 50, 10, 35])
    ours = kmeans(points, 4, 0)
    assert adjusted_rand_score(truth, ours.labels) == 1
    assert ours.sizes.tolist() == [50, 35, 20, 10]
    assert [int(truth[ours.labels == i][0]) for i in range(4)] == [1, 3, 0, 2]
    for i in range(4):
        np.testing.assert_allclose(ours.centres[i], points[ours.labels == i].mean(0), rtol=1e-5)


@pytest.mark.parametrize("rows", [7, 4096])
def test_inertia_by_plain_loops(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(clustering, "ROWS", rows)
    points = points_of(40, 3, 5) + 7
    ours = kmeans(points, 3, 0)
    total = sum(
        float(np.square(x.astype(float) - ours.centres[label]).sum())
        for x, label in zip(points, ours.labels, strict=True)
    )
    assert ours.inertia == pytest.approx(total, rel=1e-9)
    for x, label in zip(points, ours.labels, strict=True):  # each with its nearest
        assert np.square(ours.centres - x).sum(1).argmin() == label


def test_the_seed_decides_and_nothing_else() -> None:
    points = points_of(3000, 8, 6)
    np.random.seed(5)
    one = kmeans(points, 7, 4)
    np.random.seed(6)
    two = kmeans(points, 7, 4)
    np.testing.assert_array_equal(one.labels, two.labels)
    np.testing.assert_array_equal(one.centres, two.centres)
    others = [kmeans(points, 7, seed, restarts=1).inertia for seed in range(5)]
    assert len(set(others)) > 1, "the seed matters"


def test_fewer_different_features_than_clusters() -> None:
    points = np.array([[1.0, 0.0]] * 6 + [[0.0, 1.0]] * 3, np.float32)
    ours = kmeans(points, 5, 0)
    assert ours.sizes.tolist() == [6, 3]
    assert ours.labels.tolist() == [0] * 6 + [1] * 3
    assert (ours.inertia, ours.explained) == pytest.approx((0, 1), abs=1e-9)
    constant = kmeans(np.full((9, 4), 0.3, np.float32), 3, 0)
    assert constant.sizes.tolist() == [9]
    assert constant.explained == pytest.approx(1)


def test_one_cluster_and_one_for_each() -> None:
    points = points_of(8, 3)
    assert kmeans(points, 1, 0).explained == pytest.approx(0, abs=1e-7)
    assert sorted(kmeans(points, 8, 0).labels.tolist()) == list(range(8))


@pytest.mark.parametrize("k", [0, 9, -1])
def test_impossible_counts_are_refused_in_words(k: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 8 clusters, not {k}"):
        kmeans(np.zeros((8, 2), np.float32), k, 0)


def test_not_a_number_is_refused_in_words() -> None:
    points = np.ones((8, 2), np.float32)
    points[3, 1] = np.nan
    with pytest.raises(ValueError, match="not a number"):
        kmeans(points, 2, 0)


# --- HDBSCAN


def test_groups_and_noise() -> None:
    draw = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [40, 25, 15])
    axes = np.eye(60)
    points = axes[59] + 0.5 * axes[truth] + 0.02 * draw.normal(size=(80, 60))
    lonely = -axes[59] + 0.5 * axes[10:14]  # far from all, and too few to be a group
    labels = hdbscan(np.concatenate([points, lonely]).astype(np.float32), 5)
    assert labels.dtype == np.int32
    assert adjusted_rand_score(truth, labels[:80]) > 0.95
    assert (labels[80:] == -1).all()
    assert np.bincount(labels[labels >= 0]).tolist() == sorted(
        np.bincount(labels[labels >= 0]).tolist(), reverse=True
    )


def test_the_largest_comes_first_equal_ones_as_they_are_met_and_noise_stays() -> None:
    labels, order = by_size(np.array([2, -1, 0, 0, 2, 1, 0]))
    assert (labels.tolist(), order.tolist()) == ([1, -1, 0, 0, 1, 2, 0], [0, 2, 1])
    labels, order = by_size(np.array([3, 1, 1, 3, 0]))
    assert (labels.tolist(), order.tolist()) == ([0, 1, 1, 0, 2], [3, 1, 0])
    assert by_size(np.array([-1, -1]))[0].tolist() == [-1, -1]


def test_limits_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="at least 10 pictures here, there are 9"):
        hdbscan(np.eye(9, dtype=np.float32), 5)
    monkeypatch.setattr(clustering, "HDBSCAN_MOST", 20)
    with pytest.raises(ValueError, match="use k-means"):
        hdbscan(np.eye(21, dtype=np.float32), 5)


def test_agreement_is_one_for_the_same_and_nothing_without_classes() -> None:
    assert agreement(np.array([0, 0, 1, 2]), np.array([5, 5, 3, -1])) == 1
    assert agreement(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])) < 0.1
    assert agreement(np.array([0, 1]), np.array([-1, -1])) is None
    labels, classes = np.array([0, 0, 1, 1, 2, 2, 0]), np.array([0, 0, 0, 1, 1, 1, -1])
    expected = adjusted_rand_score(classes[:6], labels[:6])
    assert agreement(labels, classes) == pytest.approx(expected)
    assert 0 < expected < 1


def test_torch_is_not_loaded() -> None:
    code = "import sys, dino_core.analysis.clustering; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("seed", range(5))
def test_clusters_keep_their_numbers_as_well_as_any_renaming_could(seed: int) -> None:
    draw = np.random.default_rng(seed)
    reference = draw.integers(0, 4, 60)
    labels = np.where(draw.random(60) < 0.6, (reference + 1) % 4, draw.integers(0, 4, 60))
    order = same_numbers(reference, labels)
    assert sorted(order) == [0, 1, 2, 3]
    best = max((np.array(names)[labels] == reference).sum() for names in permutations(range(4)))
    assert (order[labels] == reference).sum() == best


def test_clusters_without_a_partner_get_free_numbers() -> None:
    reference = np.array([0, 0, 0, 1, 1, -1])
    labels = np.array([1, 1, 2, 0, 0, 0])
    assert same_numbers(reference, labels).tolist() == [1, 0, 2]
    assert same_numbers(labels, reference).tolist() == [1, 0]
    assert same_numbers(np.array([-1, -1]), np.array([0, 1])).tolist() == [0, 1]
