"""analysis/neighbours.py against loops and scikit-learn, in slices and at once."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from tiny_features import cosine, features

from dino_core.analysis import neighbours
from dino_core.analysis.neighbours import (
    near_duplicates,
    nearest,
    nearest_patches,
    outlier_scores,
)


@pytest.fixture(autouse=True, params=[7, 1024])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "ROWS", request.param)


def test_nearest_are_those_of_scikit_learn() -> None:
    base, queries = features(60, 0)[0], features(25, 1)[0]
    values, found = nearest(queries, base, 9)
    peer = NearestNeighbors(n_neighbors=9, metric="cosine", algorithm="brute").fit(base.numpy())
    distances, expected = peer.kneighbors(queries.numpy())
    assert found.tolist() == expected.tolist()
    np.testing.assert_allclose(values, 1 - distances, atol=1e-5)


def test_nobody_is_their_own_neighbour() -> None:
    base = features(30, 0)[0]
    values, found = nearest(base, base, 29, themselves=True)
    assert all(sorted([i, *row]) == list(range(30)) for i, row in enumerate(found.tolist()))
    assert (values.diff(dim=1) <= 0).all()
    assert nearest(base, base, 100, themselves=True)[0].shape == (30, 29)
    assert nearest(base[:2], base, 100)[0].shape == (2, 30)


def test_outliers_are_far_from_their_nearest() -> None:
    base = features(40, 5)[0]
    got = outlier_scores(base, 6)
    for i, x in enumerate(base):
        best = sorted((cosine(x, y) for j, y in enumerate(base) if j != i), reverse=True)[:6]
        assert got[i].item() == pytest.approx(1 - sum(best) / 6, abs=1e-5)
    assert outlier_scores(base[:1]).tolist() == [0]
    assert outlier_scores(base[:2]).tolist() == pytest.approx([1 - cosine(base[0], base[1])] * 2)
    assert outlier_scores(base[:0]).tolist() == []
    assert len(outlier_scores(base[:3], 10)) == 3


def test_near_duplicates_are_all_pairs_above_the_threshold() -> None:
    base = features(40, 6)[0]
    base[33] = 2 * base[5]  # the same direction
    base[12] = base[30]
    expected = {
        (i, j): cosine(base[i], base[j])
        for i in range(40)
        for j in range(i + 1, 40)
        if cosine(base[i], base[j]) >= 0.8
    }
    pairs, values, total = near_duplicates(base, 0.8)
    assert {(i, j) for i, j in pairs.tolist()} == set(expected)
    assert total == len(expected) > 5
    assert (values.diff() <= 0).all()
    assert values.max() <= 1
    for (i, j), value in zip(pairs.tolist(), values.tolist(), strict=True):
        assert value == pytest.approx(expected[i, j], abs=1e-5)
    assert {(i, j) for i, j in pairs[:2].tolist()} == {(5, 33), (12, 30)}
    few, _, total = near_duplicates(base, 0.8, most=2)
    assert (few.tolist(), total) == (pairs[:2].tolist(), len(expected))
    assert near_duplicates(base[:1], 0.5)[0].shape == (0, 2)


def test_lengths_of_half_precision_are_those_of_single() -> None:
    """The squares of features beyond 256 have no place in float16."""
    base = (300 * features(40, 0)[0]).half()
    values, found = nearest(base[:5], base, 4)
    expected = nearest(base[:5].double(), base.double(), 4)
    torch.testing.assert_close(values, expected[0])
    assert found.tolist() == expected[1].tolist()
    pairs, alike, total = near_duplicates(base, 0.9)
    wanted = near_duplicates(base.float(), 0.9)
    assert (pairs.tolist(), total) == (wanted[0].tolist(), wanted[2])
    torch.testing.assert_close(alike, wanted[1])


@pytest.mark.parametrize("per_picture", [None, 1, 2])
def test_similar_patches_are_those_of_a_loop_over_other_pictures(
    per_picture: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "PICTURES_AT_ONCE", 2)
    patches = torch.nn.functional.normalize(features(5 * 6, 3)[0], dim=1).half()
    patches = patches.unflatten(0, (5, 6)).numpy()  # [n, P, D]
    query = patches[1, 4].astype(float)
    found = {(i, j): float(query @ patches[i, j]) for i in (0, 2, 3, 4) for j in range(6)}
    ordered = sorted(found, key=lambda place: -found[place])
    expected: list[tuple[int, int]] = []
    for place in ordered:
        if sum(place[0] == other[0] for other in expected) < (per_picture or 6):
            expected.append(place)
    pictures, places, values = nearest_patches(patches, 1, 4, k=7, per_picture=per_picture)
    got = list(zip(pictures.tolist(), places.tolist(), strict=True))
    assert got == expected[:7]
    np.testing.assert_allclose(values, [found[place] for place in got], atol=1e-5)
