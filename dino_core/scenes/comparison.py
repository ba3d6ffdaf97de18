"""Screen 5, two models or two layers side by side: maps made comparable, likeness in numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dino_core.analysis.comparison import (
    align_components,
    cka_matrix,
    linear_cka,
    nearest,
    to_grid,
)
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.pca import as_colours, colour_features, fit_pca
from dino_core.config import PCAConfig
from dino_core.draw.pictures import to_bytes
from dino_core.scenes.features import COMPONENTS, settings


@dataclass(frozen=True)
class ComparisonScene:
    """One picture, twice. The foreground is the first one's, so that both PCAs see the same."""

    layer: int
    second_layer: int
    preset: str
    grid: tuple[int, int]
    second_grid: tuple[int, int]
    cka: float  # unbiased
    cka_biased: float
    order: list[int]  # which component of the second stands for the first's red, green, blue
    signs: list[int]  # 1, or -1 where it was turned
    correlation: list[float]  # of the pairs over the foreground, 0 to 1
    colours: np.ndarray  # uint8 [h, w, 3]
    scores: np.ndarray  # float32 [h, w, 3]
    second_colours: np.ndarray  # uint8 [h', w', 3], in the first's order and signs
    second_scores: np.ndarray  # float32 [h', w', 3]
    note: str


@dataclass(frozen=True)
class LikenessScene:
    """Every layer with every layer."""

    cka: np.ndarray  # float32 [T, T'], unbiased CKA, at most 1
    same: bool  # the table compares a model with itself


@torch.inference_mode()
def comparison_scene(
    seen: Inspection,
    layer: int,
    second: Inspection,
    second_layer: int,
    preset: str = "paper",
    flip: bool = False,
    **changes: Any,
) -> ComparisonScene:
    """The same picture in two models, or twice the same Inspection with two layers."""
    config = settings(preset, flip, **changes)
    own = seen.patches(layer).float()  # [P, D]
    theirs = second.patches(second_layer).float()  # [P', D']
    shared = to_grid(theirs, second.grid, seen.grid)  # [P, D']
    result = colour_features([own], [seen.grid], config, COMPONENTS)
    view = result.pictures[0]
    kept = view.foreground.flatten()
    shown = view.scores[..., list(config.components)]  # [h, w, 3]

    pca = fit_pca(shared[kept], COMPONENTS)
    found = pca.project(shared, config.whiten)[kept]
    alignment = align_components(shown.flatten(0, 1)[kept], found)
    order, signs = alignment.order, alignment.signs
    turned = pca.project(theirs, config.whiten)[:, order] * signs.to(theirs)  # [P', 3]
    inside = nearest(kept, seen.grid, second.grid).bool()
    return ComparisonScene(
        layer=layer,
        second_layer=second_layer,
        preset=preset,
        grid=seen.grid,
        second_grid=second.grid,
        cka=linear_cka(own, shared),
        cka_biased=linear_cka(own, shared, debiased=False),
        order=order.tolist(),
        signs=[int(sign) for sign in signs],
        correlation=alignment.correlation.tolist(),
        colours=to_bytes(view.colours.cpu().numpy()),
        scores=shown.cpu().numpy(),
        second_colours=painted(turned, inside, second.grid, config),
        second_scores=turned.unflatten(0, second.grid).cpu().numpy(),
        note=result.note,
    )


def painted(scores: Tensor, kept: Tensor, grid: tuple[int, int], config: PCAConfig) -> np.ndarray:
    """Scores [P, 3] and what is foreground -> uint8 [h, w, 3]."""
    return to_bytes(as_colours(scores, kept, config).unflatten(0, grid).cpu().numpy())


@torch.inference_mode()
def likeness_scene(seen: Inspection, second: Inspection | None = None) -> LikenessScene:
    """CKA of all pairs of layers; None: of the model with itself."""
    own = [seen.patches(layer).float() for layer in range(seen.layers)]
    theirs = None
    if second is not None:
        parts = (second.patches(layer).float() for layer in range(second.layers))
        theirs = [to_grid(part, second.grid, seen.grid) for part in parts]
    return LikenessScene(cka=cka_matrix(own, theirs).cpu().numpy(), same=second is None)
