"""Through depth: the layers of a model as one family of maps, of a picture seen once.

family = layers_in_colours(seen, PCA_PRESETS["paper"])    # PCA, colours that stay
clusters_by_layer(seen, k=6, seed=0)                      # k-means, colours that stay
attention_by_layer(seen, (6, 12), head=3)                 # what a query attends to
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dino_core.analysis.alignment import Family, Method, colour_family
from dino_core.analysis.clustering import KMeans, kmeans, same_numbers
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.similarity import directions
from dino_core.analysis.tokens import ordinary_patches
from dino_core.config import PCAConfig
from dino_core.vit import check_range


@dataclass(frozen=True)
class LayerClusters:
    """k-means of one layer's patches, in the family's numbers."""

    labels: np.ndarray  # int32 [h, w], 0 to k - 1
    kept: float  # share of patches that keep the number of the layer it was numbered after
    found: KMeans  # as it came, numbered by size


@torch.inference_mode()
def layers_in_colours(
    seen: Inspection,
    config: PCAConfig,
    *,
    method: Method = "rotation",
    layers: Sequence[int] | None = None,
    robust: bool = False,
) -> Family:
    """PCA of every layer (None: all), after the final norm, brought to the last of them.

    With `robust`, patches whose length stands out in a layer have no say in it. ValueError for a
    layer that is not there.
    """
    chosen = all_layers(seen, layers)
    maps = [seen.patches(layer).float() for layer in chosen]
    asked = [ordinary_patches(seen, layer) for layer in chosen] if robust else None
    return colour_family(maps, [seen.grid] * len(maps), config, method=method, asked=asked)


@torch.inference_mode()
def clusters_by_layer(
    seen: Inspection, k: int, seed: int, *, layers: Sequence[int] | None = None
) -> list[LayerClusters]:
    """k-means of every layer; from the last on, each numbered after the layer that follows it."""
    chosen = all_layers(seen, layers)
    out: list[LayerClusters] = []
    for layer in reversed(chosen):
        points = directions(seen.patches(layer)).cpu().numpy()
        found = kmeans(points, min(k, len(points)), seed)
        labels, kept = found.labels, 1.0
        if out:
            before = out[-1].labels.reshape(-1)
            labels = same_numbers(before, labels)[labels]
            kept = float((labels == before).mean())
        out.append(LayerClusters(labels.reshape(seen.grid), kept, found))
    return out[::-1]


@torch.inference_mode()
def attention_by_layer(
    seen: Inspection, query: tuple[int, int] | None = None, *, head: int | None = None
) -> Tensor:
    """What a patch (row, column), or the class token (None), attends to: [T, h, w].

    One head, or the mean of all (None). The patch part of rows that sum to 1. ValueError outside
    the picture or the heads.
    """
    rows = seen.on_grid(seen.rows(seen.token_at(*query) if query else 0).float())  # [T, A, h, w]
    if head is None:
        return rows.mean(1)
    check_range("head", [head], seen.heads)
    return rows[:, head]


def all_layers(seen: Inspection, layers: Sequence[int] | None) -> list[int]:
    """The layers asked for, None for all. ValueError for none, or for one that is not there."""
    chosen = list(range(seen.layers)) if layers is None else list(layers)
    if not chosen:
        raise ValueError("A view through depth wants one layer or more.")
    check_range("layer", chosen, seen.layers)
    return chosen
