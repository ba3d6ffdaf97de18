"""Many pictures: which are alike, near each other, odd, or twice there, in the original space.

Nothing here imports torch before numbers are asked for.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from dino_core.gallery.folder import GalleryFolder
from dino_core.scenes.facts import GroupingFacts
from dino_core.scenes.gallery import Kind, checked

if TYPE_CHECKING:
    from dino_core.analysis.approximate import Graph

DEFAULT_K = 8
MOST_CLUSTERS = 100


@dataclass(frozen=True)
class Clusters:
    """The largest cluster is 0. -1: noise, in no cluster (HDBSCAN only)."""

    labels: np.ndarray  # int32 [n]
    sizes: list[int]
    method: str
    facts: Annotated[dict[str, Any], GroupingFacts] = field(default_factory=dict)


def clusters(
    folder: str | Path,
    method: Literal["kmeans", "hdbscan"] = "kmeans",
    k: int | None = None,
    features: Kind = "cls",
    layer: int | None = None,
) -> Clusters:
    """Groups of pictures in the original space. k (k-means): None takes the number of classes,
    or 8 without labels. HDBSCAN finds its own number; it is asked for and NotReady until made.
    ValueError, in a sentence, where there are too few pictures for it, or too many.
    """
    from dino_core.analysis.clustering import agreement, check_hdbscan
    from dino_core.gallery.clusters import SMALLEST_GROUP

    store = GalleryFolder(folder)
    at = store.layer(layer)
    if method == "hdbscan":
        stored = store.stored(features, at, "hdbscan")
        if stored is None:
            check_hdbscan(store.count(), SMALLEST_GROUP)
            store.request(features, at, "hdbscan")
        labels, facts = stored["labels"], json.loads(str(stored["facts"]))
    elif method == "kmeans":
        labels, facts = _kmeans(store, k, features, at)
    else:
        raise ValueError(f"Clusters are found by kmeans or hdbscan, not by {method!r}.")
    facts["agreement"] = agreement(labels, store.listing().labels())
    return Clusters(labels, np.bincount(labels[labels >= 0]).tolist(), method, facts)


def _kmeans(
    store: GalleryFolder, k: int | None, features: str, layer: int
) -> tuple[np.ndarray, dict[str, Any]]:
    from sklearn.preprocessing import normalize

    from dino_core.analysis.clustering import RESTARTS, kmeans

    n, classes = store.count(), len(store.facts()["classes"])
    k = min(classes or DEFAULT_K, n) if k is None else k
    if not 1 <= k <= min(n, MOST_CLUSTERS):
        raise ValueError(
            f"These {n:,} pictures can be parted into 1 to {min(n, MOST_CLUSTERS)} clusters, not "
            f"{k}."
        )
    seed = int(store.read_config()["options"]["seed"])
    if store.is_large():
        return _kmeans_of_sample(store, k, features, layer)
    found = kmeans(normalize(store.features(features, layer)), k, seed)
    return found.labels, {
        "parameters": {"k": k, "restarts": RESTARTS, "features of length 1": True},
        "seed": seed,
        "explained": found.explained,
        "words": "k-means parts everything into k groups of about equal width, fitting or not.",
    }


def _kmeans_of_sample(
    store: GalleryFolder, k: int, features: str, layer: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Centres of a sample, and every picture at the nearest of them: nothing holds all features."""
    from dino_core.analysis.approximate import EXACT_MOST, slices, unit
    from dino_core.analysis.clustering import RESTARTS, by_size, kmeans
    from dino_core.gallery.rows import feature_slices

    seed, n = int(store.read_config()["options"]["seed"]), store.count()
    generator = np.random.default_rng(seed)
    chosen = np.sort(generator.choice(n, min(EXACT_MOST, n), replace=False))
    # A few at a time: with each row the system maps what lies around it, forty rows and more.
    parts = slices(len(chosen), 512)
    sample = np.concatenate([unit(store.features(features, layer, chosen[one])) for one in parts])
    found = kmeans(sample, k, seed)
    lengths = np.square(found.centres).sum(1) / 2
    labels = np.empty(n, np.int32)
    for rows, part in feature_slices(store, features, layer):
        labels[rows] = (unit(part) @ found.centres.T - lengths).argmax(1)  # the nearest centre
    return by_size(labels)[0], {
        "parameters": {"k": k, "restarts": RESTARTS, "features of length 1": True},
        "seed": seed,
        "explained": found.explained,
        "words": f"k-means parts everything into k groups of about equal width, fitting or not; "
        f"the groups are those of a sample of {len(chosen):,} of the {n:,} pictures.",
    }


