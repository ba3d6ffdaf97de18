"""What follows from a change inside the model: layer by layer, and of every head or block."""

from typing import TYPE_CHECKING

from dino_core.figures.charts import Frame, Series, cursor_line, line_chart
from dino_core.figures.curves import rounded
from dino_core.figures.theme import Theme

if TYPE_CHECKING:
    import numpy as np
    import plotly.graph_objects as go


def change_by_layer(
    cls_cosine: "np.ndarray", patch_cosine: "np.ndarray", theme: Theme = "light"
) -> "go.Figure":
    """How a change spreads: 1 - cosine of before and after, of the features after each block.

    cls_cosine [T] of the class token, patch_cosine [T] mean over the patches.
    """
    layers = list(range(len(cls_cosine)))
    series = [
        _change("class token", cls_cosine, 0, "cls"),
        _change("patches, mean", patch_cosine, 2, "patches"),
    ]
    frame = Frame("How the change spreads", "1 - cosine of before and after", "layer", "", floor=0)
    chart = line_chart(frame, layers, series, theme)
    chart.update_layout(shapes=[cursor_line(None, theme)])
    return chart.update_xaxes(dtick=max(len(layers) // 14, 1))


def _change(name: str, cosines: "np.ndarray", colour: int, part: str) -> Series:
    return Series(
        name,
        rounded((1 - cosines).tolist()),
        colour,
        width=2.0,
        meta={"part": part},
        hover="%{y:.3g}",
    )
