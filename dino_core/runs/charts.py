"""The charts of a run's folder: its curves so far, and what its test confused."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.figures.curves import distillation_curves, finetuning_curves, pretraining_curves
from dino_core.figures.matrix import confusion
from dino_core.figures.shares import shares_over_run
from dino_core.figures.theme import Theme
from dino_core.jobs import read_json
from dino_core.runs.folder import RunFolder, read_metrics

if TYPE_CHECKING:
    import plotly.graph_objects as go


def curve_charts(folder: Path, theme: Theme = "light") -> "tuple[dict[str, go.Figure], int]":
    """The curves of a run so far, and the step up to which they go (-1: nothing was written).

    ValueError when there is no run in the folder.
    """
    config = RunFolder(folder).read_config()
    lines = read_metrics(folder)
    kind = config.get("kind")
    if kind == "fine-tuning":
        charts = finetuning_curves(lines, theme)
    elif by_features(config):
        charts = distillation_curves(lines, theme)
    else:
        charts = pretraining_curves(lines, theme, taught=kind == "distillation")
    return charts, max((line["step"] for line in lines), default=-1)


def share_charts(folder: Path, theme: Theme = "light") -> "dict[str, go.Figure]":
    """Whose the gradients of a run were, so far: a chart for each loss, none where nobody looked.

    ValueError when there is no run in the folder.
    """
    RunFolder(folder).read_config()
    return shares_over_run(read_metrics(folder), theme)


def by_features(config: dict[str, Any]) -> bool:
    """Whether a config.json is that of a distillation by features; one by heads is as training."""
    try:
        return config["setup"]["run"]["follow"] is not None
    except (KeyError, TypeError):
        return False


def confusion_charts(
    folder: Path, theme: Theme = "light", *, named: bool = True
) -> "dict[str, go.Figure]":
    """The confusion matrix of a fine-tuning's test. ValueError before there is one.

    Without names the classes are class 0, class 1, ...
    """
    report = read_json(folder / "report.json")
    if report is None:
        raise ValueError("The test comes at the end of the fine-tuning.")
    try:
        classes = report["classes"]
        names = [one["name"] if named else f"class {i}" for i, one in enumerate(classes)]
        return {"confusion": confusion(report["confusion"], names, theme)}
    except (KeyError, TypeError):
        raise ValueError(f"The report of {folder} is damaged.") from None


def all_charts(folder: Path, theme: Theme = "light") -> "dict[str, go.Figure]":
    """The curves of a run, whose its gradients were, and the confusions where it was tested."""
    charts, _ = curve_charts(folder, theme)
    charts |= share_charts(folder, theme)
    if (folder / "report.json").is_file():
        charts |= confusion_charts(folder, theme)
    return charts
