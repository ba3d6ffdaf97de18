"""The features of a gallery as maps that fit onto each other.

Every map is turned onto the PCA map of the class token in the last layer: the same picture is then
in about the same place everywhere, and points can move from one map to another.
"""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from dino_core.analysis.projection import (
    UMAP_LEAST,
    check_tsne,
    into_square,
    pca_scores,
    procrustes,
    trustworthiness,
    tsne_map,
    umap_map,
    umap_of_graph,
)
from dino_core.gallery.files import write_arrays
from dino_core.gallery.folder import GalleryFolder, StoredMap
from dino_core.gallery.neighbours import make_graph, stored_graph
from dino_core.gallery.rows import unit_rows

NEIGHBOURS, MIN_DISTANCE = 15, 0.1  # UMAP
PERPLEXITY = 30  # t-SNE

PCA_WORDS = (
    "PCA shows the two directions of largest variance: two pictures far apart here are far apart "
    "in the features, but two that lie on each other may still differ in all other directions."
)
OTHER_WORDS = (
    "This map keeps who is near whom. How far apart two groups lie, how large a group is and which "
    "way is up mean nothing: only neighbourhoods do."
)


def aligned_map(
    store: GalleryFolder,
    features: str,
    layer: int | None,
    method: str,
    like: str | Path | None = None,
) -> StoredMap:
    """The stored map, PCA made where it is missing. NotReady for others that are missing.

    Of a large gallery PCA too is left to the gallery's process, and t-SNE is refused: ValueError.
    """
    at = store.layer(layer)
    stored = store.stored(features, at, method)
    if stored is None:
        if method == "tsne":
            check_tsne(store.count())
        if method != "pca" or store.is_large():
            store.request(features, at, method)
        make_map(store, features, at, "pca")
        stored = store.stored(features, at, "pca")
    assert stored is not None
    xy = stored["xy"]
    if like is not None:
        xy = laid_on(store, xy, GalleryFolder(like))
    return StoredMap(xy, features, at, method, json.loads(str(stored["facts"])))


def laid_on(store: GalleryFolder, xy: np.ndarray, other: GalleryFolder) -> np.ndarray:
    """The same map, turned onto the reference of another gallery of (some of) the same pictures."""
    if store.is_large() or other.is_large():
        raise ValueError("Maps of two galleries are laid over each other up to 20,000 pictures.")
    places = {name: i for i, name in enumerate(other.listing().names())}
    pairs = [(i, places[n]) for i, n in enumerate(store.listing().names()) if n in places]
    if len(pairs) < 3:
        raise ValueError("The two galleries have too few pictures in common to compare them.")
    ours, theirs = np.array(pairs).T
    reference = aligned_map(other, "cls", None, "pca").xy
    return into_square(xy @ procrustes(xy[ours], reference[theirs]))


def make_map(store: GalleryFolder, features: str, layer: int, method: str) -> None:
    """Computes a map and puts it into the folder. ValueError when there can be none."""
    start_time = time.monotonic()
    if method == "tsne":
        check_tsne(store.count())
    with unit_rows(store, features, layer) as points:
        xy, facts = compute_map(store, (features, layer, method), points)
    if (features, layer, method) != ("cls", store.layer(None), "pca"):
        reference = reference_of(store)
        xy = xy @ procrustes(xy, reference)
    facts["seconds"] = round(time.monotonic() - start_time, 2)
    path = store.map_file(features, layer, method)
    write_arrays(path, xy=into_square(xy), facts=np.array(json.dumps(facts)))
    with suppress(OSError):
        path.with_suffix(".txt").unlink(missing_ok=True)


def reference_of(store: GalleryFolder) -> np.ndarray:
    """What every other map is turned onto, made where it is missing: float32 [n, 2]."""
    last = store.layer(None)
    if store.stored("cls", last, "pca") is None:
        make_map(store, "cls", last, "pca")
    return aligned_map(store, "cls", last, "pca").xy


def compute_map(
    store: GalleryFolder, what: tuple[str, int, str], points: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """(features, layer, method) and their rows [n, D] of length 1 -> a map [n, 2], how it was made.

    As it comes, not yet turned. ValueError when there can be none.
    """
    method = what[2]
    scores, explained = pca_scores(points)
    seed = int(store.read_config()["options"]["seed"])
    facts: dict[str, Any] = {"seed": seed, "explained": None, "words": OTHER_WORDS}
    if method == "pca":
        xy = scores
        facts |= {
            "parameters": {"features of length 1": True},
            "seed": None,
            "explained": [float(share) for share in explained],
            "words": PCA_WORDS,
        }
    elif method == "tsne":
        xy = tsne_map(points, scores, PERPLEXITY, seed)
        facts["parameters"] = {"perplexity": min(PERPLEXITY, (len(points) - 1) / 3)}
    else:
        if store.is_large():
            xy, facts["recall"] = umap_of_many(store, what, points, scores)
        else:
            xy = umap(points, scores, seed)
        facts["parameters"] = {
            "neighbours": min(NEIGHBOURS, len(points) - 1),
            "min_distance": MIN_DISTANCE,
            "metric": "cosine",
        }
    facts["trustworthiness"] = trustworthiness(points, xy, seed=seed)
    return xy, facts


def umap(points: np.ndarray, start: np.ndarray, seed: int) -> np.ndarray:
    if len(points) < UMAP_LEAST:
        raise ValueError(f"UMAP needs at least {UMAP_LEAST} pictures, there are {len(points)}.")
    return umap_map(points, extended(start), NEIGHBOURS, MIN_DISTANCE, seed)


def extended(start: np.ndarray) -> np.ndarray:
    """As far as UMAP's own starts extend."""
    return start * (10 / max(float(np.abs(start).max()), 1e-12))


def umap_of_many(
    store: GalleryFolder, what: tuple[str, int, str], points: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """The map of the graph of neighbours, made where it is missing; and the graph's recall."""
    features, layer, _ = what
    graph = stored_graph(store, features, layer) or make_graph(store, features, layer, points)
    seed = int(store.read_config()["options"]["seed"])
    xy = umap_of_graph(graph, extended(start), NEIGHBOURS, MIN_DISTANCE, seed)
    return xy, graph.recall.as_dict() | {"words": graph.recall.sentence()}
