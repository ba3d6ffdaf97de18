"""Whose the gradients of a run are: the share of each loss in those of each layer, step by step."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dino_core.draw.colours import ANCHORS
from dino_core.figures.charts import Frame, Number, empty_chart
from dino_core.figures.curves import Line, rounded, value_of
from dino_core.figures.step import SHORT, TERM_TITLES
from dino_core.figures.theme import Theme, palette

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLUMNS = 240  # steps of a chart; of more, so many evenly spread
BRIEF = {**SHORT, "DINO prototypes": "DINO's K", "iBOT prototypes": "iBOT's K"}
BRIEF |= {"map of the class token": "class map", "map of patches": "patch map"}
TITLES = {**TERM_TITLES, "cls": "Class token", "patches": "Patches"}
NAMED = 10  # layers whose names have room beside the cells


def shares_over_run(lines: Sequence[Line], theme: Theme = "light") -> "dict[str, go.Figure]":
    """Lines of metrics.jsonl, oldest first -> a chart for each loss, by its name.

    A column is a step, a row a layer, the first one at the bottom; a cell is the share in per cent,
    coloured from 0 to 100. The shares of all losses in a layer add up to 100; below 0 a loss pulls
    against the sum. Empty where no line says anything of it.
    """
    looked = [line for line in lines if isinstance(line.get("gradient_shares"), Mapping)]
    every = -(-len(looked) // COLUMNS) or 1
    looked = looked[::-1][::every][::-1]  # the newest one counts
    terms: dict[str, dict[str, None]] = {}
    for line in looked:
        for term, layers in line["gradient_shares"].items():
            if isinstance(layers, Mapping):
                terms.setdefault(term, {}).update(dict.fromkeys(layers))
    charts = {term: _cells(term, list(layers), looked, theme) for term, layers in terms.items()}
    return {f"shares_{term}": chart for term, chart in charts.items()}


def _cells(term: str, layers: Sequence[str], lines: Sequence[Line], theme: Theme) -> "go.Figure":
    import plotly.graph_objects as go

    title = TITLES.get(term, term)
    figure = empty_chart(Frame(title, "% of each layer's gradients"), theme)
    steps = [i / (len(ANCHORS["magma"]) - 1) for i in range(len(ANCHORS["magma"]))]
    figure.add_trace(
        go.Heatmap(
            x=[line["step"] for line in lines],
            y=list(layers),
            z=[rounded(_shares(term, layer, lines)) for layer in layers],
            zmin=0,
            zmax=100,
            colorscale=[list(pair) for pair in zip(steps, ANCHORS["magma"], strict=True)],
            colorbar=_bar(theme),
            hoverongaps=False,
            hovertemplate=f"step %{{x}}, %{{y}}: {title} %{{z:.1f}} %<extra></extra>",
        )
    )
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(tickformat=",d", showspikes=False)
    return figure.update_yaxes(type="category", showgrid=False, **_names(layers))


def _shares(term: str, layer: str, lines: Sequence[Line]) -> list[Number]:
    """Of one layer, in per cent; layers have no dots in their names."""
    values = [value_of(line, f"gradient_shares.{term}.{layer}") for line in lines]
    return [None if value is None else 100 * value for value in values]


def _names(layers: Sequence[str]) -> dict[str, Any]:
    """Blocks by their numbers, the rest by their names; of many only some."""
    every = -(-len(layers) // NAMED) or 1
    places = list(range(0, len(layers), every))
    words = [BRIEF.get(layers[at], layers[at]) for at in places]
    return {"tickmode": "array", "tickvals": places, "ticktext": words}


def _bar(theme: Theme) -> dict[str, Any]:
    small = {"size": 11, "color": palette(theme).quiet}
    return {"tickfont": small, "thickness": 8, "outlinewidth": 0, "nticks": 3, "ticksuffix": " %"}
