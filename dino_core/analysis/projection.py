"""Features in two dimensions, and maps laid over each other. NumPy in and out, no torch.

    PCA     turns the features so that most of the variance is seen; distances on the map are never
            larger than the true ones, but what lies behind is laid over it
    t-SNE   keeps who is near whom (van der Maaten and Hinton 2008); the rest is free
    UMAP    the same for many more points (McInnes et al. 2018)

t-SNE and UMAP say little about how far apart two groups are, and how large each is.

umap-learn compiles itself on first use, which takes tens of seconds, once on a machine
(`compiled.py`): a page warms it up in a process of its own and shows PCA until then.

Above EXACT_MOST features nothing compares all pairs, and nothing holds all of them in memory: they
may be mapped from the disk. PCA is that of their covariance, summed up in slices, UMAP is laid out
from a graph of `approximate.py`, and trustworthiness looks at a sample, but among all of them.

Two maps of the same pictures differ by an arbitrary turn or mirror image. Orthogonal Procrustes
(Schönemann 1966) undoes it: of all orthogonal R, the one with the smallest |X R - Y|, is U V^T with
the singular value decomposition X^T Y = U S V^T.
"""

import warnings

import numpy as np

from dino_core.analysis.approximate import EXACT_MOST, Graph, slices
from dino_core.analysis.compiled import import_umap

TSNE_MOST = 20_000  # pictures; beyond, it takes hours
TSNE_DIMENSIONS = 50
UMAP_LEAST = 4  # points; below that there are no neighbours to speak of
JUDGED = 2000  # points that trustworthiness looks at: it compares all pairs
JUDGED_AMONG_ALL = 300  # and where it compares each of them with all the others


