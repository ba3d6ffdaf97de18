"""analysis/approximate.py against exact search: who is found, how many, and the same each time.

pynndescent compiles itself for up to minutes in every process: what needs it is slow.
"""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as peer_trust

from dino_core.analysis import approximate, projection
from dino_core.analysis.approximate import (
    Graph,
    Recall,
    _without_themselves,
    exact_nearest,
    graph_duplicates,
    graph_outliers,
    near_order,
    neighbour_graph,
    recall_of,
    search,
    true_others,
    unit,
)
from dino_core.analysis.neighbours import near_duplicates, nearest, outlier_scores
from dino_core.evaluation.knn import knn, near_of, votes_of
from dino_core.evaluation.protocols import Protocol, by_votes


def clustered(n: int, seed: int = 0, D: int = 16) -> np.ndarray:
    """Directions around 12 centres."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(9).normal(size=(12, D))
    points = centres[generator.integers(12, size=n)] + 0.5 * generator.normal(size=(n, D))
    return unit(points)


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "ROWS", 77)
    monkeypatch.setattr(approximate.slices, "__defaults__", (77,))


def true_graph(points: np.ndarray, k: int) -> Graph:
    x = torch.from_numpy(points)
    values, found = nearest(x, x, k, themselves=True)
    return Graph(found.numpy().astype(np.int32), values.numpy(), Recall(1.0, len(points), k))


def test_exact_search_in_slices_is_exact() -> None:
    base, queries = clustered(300), clustered(20, 1)
    values, found = exact_nearest(queries, base, 9)
    expected = nearest(torch.from_numpy(queries), torch.from_numpy(base), 9)
    np.testing.assert_array_equal(found, expected[1])
    np.testing.assert_allclose(values, expected[0], atol=1e-6)
    assert exact_nearest(queries, base[:4], 9)[1].shape == (20, 4)


def test_recall_is_what_a_loop_counts() -> None:
    truth = np.array([[1, 2, 3], [4, 5, 6]])
    found = np.array([[3, 9, 1], [7, 8, 4]])
    recall = recall_of(found, truth)
    assert recall == Recall(3 / 6, queries=2, k=3)
    assert "50.0 % of the true 3 nearest" in recall.sentence()


def test_duplicates_and_outliers_of_a_whole_graph_are_the_exact_ones() -> None:
    points = clustered(400)
    points[33], points[12] = points[5], points[30]
    graph = true_graph(points, 399)  # every pair is in it
    for threshold, most in ((0.95, 1000), (0.95, 7), (0.8, 1000), (1.5, 10)):
        x = torch.from_numpy(points)
        pairs, values, total = near_duplicates(x, threshold, most)
        got = graph_duplicates(graph.indices, graph.similarities, threshold, most)
        assert got[2] == total
        np.testing.assert_allclose(got[1], values, atol=1e-6)
        if len(values) < most:
            assert {tuple(pair) for pair in got[0]} == {tuple(pair) for pair in pairs.tolist()}
    scores = graph_outliers(graph.similarities, 10)
    np.testing.assert_allclose(scores, outlier_scores(torch.from_numpy(points), 10), atol=1e-6)


def test_a_pair_that_one_side_alone_names_counts_once() -> None:
    indices = np.array([[1], [2], [1], [1]], np.int32)  # 0 -> 1, 1 <-> 2, 3 -> 1
    similarities = np.array([[0.9], [0.99], [0.99], [0.95]], np.float32)
    pairs, values, total = graph_duplicates(indices, similarities, 0.9)
    assert pairs.tolist() == [[1, 2], [1, 3], [0, 1]]
    assert total == len(values) == 3


def test_rows_that_the_descent_left_incomplete_are_looked_for() -> None:
    points = clustered(50)
    indices = true_graph(points, 5).indices.copy()
    expected = indices.copy()
    indices[[3, 17], 2:] = -1
    approximate._find_missing(points, indices)
    np.testing.assert_array_equal(indices, expected)


def test_pca_in_slices_is_that_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    points = clustered(300) + 0.3
    exact, share = projection.pca_scores(points)
    monkeypatch.setattr(projection, "EXACT_MOST", 299)
    scores, ratio = projection.pca_scores(points)
    peer = PCA(2, svd_solver="full").fit(points)
    np.testing.assert_allclose(scores, peer.transform(points), atol=1e-4)
    np.testing.assert_allclose(scores, exact, atol=1e-4)
    np.testing.assert_allclose(ratio, share, rtol=1e-4)
    flat = projection.pca_scores(np.ones((300, 4), np.float32))
    assert not flat[0].any()
    assert not flat[1].any()


def test_trustworthiness_of_a_sample_is_that_of_all_where_all_are_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = clustered(200)
    xy = projection.pca_scores(points)[0]
    expected = peer_trust(points, xy, n_neighbors=10, metric="cosine")
    monkeypatch.setattr(projection, "EXACT_MOST", 199)
    assert projection.trustworthiness(points, xy) == pytest.approx(expected, abs=1e-4)
    monkeypatch.setattr(projection, "JUDGED_AMONG_ALL", 120)
    assert projection.trustworthiness(points, xy) == pytest.approx(expected, abs=0.03)


def test_up_to_the_limit_knn_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = (torch.from_numpy(clustered(n, n)) for n in (90, 30))
    monkeypatch.setattr(approximate, "search", None)  # nobody may call it
    for limit, exact in ((90, False), (10, True)):
        monkeypatch.setattr(approximate, "EXACT_MOST", limit)
        near = near_of(test, train, 20, exact=exact)
        assert near.recall is None
        np.testing.assert_array_equal(near.indices, nearest(test, train, 20)[1])
    monkeypatch.setattr(approximate, "EXACT_MOST", 10)
    monkeypatch.setattr(approximate, "is_installed", lambda: False)
    assert near_of(test, train, 20).recall is None


def test_like_features_stand_near_each_other_in_the_order_of_a_graph() -> None:
    points = clustered(4000)
    order = near_order(points, seed=1)
    assert sorted(order) == list(range(4000))
    place = np.argsort(order)
    chosen = np.arange(0, 4000, 40)
    apart = np.abs(place[true_others(points, chosen, 5)] - place[chosen, None])
    assert np.median(apart) < 4000 / 20  # at random: a third of all


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no room can be taken ahead here")
def test_no_room_for_the_ordered_features_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    np.save(tmp_path / "points.npy", clustered(300))
    mapped = np.load(tmp_path / "points.npy", mmap_mode="c")
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"), approximate._in_order(mapped, np.arange(300)):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["points.npy"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_index_finds_nearly_all_says_how_many_and_the_same_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    points = clustered(3000)
    points[1800], points[44] = points[7], points[2999]
    monkeypatch.setattr(approximate, "SAMPLE", 3000)  # everybody is looked for exactly
    np.save(tmp_path / "points.npy", points)
    mapped = np.load(tmp_path / "points.npy", mmap_mode="c")
    graph, again = (neighbour_graph(one, 15, seed=3) for one in (points, mapped))
    assert [file.name for file in tmp_path.iterdir()] == ["points.npy"]
    truth = true_graph(points, 15)
    hits = sum(
        len(set(one) & set(two))
        for one, two in zip(graph.indices.tolist(), truth.indices.tolist(), strict=True)
    )
    # Of neighbours that are as near to a rounding, either may be found.
    assert graph.recall == Recall(pytest.approx(hits / (3000 * 15), abs=2e-4), 3000, 15)  # type: ignore[arg-type]
    assert 0.9 < graph.recall.value <= 1
    np.testing.assert_array_equal(graph.indices, again.indices)
    assert (graph.indices != np.arange(3000)[:, None]).all()
    for i in (0, 7, 2999):
        np.testing.assert_allclose(
            graph.similarities[i], points[graph.indices[i]] @ points[i], atol=1e-6
        )
    pairs = graph_duplicates(graph.indices, graph.similarities, 0.9999)[0].tolist()
    assert sorted(pairs) == [[7, 1800], [44, 2999]]

    monkeypatch.setattr(approximate, "EXACT_MOST", 2000)
    labels = torch.arange(3000) % 3
    test = torch.from_numpy(clustered(200, 8))
    near = near_of(test, torch.from_numpy(points), 20)
    exact = nearest(test, torch.from_numpy(points), 20)[1]
    share = np.mean(
        [
            len(set(a) & set(b)) / 20
            for a, b in zip(near.indices.tolist(), exact.tolist(), strict=True)
        ]
    )
    assert near.recall is not None
    assert near.recall.value == pytest.approx(share)
    assert share > 0.9
    protocol = Protocol(ks=(20,))
    shares, facts = by_votes(torch.from_numpy(points), labels, test, labels[:200], 3, protocol)
    np.testing.assert_array_equal(shares, votes_of(near, labels, 3, 20))
    assert facts["recall"]["value"] == near.recall.value
    expected = knn(torch.from_numpy(points), labels, test, classes=3)[20]
    assert (shares.argmax(1) == expected.argmax(1)).float().mean() > 0.9
    values, found, _ = search(points[:5], points, 3, seed=1)
    assert found[:, 0].tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(values[:, 0], 1, atol=1e-6)


def test_who_does_not_find_itself_loses_the_farthest():
    found = np.array([[3, 1, 2], [1, 4, 0], [4, 2, 5]])
    assert _without_themselves(found).tolist() == [[3, 1], [4, 0], [4, 5]]


# --- with an index of a few lines in place of the one that compiles itself


class Index:
    """Finds the true nearest, by loops; every fifth row is left incomplete."""

    def __init__(self, features: np.ndarray, metric: str, **options: Any) -> None:
        self.features, self.options = features, options
        assert metric == "euclidean"
        found = exact_nearest(features, features, options["n_neighbors"])[1]
        found[::5, -1] = -1
        self.neighbor_graph = (found, None)

    def query(self, queries: np.ndarray, k: int, epsilon: float) -> tuple[np.ndarray, None]:
        assert epsilon == approximate.EPSILON
        found = exact_nearest(queries, self.features, k)[1][:, ::-1].copy()
        found[::5, 0] = -1
        return found, None


@pytest.fixture
def indices(monkeypatch: pytest.MonkeyPatch) -> list[Index]:
    """Those that are made, in place of pynndescent's."""
    made: list[Index] = []

    def making(*given: Any, **options: Any) -> Index:
        made.append(Index(*given, **options))
        return made[-1]

    module = type(sys)("pynndescent")
    module.NNDescent = making  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynndescent", module)
    return made


