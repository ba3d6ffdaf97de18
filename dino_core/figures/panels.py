"""Rows of pictures as a matplotlib figure for print: sizes in millimetres, sharp patches.

    grid([[input, head 0, head 1], [head 2, ...]], "Layer 11, query patch 6,12", width=PAGE)

Every cell is as wide as its neighbours; its height follows from the picture. Places are computed
here and given in millimetres: nothing is moved when the figure is drawn, and what is drawn is the
same each time. Pictures have one unit a patch, so that the patch in row r and column c reaches from
(c, r) to (c + 1, r + 1). No state is shared: there is no `pyplot`, and figures may be drawn in
threads.
"""

import io
import textwrap
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dino_core.draw.colours import colour_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN, PAGE = 89.0, 183.0  # mm: one and two columns of a journal
Width = Literal["column", "page"]
WIDTHS: dict[str, float] = {"column": COLUMN, "page": PAGE}
INCH = 25.4  # mm
FEW = 8  # cells up to which four stand in a row, and six beyond
EDGE, GAP = 1.0, 2.0  # mm: around everything, between cells
LINE, TITLE = 3.2, 3.6  # mm: a line above everything, the line above a cell
NARROWEST = 22.0  # mm, of a cell: its title has room
SWATCH = 2.2  # mm, of a colour in a legend
BAR, BAR_WORDS = 2.2, 11.0  # mm: width of a colour bar, and of the numbers beside it
LARGE, SMALL = 7.0, 6.0  # pt
LETTER = 0.22  # mm a letter is wide, of each pt, on average
SCREEN_DPI = 110  # of what a notebook shows

# What a file depends on beside the figure. Text stays text, and the same figure is the same file.
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "inside-dinov2",
    "pdf.fonttype": 42,
    "text.usetex": False,
}
METADATA: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}
CAPTION = {"svg": "Description", "pdf": "Subject", "png": "Description"}  # where a file has one
_SAVING = threading.Lock()  # matplotlib's settings belong to the process


@dataclass(frozen=True)
class Cell:
    """One picture: `draw` puts it on axes that are there for it alone."""

    title: str
    aspect: float  # height / width
    draw: Callable[["Axes"], None]


@dataclass(frozen=True)
class Bar:
    """A colour bar: what is low, what is high, and what is measured."""

    low: str
    high: str
    title: str
    colours: str = "magma"


@dataclass(frozen=True)
class Entry:
    """One line of a legend: a colour, and what it stands for."""

    colour: tuple[int, int, int]
    words: str


def grid(
    rows: Sequence[Sequence[Cell]],
    header: str,
    *,
    width: Width | float,
    bar: Bar | None = None,
    legend: Sequence[Entry] = (),
) -> "Figure":
    """Rows of cells -> a figure. `width` is "column" (89 mm), "page" (183 mm), or mm."""
    total = millimetres(width)
    columns = max(map(len, rows))
    cell = (room(width, bar) - (columns - 1) * GAP) / columns
    heights = [cell * max(one.aspect for one in row) for row in rows]
    words, top = wrapped(header, total)
    height = top + sum(heights) + len(rows) * TITLE + (len(rows) - 1) * GAP + EDGE
    lines = in_lines(legend, total)
    figure = new_figure(total, height + len(lines) * LINE + (GAP if lines else 0))
    write(figure, words, EDGE, EDGE, LARGE)
    first = top + TITLE
    for row, tall in zip(rows, heights, strict=True):
        for column, one in enumerate(row):
            left = EDGE + column * (cell + GAP)
            write(figure, one.title, left, top, SMALL)
            one.draw(place(figure, left, top + TITLE, cell, cell * one.aspect))
        top += TITLE + tall + GAP
    for number, line in enumerate(lines):
        draw_legend(figure, line, top + number * LINE)
    if bar:
        draw_bar(figure, bar, total - EDGE - BAR_WORDS - BAR, first, min(heights[0], 30.0))
    return figure


def in_lines(legend: Sequence[Entry], total: float) -> list[list[tuple[float, Entry]]]:
    """A legend in lines that fit, with how far from the left each entry stands, in mm."""
    lines: list[list[tuple[float, Entry]]] = []
    left = total
    for entry in legend:
        long = SWATCH + 1.0 + len(entry.words) * LETTER * SMALL + 2 * GAP
        if left + long > total and (not lines or lines[-1]):
            lines.append([])
            left = EDGE
        lines[-1].append((left, entry))
        left += long
    return lines


def draw_legend(figure: "Figure", line: Sequence[tuple[float, Entry]], top: float) -> None:
    """One line of a legend: small squares, each with its words."""
    for left, entry in line:
        axes = place(figure, left, top + 0.2, SWATCH, SWATCH)
        colour = np.array([[entry.colour]], np.uint8)
        axes.imshow(colour, extent=(0, 1, 0, 1), aspect="auto", interpolation="none")
        axes.set_gid("legend")
        write(figure, entry.words, left + SWATCH + 1.0, top, SMALL)


def room(width: Width | float, bar: Bar | None = None) -> float:
    """mm for cells and the gaps between them."""
    return millimetres(width) - 2 * EDGE - (GAP + BAR + BAR_WORDS if bar else 0.0)


def most_columns(width: Width | float, bar: Bar | None = None) -> int:
    """Cells that stand in a row with room for their titles."""
    return max(int((room(width, bar) + GAP) / (NARROWEST + GAP)), 1)


