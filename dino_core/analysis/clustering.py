"""Features in groups. NumPy in and out, no torch.

k-means (Lloyd 1982, k-means++ seeding of Arthur and Vassilvitskii 2007) parts everything into k:

    minimise   sum over i of |x_i - c_(label of i)|^2

For features of length 1, |x - y|^2 = 2 - 2 cos(x, y): near means similar. HDBSCAN (Campello et al.
2013) finds dense groups, without being told how many, and leaves out the rest. Both are
scikit-learn's.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from dino_core.analysis.projection import pca_scores
from dino_core.analysis.threads import limited_threads

RESTARTS = 4
ROWS = 4096  # features in float64 at a time
HDBSCAN_DIMENSIONS = 50  # distances in hundreds of dimensions are all alike
HDBSCAN_MOST = 20_000  # features; it compares all pairs


@dataclass(frozen=True)
class KMeans:
    """k clusters of n features, the largest first; equal sizes by their first member."""

    labels: np.ndarray  # int32 [n], 0 to k - 1
    centres: np.ndarray  # float32 [k, D]
    sizes: np.ndarray  # int64 [k]
    inertia: float  # the sum that is minimised
    explained: float  # 1 - inertia / (the same with one centre for all), 0 to 1


def kmeans(
    features: np.ndarray, k: int, seed: int, *, restarts: int = RESTARTS, steps: int = 100
) -> KMeans:
    """Features [n, D] -> the best of `restarts` runs of at most `steps` turns each.

    The same seed gives the same clusters. Fewer than k come back when there are fewer than k
    different features. ValueError unless 1 <= k <= n.
    """
    n = len(features)
    if not 1 <= k <= n:
        raise ValueError(f"{n} features can be parted into 1 to {n} clusters, not {k}.")
    if not np.isfinite(features).all():
        raise ValueError("Some features are infinite or not a number: they have no clusters.")
    from sklearn.cluster import KMeans as ScikitKMeans

    model = ScikitKMeans(k, n_init=restarts, max_iter=steps, tol=0, random_state=seed)
    points = np.asarray(features, np.float32)
    with warnings.catch_warnings(), limited_threads(1):  # sums in one order: the same each time
        warnings.simplefilter("ignore")  # that there are fewer different features than clusters
        found = model.fit_predict(points)
    labels, order = by_size(found)
    centres = model.cluster_centers_[order]
    inertia = squared_distances(points, centres, labels)
    mean = points.mean(0, dtype=np.float64)
    total = squared_distances(points, mean[None], np.zeros_like(labels))
    return KMeans(
        labels=labels,
        centres=centres,
        sizes=np.bincount(labels, minlength=len(order)),
        inertia=inertia,
        explained=1 - inertia / total if total > 0 else 1.0,
    )


def squared_distances(points: np.ndarray, centres: np.ndarray, labels: np.ndarray) -> float:
    """Sum of |x_i - c_(label of i)|^2 in float64, in slices."""
    total = 0.0
    for start in range(0, len(points), ROWS):
        rows = slice(start, start + ROWS)
        total += float(np.square(points[rows] - centres[labels[rows]].astype(np.float64)).sum())
    return total


def hdbscan(features: np.ndarray, smallest: int) -> np.ndarray:
    """[n, D] -> int32 [n], the largest cluster is 0, -1 is noise.

    On the first 50 principal components of the directions (length 1). `smallest`: members that a
    group must have to be one.
    """
    n = len(features)
    check_hdbscan(n, smallest)
    from sklearn.cluster import HDBSCAN
    from sklearn.preprocessing import normalize

    dimensions = min(HDBSCAN_DIMENSIONS, n - 1, features.shape[1])
    reduced, _ = pca_scores(normalize(features), dimensions)
    return by_size(HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(reduced))[0]


def check_hdbscan(n: int, smallest: int) -> None:
    """ValueError, in a sentence, for too few pictures and for too many."""
    if n > HDBSCAN_MOST:
        raise ValueError(
            f"HDBSCAN of {n:,} pictures would take hours, so it stops at {HDBSCAN_MOST:,}: use "
            f"k-means."
        )
    if n < 2 * smallest:
        raise ValueError(f"HDBSCAN wants at least {2 * smallest} pictures here, there are {n}.")


def by_size(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels [n] -> int32 [n], the largest 0, and the old numbers in the new order.

    Equal sizes by their first member; -1, noise, stays. Numbers that nobody has are gone.
    """
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    kept = names >= 0
    order = names[kept][np.lexsort((first[kept], -counts[kept]))]
    out = np.full(len(labels), -1, np.int32)
    for new, old in enumerate(order):
        out[labels == old] = new
    return out, order


def same_numbers(reference: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Two partings [n] of the same members -> what to call each cluster of `labels`, int32 [k].

    The numbers under which most members keep theirs (Hungarian algorithm): `order[labels]` is
    `labels` in the reference's numbers. Clusters that the reference has no partner for get
    numbers that are free, the lowest first. -1, noise, stays out of it.
    """
    import scipy.optimize

    both = (reference >= 0) & (labels >= 0)
    most = int(max(reference.max(initial=-1), labels.max(initial=-1))) + 1
    shared = np.zeros((most, most), np.int64)  # [k, k], members that two clusters share
    np.add.at(shared, (labels[both], reference[both]), 1)
    own = int(labels.max(initial=-1)) + 1
    order = np.full(most, -1, np.int32)
    for cluster, number in zip(*scipy.optimize.linear_sum_assignment(-shared), strict=True):
        if shared[cluster, number]:
            order[cluster] = number
    free = iter(sorted(set(range(most)) - set(order.tolist())))
    for cluster in np.flatnonzero(order < 0):
        order[cluster] = next(free)
    return order[:own]


def agreement(labels: np.ndarray, classes: np.ndarray) -> float | None:
    """Adjusted Rand index with the classes: 1 the same, 0 as good as chance.

    Classes of -1 are unknown and do not count; None without any.
    """
    known = classes >= 0
    if not known.any():
        return None
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(classes[known], labels[known]))
