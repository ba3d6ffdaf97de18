"""What lies together in a gallery: clusters, neighbours, odd ones, doubles, like patches.

All of it in the original space, never on the map.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from dino_core.analysis import neighbours as analysis
from dino_core.analysis.clustering import kmeans
from dino_core.analysis.grouping import hdbscan
from dino_core.evaluation.knn import votes
from dino_core.gallery.files import write_arrays
from dino_core.gallery.folder import GalleryFolder

DEFAULT_K = 8
SMALLEST_GROUP = 5  # pictures, HDBSCAN
PICTURES_AT_ONCE = 256  # whose patches are compared
MOST_CLUSTERS = 100


@dataclass(frozen=True)
class Found:
    """Clusters: int32 [n], the largest is 0, -1 noise."""

    labels: np.ndarray
    sizes: list[int]
    facts: dict[str, Any]


def clusters(
    store: GalleryFolder, method: str, k: int | None, features: str, layer: int | None
) -> Found:
    """k-means now; HDBSCAN from the folder, or NotReady."""
    at = store.layer(layer)
    if method == "hdbscan":
        stored = store.stored(features, at, "hdbscan")
        if stored is None:
            store.wish_for(features, at, "hdbscan")
            raise AssertionError  # a wish always raises
        labels, facts = stored["labels"], json.loads(str(stored["facts"]))
    elif method == "kmeans":
        labels, facts = by_kmeans(store, k, features, at)
    else:
        raise ValueError(f"Clusters are found by kmeans or hdbscan, not by {method!r}.")
    facts["agreement"] = agreement(labels, np.asarray(store.facts()["labels"]))
    return Found(labels, np.bincount(labels[labels >= 0]).tolist(), facts)


def by_kmeans(
    store: GalleryFolder, k: int | None, features: str, layer: int
) -> tuple[np.ndarray, dict[str, Any]]:
    n, classes = store.count(), len(store.facts()["classes"])
    k = min(classes or DEFAULT_K, n) if k is None else k
    if not 1 <= k <= min(n, MOST_CLUSTERS):
        raise ValueError(
            f"These {n:,} pictures can be parted into 1 to {min(n, MOST_CLUSTERS)} clusters, not "
            f"{k}."
        )
    points = F.normalize(torch.from_numpy(store.features(features, layer)), dim=1)
    seed = int(store.read_config()["options"]["seed"])
    found = kmeans(points, k, torch.Generator().manual_seed(seed))
    facts = {
        "parameters": {"k": k, "restarts": 4, "features of length 1": True},
        "seed": seed,
        "explained": found.explained,
        "words": "k-means parts everything into k groups of about equal width, fitting or not.",
    }
    return found.labels.numpy().astype(np.int32), facts


def make_hdbscan(store: GalleryFolder, features: str, layer: int) -> None:
    """Computes HDBSCAN's clusters and puts them into the folder."""
    labels = hdbscan(store.features(features, layer), SMALLEST_GROUP)
    noise = int((labels < 0).sum())
    facts = {
        "parameters": {"smallest group": SMALLEST_GROUP, "principal components": 50},
        "seed": None,
        "noise": noise,
        "words": f"HDBSCAN finds dense groups and leaves out the rest: {noise:,} of "
        f"{len(labels):,} pictures are in none.",
    }
    path = store.map_file(features, layer, "hdbscan")
    write_arrays(path, labels=labels, facts=np.array(json.dumps(facts)))
    path.with_suffix(".txt").unlink(missing_ok=True)


def agreement(labels: np.ndarray, classes: np.ndarray) -> float | None:
    """Adjusted Rand index with the classes: 1 the same, 0 as good as chance. None without."""
    known = classes >= 0
    if not known.any():
        return None
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(classes[known], labels[known]))


def neighbours(
    store: GalleryFolder, index: int, k: int, features: str, layer: int | None
) -> tuple[np.ndarray, np.ndarray, list[tuple[str, float]]]:
    """Indices int32 [k] and similarities float32 [k] without the picture itself, and the vote."""
    facts = store.facts()
    points = torch.from_numpy(store.features(features, layer))
    k = min(max(k, 1), len(points) - 1)
    if k == 0:
        return np.zeros(0, np.int32), np.zeros(0, np.float32), []
    similarities, found = analysis.nearest(points[index : index + 1], points, k + 1)
    others = (found[0] != index).nonzero()[:, 0][:k]  # a double may stand before the picture
    values, indices = similarities[0][others], found[0][others]
    labels = torch.tensor(facts["labels"])[indices]
    vote = []
    if (labels >= 0).any():
        known = labels >= 0
        shares = votes(values[known][None], labels[known][None], len(facts["classes"]))[0]
        order = shares.argsort(descending=True, stable=True).tolist()
        vote = [(facts["classes"][i], float(shares[i])) for i in order if shares[i] > 0]
    return indices.numpy().astype(np.int32), values.numpy(), vote


def similar_patches(
    store: GalleryFolder, index: int, row: int, column: int, k: int, per_picture: int | None
) -> tuple[Any, ...]:
    """The fields of `scenes.gallery_groups.Patches`, in order."""
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
    query = torch.from_numpy(np.array(patches[index, row * w + column])).float()
    similarity = torch.empty(kept, h * w)
    for start in range(0, kept, PICTURES_AT_ONCE):
        part = torch.from_numpy(np.array(patches[start : start + PICTURES_AT_ONCE]))
        similarity[start : start + len(part)] = part.float() @ query
    similarity[index] = -torch.inf
    values, places = similarity.topk(min(per_picture or h * w, h * w), dim=1)  # [m, per_picture]
    best = values.flatten().topk(min(k, values.shape[1] * (kept - 1)))
    pictures = best.indices // values.shape[1]
    place = places.flatten()[best.indices]
    words = ""
    if kept < total:
        words = f"Searched were the first {kept:,} of {total:,} pictures: patch features are large."
    return (
        pictures.numpy().astype(np.int32),
        (place // w).numpy().astype(np.int32),
        (place % w).numpy().astype(np.int32),
        best.values.clamp(-1, 1).numpy(),
        kept,
        total,
        words,
    )


def outliers(
    store: GalleryFolder, k: int, features: str, layer: int | None
) -> tuple[np.ndarray, int]:
    points = torch.from_numpy(store.features(features, layer))
    return analysis.outlier_scores(points, k).numpy(), min(k, max(len(points) - 1, 0))


def near_duplicates(
    store: GalleryFolder, threshold: float, features: str, layer: int | None, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Pairs int32 [m, 2], similarities [m], whether the pixels are the same, and the limit."""
    points = torch.from_numpy(store.features(features, layer))
    pairs, values, total = analysis.near_duplicates(points, threshold, most)
    chosen = pairs.numpy().astype(np.int32)
    digests = store.array("digests")
    same = (digests[chosen[:, 0]] == digests[chosen[:, 1]]).all(1)
    words = f"The {most:,} most similar of {total:,} pairs are shown." if total > most else ""
    return chosen, values.numpy(), same, words
