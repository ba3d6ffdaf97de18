"""Scenes as what is sent: bytes and charts for a page, plain values for a program."""

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

from dino_core.draw.encode import jpeg, npz, pack, split
from dino_core.figures.files import plotly_script
from dino_core.figures.theme import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["chart_values", "jpeg", "npz", "pack", "packed", "plain", "plotly_script"]

Form = Literal["page", "npz", "chart", "chart-dark"]
BINARY, JSON = "application/octet-stream", "application/json"


def plain(scene: Any, arrays: Collection[str] = ()) -> dict[str, Any]:
    """A scene as JSON values: its facts, and the named arrays as nested lists."""
    every, facts = split(scene)
    return facts | {name: every[name].tolist() for name in arrays}


def packed(scene: Any, form: Form = "page") -> tuple[bytes, str]:
    """A scene as it is sent, and its media type.

    page         arrays and facts in one binary file, see `pack`
    npz          a file for numpy.load
    chart        the charts of a scene that has some, {name: {"data": [...], "layout": {...}}}
    chart-dark   the same for a dark page

    ValueError for the charts of a scene that has none.
    """
    if form in ("page", "npz"):
        return (npz(scene) if form == "npz" else pack(scene)), BINARY
    if not hasattr(scene, "charts"):
        raise ValueError("There is no chart of this: ask for it without form=chart.")
    charts = chart_values(scene.charts(theme_of(form)))
    return json.dumps(charts, separators=(",", ":")).encode(), JSON


def theme_of(form: str) -> Theme:
    return "dark" if form == "chart-dark" else "light"


def chart_values(charts: Mapping[str, "go.Figure"]) -> dict[str, Any]:
    """Plotly's figures as JSON values; not a number is null."""
    return {name: json.loads(chart.to_json()) for name, chart in charts.items()}
