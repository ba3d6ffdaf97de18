"""Many pictures: which are alike, near each other, odd, or twice there, in the original space."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dino_core.gallery.folder import GalleryFolder
from dino_core.scenes.gallery import Kind, checked


@dataclass(frozen=True)
class Clusters:
    """The largest cluster is 0. -1: noise, in no cluster (HDBSCAN only)."""

    labels: np.ndarray  # int32 [n]
    sizes: list[int]
    method: str
    facts: dict[str, Any] = field(default_factory=dict)
    # facts: parameters, seed, explained (k-means), noise (HDBSCAN: pictures in no cluster),
    # agreement: adjusted Rand index with the classes, None without labels; words


def clusters(
    folder: str | Path,
    method: Literal["kmeans", "hdbscan"] = "kmeans",
    k: int | None = None,
    features: Kind = "cls",
    layer: int | None = None,
) -> Clusters:
    """Groups of pictures in the original space. k (k-means): None takes the number of classes,
    or 8 without labels. HDBSCAN finds its own number; it is wished for and NotReady until made.
    """
    from dino_core.gallery import groups

    found = groups.clusters(GalleryFolder(folder), method, k, features, layer)
    return Clusters(found.labels, found.sizes, method, found.facts)


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
    from dino_core.gallery import groups

    store = GalleryFolder(folder)
    checked(index, store.count())
    indices, similarities, votes = groups.neighbours(store, index, k, features, layer)
    return Neighbours(indices, similarities, votes)


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
    from dino_core.gallery import groups

    store = GalleryFolder(folder)
    checked(index, store.count())
    found = groups.similar_patches(store, index, row, column, k, per_picture)
    return Patches(*found)


@dataclass(frozen=True)
class Outliers:
    """How far each picture is from its nearest ones."""

    scores: np.ndarray  # float32 [n], mean of 1 - cosine similarity over the k nearest, 0 to 2
    order: np.ndarray  # int32 [n], the oddest first
    k: int


def outliers(
    folder: str | Path, k: int = 10, features: Kind = "cls", layer: int | None = None
) -> Outliers:
    from dino_core.gallery import groups

    scores, used = groups.outliers(GalleryFolder(folder), k, features, layer)
    order = np.argsort(-scores, kind="stable").astype(np.int32)
    return Outliers(scores, order, used)


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
    from dino_core.gallery import groups

    pairs, similarities, same, words = groups.near_duplicates(
        GalleryFolder(folder), threshold, features, layer, most
    )
    return Duplicates(pairs, similarities, same, threshold, words)
