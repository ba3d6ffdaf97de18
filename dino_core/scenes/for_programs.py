"""What programs ask for and no screen shows as one: plain values, as JSON holds them.

compare_values    a picture in two models or layers, and every layer with every layer
tray_values       several pictures as rows, views of them as columns
grid_values       a picture in models x layers, one view in each, in one basis
token_values      what tokens are made of, and how alike neighbours are after each block
"""

from collections.abc import Sequence
from typing import Any

import torch

from dino_core.analysis.alignment import METHODS
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.model_grid import View, models_by_layers
from dino_core.analysis.tokens import token_parts
from dino_core.analysis.tray import Look, fill_tray
from dino_core.scenes.comparison import comparison_scene, likeness_scene
from dino_core.scenes.features import settings
from dino_core.scenes.packing import plain
from dino_core.scenes.tray import facts_of, parse_tray
from dino_core.vit import VisionTransformer

MOST_CELLS = 48  # models times layers of one request


def compare_values(
    seen: Inspection,
    second: Inspection,
    layers: tuple[int, int],
    *,
    preset: str = "paper",
    flip: bool = False,
) -> dict[str, Any]:
    """The comparison of two layers (-1: the last), and `layers`, the CKA of every layer of the
    first with every layer of the second. ValueError for what there is not."""
    one, two = from_end(seen, layers[0]), from_end(second, layers[1])
    scene = comparison_scene(seen, one, second, two, preset, flip)
    arrays = ("colours", "scores", "second_colours", "second_scores")
    return plain(scene, arrays) | {"layers": likeness_scene(seen, second).cka.tolist()}


def tray_values(rows: int, look: Look, words: Sequence[str], **options: Any) -> dict[str, Any]:
    """A tray: facts of the columns, and maps [columns][rows] of nested lists: of pca colours from 0
    to 1 [h, w, 3], else cluster numbers or values [h, w]; of the input none. `options` are those of
    `parse_tray`. ValueError for what there is not."""
    chosen = parse_tray(words, **options)
    filled = fill_tray(rows, look, chosen.columns, chosen.settings)
    maps = [[] if one.column.view == "input" else one.maps for one in filled.columns]
    return {
        "grids": [list(grid) for grid in filled.grids],
        "columns": [dict(facts_of(one)) for one in filled.columns],
        "maps": [[values.tolist() for values in column] for column in maps],
    }


def view_of(
    name: Any,
    *,
    row: int = -1,
    column: int = -1,
    preset: str = "paper",
    flip: bool = False,
    method: Any = "rotation",
    robust: bool = False,
) -> View:
    """What every cell of a grid shows; row -1 is the class token. ValueError in a sentence."""
    if method not in METHODS:
        raise ValueError(f"A method is one of {', '.join(METHODS)}, not {method!r}.")
    query = None if row == -1 else (row, column)
    return View(name, query, settings(preset, flip), method, robust)


def grid_values(seen: Sequence[Inspection], layers: Sequence[int], view: View) -> dict[str, Any]:
    """A picture seen by several models, in the same layers of each: -1 is the last.

    maps, cka and, of pca, cosine: [models][layers]. ValueError for what there is not.
    """
    if not 1 <= len(seen) * len(layers) <= MOST_CELLS:
        raise ValueError(
            f"Models times layers are 1 to {MOST_CELLS} cells, not {len(seen)} times {len(layers)}."
        )
    chosen = [[from_end(each, layer) for layer in layers] for each in seen]
    found = models_by_layers(seen, chosen, view)
    return {
        "view": view.name,
        "layers": chosen,
        "cka": found.cka.tolist(),
        "maps": [[values.tolist() for values in row] for row in found.maps],
        "cosine": found.cosine,
        "note": found.note,
    }


def token_values(vit: VisionTransformer, seen: Inspection) -> dict[str, Any]:
    """`analysis.tokens.token_parts`; what lies outside the picture is None."""
    found = vars(token_parts(vit, seen))
    values: dict[str, Any] = {name: value.tolist() for name, value in found.items()}
    places = found["neighbours"].flatten(0, 2)  # [(T + 1) * h * w, 4]
    h, w = seen.grid
    sides = [
        [None if empty else cosine for cosine, empty in zip(row, mask, strict=True)]
        for row, mask in zip(places.tolist(), torch.isnan(places).tolist(), strict=True)
    ]
    rows = [sides[i : i + w] for i in range(0, len(sides), w)]
    values["neighbours"] = [rows[i : i + h] for i in range(0, len(rows), h)]
    return values | {"grid": seen.grid}


def from_end(seen: Inspection, layer: int) -> int:
    """-1 -> the last layer. ValueError for one that is not there."""
    if not -seen.layers <= layer < seen.layers:
        raise ValueError(
            f"There are layers 0 to {seen.layers - 1}, or -1 to -{seen.layers} from the end, but "
            f"no layer {layer}."
        )
    return layer % seen.layers
