"""What a model makes of pictures, in panels for print: attention, similarity, PCA.

    seen = inspect(vit, to_tensor(fitted.picture))
    figures.attention(seen, query=(6, 12), layer=8)
    figures.similarity(seen, (6, 12), others=[another])
    figures.pca([seen, another])

Each returns a `matplotlib.figure.Figure`. The input stands beside what was made of it, the query
is marked in both, and every number that a reader needs to repeat the figure is written on it.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dino_core.config import PCA_PRESETS, PCAConfig
from dino_core.figures.panels import (
    Bar,
    Cell,
    Width,
    grid,
    in_rows,
    mark_patch,
    show_patches,
    show_picture,
    show_values,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dino_core.analysis.inspection import Inspection
    from dino_core.analysis.pca import FeatureColours

Patch = tuple[int, int]  # row, column


def attention(
    seen: "Inspection",
    query: Patch | None = None,
    *,
    layer: int | None = None,
    heads: Sequence[int] | None = None,
    shared: bool = False,
    width: Width | float = "page",
) -> "Figure":
    """What one token attends to: the input, a map for each head, and the mean of these.

    `query` is a patch (row, column), None the class token; `layer` counts from 0, None is the last;
    `heads` None is all of them. A map reaches from 0 to its largest value, which is written above
    it; with `shared` all reach to the largest of all, and the bar has numbers. ValueError outside
    the picture, the layers or the heads.
    """
    at = layer_of(seen, layer)
    chosen = list(range(seen.heads)) if heads is None else list(heads)
    if not chosen or not all(0 <= head < seen.heads for head in chosen):
        raise ValueError(f"There are heads 0 to {seen.heads - 1}, not {heads}.")
    token = seen.token_at(*query) if query else 0
    maps = seen.on_grid(seen.rows(token)[at].float())[chosen].cpu().numpy()  # [heads, h, w]
    named = {f"head {head}": values for head, values in zip(chosen, maps, strict=True)}
    if len(chosen) > 1:
        named["mean" if len(chosen) == seen.heads else "mean of these"] = maps.mean(0)
    most = float(maps.max())
    cells = [input_cell(seen, query)] + [
        value_cell(
            name if shared else f"{name}, to {values.max():.3g}",
            values,
            (0.0, most if shared else float(values.max())),
            query,
        )
        for name, values in named.items()
    ]
    where = f"query: patch {query[0]},{query[1]}" if query else "query: class token"
    header = f"Attention, layer {at} of 0–{seen.layers - 1}, {where}; {grid_text(seen)}"
    bar = Bar("0", f"{most:.3g}" if shared else "largest", "weight")
    return grid(in_rows(cells, width, bar), header, width=width, bar=bar)


def similarity(
    seen: "Inspection",
    query: Patch,
    *,
    others: Sequence["Inspection"] = (),
    layer: int | None = None,
    width: Width | float = "page",
) -> "Figure":
    """Cosine similarity of one patch to all patches of its picture, and of others in the same
    model: each picture above its map, -1 to 1. ValueError outside the picture or the layers.
    """
    from dino_core.analysis.similarity import cosine_similarity

    at = layer_of(seen, layer)
    one = seen.patches(at)[[seen.token_at(*query) - seen.first_patch]]  # [1, D]
    pictures, maps = [], []
    for i, other in enumerate([seen, *others]):
        found = cosine_similarity(one, other.patches(at)).unflatten(1, other.grid)[0]
        marked = query if i == 0 else None
        title = "input, query marked" if i == 0 else f"picture {i}"
        pictures.append(input_cell(other, marked, title))
        values = found.float().cpu().numpy()
        span = f"{values.min():.2f} to {values.max():.2f}".replace("-", "−")
        maps.append(value_cell(span, values, (-1.0, 1.0), marked, colours="blue-red"))
    header = (
        f"Cosine similarity to patch {query[0]},{query[1]}, layer {at} of 0–{seen.layers - 1}; "
        f"{grid_text(seen)}"
    )
    bar = Bar("−1", "1", "cosine", "blue-red")
    return grid(paired(pictures, maps, width, bar), header, width=width, bar=bar)


def pca(
    seen: Sequence["Inspection"],
    *,
    layer: int | None = None,
    config: PCAConfig = PCA_PRESETS["paper"],
    width: Width | float = "page",
) -> "Figure":
    """Patch features as colours, one PCA for all pictures, each picture above its colours.

    What `config` means is in `analysis/pca.py`; ValueError when there are too few patches.
    """
    from dino_core.analysis.pca import colour_features

    if not seen:
        raise ValueError("PCA wants one picture or more.")
    at = layer_of(seen[0], layer)
    features = [one.patches(at) for one in seen]
    result = colour_features(features, [one.grid for one in seen], config)
    pictures = [one.pixels.numpy() for one in seen]
    header = layer_words(seen[0], at)
    return pca_panel(pictures, result, config, header=header, width=width)


def pca_panel(
    pictures: Sequence[np.ndarray],
    result: "FeatureColours",
    config: PCAConfig,
    *,
    header: str = "",
    width: Width | float = "page",
) -> "Figure":
    """The same from a PCA that has been made: pictures uint8 [H, W, 3] as the model saw them."""
    ratio = result.pca.ratio.tolist()
    channels = [
        f"{colour} {component} ({100 * ratio[component]:.1f} %)"
        for colour, component in zip(("red", "green", "blue"), config.components, strict=True)
    ]
    together = f" of {len(pictures)} pictures together" if len(pictures) > 1 else ""
    explained = f"PCA{together}, components and variance: {', '.join(channels)}"
    words = "; ".join(filter(None, [explained, header, result.note]))
    inputs, maps = [], []
    for i, (picture, view) in enumerate(zip(pictures, result.pictures, strict=True)):
        name = "input" if len(pictures) == 1 else f"picture {i}"
        share = 100 * view.foreground.float().mean().item()
        title = f"{share:.0f} % foreground" if config.foreground else "all patches"
        colours = view.colours.cpu().numpy()
        inputs.append(picture_cell(name, picture, colours.shape[:2]))
        maps.append(colour_cell(title, colours))
    return grid(paired(inputs, maps, width), words, width=width)


# --- cells


def input_cell(seen: "Inspection", query: Patch | None = None, title: str = "input") -> Cell:
    """What the model was given, with the query's mark."""
    return picture_cell(title, seen.pixels.numpy(), seen.grid, query)