@dataclass(frozen=True)
class Neighbours:
    """The nearest pictures by cosine similarity, the nearest first, without the picture itself."""

    indices: np.ndarray  # int32 [k]
    similarities: np.ndarray  # float32 [k], -1 to 1
    votes: list[tuple[str, float]]  # class and its share of the k-NN vote, the largest first
    temperature: float = 0.07  # a neighbour votes for its class with exp(similarity / temperature)
    words: str = ""  # of a large gallery: how they were found


def neighbours(
    folder: str | Path,
    index: int,
    k: int = 10,
    features: Kind = "cls",
    layer: int | None = None,
) -> Neighbours:
    """Exact, in the original space. `votes` is empty without labels.

    By comparing with every picture, a slice at a time. Of a large gallery the first ones are read
    off its graph, whose recall is said, once that has been made.
    """
    store = GalleryFolder(folder)
    count = store.count()
    checked(index, count)
    k = min(max(k, 1), count - 1)
    if k == 0:
        return Neighbours(np.zeros(0, np.int32), np.zeros(0, np.float32), [])
    values, indices, words = _nearest(store, index, k, features, store.layer(layer))
    shares = _vote(store, values, indices)
    return Neighbours(indices.astype(np.int32), values, shares, words=words)


def _nearest(
    store: GalleryFolder, index: int, k: int, features: str, layer: int
) -> tuple[np.ndarray, np.ndarray, str]:
    """Similarities float32 [k], indices [k] and, of a large gallery, how they were found."""
    from dino_core.analysis.approximate import exact_nearest, unit
    from dino_core.gallery.neighbours import stored_graph
    from dino_core.gallery.rows import feature_slices

    graph = stored_graph(store, features, layer) if store.is_large() else None
    if graph is not None and k <= graph.indices.shape[1]:
        found = np.array(graph.similarities[index, :k]), np.array(graph.indices[index, :k])
        return *found, graph.recall.sentence()
    query = unit(store.features(features, layer, slice(index, index + 1)))
    values, indices = np.empty(0, np.float32), np.empty(0, np.int64)
    for rows, part in feature_slices(store, features, layer):
        near, at = exact_nearest(query, unit(part), k + 1)
        values, indices = np.append(values, near[0]), np.append(indices, at[0] + rows.start)
        kept = np.argsort(-values, kind="stable")[: k + 1]
        values, indices = values[kept], indices[kept]
    others = np.flatnonzero(indices != index)[:k]
    words = "Exact: compared with every picture." if store.is_large() else ""
    return values[others], indices[others], words


def _vote(
    store: GalleryFolder, similarities: np.ndarray, indices: np.ndarray
) -> list[tuple[str, float]]:
    """The classes with a share of the vote, the largest first."""
    import torch

    from dino_core.evaluation.knn import votes

    classes = store.facts()["classes"]
    labels = torch.from_numpy(store.listing().labels()[indices].astype(np.int64))
    known = labels >= 0
    if not known.any():
        return []
    values = torch.from_numpy(similarities)
    vote = votes(values[known][None], labels[known][None], len(classes))[0]
    order = vote.argsort(descending=True, stable=True).tolist()
    return [(classes[i], float(vote[i])) for i in order if vote[i] > 0]


@dataclass(frozen=True)
class Patches:
    """The most similar patches of all pictures, the most similar first."""

    indices: np.ndarray  # int32 [k], picture
    rows: np.ndarray  # int32 [k], patch row
    columns: np.ndarray  # int32 [k]
    similarities: np.ndarray  # float32 [k], cosine
    searched: int  # pictures whose patches are kept
    total: int
    words: str  # the limit, where there is one; "" when all were searched


