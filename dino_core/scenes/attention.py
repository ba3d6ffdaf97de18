"""Screen 4: what every head attends to.

A page that holds a layer's queries and keys can compute any row of attention by itself, so these
are what it is given: 2 x 2.1 MB for ViT-S at 518 px, where the full maps are 45 MB.
"""

from dataclasses import dataclass

import numpy as np
import torch

from dino_core.analysis.attention import entropy, mean_distance, rollout
from dino_core.analysis.inspection import Inspection


@dataclass(frozen=True)
class LayerScene:
    """One layer: everything that a row of its attention follows from."""

    layer: int
    grid: tuple[int, int]
    registers: int
    scale: float  # 1 / sqrt(d), the factor of q . k before the softmax
    queries: np.ndarray  # float32 [A, N, d]
    keys: np.ndarray  # float32 [A, N, d]


@dataclass(frozen=True)
class QueryScene:
    """What one token attends to in one layer."""

    layer: int
    token: int  # 0 is the class token
    grid: tuple[int, int]
    rows: np.ndarray  # float32 [A, h, w], the patch part of rows that sum to 1


@dataclass(frozen=True)
class OverviewScene:
    """What one token attends to in all layers and heads."""

    grid: tuple[int, int]
    row: int  # of the patch that asks, -1 for the class token
    column: int
    rows: np.ndarray  # float32 [T, A, h, w], the patch part of rows that sum to 1
    entropy: np.ndarray  # float32 [T, A], nats, of the whole row
    largest_entropy: float  # ln N


@dataclass(frozen=True)
class HeadsScene:
    """One layer's heads in numbers, over all queries."""

    layer: int
    entropy: np.ndarray  # float32 [A], nats, mean over all queries
    distance: np.ndarray  # float32 [A], px, mean distance of patches from where they look
    largest_entropy: float  # ln N


@dataclass(frozen=True)
class RolloutScene:
    """Attention of the class token followed through all layers."""

    grid: tuple[int, int]
    rollout: np.ndarray  # float32 [h, w]


def layer_scene(seen: Inspection, layer: int) -> LayerScene:
    check_layer(seen, layer)
    return LayerScene(
        layer=layer,
        grid=seen.grid,
        registers=seen.registers,
        scale=seen.keys.shape[-1] ** -0.5,
        queries=seen.queries[layer].float().cpu().numpy(),
        keys=seen.keys[layer].float().cpu().numpy(),
    )


@torch.inference_mode()
def query_scene(seen: Inspection, layer: int, row: int = -1, column: int = -1) -> QueryScene:
    """A patch by its row and column, or the class token when both are -1."""
    check_layer(seen, layer)
    token = token_of(seen, row, column)
    rows = seen.on_grid(seen.rows(token)[layer].float())
    return QueryScene(layer=layer, token=token, grid=seen.grid, rows=rows.cpu().numpy())


@torch.inference_mode()
def overview_scene(seen: Inspection, row: int = -1, column: int = -1) -> OverviewScene:
    """A patch by its row and column, or the class token when both are -1."""
    rows = seen.rows(token_of(seen, row, column)).float()  # [T, A, N]
    return OverviewScene(
        grid=seen.grid,
        row=row,
        column=column,
        rows=seen.on_grid(rows).cpu().numpy(),
        entropy=entropy(rows).cpu().numpy(),
        largest_entropy=float(np.log(rows.shape[-1])),
    )


@torch.inference_mode()
def heads_scene(seen: Inspection, layer: int) -> HeadsScene:
    check_layer(seen, layer)
    attention = seen.attention(layer).float()  # [A, N, N]
    return HeadsScene(
        layer=layer,
        entropy=entropy(attention).mean(-1).cpu().numpy(),
        distance=mean_distance(attention, seen.grid, seen.first_patch, seen.patch_size)
        .cpu()
        .numpy(),
        largest_entropy=float(np.log(attention.shape[-1])),
    )


@torch.inference_mode()
def rollout_scene(seen: Inspection) -> RolloutScene:
    row = rollout(seen.queries.float(), seen.keys.float())
    return RolloutScene(grid=seen.grid, rollout=seen.on_grid(row).cpu().numpy())


def token_of(seen: Inspection, row: int, column: int) -> int:
    """The class token when both are -1. ValueError for a patch that is not there."""
    return 0 if (row, column) == (-1, -1) else seen.token_at(row, column)


def check_layer(seen: Inspection, layer: int) -> None:
    if not 0 <= layer < seen.layers:
        raise ValueError(f"This model has layers 0 to {seen.layers - 1}; there is no {layer}.")