def picture_cell(
    title: str, picture: np.ndarray, patches: tuple[int, int], query: Patch | None = None
) -> Cell:
    def draw(axes: "Axes") -> None:
        show_picture(axes, picture, patches)
        if query is not None:
            mark_patch(axes, *query)

    return Cell(title, picture.shape[0] / picture.shape[1], draw)


def colour_cell(title: str, colours: np.ndarray) -> Cell:
    """A colour a patch, [h, w, 3]."""
    return Cell(title, colours.shape[0] / colours.shape[1], partial(show_patches, colours=colours))


def value_cell(
    title: str,
    values: np.ndarray,
    limits: tuple[float, float],
    *marks: Patch | None,
    colours: str = "magma",
) -> Cell:
    """Values [h, w] in colours between two limits, with patches framed."""

    def draw(axes: "Axes") -> None:
        show_values(axes, values, *limits, colours)
        for mark in filter(None, marks):
            mark_patch(axes, *mark)

    return Cell(title, values.shape[0] / values.shape[1], draw)


def paired(
    upper: Sequence[Cell], lower: Sequence[Cell], width: Width | float, bar: Bar | None = None
) -> list[Sequence[Cell]]:
    """Each of the upper above its lower one; one pair alone stands side by side."""
    if len(upper) == 1:
        return [[upper[0], lower[0]]]
    above, below = in_rows(upper, width, bar), in_rows(lower, width, bar)
    return [row for pair in zip(above, below, strict=True) for row in pair]


def layer_words(seen: "Inspection", layer: int) -> str:
    return words_of_layer(layer, seen.layers, seen.grid, seen.patch_size)


def words_of_layer(layer: int, layers: int, patches: tuple[int, int], patch_size: int) -> str:
    """The same of a picture of which nothing but the layer's features was kept."""
    return f"layer {layer} of 0–{layers - 1}; {patches_text(patches, patch_size)}"


def grid_text(seen: "Inspection") -> str:
    return patches_text(seen.grid, seen.patch_size)


def patches_text(patches: tuple[int, int], patch_size: int) -> str:
    h, w = patches
    return f"{h} × {w} patches of {patch_size} px"


def layer_of(seen: "Inspection", layer: int | None) -> int:
    """A layer counted from 0, None for the last. ValueError for one that is not there."""
    at = seen.layers - 1 if layer is None else layer
    if not 0 <= at < seen.layers:
        raise ValueError(f"There are layers 0 to {seen.layers - 1}, but no layer {at}.")
    return at
