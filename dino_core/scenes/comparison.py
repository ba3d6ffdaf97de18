"""Screen 5, two models or two layers side by side: maps made comparable, likeness in numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dino_core.analysis.comparison import cka_matrix, to_grid
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.side_by_side import compared
from dino_core.draw.pictures import to_bytes
from dino_core.scenes.features import settings


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
    grids = [seen.grid, second.grid]
    found = compared(seen.patches(layer), second.patches(second_layer), grids, config)
    return ComparisonScene(
        layer=layer,
        second_layer=second_layer,
        preset=preset,
        grid=seen.grid,
        second_grid=second.grid,
        cka=found.cka,
        cka_biased=found.cka_biased,
        order=found.alignment.order.tolist(),
        signs=[int(sign) for sign in found.alignment.signs],
        correlation=found.alignment.correlation.tolist(),
        colours=to_bytes(found.colours.cpu().numpy()),
        scores=found.scores.cpu().numpy(),
        second_colours=to_bytes(found.second_colours.cpu().numpy()),
        second_scores=found.second_scores.cpu().numpy(),
        note=found.note,
    )


@torch.inference_mode()
def likeness_scene(seen: Inspection, second: Inspection | None = None) -> LikenessScene:
    """CKA of all pairs of layers; None: of the model with itself."""
    own = [seen.patches(layer).float() for layer in range(seen.layers)]
    theirs = None
    if second is not None:
        parts = (second.patches(layer).float() for layer in range(second.layers))
        theirs = [to_grid(part, second.grid, seen.grid) for part in parts]
    return LikenessScene(cka=cka_matrix(own, theirs).cpu().numpy(), same=second is None)
