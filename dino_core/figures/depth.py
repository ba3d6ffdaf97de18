"""All layers of a model, in panels for print: PCA in colours that stay, attention of a query.

figures.layers_in_colours(seen, layers_in_colours(seen, config))
figures.attention_by_layer(seen, (6, 12), head=3)
"""

from typing import TYPE_CHECKING

from dino_core.figures.maps import Patch, colour_cell, grid_text, input_cell, value_cell
from dino_core.figures.panels import Bar, Width, grid, in_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dino_core.analysis.alignment import Family
    from dino_core.analysis.inspection import Inspection


def layers_in_colours(
    seen: "Inspection", family: "Family", *, width: Width | float = "page"
) -> "Figure":
    """The input, and each layer's PCA in the family's colours (`analysis.depth`).

    Above each layer the cosine with the layer it was brought to, and the share of its variance
    over the foreground that is shown.
    """
    cells = [input_cell(seen)]
    for layer, view in enumerate(family.maps):
        title = f"layer {layer}, {view.cosine:.2f}, {100 * view.variance:.0f} %"
        cells.append(colour_cell(title, view.colours.cpu().numpy()))
    words = [
        f"PCA by layer, aligned: {family.method}; above each the cosine with the layer it was "
        f"brought to, and the variance shown; {grid_text(seen)}",
        family.note,
    ]
    return grid(in_rows(cells, width), "; ".join(filter(None, words)), width=width)


def attention_by_layer(
    seen: "Inspection",
    query: Patch | None = None,
    *,
    head: int | None = None,
    width: Width | float = "page",
) -> "Figure":
    """What a patch, or the class token (None), attends to in every layer, each to its largest."""
    from dino_core.analysis.depth import attention_by_layer as by_layer

    cells = [input_cell(seen, query)]
    for layer, values in enumerate(by_layer(seen, query, head=head).cpu().numpy()):
        title = f"layer {layer}, to {values.max():.3g}"
        cells.append(value_cell(title, values, (0.0, float(values.max())), query))
    whose = "mean of all heads" if head is None else f"head {head}"
    where = f"query: patch {query[0]},{query[1]}" if query else "query: class token"
    bar = Bar("0", "largest", "weight")
    header = f"Attention by layer, {whose}, {where}; {grid_text(seen)}"
    return grid(in_rows(cells, width, bar), header, width=width, bar=bar)
