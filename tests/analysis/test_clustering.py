import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from dino_core.analysis.clustering import by_size, kmeans, lloyd, plus_plus


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blobs(sizes: list[int], D: int = 12, spread: float = 0.3) -> tuple[Tensor, Tensor]:
    """Well parted groups far from the origin, shuffled, and whose each point is."""
    generator = seeded(1)
    centres = torch.randn(len(sizes), D, generator=generator) * 3 + 20
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    points = centres[labels] + spread * torch.randn(len(labels), D, generator=generator)
    order = torch.randperm(len(labels), generator=generator)
    return points[order], labels[order]


def test_lloyd_equals_sklearn_from_the_same_start() -> None:
    points = torch.randn(150, 5, generator=seeded()).double()
    start = points[:6].clone()
    theirs = KMeans(6, init=start.numpy(), n_init=1, tol=0, algorithm="lloyd").fit(points.numpy())
    labels, centres, inertia = lloyd(points, start)
    assert labels.tolist() == theirs.labels_.tolist()
    np.testing.assert_allclose(centres, theirs.cluster_centers_, atol=1e-9)
    assert inertia == pytest.approx(theirs.inertia_)


@pytest.mark.parametrize("k", [2, 5, 9])
def test_as_good_as_sklearn_with_more_restarts(k: int) -> None:
    points = torch.randn(200, 6, generator=seeded(3))
    theirs = KMeans(k, n_init=20, random_state=0).fit(points.numpy())
    ours = kmeans(points, k, seeded(), restarts=20)
    assert ours.inertia <= theirs.inertia_ * 1.02
    total = (points - points.mean(0)).square().sum().item()
    assert ours.explained == pytest.approx(1 - ours.inertia / total, abs=1e-6)


def test_groups_are_found_and_numbered_by_size() -> None:
    points, truth = blobs([20, 50, 10, 35])
    ours = kmeans(points, 4, seeded())
    assert adjusted_rand_score(truth.numpy(), ours.labels.numpy()) == 1
    assert ours.sizes.tolist() == [50, 35, 20, 10]
    assert [int(truth[ours.labels == i][0]) for i in range(4)] == [1, 3, 0, 2]
    for i in range(4):
        torch.testing.assert_close(ours.centres[i], points[ours.labels == i].mean(0))


def test_inertia_by_plain_loops() -> None:
    points = torch.randn(40, 3, generator=seeded(5)) + 7
    ours = kmeans(points, 3, seeded())
    total = sum(
        float((points[i].double() - ours.centres[ours.labels[i]].double()).square().sum())
        for i in range(40)
    )
    assert ours.inertia == pytest.approx(total, rel=1e-5)
    for i in range(40):  # each with its nearest
        distances = (ours.centres - points[i]).square().sum(1)
        assert distances.argmin() == ours.labels[i]


def test_the_seed_decides_and_nothing_else() -> None:
    points = torch.randn(120, 8, generator=seeded(6))
    before = torch.get_rng_state()
    one, two = kmeans(points, 7, seeded(4)), kmeans(points, 7, seeded(4))
    assert torch.equal(one.labels, two.labels)
    assert torch.equal(one.centres, two.centres)
    others = [kmeans(points, 7, seeded(s), restarts=1).inertia for s in range(5)]
    assert len(set(others)) > 1, "the seed matters"
    assert torch.equal(torch.get_rng_state(), before)


def test_the_first_centre_is_any_point_the_next_ones_are_far() -> None:
    points = torch.cat([torch.zeros(50, 2), torch.full((1, 2), 100.0)])
    for seed in range(5):
        centres = plus_plus(points, 2, seeded(seed))
        assert sorted(centres[:, 0].tolist()) == [0, 100]


def test_fewer_different_features_than_clusters() -> None:
    points = torch.tensor([[1.0, 0.0]] * 6 + [[0.0, 1.0]] * 3)
    ours = kmeans(points, 5, seeded())
    assert ours.sizes.tolist() == [6, 3]
    assert ours.labels.tolist() == [0] * 6 + [1] * 3
    assert (ours.inertia, ours.explained) == pytest.approx((0, 1), abs=1e-9)
    constant = kmeans(torch.full((9, 4), 0.3), 3, seeded())
    assert constant.sizes.tolist() == [9]
    assert constant.explained == 1


def test_one_cluster_and_one_for_each() -> None:
    points = torch.randn(8, 3, generator=seeded())
    assert kmeans(points, 1, seeded()).explained == pytest.approx(0, abs=1e-7)
    assert sorted(kmeans(points, 8, seeded()).labels.tolist()) == list(range(8))


def test_equal_sizes_are_numbered_by_first_member() -> None:
    labels, order = by_size(torch.tensor([3, 1, 1, 3, 0]), 5)
    assert labels.tolist() == [0, 1, 1, 0, 2]
    assert order.tolist() == [3, 1, 0]


@pytest.mark.parametrize("k", [0, 9, -1])
def test_impossible_counts_are_refused_in_words(k: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 8 clusters, not {k}"):
        kmeans(torch.zeros(8, 2), k, seeded())


def test_not_a_number_is_refused_in_words() -> None:
    points = torch.ones(8, 2)
    points[3, 1] = float("nan")
    with pytest.raises(ValueError, match="not a number"):
        kmeans(points, 2, seeded())
