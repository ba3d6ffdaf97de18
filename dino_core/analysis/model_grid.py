"""Models x layers: one view of a picture in each, in one basis.

found = models_by_layers(seen, layers, View("attention", query=(6, 12)))
found.maps[i][j]    # of the layer layers[i][j] of the model that saw seen[i]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import torch
from torch import Tensor

from dino_core.analysis.alignment import Method, colour_family
from dino_core.analysis.comparison import linear_cka, to_grid
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.similarity import cosine_similarity
from dino_core.analysis.tokens import ordinary_patches
from dino_core.config import PCA_PRESETS, PCAConfig

Cell = TypeVar("Cell")
ViewName = Literal["pca", "attention", "similar"]
VIEWS: tuple[ViewName, ...] = get_args(ViewName)


@dataclass(frozen=True)
class View:
    """What is shown in every cell."""

    name: ViewName = "pca"
    query: tuple[int, int] | None = None  # a patch of the first model's grid; None: class token
    config: PCAConfig = PCA_PRESETS["paper"]
    method: Method = "rotation"
    robust: bool = False  # patches whose length stands out have no say in the PCA


@dataclass(frozen=True)
class ModelGrid:
    """A view of one picture in several models and layers."""

    cka: Tensor  # [models, layers], unbiased, of each cell with the last
    maps: list[list[Tensor]]  # colours [h, w, 3] in 0 to 1 of pca, else [h, w]
    cosine: list[list[float]]  # of pca, with the cell it was brought to; else empty
    note: str


@torch.inference_mode()
def models_by_layers(
    seen: Sequence[Inspection], layers: Sequence[Sequence[int]], view: View
) -> ModelGrid:
    """One picture seen by several models, and as many layers of each, counted from 0.

    Attention is the mean of all heads. ValueError for a view that there is not or that lacks its
    query, and for what the picture or a model does not have.
    """
    if view.name not in VIEWS:
        raise ValueError(f"A view is one of {', '.join(VIEWS)}, not {view.name!r}.")
    if view.name == "similar" and view.query is None:
        raise ValueError("The view similar wants a query: similar to which patch?")
    places = [(i, layer) for i, row in enumerate(layers) for layer in row]
    features = [seen[i].patches(layer).float() for i, layer in places]
    grids = [seen[i].grid for i, _ in places]
    home = grids[-1]
    alike = [
        linear_cka(features[-1], to_grid(one, grid, home))
        for one, grid in zip(features, grids, strict=True)
    ]
    columns = len(layers[0])
    cka = torch.tensor(alike).reshape(len(seen), columns)
    if view.name != "pca":
        found = [one_map(seen[i], layer, view, seen[0].grid) for i, layer in places]
        return ModelGrid(cka, in_rows(found, columns), [], "")
    asked = [ordinary_patches(seen[i], layer) for i, layer in places] if view.robust else None
    family = colour_family(features, grids, view.config, method=view.method, asked=asked)
    colours = [one.colours for one in family.maps]
    cosines = [one.cosine for one in family.maps]
    return ModelGrid(cka, in_rows(colours, columns), in_rows(cosines, columns), family.note)


def one_map(seen: Inspection, layer: int, view: View, grid: tuple[int, int]) -> Tensor:
    """[h, w]: attention of the query, or likeness to it; `grid` is that in which it is named."""
    token = seen.token_at(*place_in(view.query, grid, seen.grid)) if view.query else 0
    if view.name == "attention":
        return seen.on_grid(seen.row(layer, token).float()).mean(0)
    patches = seen.patches(layer).float()
    one = patches[[token - seen.first_patch]]
    return cosine_similarity(one, patches).unflatten(1, seen.grid)[0]


def place_in(
    place: tuple[int, int], grid: tuple[int, int], target: tuple[int, int]
) -> tuple[int, int]:
    """The patch of another grid that holds the middle of this one. ValueError outside the grid."""
    (row, column), (h, w), (tall, wide) = place, grid, target
    if not (0 <= row < h and 0 <= column < w):
        raise ValueError(
            f"The first model's grid has {h} x {w} patches, there is no {row},{column}."
        )
    return int((row + 0.5) * tall / h), int((column + 0.5) * wide / w)


def in_rows(cells: Sequence[Cell], columns: int) -> list[list[Cell]]:
    return [list(cells[i : i + columns]) for i in range(0, len(cells), columns)]
