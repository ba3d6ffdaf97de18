"""Figures as files: charts as one HTML page that opens offline, panels as SVG, PDF or PNG.

What is written stands beside its place first and is renamed: a file is never half there.
"""

import gzip
import html
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.figures.charts import has_points, stack
from dino_core.figures.panels import panel_bytes
from dino_core.figures.theme import FONT, Theme, palette
from dino_core.writing import replacing

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure as Panel

CHARTS = (".html",)
PANELS = (".svg", ".pdf", ".png", ".html")
DPI = 300  # of a PNG
TOOLS = {
    "displaylogo": False,
    "responsive": True,
    "toImageButtonOptions": {"format": "svg", "filename": "chart"},
}


def check_ending(path: str | Path, endings: tuple[str, ...]) -> Path:
    """The path, when a figure can be written there. ValueError for any other ending."""
    path = Path(path)
    if path.suffix.lower() not in endings:
        words = f"{', '.join(endings[:-1])} or {endings[-1]}" if endings[1:] else endings[0]
        raise ValueError(f"This figure is written to a file that ends in {words}: {path} does not.")
    return path


def save(
    figure: "Panel | go.Figure | Mapping[str, go.Figure]",
    path: str | Path,
    *,
    dpi: int = DPI,
    theme: Theme = "light",
    caption: str = "",
    charts: "Mapping[str, go.Figure] | None" = None,
) -> Path:
    """Writes a panel to FILE.svg, .pdf, .png or .html, or charts to FILE.html; returns the path.

    A chart, or a dict of charts: those with one cursor are stacked over one axis. `dpi` is that of
    a PNG, `theme` the background of a page of charts. The caption of a panel stands below it on a
    page, where `charts` may follow, and among what a file says about itself elsewhere. The same
    figure gives the same bytes.
    ValueError for an ending that does not go with the figure, or when there is nothing to draw.
    """
    if isinstance(figure, Mapping) or hasattr(figure, "to_html"):
        path = check_ending(path, CHARTS)
        drawn = figure if isinstance(figure, Mapping) else {"chart": figure}
        return _write(path, html_page(drawn, path.stem, theme).encode())
    path = check_ending(path, PANELS)
    if not 30 <= dpi <= 2400:
        raise ValueError(f"A picture has 30 to 2400 dots per inch, not {dpi}.")
    kind = path.suffix.lower()[1:]
    if kind == "html":
        drawing = panel_bytes(figure, "svg", dpi)
        below = _in_html(charts, "light") if charts else ""
        return _write(path, panel_page(drawing, path.stem, caption, below).encode())
    return _write(path, panel_bytes(figure, kind, dpi, caption))


def label_of(panel: "Panel") -> str:
    """What stands above a panel, in one line."""
    header = next(iter(panel.texts), None)
    return " ".join(header.get_text().split()) if header else ""


def panel_page(drawing: bytes, title: str, caption: str, below: str = "") -> str:
    """A panel, as the bytes of an SVG file, as a page of its own with its caption below, and then
    what else belongs to it, as HTML."""
    svg = drawing.decode()
    svg = svg[svg.index("<svg ") :]
    style = (
        f"body{{margin:0 auto;padding:12px;max-width:1100px;background:white;color:black;"
        f"font-family:{FONT}}}figure{{margin:0}}figure>svg{{width:100%;height:auto}}"
        "figcaption{margin-top:8px;overflow-wrap:anywhere}"
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<figure>\n"
        f"{svg}\n<figcaption>{html.escape(caption)}</figcaption>\n</figure>\n{below}</body>\n</html>\n"
    )


def html_page(charts: Mapping[str, "go.Figure"], title: str, theme: Theme = "light") -> str:
    """Charts as a page of its own with Plotly inside: it asks no other machine for anything.

    ValueError when no chart has a point.
    """
    colours = palette(theme)
    style = (
        f"body{{margin:0 auto;padding:12px;max-width:1100px;background:{colours.card};"
        f"color:{colours.text};font-family:{FONT};font-variant-numeric:tabular-nums}}"
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        + _in_html(charts, theme)
        + "</body>\n</html>\n"
    )


def _in_html(charts: Mapping[str, "go.Figure"], theme: Theme) -> str:
    """Charts as parts of a page, with Plotly itself before the first."""
    # Plotly lays a white line below the cursor where the background is left out.
    style = "<style>.hoverlayer>line.spikeline:first-child{display:none}</style>\n"
    parts = [
        part.to_html(
            full_html=False, include_plotlyjs=i == 0, config=TOOLS, div_id=f"chart-{i + 1}"
        )
        for i, part in enumerate(_joined(charts, theme))
    ]
    return style + "\n".join(parts) + "\n"


def _joined(charts: Mapping[str, "go.Figure"], theme: Theme) -> list["go.Figure"]:
    """Charts that share a cursor as one, where the first of them stands; the others as they are."""
    groups: dict[str, dict[str, Any]] = {}
    for name, chart in charts.items():
        groups.setdefault(chart.layout.meta["cursor"] or f"alone {name}", {})[name] = chart
    drawn = [
        stack(group, theme) if len(group) > 1 else next(iter(group.values()))
        for group in groups.values()
        if any(has_points(chart) for chart in group.values())
    ]
    if not drawn:
        raise ValueError("There is nothing to draw yet: no number has been written.")
    return drawn


@cache
def plotly_script() -> tuple[bytes, str]:
    """Plotly's own code, from the installed package, gzipped once; and the name of this version.

    -> (gzip of plotly.min.js, version of the package)
    """
    from importlib.metadata import version

    script = files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    return gzip.compress(script, compresslevel=6, mtime=0), version("plotly")


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_bytes(data)
    return path
