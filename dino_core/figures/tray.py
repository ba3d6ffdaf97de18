"""A tray as one figure for print: a row for each picture, a column for each view.

    figures.tray(fill_tray(...), ["cat.jpg", "dog.jpg"], width="page")

Above each column stand its name and its scale, which is the same in all rows.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dino_core.draw.colours import cluster_colour, colour_table
from dino_core.figures.maps import Patch, colour_cell, picture_cell, value_cell
from dino_core.figures.panels import (
    EDGE,
    GAP,
    LARGE,
    LINE,
    SMALL,
    TITLE,
    Cell,
    Entry,
    Width,
    draw_legend,
    in_lines,
    millimetres,
    new_figure,
    place,
    wrapped,
    write,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dino_core.analysis.tray import FilledColumn, Tray

SCALE = 1.6  # mm, the height of a colour bar
HEAD = 3 * LINE + SCALE + 1.4  # mm: two lines of words, a bar, and its limits
NARROWEST = 14.0  # mm, of a column
COLOURS = {"similar": "blue-red"}  # of numbers; others are "magma"
NAMES = {"pca": "PCA", "norms": "lengths"}


def tray(
    filled: "Tray",
    names: Sequence[str],
    *,
    width: Width | float = "page",
    models: Sequence[str] = (),
) -> "Figure":
    """Pictures below each other, `names` above them, views side by side. `models`: their names,
    which are said where there are several. ValueError when the columns are too many for the width.
    """
    total = millimetres(width)
    count = len(filled.columns)
    cell = (total - 2 * EDGE - (count - 1) * GAP) / count
    if cell < NARROWEST:
        most = int((total - 2 * EDGE + GAP) / (NARROWEST + GAP))
        raise ValueError(
            f"{count} columns are too many for {total:g} mm, where {most} have room: make the "
            "figure wider, or choose fewer."
        )
    cells = [column_cells(filled, column) for column in filled.columns]
    heights = [cell * max(one.aspect for one in row) for row in zip(*cells, strict=True)]
    words, top = wrapped(header_of(filled, models), total)
    legend = in_lines(legend_of(filled), total)
    below = len(legend) * LINE + (GAP if legend else 0)
    height = top + HEAD + sum(heights) + len(heights) * (TITLE + GAP) - GAP + below + EDGE
    figure = new_figure(total, height)
    write(figure, words, EDGE, EDGE, LARGE)
    for number, column in enumerate(filled.columns):
        draw_head(figure, column, EDGE + number * (cell + GAP), top, cell)
    top += HEAD
    for row, tall in enumerate(heights):
        write(figure, f"{row}  {names[row]}", EDGE, top, SMALL)
        for number, column_of_cells in enumerate(cells):
            one = column_of_cells[row]
            left = EDGE + number * (cell + GAP)
            one.draw(place(figure, left, top + TITLE, cell, cell * one.aspect))
        top += TITLE + tall + GAP
    for number, line in enumerate(legend):
        draw_legend(figure, line, top + number * LINE)
    return figure


def column_cells(filled: "Tray", column: "FilledColumn") -> list[Cell]:
    """A cell for each row of a column."""
    view, cells = column.column.view, []
    for row, values in enumerate(column.maps):
        if view == "input":
            cells.append(input_of(filled, row))
        elif view == "pca":
            cells.append(colour_cell("", values.numpy()))
        elif view == "clusters":
            cells.append(colour_cell("", cluster_table()[values.numpy()]))
        else:
            assert column.limits is not None, "numbers have a scale"
            colours = COLOURS.get(view, "magma")
            mark = column.marks[row]
            cells.append(value_cell("", values.numpy(), column.limits, mark, colours=colours))
    return cells


def input_of(filled: "Tray", row: int) -> Cell:
    """A picture with every patch that a column of model 0 asks for."""
    marks: list[Patch] = [
        mark
        for column in filled.columns
        if column.column.model == 0 and (mark := column.marks[row]) is not None
    ]
    plain = picture_cell("", filled.pixels[row], filled.grids[row])
    marked = [picture_cell("", filled.pixels[row], filled.grids[row], mark) for mark in marks]

    def draw(axes: object) -> None:
        for one in marked or [plain]:
            one.draw(axes)  # type: ignore[arg-type]

    return Cell("", plain.aspect, draw)


def draw_head(
    figure: "Figure", column: "FilledColumn", left: float, top: float, wide: float
) -> None:
    """What a column shows, in two lines, and its colours from low to high."""
    for line, words in enumerate(head_words(column)):
        write(figure, words, left, top + line * LINE, SMALL)
    if column.limits is None:
        return
    axes = place(figure, left, top + 2 * LINE + 0.4, wide, SCALE)
    table = colour_table(COLOURS.get(column.column.view, "magma"))[None]  # [1, 256, 3]
    axes.imshow(table, extent=(0, 1, 0, 1), aspect="auto", interpolation="none")
    axes.set_gid("colour-bar")
    low, high = (f"{value:.3g}".replace("-", "−") for value in column.limits)
    under = top + 2 * LINE + SCALE + 0.6
    write(figure, f"{low} to {high}", left, under, SMALL)


def head_words(column: "FilledColumn") -> tuple[str, str]:
    """The view, and of what: a layer, a head, a patch."""
    one = column.column
    name = NAMES.get(one.view, one.view)
    if one.view == "input":
        return name, ""
    model = f", model {one.model}" if one.model else ""
    head = f", head {one.head}" if one.head is not None else ""
    place = ""
    if one.query is not None:
        where = f"{one.query[0]},{one.query[1]}"
        place = f"to {one.picture}: {where}" if one.view == "similar" else f"of patch {where}"
    if one.view == "attention" and one.query is None:
        place = "of class token"
    if one.view == "difference":
        model = ", models 0 and 1"
    return f"{name} {place}".strip(), f"layer {one.layer}{head}{model}"


def header_of(filled: "Tray", models: Sequence[str]) -> str:
    """What holds for the whole figure."""
    together = {"pca": "PCA", "clusters": "clusters"}
    notes = []
    for column in filled.columns:
        if column.column.view in together:
            what = f"{together[column.column.view]} of layer {column.column.layer}"
            model = f" of model {column.column.model}" if column.column.model else ""
            notes.append(f"{what}{model}, all pictures together: {column.note}")
    sizes = sorted({f"{h} × {w}" for h, w in filled.grids})
    named = ", ".join(f"model {number} {name}" for number, name in enumerate(models))
    several = named if len(models) > 1 else ""
    count = f"{len(filled.pixels)} picture{'s' if len(filled.pixels) > 1 else ''}"
    return "; ".join(filter(None, [count, several, *notes, f"{' and '.join(sizes)} patches"]))


def legend_of(filled: "Tray") -> list[Entry]:
    """The colours of the clusters, with the share of each in the first column of them."""
    for column in filled.columns:
        if column.column.view == "clusters":
            sizes = np.bincount(np.concatenate([one.numpy().reshape(-1) for one in column.maps]))
            return [
                Entry(cluster_colour(i), f"cluster {i}, {100 * size / sizes.sum():.0f} %")
                for i, size in enumerate(sizes)
            ]
    return []


def cluster_table() -> np.ndarray:
    """uint8 [12, 3]"""
    return np.array([cluster_colour(i) for i in range(12)], np.uint8)