def similar_patches(
    folder: str | Path,
    index: int,
    row: int,
    column: int,
    k: int = 20,
    per_picture: int | None = 1,
) -> Patches:
    """Patches like one patch, in all other pictures, by the last layer's patch tokens.

    At most `per_picture` of each picture (None: any number). ValueError for a patch outside the
    grid, or of a picture whose patches were not kept.
    """
    from dino_core.analysis.neighbours import nearest_patches

    store = GalleryFolder(folder)
    checked(index, store.count())
    facts = store.facts()
    h, w = facts["grid"]
    kept, total = facts["patch_pictures"], len(facts["names"])
    if not (0 <= row < h and 0 <= column < w):
        raise ValueError(f"There are {h} x {w} patches, and no patch {row},{column}.")
    if index >= kept:
        raise ValueError(
            f"Patch features are kept of the first {kept:,} pictures, and this is number "
            f"{index + 1:,}: choose an earlier one, or allow them more room on the disk."
        )
    patches = store.array("patches")[:kept]  # float16 [m, P, D], of length 1
    pictures, places, similarities = nearest_patches(
        patches, index, row * w + column, k=k, per_picture=per_picture
    )
    words = ""
    if kept < total:
        words = f"Searched were the first {kept:,} of {total:,} pictures: patch features are large."
    rows, columns = (places // w).astype(np.int32), (places % w).astype(np.int32)
    return Patches(pictures.astype(np.int32), rows, columns, similarities, kept, total, words)


@dataclass(frozen=True)
class Outliers:
    """How far each picture is from its nearest ones."""

    scores: np.ndarray  # float32 [n], mean of 1 - cosine similarity over the k nearest, 0 to 2
    order: np.ndarray  # int32 [n], the oddest first
    k: int
    words: str = ""  # of a large gallery: how they were found


def outliers(
    folder: str | Path, k: int = 10, features: Kind = "cls", layer: int | None = None
) -> Outliers:
    """Of a large gallery NotReady until its graph has been made."""
    import torch

    from dino_core.analysis.approximate import graph_outliers
    from dino_core.analysis.neighbours import outlier_scores

    store, words = GalleryFolder(folder), ""
    if store.is_large():
        graph = _graph_of(store, features, layer)
        scores, words = graph_outliers(graph.similarities, k), graph.recall.sentence()
    else:
        scores = outlier_scores(torch.from_numpy(store.features(features, layer)), k).numpy()
    order = np.argsort(-scores, kind="stable").astype(np.int32)
    return Outliers(scores, order, min(k, max(len(scores) - 1, 0)), words)


def _graph_of(store: GalleryFolder, features: str, layer: int | None) -> "Graph":
    """NotReady, and asked for, where it is not there."""
    from dino_core.gallery.neighbours import METHOD, stored_graph

    at = store.layer(layer)
    graph = stored_graph(store, features, at)
    if graph is None:
        store.request(features, at, METHOD)
    return graph


@dataclass(frozen=True)
class Duplicates:
    """Pairs of pictures that are all but the same, the most similar first."""

    pairs: np.ndarray  # int32 [m, 2], the smaller index first
    similarities: np.ndarray  # float32 [m], cosine
    same: np.ndarray  # bool [m], the same pixels to the last
    threshold: float
    words: str  # where there are more than were kept; "" otherwise


def near_duplicates(
    folder: str | Path,
    threshold: float = 0.95,
    features: Kind = "cls",
    layer: int | None = None,
    most: int = 1000,
) -> Duplicates:
    """Pairs with a cosine similarity of at least `threshold`; at most `most` of them.

    Of a large gallery they are pairs of its graph, and NotReady until that has been made.
    """
    import torch

    from dino_core.analysis import neighbours as analysis
    from dino_core.analysis.approximate import graph_duplicates

    store, how = GalleryFolder(folder), ""
    if store.is_large():
        graph = _graph_of(store, features, layer)
        found, values, total = graph_duplicates(graph.indices, graph.similarities, threshold, most)
        how = f" {graph.recall.sentence()}"
    else:
        points = torch.from_numpy(store.features(features, layer))
        tensors = analysis.near_duplicates(points, threshold, most)
        found, values, total = tensors[0].numpy(), tensors[1].numpy(), tensors[2]
    pairs = found.astype(np.int32)
    digests = store.array("digests")
    same = (digests[pairs[:, 0]] == digests[pairs[:, 1]]).all(1)
    words = f"The {most:,} most similar of {total:,} pairs are shown." if total > most else ""
    return Duplicates(pairs, values, same, threshold, f"{words}{how}".strip())
