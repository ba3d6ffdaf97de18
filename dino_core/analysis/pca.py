"""Principal components of patch features, and the colours they are shown in.

Paper, section 7.5: a first PCA over the patches of one or several pictures; its first component
parts object and background; a second PCA over the foreground alone, whose first three components
become red, green and blue. Pictures that share the PCA share the colours: equal parts look equal.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.analysis.threads import limited_threads
from dino_core.config import PCAConfig

SMALL = 512  # features of this many dimensions are decomposed by one thread
TOO_FEW = "Too few foreground patches: all patches are kept."


@dataclass(frozen=True)
class PCA:
    """Directions of the largest variance, largest first, in float32.

    The sign of a direction is arbitrary; here its largest entry by magnitude is positive, so the
    same features always give the same colours.
    """

    mean: Tensor  # [D]
    components: Tensor  # [k, D], orthonormal
    variance: Tensor  # [k] along each component, divided by n - 1
    ratio: Tensor  # [k] share of the total variance, 0 to 1

    def project(self, features: Tensor, whiten: bool = False) -> Tensor:
        """[..., D] -> [..., k]; whitened: in units of each component's standard deviation."""
        scores = features.float() @ self.components.T - self.mean @ self.components.T
        return scores / self.variance.clamp_min(1e-12).sqrt() if whiten else scores


@dataclass(frozen=True)
class PictureColours:
    """One picture's part of a PCA."""

    colours: Tensor  # [h, w, 3] in 0 to 1; background patches are 0
    foreground: Tensor  # [h, w] bool
    scores: Tensor  # [h, w, k] the projection of every patch, background too
    first: Tensor  # [h, w] the foreground score: first component over all patches, sign resolved


@dataclass(frozen=True)
class FeatureColours:
    """One PCA over one or several pictures."""

    pictures: tuple[PictureColours, ...]
    pca: PCA
    note: str  # what was done otherwise than asked for; empty when nothing


def fit_pca(features: Tensor, count: int = 3) -> PCA:
    """PCA of features [n, D] with n >= 2 -> the first `count` components (at most D).

    From the covariance, gathered in slices that stay in the processor's cache; only the wanted
    eigenvectors are computed, in float64.
    """
    n, D = features.shape
    if n < 2:
        raise ValueError(f"PCA needs at least 2 patches, there is {n}.")
    features = features.float()
    count = min(count, D)
    mean = features.mean(0)
    covariance = features.new_zeros(D, D)
    for part in features.split(4096):
        part = part - mean
        for i in range(0, D, 128):  # symmetric: what lies below these blocks is never computed
            covariance[i : i + 128, i:].addmm_(part[:, i : i + 128].T, part[:, i:])
    covariance = (covariance / (n - 1)).double().cpu()
    if not covariance.diagonal().isfinite().all():
        raise ValueError(
            "Some features are infinite or not a number, so they have no principal components: "
            "try float32, or other weights."
        )
    values, vectors = largest_eigenvectors(covariance, count)
    variance = values.flip(0).clamp_min(0)  # ascending -> descending
    components = vectors.T.flip(0)  # [D, k] -> [k, D]
    total = covariance.diagonal().sum().clamp_min(torch.finfo(torch.float64).tiny)
    return PCA(
        mean=mean,
        components=with_fixed_signs(components).to(features),
        variance=variance.to(features),
        ratio=(variance / total).to(features),
    )


