"""Which classes are taken for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dino_core.draw.colours import ANCHORS
from dino_core.figures.charts import Frame, empty_chart
from dino_core.figures.theme import Theme, palette

if TYPE_CHECKING:
    import plotly.graph_objects as go

NUMBERS = 25  # classes up to which the cells have room for numbers
NAME = 24  # letters of a class's name that have room beside the cells


def confusion(
    counts: Sequence[Sequence[int]], classes: Sequence[str], theme: Theme = "light"
) -> "go.Figure":
    """The confusion matrix [Y, Y]: rows are the truth, columns what was predicted.

    Colours are shares of a row, 0 to 100 %; numbers are counts. Long names lose their middle.
    """
    import plotly.graph_objects as go

    rows = [[int(count) for count in row] for row in counts]
    sums = [sum(row) for row in rows]
    shares = [
        [100 * count / total if total else 0.0 for count in row]
        for row, total in zip(rows, sums, strict=True)
    ]
    steps = [i / (len(ANCHORS["magma"]) - 1) for i in range(len(ANCHORS["magma"]))]
    small = {"size": 11, "color": palette(theme).quiet}
    figure = empty_chart(Frame("Confusions", "rows are the truth", "predicted"), theme)
    figure.add_trace(
        go.Heatmap(
            x=list(classes),
            y=list(classes),
            z=shares,
            zmin=0,
            zmax=100,
            text=rows,
            customdata=[[total] * len(row) for row, total in zip(rows, sums, strict=True)],
            texttemplate="%{text}" if len(classes) <= NUMBERS else None,
            hovertemplate="%{y} taken for %{x}: %{text} of %{customdata} (%{z:.1f} %)"
            "<extra></extra>",
            colorscale=[list(pair) for pair in zip(steps, ANCHORS["magma"], strict=True)],
            colorbar={
                "title": {"text": "% of the row", "font": small, "side": "right"},
                "tickfont": small,
                "thickness": 10,
                "outlinewidth": 0,
            },
            xgap=1,
            ygap=1,
        )
    )
    names = {
        "tickmode": "array",
        "tickvals": list(range(len(classes))),
        "ticktext": [shortened(name) for name in classes],
    }
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(type="category", title={"text": "predicted"}, showspikes=False, **names)
    return figure.update_yaxes(
        type="category",
        title={"text": "truth"},
        autorange="reversed",
        scaleanchor="x",
        constrain="domain",
        showgrid=False,
        **names,
    )


def shortened(name: str) -> str:
    """A name with its middle left out where it is longer than `NAME` letters."""
    half = (NAME - 1) // 2
    return name if len(name) <= NAME else f"{name[:half]}…{name[-half:]}"
