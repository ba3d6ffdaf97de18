"""Colours that stay: one basis and one foreground for several maps of one picture.

The layers of a model, one picture at several sizes, checkpoints of a run, other models: each has
principal components of its own, whose signs, order and, among components of like variance, whole
directions are arbitrary. Here the scores X [n, m] of one map are brought to those of another, Y
[n, k], at the same places:

    signs     each component turned so that it correlates with its counterpart
    order     signs, and the assignment of components with the largest sum of |correlation|
    rotation  the orthogonal R with the largest <X R, Y>: U V^T of X^T Y = U S V^T (orthogonal
              Procrustes, Schoenemann 1966); what is near in X stays exactly as near
    joint     no PCA of its own: one basis for all maps, each moved to mean 0 and variance 1
    none      each as it comes

Map after map away from the reference, each is brought to its neighbour, so that a film through them
is smooth. The foreground belongs to the family: the first components of all maps vote.

Several pictures, which share no places, have one PCA anyway: `pca.colour_features`. In several
layers or models they are `colour_places`: the pictures of one map lie one after the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.analysis.comparison import align_components, correlations, nearest, to_grid
from dino_core.analysis.pca import (
    PCA,
    TOO_FEW,
    as_colours,
    fit_pca,
    split_foreground,
)
from dino_core.config import PCAConfig

Method = Literal["rotation", "order", "signs", "joint", "none"]
METHODS: tuple[Method, ...] = get_args(Method)
Places = Sequence[tuple[int, int]]  # the grids of the pictures whose patches make up one map
CANDIDATES = 8  # components among which the three shown are looked for by "order"


@dataclass(frozen=True)
class FamilyMap:
    """One map of a family, in the family's colours."""

    colours: Tensor  # [h, w, 3] in 0 to 1; background patches are 0
    foreground: Tensor  # [h, w] bool, the family's on this map's grid
    scores: Tensor  # [h, w, 3] what became red, green and blue
    cosine: float  # of the scores with those they were brought to, -1 to 1; 1 for the reference
    variance: float  # share of this map's variance over the foreground that is shown, 0 to 1
    best: float  # the share that its own first three components hold
    agreement: float  # |correlation| of its first component with the family's, 0 to 1


@dataclass(frozen=True)
class Family:
    """Several maps of one picture, with one foreground and colours that stay."""

    maps: tuple[FamilyMap, ...]
    method: Method
    reference: int  # the map to which the others were brought
    note: str  # what was done otherwise than asked for; empty when nothing


def turn_to(reference: Tensor, scores: Tensor, method: Method) -> Tensor:
    """Scores [n, m], m >= k, and those [n, k] of the same patches -> Q [m, k], orthonormal columns.

    `scores @ Q` stands for the reference. "signs" and "rotation" use the first k columns.
    """
    k = reference.shape[1]
    if method == "order":
        found = align_components(reference, scores)
        matrix = F.one_hot(found.order, scores.shape[1]).T * found.signs
    elif method == "signs":
        diagonal = correlations(reference, scores[:, :k]).diagonal()
        matrix = torch.eye(scores.shape[1])[:, :k] * torch.where(diagonal < 0, -1.0, 1.0)
    elif method == "rotation":
        x, y = (part.double() - part.double().mean(0) for part in (scores[:, :k], reference))
        u, _, vt = torch.linalg.svd(x.T @ y)
        matrix = F.pad(u @ vt, (0, 0, 0, scores.shape[1] - k))
    else:
        matrix = torch.eye(scores.shape[1])[:, :k]
    return matrix.to(scores)


def likeness(first: Tensor, second: Tensor) -> float:
    """Cosine of two sets of scores [n, k], each moved to mean 0, as long vectors: -1 to 1."""
    x, y = (part.double() - part.double().mean(0) for part in (first, second))
    return float((x * y).sum() / (x.norm() * y.norm()).clamp_min(1e-12))


