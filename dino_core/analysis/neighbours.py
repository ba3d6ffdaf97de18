"""Nearest neighbours, exactly, and what follows from them: outliers and near-duplicates.

    cos(x, y) = x . y / (|x| |y|)

In slices, so that memory grows with the number of features and not with its square.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

PICTURES_AT_ONCE = 256  # whose patches are compared
ROWS = 1024  # queries at a time, fewer where their similarities would be more than HELD
HELD = 2**22  # similarities at a time: 17 MB
FEWEST = 16  # queries at a time: of fewer the time goes into reading the features


def nearest(
    queries: Tensor, features: Tensor, k: int, *, themselves: bool = False
) -> tuple[Tensor, Tensor]:
    """[m, D], [n, D] -> the k nearest of n, similarities float32 [m, k] and indices int64 [m, k].

    The most similar first. `themselves`: queries are the features, and none is its own neighbour.
    Fewer than k come back when there are fewer.
    """
    base = F.normalize(features.float(), dim=1)
    ordered = base if queries is features else F.normalize(queries.float(), dim=1)
    k = min(k, len(base) - themselves)
    values = torch.empty(len(ordered), k)
    indices = torch.empty(len(ordered), k, dtype=torch.int64)
    rows = rows_at_once(len(base))
    for start in range(0, len(ordered), rows):
        part = slice(start, start + rows)
        itself = start if themselves else None
        values[part], indices[part] = _nearest_of_all(ordered[part], base, k, itself)
    return values, indices


def _nearest_of_all(
    queries: Tensor, base: Tensor, k: int, itself: int | None
) -> tuple[Tensor, Tensor]:
    """Of queries whose similarities to all can be held; `itself`: the row of the first one."""
    similarity = queries @ base.T  # [rows, n]
    if itself is not None:
        own = torch.arange(len(similarity))
        similarity[own, own + itself] = -torch.inf
    found = similarity.topk(k, dim=1)
    return found.values, found.indices


def rows_at_once(count: int) -> int:
    """Queries whose similarities to so many features are computed at a time."""
    return max(min(ROWS, HELD // max(count, 1)), FEWEST)


def outlier_scores(features: Tensor, k: int = 10) -> Tensor:
    """[n, D] -> float32 [n]: mean of 1 - cos over the k nearest others, 0 to 2. 0 for one alone."""
    if len(features) < 2:
        return torch.zeros(len(features))
    similarities, _ = nearest(features, features, k, themselves=True)
    return 1 - similarities.mean(1)


def nearest_patches(
    patches: np.ndarray, picture: int, patch: int, *, k: int, per_picture: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Patches like one patch, in all other pictures, the most similar first.

    patches float16 [n, P, D] of length 1, which may be mapped from the disk -> pictures int64 [k],
    patches in them int64 [k], cosines float32 [k]. At most `per_picture` of each (None: any).
    """
    n, P = patches.shape[:2]
    query = torch.from_numpy(np.array(patches[picture, patch])).float()
    similarity = torch.empty(n, P)
    for start in range(0, n, PICTURES_AT_ONCE):
        part = torch.from_numpy(np.array(patches[start : start + PICTURES_AT_ONCE]))
        similarity[start : start + len(part)] = part.float() @ query
    similarity[picture] = -torch.inf
    values, places = similarity.topk(min(per_picture or P, P), dim=1)  # [n, per_picture]
    best = values.flatten().topk(min(k, values.shape[1] * (n - 1)))
    pictures, chosen = best.indices // values.shape[1], places.flatten()[best.indices]
    return pictures.numpy(), chosen.numpy(), best.values.clamp(-1, 1).numpy()


def near_duplicates(
    features: Tensor, threshold: float, most: int = 1000
) -> tuple[Tensor, Tensor, int]:
    """Pairs i < j with cos >= threshold: pairs int64 [m, 2], similarities float32 [m], the most
    similar first, at most `most` of them; and how many there are in all."""
    base = F.normalize(features.float(), dim=1)
    pairs, values = torch.empty(0, 2, dtype=torch.int64), torch.empty(0)
    total = 0
    at_once = rows_at_once(len(base))
    for start in range(0, len(base), at_once):
        here, alike = _alike(base[start : start + at_once], base[start:], threshold)
        total += len(here)
        values = torch.cat([values, alike])
        pairs = torch.cat([pairs, here + start])
        order = values.argsort(descending=True, stable=True)[:most]
        values, pairs = values[order], pairs[order]
    return pairs, values.clamp(max=1), total


def _alike(queries: Tensor, base: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Pairs of queries, which are the first of the base, and those behind them: [m, 2] and [m]."""
    similarity = queries @ base.T  # [rows, n]
    rows, columns = torch.nonzero((similarity >= threshold).triu(1), as_tuple=True)
    return torch.stack([rows, columns], 1), similarity[rows, columns]
