"""Features as a map in two dimensions by UMAP (McInnes et al. 2018). NumPy in and out, no torch.

UMAP keeps who is near whom, not how far the rest is: distances between far groups, and the sizes
of groups, mean little. umap-learn compiles itself on first use, which takes tens of seconds in
every process: a page warms it up in a process of its own and shows PCA until then.
"""

import warnings

import numpy as np

SMALLEST = 4  # points; below that there are no neighbours to speak of


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
    if n < SMALLEST:
        raise ValueError(f"UMAP needs at least {SMALLEST} patches, there are {n}.")
    if not 2 <= neighbours <= 200:
        raise ValueError(f"UMAP looks at 2 to 200 neighbours, not {neighbours}.")
    if not 0 <= min_distance <= 1:
        raise ValueError(f"UMAP's smallest distance goes from 0 to 1, but is {min_distance}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed costs parallelism
        from umap import UMAP

        model = UMAP(
            n_neighbors=min(neighbours, n - 1),
            min_dist=min_distance,
            metric="cosine",
            init=np.array(start, dtype=np.float32),
            random_state=seed,
            n_jobs=1,
        )
        return np.asarray(model.fit_transform(features), dtype=np.float32)


def warm_up() -> None:
    """One small map, after which the next ones take seconds."""
    points = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    umap_map(points, points[:, :2])