def pca_scores(features: np.ndarray, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """[n, D] -> scores float32 [n, count] and the shares of the variance [count], 0 to 1.

    Fewer features than components leave the rest at 0.
    """
    from sklearn.decomposition import PCA

    n, D = features.shape
    if n > EXACT_MOST:
        return _pca_in_slices(features, count)
    scores, ratio = np.zeros((n, count), np.float32), np.zeros(count)
    found = min(count, D, n - 1)
    if found < 1 or not np.ptp(features, axis=0).any():
        return scores, ratio
    model = PCA(found, svd_solver="covariance_eigh" if n > D else "full")
    scores[:, :found] = model.fit_transform(features)
    ratio[:found] = model.explained_variance_ratio_
    return scores, ratio


def _pca_in_slices(features: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`pca_scores`, of features that are read three times, a slice at a time."""
    n, D = features.shape
    scores, ratio = np.zeros((n, count), np.float32), np.zeros(count)
    mean, covariance = np.zeros(D), np.zeros((D, D))
    for rows in slices(n):
        mean += np.asarray(features[rows]).sum(0, dtype=np.float64) / n
    for rows in slices(n):
        centred = np.asarray(features[rows]) - mean.astype(np.float32)
        covariance += centred.T @ centred  # [D, rows] [rows, D] -> [D, D]
    values, vectors = np.linalg.eigh(covariance)
    if values[-1] <= 0:
        return scores, ratio
    found = min(count, D)
    main = vectors[:, ::-1][:, :found]  # [D, found], the largest variance first
    main = main * np.sign(main[np.abs(main).argmax(0), np.arange(found)])  # as scikit-learn does
    for rows in slices(n):
        scores[rows, :found] = (np.asarray(features[rows]) - mean) @ main
    ratio[:found] = values[::-1][:found].clip(min=0) / values.clip(min=0).sum()
    return scores, ratio


def tsne_map(
    features: np.ndarray, start: np.ndarray, perplexity: float = 30, seed: int = 0
) -> np.ndarray:
    """[n, D], where to start from [n, 2] -> float32 [n, 2].

    On the first 50 principal components; it starts from the PCA map, scaled down, so that the
    large arrangement means something (Kobak and Berens 2019).
    """
    n = len(features)
    check_tsne(n)
    from sklearn.manifold import TSNE

    reduced, _ = pca_scores(features, min(TSNE_DIMENSIONS, n - 1, features.shape[1]))
    spread = max(float(start[:, 0].std()), 1e-12)
    model = TSNE(
        perplexity=min(perplexity, (n - 1) / 3),
        init=(start / spread * 1e-4).astype(np.float32),
        learning_rate="auto",
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(model.fit_transform(reduced), dtype=np.float32)


def check_tsne(n: int) -> None:
    """ValueError, in a sentence, for too few pictures and for too many."""
    if n < 4:
        raise ValueError(f"t-SNE needs at least 4 pictures, there are {n}.")
    if n > TSNE_MOST:
        raise ValueError(
            f"t-SNE of {n:,} pictures would take hours, so it stops at {TSNE_MOST:,}: use UMAP."
        )


def umap_map(
    features: np.ndarray,
    start: np.ndarray,
    neighbours: int = 15,
    min_distance: float = 0.1,
    seed: int = 0,
) -> np.ndarray:
    """float32 [n, D], and where to start from, [n, 2] -> float32 [n, 2].

    Cosine distances. It starts from `start`, the PCA map (Kobak and Linderman 2021: a start that
    means something keeps the large arrangement, and the same map comes back each time). The
    same seed gives the same map on one machine.
    """
    n = len(features)
    if n < UMAP_LEAST:
        raise ValueError(f"UMAP needs at least {UMAP_LEAST} points, there are {n}.")
    if not 2 <= neighbours <= 200:
        raise ValueError(f"UMAP looks at 2 to 200 neighbours, not {neighbours}.")
    if not 0 <= min_distance <= 1:
        raise ValueError(f"UMAP's smallest distance goes from 0 to 1, but is {min_distance}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed costs parallelism
        model = import_umap()(
            n_neighbors=min(neighbours, n - 1),
            min_dist=min_distance,
            metric="cosine",
            init=np.array(start, dtype=np.float32),
            random_state=seed,
            n_jobs=1,
        )
        return np.asarray(model.fit_transform(features), dtype=np.float32)


def umap_of_graph(
    graph: Graph, start: np.ndarray, neighbours: int = 15, min_distance: float = 0.1, seed: int = 0
) -> np.ndarray:
    """UMAP of a graph of neighbours - 1 others or more, from `start` [n, 2] -> float32 [n, 2].

    The features themselves are not looked at again.
    """
    n = len(start)
    itself = np.arange(n, dtype=np.int32)[:, None]
    indices = np.concatenate([itself, graph.indices[:, : neighbours - 1]], 1)
    alike = graph.similarities[:, : neighbours - 1]
    distances = np.concatenate([np.zeros((n, 1), np.float32), (1 - alike).clip(min=0)], 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed costs parallelism
        model = import_umap()(
            n_neighbors=neighbours,
            min_dist=min_distance,
            metric="cosine",
            init=np.array(start, dtype=np.float32),
            precomputed_knn=(indices, distances),
            random_state=seed,
            n_jobs=1,
        )
        # Of the features only their number is asked: `start` has as many.
        return np.asarray(model.fit_transform(np.array(start)), dtype=np.float32)


def warm_up() -> None:
    """One small map, after which the next ones take seconds."""
    points = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    umap_map(points, points[:, :2])


def trustworthiness(
    features: np.ndarray, xy: np.ndarray, neighbours: int = 10, seed: int = 0
) -> float | None:
    """Are the nearest on the map near in the features? 0 to 1 (Venna and Kaski 2001).

    By cosine distance, over at most 2000 of the points; None for too few to say. Above EXACT_MOST,
    where 2000 would be too thin to have neighbours, each of 300 is compared with all the others.
    """
    from sklearn.manifold import trustworthiness as judge

    if len(xy) > EXACT_MOST:
        return _trustworthiness_of_sample(features, xy, neighbours, seed)
    if len(xy) > JUDGED:
        chosen = np.random.default_rng(seed).choice(len(xy), JUDGED, replace=False)
        features, xy = features[chosen], xy[chosen]
    if len(xy) <= 2 * neighbours:
        return None
    return float(judge(features, xy, n_neighbors=neighbours, metric="cosine"))


def _trustworthiness_of_sample(
    features: np.ndarray, xy: np.ndarray, neighbours: int, seed: int
) -> float:
    """Features [n, D] of length 1: the mean over a sample, each member against all n.

    1 - 2 / (m k (2 n - 3 k - 1)) sum over members i and their k nearest j on the map of
    max(rank of j among the nearest of i in the features - k, 0)
    """
    from scipy.spatial import KDTree

    n, k = len(xy), neighbours
    chosen = np.random.default_rng(seed).choice(n, min(JUDGED_AMONG_ALL, n), replace=False)
    near = KDTree(xy).query(xy[chosen], k + 1)[1]  # [m, k + 1], itself among them
    itself = near == chosen[:, None]
    itself[~itself.any(1), -1] = True  # it may lie below others of the same place
    near = near[~itself].reshape(len(chosen), k)
    own = np.asarray(features[chosen])
    alike = np.einsum("md,mkd->mk", own, np.asarray(features[near]))
    ranks = np.zeros((len(chosen), k), np.int64)
    for rows in slices(n):
        similarity = own @ np.asarray(features[rows]).T  # [m, rows]
        here = (chosen >= rows.start) & (chosen < rows.stop)
        similarity[here, chosen[here] - rows.start] = -np.inf
        similarity.sort(axis=1)
        for i, line in enumerate(similarity):
            ranks[i] += len(line) - np.searchsorted(line, alike[i] + 1e-6)
    beyond = np.maximum(ranks + 1 - k, 0).sum()
    return float(1 - 2 * beyond / (len(chosen) * k * (2 * n - 3 * k - 1)))


def into_square(xy: np.ndarray) -> np.ndarray:
    """[n, 2] moved and scaled into -1 to 1, both axes alike."""
    low, high = xy.min(0), xy.max(0)
    half = max(float((high - low).max()) / 2, 1e-12)
    return ((xy - (low + high) / 2) / half).astype(np.float32)


def procrustes(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The orthogonal [2, 2] that turns (or mirrors) points [n, 2] onto reference [n, 2] best."""
    x = (points - points.mean(0)).astype(np.float64)
    y = (reference - reference.mean(0)).astype(np.float64)
    u, _, vt = np.linalg.svd(x.T @ y)
    return u @ vt