def largest_eigenvectors(matrix: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` largest eigenvalues [k], ascending, and vectors [D, k] of a symmetric matrix.

    SciPy computes these alone, of 384 in a third of the time; but it takes ten times as long to be
    imported, which a command that decomposes two small matrices need not wait for.
    """
    D = len(matrix)
    if D <= SMALL and "scipy.linalg" not in sys.modules:
        values, vectors = torch.linalg.eigh(matrix, UPLO="U")
        return values[D - count :], vectors[:, D - count :]
    import scipy.linalg

    # PyTorch's threads are still awake, and a second one would only be in their way.
    with limited_threads(1 if D <= SMALL else None, of="blas"):
        values, vectors = scipy.linalg.eigh(
            matrix.numpy(), lower=False, subset_by_index=[D - count, D - 1]
        )
    return torch.from_numpy(values), torch.from_numpy(vectors)


def with_fixed_signs(components: Tensor) -> Tensor:
    """[k, D] -> the same directions, each with its largest entry by magnitude positive."""
    largest = components.gather(1, components.abs().argmax(1, keepdim=True))
    return components * torch.where(largest < 0, -1.0, 1.0)


def colour_features(
    features: Sequence[Tensor],
    grids: Sequence[tuple[int, int]],
    config: PCAConfig,
    count: int = 3,
    *,
    asked: Sequence[Tensor] | None = None,
) -> FeatureColours:
    """Patch features [P, D] of one or several pictures, with their grids -> colours for each.

    One PCA for all of them, and one range of colours. `asked`, bool [P] for each, says which
    patches have a say in both (None: all): a few tokens of large norm can take a component for
    themselves (`tokens.ordinary_patches`). ValueError when there are too few patches.
    """
    needed = max(index + 1 for index in config.components)
    count = max(count, needed)
    joint = torch.cat(list(features)).float()  # [sum of P, D]
    used = torch.ones(len(joint), dtype=torch.bool, device=joint.device)
    if asked is not None:
        used = torch.cat(list(asked)).to(joint.device)
    first = fit_pca(joint[used], 1 if config.foreground else count)
    score, kept = split_foreground(first.project(joint, whiten=True)[:, 0], grids, config)
    note = ""
    if config.foreground and (kept & used).sum() <= needed:
        kept, note = torch.ones_like(kept), TOO_FEW
    pca = fit_pca(joint[kept & used], count) if config.foreground else first
    scores = pca.project(joint, config.whiten)
    colours = as_colours(scores[:, list(config.components)], kept, config, used)

    sizes = [h * w for h, w in grids]
    pictures = [
        PictureColours(
            colours=rgb.unflatten(0, grid),
            foreground=inside.unflatten(0, grid),
            scores=every.unflatten(0, grid),
            first=one.unflatten(0, grid),
        )
        for grid, rgb, inside, every, one in zip(
            grids,
            colours.split(sizes),
            kept.split(sizes),
            scores.split(sizes),
            score.split(sizes),
            strict=True,
        )
    ]
    return FeatureColours(tuple(pictures), pca, note)


def split_foreground(
    score: Tensor, grids: Sequence[tuple[int, int]], config: PCAConfig
) -> tuple[Tensor, Tensor]:
    """First component [sum of P] -> it with its sign resolved, and which patches are foreground.

    Objects rarely lie along the border of a photo: the side of the component that holds the
    border is the background, and the score is turned so that foreground is positive. Where all
    patches lie along the border their mean is 0 but for rounding, and nothing is turned.
    """
    border = torch.cat([border_patches(grid) for grid in grids]).to(score.device)
    outside = not border.all() and bool(score[border].mean() > 0)
    if outside != config.flip:
        score = -score
    if config.median:
        parts = score.split([h * w for h, w in grids])
        score = torch.cat([median3(p.unflatten(0, g)) for p, g in zip(parts, grids, strict=True)])
    if not config.foreground:
        return score, torch.ones_like(score, dtype=torch.bool)
    return score, score > config.threshold


def border_patches(grid: tuple[int, int]) -> Tensor:
    """Which patches lie along the picture's border: bool [P]."""
    h, w = grid
    border = torch.ones(h, w, dtype=torch.bool)
    border[1:-1, 1:-1] = False
    return border.flatten()


def median3(values: Tensor) -> Tensor:
    """3 x 3 median of [h, w], borders repeated -> [P]."""
    padded = F.pad(values[None, None], (1, 1, 1, 1), mode="replicate")
    return F.unfold(padded, 3)[0].median(0).values  # [1, 9, P] -> [P]


def as_colours(
    scores: Tensor, kept: Tensor, config: PCAConfig, asked: Tensor | None = None
) -> Tensor:
    """Three components [n, 3] -> colours in 0 to 1, black outside the foreground, bool [n].

    From the smallest to the largest of those that are `asked`, bool [n]; None: all.
    """
    if config.colours == "sigmoid":
        colours = (2 * scores).sigmoid()
    else:
        used = kept if asked is None else kept & asked
        low, high = scores[used].amin(0), scores[used].amax(0)
        colours = ((scores - low) / (high - low).clamp_min(1e-12)).clamp(0, 1)
    return colours * kept[:, None]


def recolour(before: FeatureColours, features: Tensor, config: PCAConfig) -> PictureColours:
    """Other features [P, D] of a picture that has colours, in the basis and range that it has.

    Foreground and background stay as they were: what has not changed looks as before.
    """
    (view,) = before.pictures
    components, kept = list(config.components), view.foreground.flatten()
    was = view.scores.flatten(0, 1)  # [h, w, k] -> [P, k]
    scores = before.pca.project(features, config.whiten)  # [P, k]
    both = torch.cat([was, scores])[:, components]
    asked = torch.arange(len(both), device=both.device) < len(was)
    colours = as_colours(both, torch.cat([kept, kept]), config, asked)[len(was) :]
    grid = (view.colours.shape[0], view.colours.shape[1])
    return replace(view, colours=colours.unflatten(0, grid), scores=scores.unflatten(0, grid))
