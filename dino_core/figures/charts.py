"""What charts are put together from: lines, bars, and several of them over one axis.

A chart is one `plotly.graph_objects.Figure`. Charts that belong together are a dict, name -> chart,
in reading order. All numbers in them are plain lists, so that whoever shows a chart may append to
them. What Plotly has no word for stands in `meta`, for whoever shows the chart:

    layout.meta  title, note    in plain words: a label for those who do not see the picture
                 axis           what x counts: "step", "epoch", "block", "layer", ...
                 cursor         charts with the same word share one cursor and one range of x
                 log            true: heights may be shown by their logarithm
    trace.meta   field, scale   of a curve over a run: which entry of a line of metrics.jsonl it
                                shows ("logged.ibot_loss"), and what that is multiplied by
                 part           what else a trace stands for, by name
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dino_core.figures.theme import Theme, palette, template

if TYPE_CHECKING:
    import plotly.graph_objects as go

Number = float | int | None
MENU_HEIGHT = 34  # px, above stacked charts
ROW_HEIGHT = 170  # px, of a chart among stacked ones
GAP = 64  # px, between two stacked charts: the legend of one, the title of the next


@dataclass(frozen=True)
class Series:
    """One line or one set of bars. None in y is a gap."""

    name: str
    y: Sequence[Number]
    colour: int = 0  # index into the palette's series; -1: the quiet one, -2: the text's
    dash: str = "solid"
    width: float = 1.75
    meta: Mapping[str, Any] = field(default_factory=dict)
    hover: str = "%{y:.4g}"
    details: Sequence[Any] | None = None  # of each point, %{customdata} in `hover`
    low: Sequence[Number] | None = None  # an interval around each point, in units of y
    high: Sequence[Number] | None = None
    marked: bool = False  # every point is to be seen


@dataclass(frozen=True)
class Frame:
    """What is around the series: words, axes, and who shares the cursor."""

    title: str
    note: str = ""
    axis: str = "step"
    cursor: str = ""
    floor: float | None = None
    ceiling: float | None = None
    log: bool | None = None  # None: not offered; False: offered; True: as it begins


def colour_of(index: int, theme: Theme) -> str:
    colours = palette(theme)
    return {-1: colours.quiet, -2: colours.text}.get(index) or colours.series[index]


def cursor_line(at: float | None, theme: Theme) -> dict[str, Any]:
    """A line across the chart at a place of x, as a shape; None: there, but not to be seen."""
    return {
        "type": "line",
        "name": "cursor",
        "x0": at or 0,
        "x1": at or 0,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": palette(theme).quiet, "width": 1.25, "dash": "dash"},
        "visible": at is not None,
    }


def line_chart(
    frame: Frame, x: Sequence[Any], series: Sequence[Series], theme: Theme
) -> "go.Figure":
    """Lines over x; x is numbers, or one label a place."""
    import plotly.graph_objects as go

    figure = empty_chart(frame, theme)
    for one in series:
        colour = colour_of(one.colour, theme)
        figure.add_trace(
            go.Scatter(
                x=list(x),
                y=list(one.y),
                name=one.name,
                mode="lines+markers" if one.low is not None or one.marked else "lines",
                line={"color": colour, "dash": one.dash, "width": one.width},
                marker={"color": colour},
                error_y=_interval(one),
                customdata=None if one.details is None else list(one.details),
                hovertemplate=one.hover,
                meta=dict(one.meta) or None,
                showlegend=len(series) > 1,
            )
        )
    if x and isinstance(x[0], str):
        figure.update_xaxes(type="category", categoryorder="array", categoryarray=list(x))
    else:
        title = {"text": f"{frame.axis} %{{x:,d}}"}
        figure.update_xaxes(tickformat=",d", unifiedhovertitle=title)
    return figure


def bar_chart(
    frame: Frame, labels: Sequence[str], series: Sequence[Series], theme: Theme
) -> "go.Figure":
    """Bars side by side, one place a label."""
    import plotly.graph_objects as go

    figure = empty_chart(frame, theme)
    for one in series:
        figure.add_trace(
            go.Bar(
                x=list(labels),
                y=list(one.y),
                name=one.name,
                marker={"color": colour_of(one.colour, theme)},
                customdata=None if one.details is None else list(one.details),
                hovertemplate=one.hover,
                meta=dict(one.meta) or None,
                showlegend=len(series) > 1,
            )
        )
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=list(labels), showspikes=False
    )
    figure.update_layout(bargap=0.12, bargroupgap=0.05)
    return figure


def empty_chart(frame: Frame, theme: Theme) -> "go.Figure":
    """Title, axes and meta of a chart that has no series yet."""
    import plotly.graph_objects as go

    quiet = palette(theme).quiet
    note = f'  <span style="color:{quiet};font-weight:400">{frame.note}</span>'
    meta = {
        "title": frame.title,
        "note": frame.note,
        "axis": frame.axis,
        "cursor": frame.cursor,
        "log": frame.log is not None,
    }
    figure = go.Figure(layout={"template": template(theme)})
    figure.update_layout(
        title={"text": frame.title + (note if frame.note else "")},
        meta=meta,
        uirevision=frame.title,  # zoom and hidden series stay when the numbers are new
    )
    low, high = frame.floor, frame.ceiling
    if frame.log is not None:
        figure.update_yaxes(tickformat="~g")  # 0.5, where a logarithmic axis would write 5
    if frame.log:
        figure.update_yaxes(type="log", nticks=4)  # 1, 2, 5: with more, their words collide
    elif low is not None and high is not None:
        figure.update_yaxes(range=[low, high])
    elif low is not None:
        figure.update_yaxes(rangemode="tozero")
    return figure


def tick(figure: "go.Figure", places: Sequence[float], words: Sequence[str]) -> "go.Figure":
    """Names chosen places of a category axis, -0.5 being the left edge of the first."""
    figure.update_xaxes(tickmode="array", tickvals=list(places), ticktext=list(words))
    return figure


def stack(charts: Mapping[str, "go.Figure"], theme: Theme = "light") -> "go.Figure":
    """Charts over the same x, one below another, as one figure with one cursor.

    Pointing at a step names the values of all series in all charts; zooming in one zooms all; a
    menu turns the heights of those that allow it into logarithms. Charts without any point are
    left out. ValueError when none is left.
    """
    import plotly.graph_objects as go

    kept = {name: chart for name, chart in charts.items() if has_points(chart)}
    if not kept:
        raise ValueError("There is nothing to draw yet: no number has been written.")
    height = len(kept) * (ROW_HEIGHT + GAP) + MENU_HEIGHT
    figure = go.Figure(layout={"template": template(theme)})
    legend = template(theme)["layout"]["legend"]
    axes: dict[str, Any] = {}
    for row, chart in enumerate(kept.values()):
        number = "" if row == 0 else str(row + 1)
        top = 1 - (MENU_HEIGHT + row * (ROW_HEIGHT + GAP)) / height
        below = 4 if row < len(kept) - 1 else 22  # px to the legend: only the last has an axis
        for trace in chart.data:
            figure.add_trace(trace)
            figure.data[-1].update(_in_row(chart, trace, number))
        axes[f"yaxis{number}"] = {
            **chart.layout.yaxis.to_plotly_json(),
            "domain": [top - ROW_HEIGHT / height, top],
        }
        axes[f"legend{number}"] = {**legend, "y": top - (ROW_HEIGHT + below) / height}
        figure.add_annotation(_heading(chart, top))
    first = next(iter(kept.values()))
    figure.update_layout(
        height=height + 60,
        hoversubplots="axis",
        margin={"l": 60, "r": 20, "t": 24, "b": 36},
        uirevision=True,
        meta=first.layout.meta,
        updatemenus=_log_menu(list(kept.values()), theme),
        **axes,
    )
    bottom = "y" if len(kept) == 1 else f"y{len(kept)}"
    figure.update_xaxes({**first.layout.xaxis.to_plotly_json(), "anchor": bottom})
    figure.update_layout(shapes=first.layout.shapes)
    return figure


def has_points(chart: "go.Figure") -> bool:
    return any(value is not None for trace in chart.data for value in (trace.y or ()))


def _in_row(chart: "go.Figure", trace: Any, number: str) -> dict[str, Any]:
    """Where a trace belongs among stacked charts, and how the common label names it."""
    title = chart.layout.meta["title"]
    name = trace.name if trace.showlegend else title
    words = title if name == title else f"{title}: {name}"
    return {
        "xaxis": "x",
        "yaxis": f"y{number}",
        "legend": f"legend{number}",
        "legendgroup": words,
        "name": name,
        "hovertemplate": f"{words}  {trace.hovertemplate}<extra></extra>",
    }


def _heading(chart: "go.Figure", top: float) -> dict[str, Any]:
    return {
        "text": f"<b>{chart.layout.meta['title']}</b>"
        + chart.layout.title.text.removeprefix(chart.layout.meta["title"]),
        "font": {"size": 13},
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
    }


def _log_menu(charts: Sequence["go.Figure"], theme: Theme) -> list[dict[str, Any]]:
    """Two buttons, where any of the charts allows logarithms."""
    names = [
        f"yaxis{'' if row == 0 else row + 1}.type"
        for row, chart in enumerate(charts)
        if chart.layout.meta["log"]
    ]
    if not names:
        return []
    buttons = [
        {"label": word, "method": "relayout", "args": [dict.fromkeys(names, kind)]}
        for word, kind in (("linear", "linear"), ("logarithmic", "log"))
    ]
    place = {"x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"}
    look = {"type": "buttons", "direction": "right", "pad": {"b": 2}, "font": {"size": 11}}
    starts = any(chart.layout.yaxis.type == "log" for chart in charts)
    bright = theme == "light"  # Plotly paints the chosen button all but white
    return [{"buttons": buttons, "active": int(starts), "showactive": bright, **place, **look}]


def _interval(series: Series) -> dict[str, Any] | None:
    """Plotly's error bars: how far up and down the interval reaches."""
    if series.low is None or series.high is None:
        return None
    up = [_less(high, y) for high, y in zip(series.high, series.y, strict=True)]
    down = [_less(y, low) for low, y in zip(series.low, series.y, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": up,
        "arrayminus": down,
        "thickness": 1.25,
        "width": 0,
    }


def _less(a: Number, b: Number) -> Number:
    return None if a is None or b is None else a - b
