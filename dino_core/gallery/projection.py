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
    into_square,
    pca_scores,
    procrustes,
    trustworthiness,
    tsne_map,
    umap_map,
)
from dino_core.gallery.files import write_arrays
from dino_core.gallery.folder import GalleryFolder, StoredMap

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
    """The stored map, PCA made where it is missing. NotReady for others that are missing."""
    at = store.layer(layer)
    stored = store.stored(features, at, method)
    if stored is None:
        if method != "pca":
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
    places = {name: i for i, name in enumerate(other.facts()["names"])}
    pairs = [(i, places[n]) for i, n in enumerate(store.facts()["names"]) if n in places]
    if len(pairs) < 3:
        raise ValueError("The two galleries have too few pictures in common to compare them.")
    ours, theirs = np.array(pairs).T
    reference = aligned_map(other, "cls", None, "pca").xy
    return into_square(xy @ procrustes(xy[ours], reference[theirs]))


def make_map(store: GalleryFolder, features: str, layer: int, method: str) -> None:
    """Computes a map and puts it into the folder. ValueError when there can be none."""
    from sklearn.preprocessing import normalize

    start_time = time.monotonic()
    points = normalize(store.features(features, layer))
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
        xy = umap(points, scores, seed)
        facts["parameters"] = {
            "neighbours": min(NEIGHBOURS, len(points) - 1),
            "min_distance": MIN_DISTANCE,
            "metric": "cosine",
        }
    facts["trustworthiness"] = trustworthiness(points, xy, seed=seed)
    if (features, layer, method) != ("cls", store.layer(None), "pca"):
        reference = aligned_map(store, "cls", None, "pca").xy
        xy = xy @ procrustes(xy, reference)
    facts["seconds"] = round(time.monotonic() - start_time, 2)
    path = store.map_file(features, layer, method)
    write_arrays(path, xy=into_square(xy), facts=np.array(json.dumps(facts)))
    with suppress(OSError):
        path.with_suffix(".txt").unlink(missing_ok=True)


def umap(points: np.ndarray, start: np.ndarray, seed: int) -> np.ndarray:
    if len(points) < UMAP_LEAST:
        raise ValueError(f"UMAP needs at least {UMAP_LEAST} pictures, there are {len(points)}.")
    scale = 10 / max(float(np.abs(start).max()), 1e-12)  # what UMAP's own starts extend to
    return umap_map(points, start * scale, NEIGHBOURS, MIN_DISTANCE, seed)
