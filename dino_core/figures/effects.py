"""What follows from a change inside the model: layer by layer, and of every head or block."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dino_core.draw.colours import ANCHORS
from dino_core.figures.charts import Frame, Series, cursor_line, empty_chart, line_chart
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


def screening(
    effect_cls: "np.ndarray",
    effect_patches: "np.ndarray",
    *,
    values: Sequence[str],
    units: Sequence[str],
    theme: Theme = "light",
) -> "dict[str, go.Figure]":
    """Layers by units, for the class token and the patches: a chart for each value, by name.

    effect_cls, effect_patches [n, L, units, B]: 1 - cosine for n values and B pictures. Colours are
    the mean over pictures, in one range for all values; the label has the standard deviation over
    pictures. With zero and mean among the values there is also what zero does more: shock.
    """
    charts: dict[str, go.Figure] = {}
    for key, words, effect in (
        ("cls", "Class token", effect_cls),
        ("patches", "Patches", effect_patches),
    ):
        top = float(effect.mean(-1).max())
        for value, one in zip(values, effect, strict=True):
            frame = Frame(f"{words}, {value}", _pictures(one, "1 - cosine"), "unit")
            charts[f"{key}_{value}"] = _grid(frame, one, units, (0.0, top), theme)
        if {"zero", "mean"} <= set(values):
            shock = effect[values.index("zero")] - effect[values.index("mean")]
            end = float(abs(shock.mean(-1)).max())
            frame = Frame(f"{words}, zero minus mean", _pictures(shock, "shock alone"), "unit")
            charts[f"{key}_shock"] = _grid(frame, shock, units, (-end, end), theme)
    return charts


def _pictures(effect: "np.ndarray", words: str) -> str:
    count = effect.shape[-1]
    return words if count == 1 else f"{words}, mean over {count} pictures"


def _grid(
    frame: Frame,
    effect: "np.ndarray",
    units: Sequence[str],
    ends: tuple[float, float],
    theme: Theme,
) -> "go.Figure":
    """One heat map of [L, units, B]; signed where the range is."""
    import plotly.graph_objects as go

    anchors = ANCHORS["blue-red" if ends[0] < 0 else "magma"]
    steps = [i / (len(anchors) - 1) for i in range(len(anchors))]
    figure = empty_chart(frame, theme)
    figure.add_trace(
        go.Heatmap(
            x=list(units),
            y=[str(layer) for layer in range(len(effect))],
            z=[rounded(row) for row in effect.mean(-1).tolist()],
            zmin=ends[0],
            zmax=ends[1] or 1.0,
            customdata=[rounded(row) for row in effect.std(-1).tolist()],
            hovertemplate="block %{y}, %{x}: %{z:.3g}, spread %{customdata:.2g}<extra></extra>",
            colorscale=[list(pair) for pair in zip(steps, anchors, strict=True)],
            colorbar={"thickness": 10, "outlinewidth": 0},
            xgap=1,
            ygap=1,
        )
    )
    figure.update_layout(hovermode="closest", height=80 + 22 * len(effect))
    figure.update_xaxes(type="category", showspikes=False)
    title = {"text": "block"}
    return figure.update_yaxes(type="category", title=title, autorange="reversed", showgrid=False)
