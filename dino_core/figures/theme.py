"""How charts look: one template, light and dark, with the page's colours and one accent.

The background is left out, so that a page shows its own; a file paints it (`Palette.card`). Line
colours follow the order of the series: the accent first, then five that differ in lightness as
well as hue. Numbers are tabular where the style sheet around the chart says so.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

Theme = Literal["light", "dark"]
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"
NOTHING = "rgba(0,0,0,0)"


@dataclass(frozen=True)
class Palette:
    """Colours of one theme, as "#rrggbb"."""

    text: str
    quiet: str  # notes, ticks, and what is not the subject
    line: str  # grid and axes
    card: str  # behind a label, and behind a chart in a file
    accent: str
    others: tuple[str, ...]  # of the second series on

    @property
    def series(self) -> tuple[str, ...]:
        return (self.accent, *self.others)


OTHERS = ("#c2740a", "#0c8599", "#d6455d", "#8a63c9", "#8c6d46")
PALETTES: dict[Theme, Palette] = {
    "light": Palette("#1e293b", "#64748b", "#e2e8f0", "#ffffff", "#4f46e5", OTHERS),
    "dark": Palette("#f1f5f9", "#94a3b8", "#334155", "#0f172a", "#818cf8", OTHERS),
}


def palette(theme: Theme) -> Palette:
    """ValueError for a theme that is neither light nor dark."""
    if theme not in get_args(Theme):
        raise ValueError(f"A theme is {' or '.join(get_args(Theme))}, but is {theme!r}.")
    return PALETTES[theme]


def template(theme: Theme) -> dict[str, Any]:
    """What every chart of ours has in common, as Plotly's `layout.template`."""
    colours = palette(theme)
    return {
        "layout": {
            "font": {"family": FONT, "size": 12, "color": colours.text},
            "paper_bgcolor": NOTHING,
            "plot_bgcolor": NOTHING,
            "colorway": list(colours.series),
            "margin": {"l": 48, "r": 10, "t": 34, "b": 30},
            "title": {
                "font": {"size": 13, "weight": 600},
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yanchor": "top",
                "yref": "container",
                "pad": {"t": 8, "l": 2},
            },
            "separators": ". ",
            "hovermode": "x unified",
            "hoverlabel": {
                "bgcolor": colours.card,
                "bordercolor": colours.line,
                "font": {"family": FONT, "size": 11.5, "color": colours.text},
                "namelength": -1,
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": -0.16,
                "yanchor": "top",
                "font": {"size": 11.5, "color": colours.quiet},
                "bgcolor": NOTHING,
            },
            "modebar": {
                "bgcolor": NOTHING,
                "color": colours.quiet,
                "activecolor": colours.accent,
            },
            "dragmode": "zoom",
            "xaxis": {
                **_axis(colours),
                **_cursor(colours),
                "showgrid": False,
                "showline": True,
                "ticks": "outside",
            },
            "yaxis": {**_axis(colours), "nticks": 5},
        },
        "data": {
            "scatter": [{"type": "scatter", "line": {"width": 1.75}, "marker": {"size": 5}}],
            "bar": [{"type": "bar", "marker": {"line": {"width": 0}, "cornerradius": 2}}],
        },
    }


def _axis(colours: Palette) -> dict[str, Any]:
    return {
        "linecolor": colours.line,
        "tickcolor": colours.line,
        "gridcolor": colours.line,
        "tickfont": {"size": 11, "color": colours.quiet},
        "title": {"font": {"size": 11, "color": colours.quiet}, "standoff": 6},
        "zeroline": False,
        "automargin": True,
    }


def _cursor(colours: Palette) -> dict[str, Any]:
    """The line below what is pointed at."""
    return {
        "showspikes": True,
        "spikemode": "across",
        "spikesnap": "hovered data",
        "spikethickness": 1,
        "spikedash": "dot",
        "spikecolor": colours.quiet,
    }
