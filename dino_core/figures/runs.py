"""Several runs in one chart: one quantity of each, over steps, epochs, pictures or time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from dino_core.figures.charts import Frame, Number, colour_of, empty_chart
from dino_core.figures.curves import extremes, rounded, value_of
from dino_core.figures.theme import Theme, palette

if TYPE_CHECKING:
    import plotly.graph_objects as go

Line = Mapping[str, Any]  # of metrics.jsonl
Axis = Literal["step", "epoch", "pictures", "minutes"]
AXES: tuple[Axis, ...] = get_args(Axis)
COLOURS = 6  # that can be told apart
DASHES = ("solid", "dash", "dot", "dashdot")
MOST = COLOURS * len(DASHES)  # runs in one chart
RAW = 0.25  # opacity of what was measured, behind what is smoothed


@dataclass(frozen=True)
class Quantity:
    """What is compared: an entry of the lines of metrics.jsonl."""

    title: str
    field: str
    note: str = ""


QUANTITIES = {
    "loss": Quantity("Total loss", "loss", "all terms with their weights"),
    "dino_local_crops_loss": Quantity("DINO, local crops", "logged.dino_local_crops_loss", "nats"),
    "dino_global_crops_loss": Quantity(
        "DINO, global crops", "logged.dino_global_crops_loss", "nats"
    ),
    "ibot_loss": Quantity("iBOT", "logged.ibot_loss", "nats"),
    "koleo_loss": Quantity("KoLeo", "logged.koleo_loss"),
    "entropy": Quantity(
        "Entropy of the teacher over all pictures",
        "measured.teacher_entropy_marginal.dino",
        "share of ln K",
    ),
    "agreement": Quantity("Agreement with the teacher", "agreement.cls", "cosine, class token"),
    "knn": Quantity("k-NN accuracy", "knn.cls", "%, class token"),
    "patch_knn": Quantity("k-NN of patches", "patch_knn", "% for the class of their picture"),
    "piece_knn": Quantity(
        "k-NN over pieces", "piece_knn.cls", "% of pieces whose picture is named, class token"
    ),
    "matching": Quantity("Patches found again", "matching", "%"),
    "patch_cosine": Quantity("Cosine between patches of a picture", "patch_cosine", "mean"),
}


@dataclass(frozen=True)
class Run:
    """What is known of one run."""

    title: str
    lines: Sequence[Line]  # oldest first
    batch: int  # pictures a step
    pictures: int  # that it learns from


def measured(runs: Sequence[Run]) -> list[str]:
    """The quantities that any of the runs has measured, in their order."""
    return [
        key
        for key, one in QUANTITIES.items()
        if any(value_of(line, one.field) is not None for run in runs for line in run.lines)
    ]


def places(run: Run, axis: Axis) -> list[float]:
    """Where each line of a run stands on an axis.

    Epochs are passes over the run's own pictures; minutes are those of its steps, without pauses.
    """
    if axis == "minutes":
        spent, found = 0.0, []
        for line in run.lines:
            spent += value_of(line, "seconds") or 0.0
            found.append(spent / 60)
        return found
    unit = {"step": 1.0, "pictures": run.batch, "epoch": run.batch / max(run.pictures, 1)}[axis]
    return [line["step"] * unit for line in run.lines]


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """Their exponential moving average, corrected for its start, so that it begins at the first.

    m_t = weight * m_(t-1) + (1 - weight) * v_t, divided by 1 - weight^t.
    """
    average, found = 0.0, []
    for count, value in enumerate(values, start=1):
        average = weight * average + (1 - weight) * value
        found.append(average / (1 - weight**count))
    return found


def runs_together(
    runs: Sequence[Run],
    quantity: str,
    *,
    axis: Axis = "step",
    smoothing: float = 0.0,
    log: bool = False,
    theme: Theme = "light",
) -> "go.Figure":
    """A line for each run, from the seventh on in dashes. `smoothing` is the weight of what came
    before, 0 to below 1.

    ValueError for an unknown quantity or axis, a weight that is none, and too many runs.
    """
    check(runs, quantity, axis, smoothing=smoothing)
    chosen = QUANTITIES[quantity]
    figure = empty_chart(Frame(chosen.title, chosen.note, axis, log=log), theme)
    for at, run in enumerate(runs):
        x, y = _curve(run, chosen.field, axis)
        look = {"color": colour_of(at % COLOURS, theme), "dash": DASHES[at // COLOURS]}
        line: dict[str, Any] = {**look, "width": 1.75}
        if smoothing:
            _add(figure, run, (x, y), line=line | {"width": 1}, opacity=RAW, showlegend=False)
            y = smoothed(y, smoothing)
        _add(figure, run, (x, y), line=line, showlegend=True)
    figure.update_yaxes(type="log" if log else "linear")
    figure.update_xaxes(title={"text": axis, "font": {"color": palette(theme).quiet}})
    return figure


def check(runs: Sequence[Run], quantity: str, axis: str, *, smoothing: float) -> None:
    """ValueError in a sentence for what cannot be drawn."""
    if quantity not in QUANTITIES:
        raise ValueError(f"What is compared is one of {', '.join(QUANTITIES)}, not {quantity!r}.")
    if axis not in AXES:
        raise ValueError(f"The axis is one of {', '.join(AXES)}, not {axis!r}.")
    if not 0 <= smoothing < 1:
        raise ValueError(f"Smoothing is from 0 to below 1, not {smoothing}.")
    if len(runs) > MOST:
        raise ValueError(f"At most {MOST} runs go into one chart, not {len(runs)}.")


def _curve(run: Run, field: str, axis: Axis) -> tuple[list[float], list[float]]:
    """Where the quantity was measured, and what; no more points than anybody sees."""
    both = [
        (x, float(value))
        for x, line in zip(places(run, axis), run.lines, strict=True)
        if (value := value_of(line, field)) is not None and math.isfinite(x)
    ]
    kept = extremes([[value for _, value in both]])
    return [both[at][0] for at in kept], [both[at][1] for at in kept]


def _add(
    figure: "go.Figure", run: Run, curve: tuple[list[float], list[float]], **style: Any
) -> None:
    import plotly.graph_objects as go

    x: list[Number] = rounded(curve[0])
    mode = "lines+markers" if len(x) <= 12 else "lines"
    figure.add_trace(
        go.Scatter(
            x=x,
            y=rounded(curve[1]),
            name=run.title,
            mode=mode,
            hovertemplate="%{y:.4g}",
            **style,
        )
    )
