"""Two models or layers over the same patches: how alike they are, and their maps made comparable.

Centred kernel alignment (Kornblith et al. 2019, linear kernel) compares all pairs of patches:

    U = X X^T,  V = Y Y^T,   CKA = HSIC(U, V) / sqrt(HSIC(U, U) HSIC(V, V))

It is 1 when the patches lie alike up to a rotation and one scale, whatever the widths of X and Y.
With the first estimator of HSIC, tr(J U J V) with J = I - 1/n, hundreds of patches in hundreds of
channels look alike by chance (two random X, Y of 256 x 384 give 0.6). So the unbiased one of Song
et al. (2012) is the default: it is 0 on average for independent features, and may be negative.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import scipy.optimize
import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Alignment:
    """Which of m components stands for each of k reference components."""

    order: Tensor  # int64 [k]
    signs: Tensor  # float32 [k], 1 or -1: how to turn it
    correlation: Tensor  # float32 [k], 0 to 1, after turning


def linear_cka(first: Tensor, second: Tensor, debiased: bool = True) -> float:
    """Features [n, D], [n, D'] of the same n patches -> their likeness, 1 at most."""
    return cka_matrix([first], [second], debiased).item()


def cka_matrix(
    first: Sequence[Tensor], second: Sequence[Tensor] | None = None, debiased: bool = True
) -> Tensor:
    """CKA of every layer of one model with every layer of another (None: itself) -> [T, T'].

    Each layer is [n, D], with the same n patches everywhere; at least 4.
    """
    rows = torch.stack([similarity_of_pairs(x, debiased) for x in first])  # [T, n * n]
    columns = rows
    if second is not None:
        columns = torch.stack([similarity_of_pairs(y, debiased) for y in second])
    if rows.shape[1] != columns.shape[1]:
        raise ValueError("CKA compares features of the same patches: bring both to one grid.")
    return (rows @ columns.T).clamp(max=1)


def similarity_of_pairs(features: Tensor, debiased: bool) -> Tensor:
    """Features [n, D] -> their centred Gram matrix, of length 1: [n * n].

    CKA is then a dot product. The biased one centres rows and columns; the unbiased one leaves
    out the diagonal, a patch's likeness to itself, and centres what is left ("U-centring",
    Szekely and Rizzo 2014, which is the estimator of Song et al. in another form).
    """
    n = len(features)
    if n < 4:
        raise ValueError(f"CKA needs at least 4 patches, there are {n}.")
    features = features.float()
    features = features - features.mean(0)  # changes nothing, and keeps float32 accurate
    gram = features @ features.T  # [n, n]
    if debiased:
        gram.fill_diagonal_(0)
        mean = gram.sum(1) / (n - 2)
        gram = gram - mean[:, None] - mean + mean.sum() / (n - 1)
        gram.fill_diagonal_(0)
    return F.normalize(gram.flatten(), dim=0)


def relation_difference(first: Tensor, second: Tensor) -> Tensor:
    """Features [n, D], [n, D'] of the same n patches -> how differently each is related.

    1 - the correlation of a patch's cosines with all others here and there (the likeness of
    representations by Kriegeskorte et al. 2008, patch by patch): [n], 0 the same, 1 nothing in
    common, 2 opposite. Widths may differ, turns and scales do not count. ValueError for fewer than
    3 patches, which say nothing of a correlation.
    """
    n = len(first)
    if n < 3:
        raise ValueError(f"A difference of relations needs at least 3 patches, there are {n}.")
    others = ~torch.eye(n, dtype=torch.bool, device=first.device)
    rows = []
    for features in (first, second):
        units = F.normalize(features.float(), dim=1)
        cosines = (units @ units.T)[others].unflatten(0, (n, n - 1))  # [n, n - 1]
        rows.append(F.normalize(cosines - cosines.mean(1, keepdim=True), dim=1))
    return 1 - (rows[0] * rows[1]).sum(1)


def align_components(reference: Tensor, scores: Tensor) -> Alignment:
    """Scores [n, k] and [n, m] of the same patches, m >= k -> who stands for whom.

    The one assignment of k of the m components that has the largest sum of absolute correlations
    (Hungarian algorithm). A component that does not vary correlates with nothing.
    """
    if scores.shape[1] < reference.shape[1]:
        raise ValueError(
            f"{reference.shape[1]} components cannot be found among {scores.shape[1]}."
        )
    correlation = correlations(reference, scores)  # [k, m]
    _, order = scipy.optimize.linear_sum_assignment(-correlation.abs().numpy())
    chosen = correlation.gather(1, torch.from_numpy(order)[:, None])[:, 0]
    signs = torch.where(chosen < 0, -1.0, 1.0)
    return Alignment(torch.from_numpy(order), signs, chosen.abs())


def correlations(first: Tensor, second: Tensor) -> Tensor:
    """Columns of [n, k] with columns of [n, m] -> [k, m], -1 to 1, float32 on the CPU."""
    a, b = (
        F.normalize(x.detach().cpu().double() - x.detach().cpu().double().mean(0), dim=0)
        for x in (first, second)
    )
    return (a.T @ b).clamp(-1, 1).float()


def to_grid(features: Tensor, grid: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """Patch features [h * w, D] -> [h' * w', D], bilinear: what two patch sizes have in common."""
    if grid == target:
        return features
    picture = features.float().T.unflatten(1, grid)[None]  # [h * w, D] -> [1, D, h, w]
    resized = F.interpolate(picture, target, mode="bilinear", align_corners=False, antialias=True)
    return resized[0].flatten(1).T  # [1, D, h', w'] -> [h' * w', D]


def nearest(values: Tensor, grid: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """A value a patch, [h * w], on another grid, where nothing is mixed: [h' * w'], same dtype."""
    if grid == target:
        return values
    picture = values.double().unflatten(0, grid)[None, None]
    return F.interpolate(picture, target, mode="nearest-exact")[0, 0].flatten().to(values.dtype)