def test_a_graph_is_that_of_exact_search_whatever_the_order_of_its_index(
    indices: list[Index], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approximate, "LEAF", 16)
    monkeypatch.setattr(approximate, "SAMPLE", 40)
    points = clustered(200)
    mapped = np.memmap(tmp_path / "points", np.float32, "w+", shape=points.shape)
    mapped[:] = points
    values, _ = exact_nearest(points, points, 7)
    for features in (points, mapped):
        graph = neighbour_graph(features, 6, seed=3, threads=2)
        assert (graph.indices.dtype, graph.similarities.dtype) == (np.int32, np.float32)
        np.testing.assert_allclose(graph.similarities, values[:, 1:], atol=1e-5)
        same = np.einsum("nkd,nd->nk", points[graph.indices], points)
        np.testing.assert_allclose(same, graph.similarities, atol=1e-5)
        assert not (graph.indices == np.arange(200)[:, None]).any()
        assert graph.recall == Recall(1.0, 40, 6)
    one, other = indices
    assert one.options == {"n_neighbors": 7, "random_state": 3, "n_jobs": 2}
    np.testing.assert_array_equal(one.features, other.features)
    np.testing.assert_array_equal(one.features, points[near_order(points, 3)])
    assert [path.name for path in tmp_path.iterdir()] == ["points"], "nothing is left behind"
    with pytest.raises(ValueError, match="200 features have 1 to 199 neighbours each, not 200"):
        neighbour_graph(points, 200)
    with pytest.raises(ValueError, match="not 0"):
        neighbour_graph(points, 0)