def in_rows(
    cells: Sequence[Cell], width: Width | float, bar: Bar | None = None
) -> list[Sequence[Cell]]:
    """As many rows as it takes, of four cells, or of six when there are many."""
    columns = min(4 if len(cells) <= FEW else 6, most_columns(width, bar))
    return [cells[i : i + columns] for i in range(0, len(cells), columns)]


def wrapped(header: str, total: float) -> tuple[str, float]:
    """The words above everything in lines that fit, and where the cells begin, in mm."""
    lines = textwrap.wrap(header, int((total - 2 * EDGE) / (LETTER * LARGE)))
    return "\n".join(lines), EDGE + len(lines) * LINE + 1.3


def millimetres(width: Width | float) -> float:
    """ValueError for a width that is no journal's and no sensible number."""
    if isinstance(width, str):
        if width not in WIDTHS:
            words = " or ".join(WIDTHS)
            raise ValueError(f"A figure is {words} wide, or a number of mm, not {width!r}.")
        return WIDTHS[width]
    if not 30 <= width <= 1000:
        raise ValueError(f"A figure is 30 to 1000 mm wide, not {width:g}.")
    return float(width)


def new_figure(width: float, height: float) -> "Figure":
    """An empty white figure of so many mm, which a notebook shows by itself."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / INCH, height / INCH), facecolor="white")
    FigureCanvasAgg(figure)
    show: Any = partial(panel_bytes, figure, "png", SCREEN_DPI)
    figure._repr_png_ = show  # type: ignore[attr-defined]
    return figure


def place(figure: "Figure", left: float, top: float, width: float, height: float) -> "Axes":
    """Axes without ticks, in mm from the upper left corner of the figure."""
    whole, tall = figure.get_size_inches() * INCH
    box = (left / whole, 1 - (top + height) / tall, width / whole, height / tall)
    axes = figure.add_axes(box)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def write(
    figure: "Figure", text: str, left: float, top: float, size: float, colour: str = "black"
) -> None:
    """A line of text, its upper left corner in mm from that of the figure."""
    width, height = figure.get_size_inches() * INCH
    figure.text(
        left / width, 1 - top / height, text, fontsize=size, color=colour, ha="left", va="top"
    )


def show_picture(axes: "Axes", picture: np.ndarray, patches: tuple[int, int]) -> None:
    """Pixels uint8 [H, W, 3] over (h, w) patches."""
    h, w = patches
    axes.imshow(picture, extent=(0, w, h, 0), aspect="auto", interpolation="antialiased")


def show_patches(axes: "Axes", colours: np.ndarray) -> None:
    """A colour a patch, uint8 [h, w, 3] or 0 to 1: sharp squares at any size."""
    h, w = colours.shape[:2]
    axes.imshow(colours, extent=(0, w, h, 0), aspect="auto", interpolation="none")


def show_values(
    axes: "Axes", values: np.ndarray, low: float, high: float, colours: str = "magma"
) -> None:
    """A number a patch, [h, w], in colours from `low` to `high`."""
    h, w = values.shape
    axes.imshow(
        values,
        cmap=colour_map(colours),
        vmin=low,
        vmax=high,
        extent=(0, w, h, 0),
        aspect="auto",
        interpolation="none",
    )


def mark_patch(axes: "Axes", row: int, column: int) -> None:
    """A white square with black edges around a patch: seen on light and on dark."""
    from matplotlib.patches import Rectangle

    for colour, line in (("black", 1.6), ("white", 0.8)):
        square = Rectangle((column, row), 1, 1, fill=False, edgecolor=colour, linewidth=line)
        square.set_gid(f"query-{colour}")
        axes.add_patch(square)


def colour_map(name: str) -> Any:
    """The project's own table, so that a figure has the colours of the page."""
    from matplotlib.colors import ListedColormap

    return ListedColormap(colour_table(name) / 255.0, name=name)


def draw_bar(figure: "Figure", bar: Bar, left: float, top: float, height: float) -> None:
    """The colours from low, below, to high, with words beside it."""
    axes = place(figure, left, top, BAR, height)
    table = colour_table(bar.colours)[::-1, None]  # [256, 1, 3], high on top
    axes.imshow(table, extent=(0, 1, 0, 1), aspect="auto", interpolation="none")
    axes.set_gid("colour-bar")
    right, middle = left + BAR + 0.8, top + height / 2
    write(figure, bar.high, right, top, SMALL)
    write(figure, bar.low, right, top + height - 2.2, SMALL)
    if bar.title:
        write(figure, bar.title, right, middle - 1.1, SMALL)


def panel_pixels(figure: "Figure", dpi: int) -> np.ndarray:
    """The figure as pixels uint8 [H, W, 3]."""
    from PIL import Image

    with Image.open(io.BytesIO(panel_bytes(figure, "png", dpi))) as picture:
        return np.asarray(picture.convert("RGB"))


def panel_bytes(figure: "Figure", kind: str, dpi: int, caption: str = "") -> bytes:
    """The figure as an SVG, PDF or PNG file, which says the caption of itself; for a PNG `dpi`."""
    import matplotlib

    buffer = io.BytesIO()
    said = METADATA[kind] | ({CAPTION[kind]: caption} if caption else {})
    with _SAVING, matplotlib.rc_context(SETTINGS):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=said)
    return buffer.getvalue()
