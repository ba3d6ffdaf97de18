"""Two side by side: which patches of two pictures match, and one picture in two models or layers.

matched(features, grids, config)          two pictures in one layer of one model
compared(first, second, grids, config)    one picture, twice: CKA, and colours that go together
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from dino_core.analysis.comparison import (
    Alignment,
    align_components,
    linear_cka,
    nearest,
    to_grid,
)
from dino_core.analysis.pca import as_colours, colour_features, fit_pca
from dino_core.analysis.similarity import Matches, match_patches, salient_matches
from dino_core.config import PCAConfig

LINES = 40  # matches that a figure draws
CELLS = 16  # neighbours are suppressed within a 1 / CELLS of the short side
COMPONENTS = 8  # of the second map, among which the first one's three are looked for


@dataclass(frozen=True)
class PictureMatches:
    """Best matches between two pictures, and which of them to draw."""

    matches: Matches
    radius: int  # patches, of the suppression
    lines: Tensor  # int64 [n], patches of the first picture to draw from, the best first


@dataclass(frozen=True)
class Compared:
    """One picture in two models or layers. The foreground is the first one's."""

    cka: float  # unbiased
    cka_biased: float
    alignment: Alignment  # which component of the second stands for the first's, and its sign
    colours: Tensor  # [h, w, 3] in 0 to 1; background patches are 0
    scores: Tensor  # [h, w, 3]
    second_colours: Tensor  # [h', w', 3], in the first's order and signs
    second_scores: Tensor  # [h', w', 3]
    note: str


def matched(
    features: Sequence[Tensor], grids: Sequence[tuple[int, int]], config: PCAConfig | None
) -> PictureMatches:
    """Features [P, D], [P', D] of two pictures -> matches.

    With a PCA's settings, lines start and end on what their joint PCA calls foreground.
    """
    first, second = features
    matches = match_patches(first, second)
    kept = None
    if config is not None:
        views = colour_features(features, grids, config).pictures
        start, end = (view.foreground.flatten() for view in views)
        kept = start & end[matches.forward]
    radius = max(1, round(min(grids[0]) / CELLS))
    return PictureMatches(matches, radius, salient_matches(matches, grids[0], radius, kept))


def drawn_pairs(
    found: PictureMatches, grids: Sequence[tuple[int, int]], most: int
) -> list[tuple[tuple[int, int], tuple[int, int], float]]:
    """The best matches as (row, column) in the first, (row, column) in the second, cosine."""
    return [
        (
            divmod(start, grids[0][1]),
            divmod(int(found.matches.forward[start]), grids[1][1]),
            float(found.matches.forward_similarity[start]),
        )
        for start in found.lines[:most].tolist()
    ]


def compared(
    first: Tensor, second: Tensor, grids: Sequence[tuple[int, int]], config: PCAConfig
) -> Compared:
    """Features [P, D], [P', D'] of one picture, with their grids -> how alike, and in colours."""
    own, theirs = first.float(), second.float()
    grid, target = grids
    shared = to_grid(theirs, target, grid)  # [P, D']
    result = colour_features([own], [grid], config, COMPONENTS)
    view = result.pictures[0]
    kept = view.foreground.flatten()
    shown = view.scores[..., list(config.components)]  # [h, w, 3]
    pca = fit_pca(shared[kept], COMPONENTS)
    found = pca.project(shared, config.whiten)[kept]
    alignment = align_components(shown.flatten(0, 1)[kept], found)
    order, signs = alignment.order, alignment.signs
    turned = pca.project(theirs, config.whiten)[:, order] * signs.to(theirs)  # [P', 3]
    inside = nearest(kept, grid, target)
    return Compared(
        cka=linear_cka(own, shared),
        cka_biased=linear_cka(own, shared, debiased=False),
        alignment=alignment,
        colours=view.colours,
        scores=shown,
        second_colours=as_colours(turned, inside, config).unflatten(0, target),
        second_scores=turned.unflatten(0, target),
        note=result.note,
    )
