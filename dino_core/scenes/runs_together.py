"""Runs side by side: several in one chart, and in what their configurations differ."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.figures.runs import AXES, MOST, QUANTITIES, Axis, Run, measured, runs_together
from dino_core.figures.theme import Theme
from dino_core.runs.folder import RunFolder, read_metrics

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "AXES",
    "MOST",
    "QUANTITIES",
    "chart",
    "choices",
    "differences",
    "read_runs",
    "told_apart",
]

KINDS = ("pretraining", "distillation")  # those that count in steps
BESIDE = ("preset", "kind", "processes")  # what differs beside the recipe
SAME = "–"  # stands where a run has no such number


def told_apart(titles: Mapping[str, str]) -> dict[str, str]:
    """Titles by the names of runs, with the end of its name after each that is not the only one."""
    every = list(titles.values())
    return {
        name: f"{title} ({name.rsplit('-', 1)[-1]})" if every.count(title) > 1 else title
        for name, title in titles.items()
    }


def read_runs(folders: Mapping[str, Path]) -> list[Run]:
    """Runs by their titles. ValueError in a sentence for one that cannot be compared."""
    runs = []
    for title, folder in folders.items():
        config = RunFolder(folder).read_config()
        if config.get("kind") not in KINDS:
            raise ValueError(f"{title} is no run that counts in steps: it has curves of its own.")
        try:
            batch = int(config["setup"]["run"]["train"]["schedule"]["batch_size"])
            pictures = int(config["pictures"]["count"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"The configuration of {title} is damaged.") from None
        runs.append(Run(title, read_metrics(folder), batch, pictures))
    return runs


def choices(runs: list[Run]) -> list[tuple[str, str]]:
    """(name, title) of every quantity that any of them has measured."""
    return [(key, QUANTITIES[key].title) for key in measured(runs)]


def chart(
    runs: list[Run],
    quantity: str,
    axis: Axis,
    *,
    smoothing: float = 0.0,
    log: bool = False,
    theme: Theme = "light",
) -> "dict[str, go.Figure]":
    """The chart, as all charts come. ValueError in a sentence for what cannot be drawn."""
    figure = runs_together(runs, quantity, axis=axis, smoothing=smoothing, log=log, theme=theme)
    return {"together": figure}


def differences(folders: Mapping[str, Path]) -> list[dict[str, Any]]:
    """In what the recipes of runs differ: a name and a value of each run, in their order.

    Paths and names of files are no part of a recipe, and are not told.
    """
    recipes = [_recipe(RunFolder(folder).read_config()) for folder in folders.values()]
    names = list(dict.fromkeys(name for recipe in recipes for name in recipe))
    rows = [(name, [recipe.get(name, SAME) for recipe in recipes]) for name in names]
    return [{"name": name, "values": values} for name, values in rows if len(set(values)) > 1]


def _recipe(config: Mapping[str, Any]) -> dict[str, str]:
    """Every number of a run under a name with dots, as text."""
    setup = config.get("setup")
    run = setup.get("run") if isinstance(setup, dict) else None
    pictures = config.get("pictures")
    beside = {name: config[name] for name in BESIDE if name in config}
    if isinstance(pictures, dict):
        beside["pictures"] = pictures.get("count")
    if config.get("history"):  # until then it had another recipe
        beside["mended"] = True
    flat = _flat(run if isinstance(run, dict) else {})
    return {name: json.dumps(value) for name, value in {**beside, **flat}.items()}


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found
