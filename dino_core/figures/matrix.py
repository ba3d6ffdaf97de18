"""Which classes are taken for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dino_core.draw.colours import ANCHORS
from dino_core.figures.charts import Frame, empty_chart
from dino_core.figures.theme import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

NUMBERS = 25  # classes up to which the cells have room for numbers


def confusion(
    counts: Sequence[Sequence[int]], classes: Sequence[str], theme: Theme = "light"
) -> "go.Figure":
    """The confusion matrix [C, C]: rows are the truth, columns what was predicted.

    Colours are shares of a row, 0 to 100 %; numbers are counts.
    """
    import plotly.graph_objects as go

    rows = [[int(count) for count in row] for row in counts]
    sums = [sum(row) for row in rows]
    shares = [
        [100 * count / total if total else 0.0 for count in row]
        for row, total in zip(rows, sums, strict=True)
    ]
    steps = [i / (len(ANCHORS["magma"]) - 1) for i in range(len(ANCHORS["magma"]))]
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
            colorbar={"title": {"text": "% of the row"}, "thickness": 10, "outlinewidth": 0},
            xgap=1,
            ygap=1,
        )
    )
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(type="category", title={"text": "predicted"}, showspikes=False)
    return figure.update_yaxes(
        type="category",
        title={"text": "truth"},
        autorange="reversed",
        scaleanchor="x",
        constrain="domain",
        nticks=len(classes),
        showgrid=False,
    )
