"""Nearest neighbours where exact search, which grows with the square, would take hours.

NN-descent (Dong et al. 2011): a neighbour of a neighbour is likely to be one. It begins with
random projection trees and grows about as n log n; the implementation is pynndescent, which
umap-learn brings. Features have length 1, so that Euclidean and cosine order are the same:

    |x - y|^2 = 2 - 2 cos(x, y)

Who is found is a guess; how alike they are is computed, and how many of the true nearest are among
them is measured, by exact search for a sample. NumPy in and out, features may be mapped from the
disk: nothing here holds all of them. Exact search is in `neighbours.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from dino_core.writing import take_room

EXACT_MOST = 20_000  # features up to which all pairs are compared
NEIGHBOURS = 30  # of each feature in a graph
SAMPLE = 500  # features whose neighbours are looked for exactly as well
ROWS = 8192  # features at a time
EPSILON = 0.2  # how far beyond the nearest a search goes on: slower and better
LEAF = 128  # features that stand together in any order


@dataclass(frozen=True)
class Recall:
    """The share of the true nearest that were found."""

    value: float  # 0 to 1
    queries: int  # whose neighbours were looked for exactly as well
    k: int  # nearest of each

    def sentence(self) -> str:
        return (
            f"An index finds {100 * self.value:.1f} % of the true {self.k} nearest, measured by "
            f"exact search for {self.queries:,} of them."
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Graph:
    """The nearest others of each feature, the most similar first, none its own neighbour."""

    indices: np.ndarray  # int32 [n, k]
    similarities: np.ndarray  # float32 [n, k], cosine, -1 to 1
    recall: Recall


def is_installed() -> bool:
    """Whether there is an index at all: pynndescent comes with the extra `umap`."""
    from importlib.util import find_spec

    return find_spec("pynndescent") is not None


def slices(count: int, rows: int = ROWS) -> Iterator[slice]:
    """0 to count, so many at a time."""
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def unit(features: np.ndarray) -> np.ndarray:
    """[n, D] -> float32 [n, D] of length 1; zeros stay zeros."""
    from sklearn.preprocessing import normalize

    return np.asarray(normalize(np.asarray(features, np.float32)), np.float32)


def exact_nearest(queries: np.ndarray, base: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """[m, D], [n, D] of length 1 -> similarities float32 [m, k], indices int64 [m, k].

    The most similar first. One pass over the base in slices: its memory is m times (ROWS + k).
    """
    k = min(k, len(base))
    best = np.full((len(queries), k), -np.inf, np.float32)
    found = np.zeros((len(queries), k), np.int64)
    for rows in slices(len(base)):
        values = np.concatenate([best, queries @ np.asarray(base[rows]).T], 1)
        here = np.arange(rows.start, rows.stop)
        indices = np.concatenate([found, np.broadcast_to(here, (len(queries), len(here)))], 1)
        kept = np.argpartition(-values, k - 1, axis=1)[:, :k]
        best, found = (np.take_along_axis(one, kept, 1) for one in (values, indices))
    order = np.argsort(-best, axis=1, kind="stable")
    return np.take_along_axis(best, order, 1), np.take_along_axis(found, order, 1)


def recall_of(found: np.ndarray, truth: np.ndarray) -> Recall:
    """Indices [m, k] against those of an exact search, [m, k]: the share that both hold."""
    hits = sum(np.isin(one, two).sum() for one, two in zip(truth, found, strict=True))
    return Recall(float(hits / max(truth.size, 1)), len(truth), truth.shape[1])


# --- a graph: the nearest others of every feature


def neighbour_graph(
    features: np.ndarray, k: int = NEIGHBOURS, *, seed: int = 0, threads: int | None = None
) -> Graph:
    """float32 [n, D] of length 1, n > k -> their graph; the same one for the same seed."""
    n = len(features)
    if not 0 < k < n:
        raise ValueError(f"{n:,} features have 1 to {n - 1:,} neighbours each, not {k}.")
    order = near_order(features, seed)
    with _in_order(features, order) as ordered:
        index = _index(ordered, k + 1, seed, threads)
        found = _without_themselves(np.asarray(index.neighbor_graph[0]))
        _find_missing(ordered, found)
        found, alike = _by_similarity(ordered, found)
    indices, similarities = np.empty_like(found), np.empty_like(alike)
    indices[order], similarities[order] = order[found], alike
    chosen = sample_of(n, seed)
    return Graph(
        indices, similarities, recall_of(indices[chosen], true_others(features, chosen, k))
    )


def near_order(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """[n, D] -> an order in which like features stand near each other: indices int64 [n].

    A random projection tree: along the line between two of them they fall into two halves, each of
    those likewise. The descent goes from neighbour to neighbour; where these lie side by side in
    memory, its time grows as its work does, and not as that of a memory asked at random.
    """
    generator = np.random.default_rng(seed)
    order = np.arange(len(features))
    parts = [slice(0, len(features))]
    while parts:
        part = parts.pop()
        here = order[part]
        if len(here) <= LEAF:
            continue
        one, two = np.asarray(features[generator.choice(here, 2, replace=False)])
        heights = np.empty(len(here), np.float32)
        for rows in slices(len(here)):
            heights[rows] = np.asarray(features[here[rows]]) @ (one - two)
        order[part] = here[np.argpartition(heights, len(here) // 2)]
        middle = part.start + len(here) // 2
        parts += [slice(part.start, middle), slice(middle, part.stop)]
    return order


@contextmanager
def _in_order(features: np.ndarray, order: np.ndarray) -> Iterator[np.ndarray]:
    """features[order]: mapped from a file beside theirs where they are mapped, else in memory."""
    if not isinstance(features, np.memmap) or features.filename is None:
        yield features[order]
        return
    with TemporaryFile(dir=Path(features.filename).parent) as file:
        take_room(file, features.nbytes)
        ordered = np.memmap(file, np.float32, "r+", shape=features.shape)
        for rows in slices(len(order)):
            ordered[rows] = features[order[rows]]
        yield ordered


def sample_of(n: int, seed: int) -> np.ndarray:
    """Whom exact search is asked about: indices int64, ascending."""
    return np.sort(np.random.default_rng(seed).choice(n, min(SAMPLE, n), replace=False))


def true_others(features: np.ndarray, chosen: np.ndarray, k: int) -> np.ndarray:
    """The k nearest others of the chosen ones by exact search: indices int64 [m, k]."""
    found = exact_nearest(np.asarray(features[chosen]), features, k + 1)[1]
    return _drop_one(found, found == chosen[:, None])


def _index(features: np.ndarray, k: int, seed: int, threads: int | None) -> Any:
    import warnings

    from pynndescent import NNDescent

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that some have too few: they are looked for exactly
        return NNDescent(
            np.asarray(features), "euclidean", n_neighbors=k, random_state=seed, n_jobs=threads
        )


def _without_themselves(found: np.ndarray) -> np.ndarray:
    """Indices [n, k + 1] -> int32 [n, k]: without itself, or without the last."""
    return _drop_one(found, found == np.arange(len(found))[:, None]).astype(np.int32)


def _drop_one(found: np.ndarray, itself: np.ndarray) -> np.ndarray:
    """[m, k + 1], where each is itself -> [m, k]; the last goes where it is not found."""
    itself = itself.copy()
    itself[~itself.any(1), -1] = True
    return found[~itself].reshape(len(found), -1)


def _find_missing(features: np.ndarray, indices: np.ndarray) -> None:
    """Fills the rows that the descent left incomplete, by exact search."""
    incomplete = np.flatnonzero((indices < 0).any(axis=1))
    for part in slices(len(incomplete), SAMPLE):
        chosen = incomplete[part]
        indices[chosen] = true_others(features, chosen, indices.shape[1])


def _by_similarity(features: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices [n, k] -> the same, the most similar first, and similarities float32 [n, k]."""
    n, k = indices.shape
    ordered, similarities = np.empty_like(indices), np.empty((n, k), np.float32)
    for rows in slices(n, ROWS // 8):  # their neighbours are k times as many
        here = np.asarray(features[rows])
        values = np.einsum("nd,nkd->nk", here, np.asarray(features[indices[rows]]))
        order = np.argsort(-values, axis=1, kind="stable")
        ordered[rows] = np.take_along_axis(indices[rows], order, 1)
        similarities[rows] = np.take_along_axis(values, order, 1).clip(-1, 1)
    return ordered, similarities


def graph_duplicates(
    indices: np.ndarray, similarities: np.ndarray, threshold: float, most: int = 1000
) -> tuple[np.ndarray, np.ndarray, int]:
    """A graph [n, k] -> its pairs i < j with cos >= threshold, as `neighbours.near_duplicates`.

    pairs int64 [m, 2], similarities float32 [m], the most similar first, at most `most`; and how
    many there are in all. A pair that neither counts among its k nearest is not in the graph.
    """
    pairs, values = np.empty((0, 2), np.int64), np.empty(0, np.float32)
    total = 0
    for rows in slices(len(indices)):
        # The most similar stands first: whose first is not alike enough has none, and is not read.
        some = rows.start + np.flatnonzero(similarities[rows, 0] >= threshold)
        near, alike = np.asarray(indices[some]), np.asarray(similarities[some])
        own, column = np.nonzero(alike >= threshold)
        i, j = some[own], near[own, column].astype(np.int64)
        # A pair is taken where its smaller member names it, or where only the larger one does.
        known = (np.asarray(indices[j]) == i[:, None]).any(1)
        taken = (i < j) | ~known
        i, j, found = i[taken], j[taken], alike[own, column][taken]
        total += len(i)
        pairs = np.concatenate([pairs, np.stack([np.minimum(i, j), np.maximum(i, j)], 1)])
        values = np.concatenate([values, found])
        order = np.argsort(-values, kind="stable")[:most]
        pairs, values = pairs[order], values[order]
    return pairs, values, total


def graph_outliers(similarities: np.ndarray, k: int = 10) -> np.ndarray:
    """[n, at least k] -> float32 [n]: mean of 1 - cos over the k nearest, as `outlier_scores`."""
    scores = np.empty(len(similarities), np.float32)
    for rows in slices(len(similarities)):
        scores[rows] = 1 - np.asarray(similarities[rows, :k]).mean(1)
    return scores


# --- a search: the nearest of other features


def search(
    queries: np.ndarray, base: np.ndarray, k: int, *, seed: int = 0, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray, Recall]:
    """float32 [m, D], [n, D] of length 1 -> similarities [m, k], indices int64 [m, k], recall.

    The most similar first. For n > k; an index of the base is built, and asked.
    """
    index = _index(base, NEIGHBOURS, seed, threads)
    found = np.empty((len(queries), k), np.int64)
    for rows in slices(len(queries)):
        found[rows] = index.query(np.asarray(queries[rows]), k=k, epsilon=EPSILON)[0]
    incomplete = np.flatnonzero((found < 0).any(axis=1))
    for part in slices(len(incomplete), SAMPLE):
        chosen = incomplete[part]
        found[chosen] = exact_nearest(queries[chosen], base, k)[1]
    values = np.empty((len(queries), k), np.float32)
    for rows in slices(len(queries), ROWS // 64):  # their neighbours are k times as many
        near = np.asarray(base[found[rows]])
        values[rows] = np.einsum("md,mkd->mk", np.asarray(queries[rows]), near)
    order = np.argsort(-values, axis=1, kind="stable")
    nearest_first = np.take_along_axis(found, order, 1)
    chosen = sample_of(len(queries), seed)
    truth = exact_nearest(np.asarray(queries[chosen]), base, k)[1]
    recall = recall_of(nearest_first[chosen], truth)
    return np.take_along_axis(values, order, 1), nearest_first, recall
