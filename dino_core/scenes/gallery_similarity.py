"""Many pictures: which are alike, near each other, odd, or twice there, in the original space.

Nothing here imports torch before numbers are asked for.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from dino_core.gallery.folder import GalleryFolder
from dino_core.scenes.facts import GroupingFacts
from dino_core.scenes.gallery import Kind, checked

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
    """
    from dino_core.analysis.clustering import agreement

    store = GalleryFolder(folder)
    at = store.layer(layer)
    if method == "hdbscan":
        stored = store.stored(features, at, "hdbscan")
        if stored is None:
            store.request(features, at, "hdbscan")
        labels, facts = stored["labels"], json.loads(str(stored["facts"]))
    elif method == "kmeans":
        labels, facts = _kmeans(store, k, features, at)
    else:
        raise ValueError(f"Clusters are found by kmeans or hdbscan, not by {method!r}.")
    facts["agreement"] = agreement(labels, np.asarray(store.facts()["labels"]))
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
    found = kmeans(normalize(store.features(features, layer)), k, seed)
    return found.labels, {
        "parameters": {"k": k, "restarts": RESTARTS, "features of length 1": True},
        "seed": seed,
        "explained": found.explained,
        "words": "k-means parts everything into k groups of about equal width, fitting or not.",
    }


@dataclass(frozen=True)
class Neighbours:
    """The nearest pictures by cosine similarity, the nearest first, without the picture itself."""

    indices: np.ndarray  # int32 [k]
    similarities: np.ndarray  # float32 [k], -1 to 1
    votes: list[tuple[str, float]]  # class and its share of the k-NN vote, the largest first
    temperature: float = 0.07  # a neighbour votes for its class with exp(similarity / temperature)


def neighbours(
    folder: str | Path,
    index: int,
    k: int = 10,
    features: Kind = "cls",
    layer: int | None = None,
) -> Neighbours:
    """Exact, in the original space. `votes` is empty without labels."""
    import torch

    from dino_core.analysis.neighbours import nearest
    from dino_core.evaluation.knn import votes

    store = GalleryFolder(folder)
    checked(index, store.count())
    facts = store.facts()
    points = torch.from_numpy(store.features(features, layer))
    k = min(max(k, 1), len(points) - 1)
    if k == 0:
        return Neighbours(np.zeros(0, np.int32), np.zeros(0, np.float32), [])
    similarities, found = nearest(points[index : index + 1], points, k + 1)
    others = (found[0] != index).nonzero()[:, 0][:k]  # a double may stand before the picture
    values, indices = similarities[0][others], found[0][others]
    labels = torch.tensor(facts["labels"])[indices]
    shares = []
    known = labels >= 0
    if known.any():
        vote = votes(values[known][None], labels[known][None], len(facts["classes"]))[0]
        order = vote.argsort(descending=True, stable=True).tolist()
        shares = [(facts["classes"][i], float(vote[i])) for i in order if vote[i] > 0]
    return Neighbours(indices.numpy().astype(np.int32), values.numpy(), shares)


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


def outliers(
    folder: str | Path, k: int = 10, features: Kind = "cls", layer: int | None = None
) -> Outliers:
    import torch

    from dino_core.analysis.neighbours import outlier_scores

    points = torch.from_numpy(GalleryFolder(folder).features(features, layer))
    scores = outlier_scores(points, k).numpy()
    order = np.argsort(-scores, kind="stable").astype(np.int32)
    return Outliers(scores, order, min(k, max(len(points) - 1, 0)))


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
    """Pairs with a cosine similarity of at least `threshold`; at most `most` of them."""
    import torch

    from dino_core.analysis import neighbours as analysis

    store = GalleryFolder(folder)
    points = torch.from_numpy(store.features(features, layer))
    found, similarities, total = analysis.near_duplicates(points, threshold, most)
    pairs = found.numpy().astype(np.int32)
    digests = store.array("digests")
    same = (digests[pairs[:, 0]] == digests[pairs[:, 1]]).all(1)
    words = f"The {most:,} most similar of {total:,} pairs are shown." if total > most else ""
    return Duplicates(pairs, similarities.numpy(), same, threshold, words)
