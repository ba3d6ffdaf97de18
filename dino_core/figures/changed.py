"""What follows from a change inside the model, patch by patch, in panels for print.

    found = effects(vit, seen, [Edit("head", 0.0, block=8, unit=3)])
    figures.before_and_after([found], "head:8.3=zero", layer=11)

Returns a `matplotlib.figure.Figure`. What is shown are the numbers of the screen What if.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dino_core.config import PCA_PRESETS, PCAConfig
from dino_core.figures.maps import colour_cell, grid_text, input_cell, layer_of, value_cell
from dino_core.figures.panels import Bar, Cell, Width, grid, most_columns

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure

    from dino_core.analysis.effects import Effects


def before_and_after(
    found: Sequence["Effects"],
    changes: str,
    *,
    layer: int | None = None,
    head: int | None = None,
    config: PCAConfig = PCA_PRESETS["paper"],
    width: Width | float = "page",
) -> "Figure":
    """Of each picture: itself, attention of the class token before and after in one scale, the
    features' colours before and after in the basis of before, and the change of every patch.

    `changes` are the words above everything; `layer` counts from 0, None is the last; `head` None
    is the mean of all. The change is 1 - cosine of the layer's features through the final norm.
    ValueError without a picture, and for a layer or a head that is not there.
    """
    if not found:
        raise ValueError("Before and after wants one picture or more.")
    seen = found[0].before
    at = layer_of(seen, layer)
    if head is not None and not 0 <= head < seen.heads:
        raise ValueError(f"There are heads 0 to {seen.heads - 1}, not {head}.")
    bar = Bar("0", "largest", "")
    rows = [row for one in found for row in cells_of(one, at, head, config, width)]
    which = "mean of all heads" if head is None else f"head {head}"
    cosines = [(float(one.cls_cosine), float(one.patch_cosine_by_layer[-1])) for one in found]
    after = "; ".join(f"class token {cls:.3f}, patches {patches:.3f}" for cls, patches in cosines)
    header = (
        f"What if: {changes}. Layer {at} of 0–{seen.layers - 1}: attention of the class token "
        f"({which}), change of the patches (1 − cosine), PCA in the basis of before. Cosine to "
        f"before after the last block: {after}; {grid_text(seen)}"
    )
    return grid(rows, header, width=width, bar=bar)


def cells_of(
    found: "Effects", layer: int, head: int | None, config: PCAConfig, width: Width | float
) -> list[Sequence[Cell]]:
    """One picture in one row of six cells, or in two of three where there is no room."""
    from dino_core.analysis.effects import cosine_distances
    from dino_core.analysis.pca import colour_features, recolour

    before, after = found.before, found.after
    attention = [
        chosen_row(one.on_grid(one.row(layer, 0).float()), head) for one in (before, after)
    ]
    most = max(float(one.max()) for one in attention)
    features = [one.patches(layer).float() for one in (before, after)]
    change = cosine_distances(*features).unflatten(0, before.grid).cpu().numpy()
    colours = colour_features(features[:1], [before.grid], config)
    recoloured = recolour(colours, features[1], config)
    furthest = float(change.max())
    first = [
        input_cell(before),
        *(
            value_cell(f"{when}, to {one.max():.2g}", one.cpu().numpy(), (0.0, most))
            for when, one in zip(("before", "after"), attention, strict=True)
        ),
    ]
    second = [
        value_cell(f"change, to {furthest:.2g}", change, (0.0, furthest or 1.0)),
        colour_cell("PCA before", colours.pictures[0].colours.cpu().numpy()),
        colour_cell("PCA after", recoloured.colours.cpu().numpy()),
    ]
    together = most_columns(width, Bar("0", "largest", "")) >= 6
    return [[*first, *second]] if together else [first, second]


def chosen_row(rows: "torch.Tensor", head: int | None) -> "torch.Tensor":
    """Attention [A, h, w] -> of one head, or the mean of all [h, w]."""
    return rows.mean(0) if head is None else rows[head]
