"""Play through depth: all layers of the open picture in colours that stay."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dino_core.analysis.alignment import Method
from dino_core.analysis.depth import attention_by_layer, clusters_by_layer, layers_in_colours
from dino_core.analysis.inspection import Inspection
from dino_core.draw.colours import cluster_colour
from dino_core.draw.pictures import to_bytes
from dino_core.scenes.features import MOST_CLUSTERS, settings


@dataclass(frozen=True)
class DepthScene:
    """Every layer's PCA, one foreground for all, each brought to the layer that follows it."""

    preset: str
    method: str  # rotation, order, signs, joint or none
    robust: bool  # whether patches of unusual length have no say
    flip: bool
    grid: tuple[int, int]
    cosine: list[float]  # of each layer's scores with those it was brought to; 1 for the last
    variance: list[float]  # share of the layer's variance over the foreground that is shown
    best: list[float]  # the share that its own first three components hold
    agreement: list[float]  # |correlation| of its first component with the family's
    note: str
    colours: np.ndarray  # uint8 [T, h, w, 3], background black
    foreground: np.ndarray  # uint8 [h, w], 1 where foreground


@dataclass(frozen=True)
class DepthClustersScene:
    """k-means of every layer, numbered after the layer that follows it."""

    k: int
    seed: int
    grid: tuple[int, int]
    kept: list[float]  # share of patches that keep the number of the layer that follows
    colours: list[tuple[int, int, int]]
    labels: np.ndarray  # int32 [T, h, w]


@dataclass(frozen=True)
class DepthAttentionScene:
    """What one token attends to, layer after layer."""

    row: int  # of the patch that asks, -1 for the class token
    column: int
    head: int  # -1 for the mean of all heads
    grid: tuple[int, int]
    attention: np.ndarray  # float32 [T, h, w], the patch part of rows that sum to 1


def depth_scene(
    seen: Inspection,
    preset: str = "paper",
    flip: bool = False,
    method: Method = "rotation",
    robust: bool = False,
    **changes: Any,
) -> DepthScene:
    """ValueError for an unknown preset or method."""
    config = settings(preset, flip, **changes)
    family = layers_in_colours(seen, config, method=method, robust=robust)
    colours = torch.stack([view.colours for view in family.maps])
    return DepthScene(
        preset=preset,
        method=method,
        robust=robust,
        flip=flip,
        grid=seen.grid,
        cosine=[view.cosine for view in family.maps],
        variance=[view.variance for view in family.maps],
        best=[view.best for view in family.maps],
        agreement=[view.agreement for view in family.maps],
        note=family.note,
        colours=to_bytes(colours.cpu().numpy()),
        foreground=family.maps[-1].foreground.cpu().numpy().astype(np.uint8),
    )


def depth_clusters_scene(seen: Inspection, k: int, seed: int) -> DepthClustersScene:
    """ValueError unless 2 <= k <= MOST_CLUSTERS."""
    if not 2 <= k <= MOST_CLUSTERS:
        raise ValueError(f"The clusters are 2 to {MOST_CLUSTERS}, not {k}.")
    layers = clusters_by_layer(seen, k, seed)
    most = max(int(layer.labels.max()) for layer in layers) + 1
    return DepthClustersScene(
        k=k,
        seed=seed,
        grid=seen.grid,
        kept=[layer.kept for layer in layers],
        colours=[cluster_colour(index) for index in range(most)],
        labels=np.stack([layer.labels for layer in layers]).astype(np.int32),
    )


def depth_attention_scene(
    seen: Inspection, row: int = -1, column: int = -1, head: int = -1
) -> DepthAttentionScene:
    """A patch by its row and column, or the class token when both are -1; a head, or -1: all."""
    query = None if (row, column) == (-1, -1) else (row, column)
    maps = attention_by_layer(seen, query, head=None if head == -1 else head)
    return DepthAttentionScene(row, column, head, seen.grid, maps.cpu().numpy())