def test_a_search_is_exact_search_where_the_index_finds_all(
    indices: list[Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approximate, "SAMPLE", 10)  # of 18 that are left incomplete
    base, queries = clustered(200), clustered(90, seed=1)
    values, found, recall = search(queries, base, 8, seed=5, threads=1)
    wanted, truth = exact_nearest(queries, base, 8)
    np.testing.assert_allclose(values, wanted, atol=1e-5)
    np.testing.assert_array_equal(found, truth)
    assert recall == Recall(1.0, 10, 8)
    assert indices[0].options == {"n_neighbors": 30, "random_state": 5, "n_jobs": 1}
    assert recall.sentence() == (
        "An index finds 100.0 % of the true 8 nearest, measured by exact search for 10 of them."
    )
    assert recall.as_dict() == {"value": 1.0, "queries": 10, "k": 8}


def test_votes_are_by_an_index_above_the_limit_and_that_is_said(
    indices: list[Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless all are to be compared, or there is no index here."""
    base, queries = (torch.from_numpy(clustered(n, seed=n)) for n in (120, 30))
    monkeypatch.setattr(approximate, "is_installed", lambda: True)
    monkeypatch.setattr(approximate, "EXACT_MOST", 119)
    wanted = near_of(queries, base, 5, exact=True)
    found = near_of(queries, base, 5, seed=6)
    assert wanted.recall is None
    assert found.recall == Recall(1.0, 30, 5)
    assert indices[0].options["random_state"] == 6
    assert torch.equal(found.indices, wanted.indices)
    torch.testing.assert_close(found.similarities, wanted.similarities)
    labels, truth = torch.arange(120) % 3, torch.arange(30) % 3
    protocol = Protocol(ks=(5, 1), seed=7)
    shares, facts = by_votes(base, labels, queries, truth, 3, protocol)
    assert indices[1].options["random_state"] == 7
    torch.testing.assert_close(shares, votes_of(wanted, labels, 3, 5))
    assert facts["k"] == 5, "the first one, where there is no headline's"
    assert facts["recall"] == {
        "value": 1.0,
        "queries": 30,
        "k": 5,
        "words": Recall(1.0, 30, 5).sentence(),
    }
    monkeypatch.setattr(approximate, "EXACT_MOST", 120)
    assert near_of(queries, base, 5).recall is None
    monkeypatch.setattr(approximate, "EXACT_MOST", 10)
    assert near_of(queries, base, 120).recall is None, "all of them are wanted"
    monkeypatch.setattr(approximate, "is_installed", lambda: False)
    assert near_of(queries, base, 5).recall is None
    assert len(indices) == 2


def test_whom_exact_search_is_asked_about() -> None:
    assert approximate.sample_of(5, 0).tolist() == [0, 1, 2, 3, 4]
    many = approximate.sample_of(5000, 1)
    assert len(set(many.tolist())) == approximate.SAMPLE
    assert (np.diff(many) > 0).all()
    assert many.tolist() == approximate.sample_of(5000, 1).tolist()
    assert many.tolist() != approximate.sample_of(5000, 2).tolist()