def consensus(scores: Sequence[Tensor]) -> tuple[Tensor, list[float]]:
    """One score [P] of each of m maps, at the same places -> what they agree on, and how well.

    The s of mean 0 and variance 1 with the largest sum of squared correlations with all of them:
    their first principal component, for which their signs do not matter. -> (s [P], |correlation|
    with each, 0 to 1). The sign of s is arbitrary.
    """
    columns = torch.stack([score.double().cpu() - score.double().cpu().mean() for score in scores])
    columns = F.normalize(columns, dim=1)  # [m, P]
    _, _, vt = torch.linalg.svd(columns, full_matrices=False)
    score = vt[0] * (vt.shape[1] - 1) ** 0.5
    return score.to(scores[0]), (columns @ vt[0]).abs().clamp(max=1).tolist()


def colour_family(
    features: Sequence[Tensor],
    grids: Sequence[tuple[int, int]],
    config: PCAConfig,
    *,
    method: Method = "rotation",
    reference: int = -1,
    asked: Sequence[Tensor] | None = None,
) -> Family:
    """Patch features [P, D] of one picture in several ways, with their grids -> colours that stay.

    Widths and grids may differ (but not the widths for "joint"). `config.flip` takes the other
    side of the family's foreground; `asked` is that of `colour_features`. ValueError for a method
    that there is none of, a reference that is not there, or too few patches.
    """
    places = [(grid,) for grid in grids]
    flat = colour_places(features, places, config, method=method, reference=reference, asked=asked)
    views = [
        replace(
            one,
            colours=one.colours.unflatten(0, grid),
            foreground=one.foreground.unflatten(0, grid),
            scores=one.scores.unflatten(0, grid),
        )
        for one, grid in zip(flat.maps, grids, strict=True)
    ]
    return replace(flat, maps=tuple(views))


def colour_places(
    features: Sequence[Tensor],
    places: Sequence[Places],
    config: PCAConfig,
    *,
    method: Method = "rotation",
    reference: int = -1,
    asked: Sequence[Tensor] | None = None,
) -> Family:
    """The same for several pictures in each map: features [n, D], n the patches of all of them, one
    picture after the other, with the grid of each. What comes back is laid out likewise: colours
    [n, 3], foreground [n], scores [n, 3]. One basis and one range for all pictures.
    """
    check(features, method, reference)
    maps, reference = [part.float() for part in features], reference % len(features)
    if asked is None:
        asked = [torch.ones(len(part), dtype=torch.bool) for part in maps]
    asked = [mask.to(part.device) for mask, part in zip(asked, maps, strict=True)]
    home, note = places[reference], ""
    kept, agreement = family_foreground(maps, places, asked, config, home)
    inside = [moved(nearest, kept, home, there) for there in places]
    needed = max(index + 1 for index in config.components)
    if min(int((a & b).sum()) for a, b in zip(inside, asked, strict=True)) <= needed:
        inside, note = [torch.ones_like(mask) for mask in inside], TOO_FEW
    used = [a & b for a, b in zip(inside, asked, strict=True)]
    if method == "joint":
        maps = [standardised(part, mask) for part, mask in zip(maps, used, strict=True)]
        one = fit_pca(torch.cat([part[m] for part, m in zip(maps, used, strict=True)]), needed)
        fitted = [one] * len(maps)
    else:
        fitted = [
            fit_pca(part[mask], max(needed, CANDIDATES))
            for part, mask in zip(maps, used, strict=True)
        ]
    turned = turn_all(maps, fitted, places, used, config, method, reference)
    views = []
    for i, (scores, matrix, cosine) in enumerate(turned):
        colours = as_colours(scores, inside[i], config, asked[i])
        directions = matrix.T @ fitted[i].components  # [3, D]
        views.append(
            FamilyMap(
                colours=colours,
                foreground=inside[i],
                scores=scores,
                cosine=cosine,
                variance=share(maps[i][used[i]], directions),
                best=share(maps[i][used[i]], fit_pca(maps[i][used[i]], 3).components),
                agreement=agreement[i],
            )
        )
    return Family(tuple(views), method, reference, note)


