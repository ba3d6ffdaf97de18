"""Curves over the steps of a run: losses and measurements, and the schedules.

Which entry of a line of metrics.jsonl a curve shows is said once, in the tables below, and travels
with the curve (`trace.meta.field`): a page that has drawn a run appends new lines to the same
curves without knowing what they mean.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dino_core.figures.charts import Frame, Number, Series, cursor_line, line_chart
from dino_core.figures.theme import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

Line = Mapping[str, Any]  # of metrics.jsonl
POINTS = 1200  # of a curve; a longer one keeps the lowest and the highest of every stretch
DIGITS = 6


@dataclass(frozen=True)
class Curve:
    """One entry of the lines. `scale`: what it is multiplied by."""

    name: str
    field: str
    scale: float = 1.0
    anchor: bool = False  # dashed, quiet: what uniform output would have, or whoever is compared
    dash: str = "dash"  # of an anchor


@dataclass(frozen=True)
class Chart:
    """The curves that share a chart, and its words."""

    title: str
    curves: tuple[Curve, ...]
    note: str = ""
    floor: float | None = None
    ceiling: float | None = None
    log: bool | None = None
    marked: bool = False  # few points, each of which is to be seen, also the first one alone


def term(title: str, name: str, anchored: bool = True) -> Chart:
    """A term of the loss as it is logged, with the line of a student whose output is uniform."""
    anchor = (Curve("uniform output", f"uniform.{name}", anchor=True),) if anchored else ()
    return Chart(title, (Curve("loss", f"logged.{name}"), *anchor), "nats", log=False)


def _by_features(measure: str) -> tuple[Curve, ...]:
    """A curve for each kind of features that k-NN is measured with."""
    names = {"class token": "cls", "mean patch": "mean_patch", "both": "both"}
    return tuple(Curve(name, f"{measure}.{key}") for name, key in names.items())


MEASURED = {  # at milestones
    "knn": Chart(
        "k-NN accuracy",
        _by_features("knn"),
        "%",
        floor=0,
        ceiling=100,
        marked=True,
    ),
    "patch_knn": Chart(
        "k-NN of patches",
        (Curve("of a picture's class", "patch_knn"),),
        "% for the class of their picture",
        floor=0,
        ceiling=100,
        marked=True,
    ),
    "piece_knn": Chart(
        "k-NN over pieces",
        (
            *_by_features("piece_knn"),
            Curve("raw pixels", "piece_knn.pixels", anchor=True, dash="dashdot"),
            Curve("chance", "piece_knn.chance", anchor=True, dash="dot"),
        ),
        "% of pieces whose picture is named",
        floor=0,
        marked=True,
    ),
    "matching": Chart(
        "Patches found again",
        (Curve("in another view", "matching"),),
        "%",
        floor=0,
        ceiling=100,
        marked=True,
    ),
    "patch_cosine": Chart(
        "Cosine between patches",
        (Curve("of a picture", "patch_cosine"),),
        "mean",
        ceiling=1,
        marked=True,
    ),
}
_TEACHER = Curve("teacher's class token", "piece_knn.teacher", anchor=True)
TAUGHT = {  # of those, where a frozen teacher says what there is to reach
    "piece_knn": replace(MEASURED["piece_knn"], curves=(*MEASURED["piece_knn"].curves, _TEACHER))
}
PRETRAINING = {
    "loss": Chart("Total loss", (Curve("loss", "loss"),), "all terms with their weights"),
    "dino_local_crops_loss": term("DINO, local crops", "dino_local_crops_loss"),
    "dino_global_crops_loss": term("DINO, global crops", "dino_global_crops_loss"),
    "ibot_loss": term("iBOT", "ibot_loss"),
    "koleo_loss": Chart("KoLeo", (Curve("loss", "logged.koleo_loss"),)),
    "entropy": Chart(
        "Entropy of the teacher",
        (
            Curve("of each picture", "measured.teacher_entropy.dino"),
            Curve("over all pictures", "measured.teacher_entropy_marginal.dino"),
            Curve("of each patch", "measured.teacher_entropy.ibot"),
        ),
        "share of ln K",
        floor=0,
        ceiling=1.02,
    ),
    "gradient": Chart(
        "Gradient norm",
        (
            Curve("backbone", "gradient_norms.backbone"),
            Curve("DINO head", "gradient_norms.dino_head"),
            Curve("iBOT head", "gradient_norms.ibot_head"),
        ),
        "before clipping",
        floor=0,
        log=False,
    ),
    **MEASURED,
}
DISTILLATION = {
    "loss": Chart("Loss", (Curve("loss", "loss"),), "1 - cosine, class token and patches"),
    "agreement": Chart(
        "Agreement with the teacher",
        (Curve("class token", "agreement.cls"), Curve("patches", "agreement.patches")),
        "cosine; 0: the same for all crops",
        ceiling=1,
        log=False,
    ),
    **MEASURED,
    **TAUGHT,
    "gradient": Chart(
        "Gradient norm",
        (
            Curve("backbone", "gradient_norms.backbone"),
            Curve("class token's map", "gradient_norms.cls_map"),
            Curve("patches' map", "gradient_norms.patch_map"),
        ),
        "before clipping",
        floor=0,
        log=False,
    ),
}
FINETUNING = {
    "loss": Chart(
        "Cross-entropy",
        (Curve("training", "train_loss"), Curve("validation", "validation_loss")),
        "nats",
        log=False,
    ),
    "accuracy": Chart(
        "Validation pictures right",
        (Curve("validation", "validation_accuracy", scale=100),),
        "%",
        floor=0,
        ceiling=100,
    ),
}
# name of a field of StepValues -> title and note of its chart
SCHEDULES = {
    "learning_rate": ("Learning rate", "of the last block"),
    "last_layer_learning_rate": ("Learning rate of the prototypes", "0 at first"),
    "weight_decay": ("Weight decay", ""),
    "momentum": ("Momentum of the teacher", "share it keeps of itself"),
    "teacher_temperature": ("Teacher temperature", "lower is sharper"),
}


def pretraining_curves(
    lines: Sequence[Line], theme: Theme = "light", *, taught: bool = False
) -> dict[str, "go.Figure"]:
    """Lines of metrics.jsonl, oldest first -> every loss term with what uniform output would have,
    the total, the teacher's entropy, gradient norms, and what the milestones measured, by step.

    All charts are there from the start, without points as long as nothing was measured. `taught`:
    by a frozen teacher, as in a distillation by prototypes.
    """
    charts = PRETRAINING | (TAUGHT if taught else {})
    return {key: _drawn(chart, lines, "step", theme) for key, chart in charts.items()}


def distillation_curves(lines: Sequence[Line], theme: Theme = "light") -> dict[str, "go.Figure"]:
    """Lines of metrics.jsonl of a distillation -> loss, agreement with the teacher, gradient norms,
    and what the milestones measured, by step."""
    return {key: _drawn(chart, lines, "step", theme) for key, chart in DISTILLATION.items()}


def finetuning_curves(lines: Sequence[Line], theme: Theme = "light") -> dict[str, "go.Figure"]:
    """Lines of metrics.jsonl of a run with labels -> loss and accuracy, by epoch."""
    return {key: _drawn(chart, lines, "epoch", theme) for key, chart in FINETUNING.items()}


def schedules(
    steps: Sequence[int],
    values: Mapping[str, Sequence[float]],
    at: int | None = None,
    theme: Theme = "light",
) -> dict[str, "go.Figure"]:
    """Scheduled values at some steps [n], counted from 0, with a cursor.

    `values` has a curve [n] for each name in SCHEDULES; `at` is the step where the cursor stands,
    `layout.shapes[0]` of every chart (None: it is there, but not to be seen).
    """
    cursor = cursor_line(at, theme)
    charts = {}
    for key, (title, note) in SCHEDULES.items():
        line = Series(title, rounded(values[key]), hover="%{y:.5g}", meta={"part": key})
        frame = Frame(title, note, cursor="schedule", floor=0 if "rate" in key else None)
        charts[key] = line_chart(frame, [int(step) for step in steps], [line], theme)
        charts[key].update_layout(shapes=[cursor])
    return charts


def value_of(line: Line, field: str) -> Number:
    """The number at "logged.ibot_loss" of a line; None where there is none, or no finite one."""
    value: Any = line
    for name in field.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def extremes(columns: Sequence[Sequence[Number]], points: int = POINTS) -> list[int]:
    """Which of n places of curves [n] to draw, in order, when n is more than `points`.

    The row is cut into equal stretches; of each, the lowest and the highest of every curve are
    kept, so what is drawn was measured and no spike is lost; and the first gap, if there is one.
    """
    n = len(columns[0]) if columns else 0
    if n <= points:
        return list(range(n))
    stretches = max(points // (2 * len(columns)), 1)
    kept = {0, n - 1}
    for i in range(stretches):
        places = range(i * n // stretches, (i + 1) * n // stretches)
        for column in columns:
            known = {at: value for at in places if (value := column[at]) is not None}
            if known:
                kept |= {min(known, key=known.__getitem__), max(known, key=known.__getitem__)}
            kept |= set([at for at in places if column[at] is None][:1])
    return sorted(kept)


def rounded(values: Sequence[Number]) -> list[Number]:
    """As many digits as anybody reads off a curve."""
    return [None if value is None else float(f"{value:.{DIGITS}g}") for value in values]


def _drawn(chart: Chart, lines: Sequence[Line], axis: str, theme: Theme) -> "go.Figure":
    subjects = [curve for curve in chart.curves if not curve.anchor]
    there = [ln for ln in lines if any(_has(ln, curve.field) for curve in subjects)]
    columns = {curve: [value_of(line, curve.field) for line in there] for curve in chart.curves}
    places = extremes([columns[curve] for curve in subjects])
    series = [
        Series(
            name=curve.name,
            y=rounded([_times(columns[curve][at], curve.scale) for at in places]),
            colour=-1 if curve.anchor else subjects.index(curve),
            dash=curve.dash if curve.anchor else "solid",
            width=1.25 if curve.anchor else 1.75,
            marked=chart.marked and not curve.anchor,
            meta={"field": curve.field, "scale": curve.scale},
        )
        for curve in chart.curves
    ]
    frame = Frame(
        chart.title,
        chart.note,
        axis,
        "run",
        floor=chart.floor,
        ceiling=chart.ceiling,
        log=chart.log,
    )
    return line_chart(frame, [there[at]["step"] for at in places], series, theme)


def _has(line: Line, field: str) -> bool:
    """Whether a line speaks of this field at all, were it only of a value that is not finite."""
    *path, last = field.split(".")
    value: Any = line
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return isinstance(value, Mapping) and last in value


def _times(value: Number, scale: float) -> Number:
    return None if value is None else value * scale
