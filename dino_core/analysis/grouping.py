"""Clusters, without saying how many: HDBSCAN (Campello et al. 2013). NumPy in and out."""

import numpy as np

from dino_core.analysis.planar import directions, pca_scores

DIMENSIONS = 50  # distances in hundreds of dimensions are all alike
MOST = 20_000  # features; it compares all pairs


def hdbscan(features: np.ndarray, smallest: int) -> np.ndarray:
    """[n, D] -> int32 [n], the largest cluster is 0, -1 is noise.

    On the first 50 principal components of the directions (length 1). `smallest`: members that a
    group must have to be one.
    """
    n = len(features)
    if n > MOST:
        raise ValueError(
            f"HDBSCAN of {n:,} pictures would take hours, so it stops at {MOST:,}: use k-means."
        )
    if n < 2 * smallest:
        raise ValueError(f"HDBSCAN wants at least {2 * smallest} pictures here, there are {n}.")
    from sklearn.cluster import HDBSCAN

    reduced, _ = pca_scores(directions(features), min(DIMENSIONS, n - 1, features.shape[1]))
    return by_size(HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(reduced))


def by_size(labels: np.ndarray) -> np.ndarray:
    """Renumbered, the largest first, equal ones by their first member; -1 stays."""
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    kept = names >= 0
    order = np.lexsort((first[kept], -counts[kept]))
    out = np.full(len(labels), -1, np.int32)
    for new, old in enumerate(names[kept][order]):
        out[labels == old] = new
    return out