def moved(
    how: Callable[[Tensor, tuple[int, int], tuple[int, int]], Tensor],
    values: Tensor,
    places: Places,
    targets: Places,
) -> Tensor:
    """Values [n, ...] of pictures, one after the other, on other grids: by `to_grid`, `nearest`."""
    parts = values.split([h * w for h, w in places])
    return torch.cat(
        [how(part, here, there) for part, here, there in zip(parts, places, targets, strict=True)]
    )


def check(features: Sequence[Tensor], method: str, reference: int) -> None:
    """ValueError unless this family can be coloured."""
    if not features:
        raise ValueError("Colours that stay want one map or more.")
    if method not in METHODS:
        raise ValueError(f"Maps are aligned by {', '.join(METHODS)}, not by {method!r}.")
    if not -len(features) <= reference < len(features):
        raise ValueError(f"There are maps 0 to {len(features) - 1}, but no map {reference}.")
    widths = sorted({part.shape[1] for part in features})
    if method == "joint" and len(widths) > 1:
        words = " and ".join(map(str, widths))
        raise ValueError(
            f"Features of width {words} have no basis in common: align them by rotation."
        )


def family_foreground(
    maps: Sequence[Tensor],
    places: Sequence[Places],
    asked: Sequence[Tensor],
    config: PCAConfig,
    home: Places,
) -> tuple[Tensor, list[float]]:
    """-> (which patches of the grids `home` are foreground, bool [n], and the maps' agreement).

    Once for the family: the border of the picture turns what the maps agree on, not each of them.
    """
    scores = []
    for part, there, mask in zip(maps, places, asked, strict=True):
        first = fit_pca(part[mask], 1).project(part, whiten=True)  # [n, 1]
        scores.append(moved(to_grid, first, there, home)[:, 0])
    score, agreement = consensus(scores)
    return split_foreground(score, home, config)[1], agreement


def turn_all(
    maps: Sequence[Tensor],
    fitted: Sequence[PCA],
    places: Sequence[Places],
    used: Sequence[Tensor],
    config: PCAConfig,
    method: Method,
    reference: int,
) -> list[tuple[Tensor, Tensor, float]]:
    """Each map's three scores [P, 3], Q [m, 3] that made them of its components, and the cosine
    with its neighbour's, to which it was brought, over what is used of both."""
    found: dict[int, tuple[Tensor, Tensor, float]] = {}
    shown = list(config.components)
    away = [*range(reference, -1, -1), *range(reference + 1, len(maps))]
    for i in away:
        scores = fitted[i].project(maps[i], config.whiten)  # [P, m]
        # What is shown stands first, so that signs and rotation act on it.
        order = shown + [c for c in range(scores.shape[1]) if c not in shown]
        chosen = torch.eye(scores.shape[1])[:, order].to(scores)  # [m, m]
        if i == reference:
            matrix, cosine = chosen[:, : len(shown)], 1.0
        else:
            near = i + 1 if i < reference else i - 1
            kept = used[near] & moved(nearest, used[i], places[i], places[near])
            goal = found[near][0][kept]
            there = moved(to_grid, scores @ chosen, places[i], places[near])[kept]
            turn = turn_to(goal, there, method)
            matrix, cosine = chosen @ turn, likeness(there @ turn, goal)
        found[i] = (scores @ matrix, matrix, cosine)
    return [found[i] for i in range(len(maps))]


def standardised(features: Tensor, mask: Tensor) -> Tensor:
    """[P, D], moved and scaled to mean 0 and total variance 1 over a mask [P]."""
    centred = features - features[mask].mean(0)
    return centred / centred[mask].square().mean(0).sum().sqrt().clamp_min(1e-12)


def share(features: Tensor, directions: Tensor) -> float:
    """Share of the variance of features [n, D] along orthonormal directions [k, D], 0 to 1."""
    centred = features - features.mean(0)
    total = centred.square().sum().clamp_min(1e-12)
    return min(float((centred @ directions.T).square().sum() / total), 1.0)
