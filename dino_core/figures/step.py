"""One training step: gradients by layer, whose they are, how far weights move, and what for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dino_core.figures.charts import Frame, Number, Series, bar_chart, line_chart, tick
from dino_core.figures.curves import rounded
from dino_core.figures.theme import Theme

if TYPE_CHECKING:
    import numpy as np
    import plotly.graph_objects as go

TERM_TITLES = {
    "dino_global": "DINO, global crops",
    "dino_local": "DINO, local crops",
    "koleo": "KoLeo",
    "ibot": "iBOT",
}
BRIEF = {"dino_global": "DINO global", "dino_local": "DINO local"}  # below an axis
SHORT = {
    "patch embedding": "patches",
    "class token": "class",
    "mask token": "mask",
    "final norm": "norm",
    "DINO head": "DINO",
    "DINO prototypes": "its K",
    "iBOT head": "iBOT",
    "iBOT prototypes": "its K",
}
NAMED = 24  # layers whose names have room below an axis
FOOT = 76  # px below an axis, for slanted names and the legend


def gradient_norms(
    layers: Sequence[str], norms: "np.ndarray", theme: Theme = "light"
) -> "go.Figure":
    """Length of the gradients of each layer, before clipping, by its logarithm: norms [n]."""
    frame = Frame("Gradients by layer", "length, before clipping", "layer", log=True)
    series = [Series("length", _above_zero(norms.tolist()), 0, hover="%{y:.3g}")]
    return _by_layer(bar_chart(frame, layers, series, theme), layers)


def loss_shares(
    layers: Sequence[str], terms: Sequence[str], shares: "np.ndarray", theme: Theme = "light"
) -> "go.Figure":
    """Whose they are: each term's share in the gradients of each layer.

    shares [n, m], rows add up to 1; below 0 a term pulls backwards.
    """
    frame = Frame("Whose gradients", "share of each loss; below 0: against the sum", "layer")
    series = [
        Series(TERM_TITLES.get(name, name), _percents(shares[:, i]), i, hover="%{y:.1f} %")
        for i, name in enumerate(terms)
    ]
    chart = bar_chart(frame, layers, series, theme)
    chart.update_layout(barmode="relative")
    chart.update_yaxes(ticksuffix=" %")
    return _by_layer(chart, layers)


def movements(
    layers: Sequence[str],
    *,
    student: "np.ndarray",
    teacher: "np.ndarray",
    weights: "np.ndarray",
    theme: Theme = "light",
) -> "go.Figure":
    """How far the step moved student and teacher, layer by layer: lengths [n] each, drawn in units
    of the length of the student's weights, by the logarithm."""
    long = [float(value) or 1.0 for value in weights]

    def relative(moved: "np.ndarray") -> list[Number]:
        return _above_zero([100 * float(m) / w for m, w in zip(moved, long, strict=True)])

    frame = Frame("How far they moved", "in % of the weights' length", "layer", log=True)
    series = [
        Series("student", relative(student), 0, hover="%{y:.3g} %"),
        Series("teacher", relative(teacher), 2, hover="%{y:.3g} %"),
    ]
    chart = bar_chart(frame, layers, series, theme)
    chart.update_yaxes(ticksuffix=" %")
    return _by_layer(chart, layers)


def before_and_after(
    before: Mapping[str, float], after: Mapping[str, float], theme: Theme = "light"
) -> "go.Figure":
    """What the same crops cost before and after the step: terms with their weights, and the sum."""
    names = [BRIEF.get(name, TERM_TITLES.get(name, name)) for name in before]
    frame = Frame("The same crops, before and after", "nats, with their weights", "term", floor=0)
    series = [
        Series("before", rounded([*before.values(), sum(before.values())]), -1, hover="%{y:.4f}"),
        Series("after", rounded([*after.values(), sum(after.values())]), 0, hover="%{y:.4f}"),
    ]
    return bar_chart(frame, [*names, "sum"], series, theme)


def losses_in_a_row(
    before: Sequence[float], after: Sequence[float], theme: Theme = "light"
) -> "go.Figure":
    """Several steps, each on crops of its own: what its batch cost before and after it."""
    frame = Frame("Step by step", "loss on the step's own crops", "step")
    series = [
        Series("before the step", rounded(before), -1, hover="%{y:.4f}"),
        Series("after it", rounded(after), 0, hover="%{y:.4f}"),
    ]
    chart = line_chart(frame, list(range(len(before))), series, theme)
    chart.update_traces(mode="lines+markers")
    return chart.update_xaxes(dtick=1)


def _by_layer(chart: "go.Figure", layers: Sequence[str]) -> "go.Figure":
    """Blocks by their numbers, the rest by their names."""
    words = [SHORT.get(name, name).removeprefix("block ") for name in layers]
    places = list(range(len(layers)))
    if len(layers) > NAMED:
        places = [at for at in places if not layers[at].startswith("block") or at % 4 == 0]
    chart.update_xaxes(tickangle=-45)
    legend = {"yref": "container", "y": 0, "yanchor": "bottom"}
    chart.update_layout(margin={"b": FOOT}, legend=legend)
    return tick(chart, places, [words[at] for at in places])


def _above_zero(values: Sequence[float]) -> list[Number]:
    """A bar of nothing has no logarithm: a gap."""
    return [value if value > 0 else None for value in values]


def _percents(shares: "np.ndarray") -> list[Number]:
    return rounded([100 * float(share) for share in shares])
