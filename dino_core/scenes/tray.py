"""Screen Tray: several pictures as rows, views of them as columns, and the whole as a figure.

chosen = parse_tray(["input", "pca:8", "similar@0:6,12"], preset="paper")
tray_scene(len(rows), look, chosen, ["dinov2_vits14"])  # arrays and facts for the page
print_tray(len(rows), look, chosen, source).file("svg", "page")
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import torch

from dino_core.analysis.alignment import METHODS
from dino_core.analysis.tray import FilledColumn, Look, TraySettings, fill_tray
from dino_core.analysis.tray_columns import (
    MOST_COLUMNS,
    MOST_MODELS,
    MOST_ROWS,
    Column,
    column_of,
)
from dino_core.draw.pictures import to_bytes
from dino_core.figures.panels import Width
from dino_core.figures.tray import cluster_table
from dino_core.figures.tray import tray as figure_of
from dino_core.scenes.features import settings
from dino_core.scenes.printing import ALONE, Printed

__all__ = [
    "MOST_COLUMNS",
    "MOST_MODELS",
    "MOST_ROWS",
    "parse_tray",
    "print_tray",
    "tray_scene",
]


@dataclass(frozen=True)
class ChosenTray:
    """What is shown of the pictures: columns, and what they have in common."""

    columns: tuple[Column, ...]
    settings: TraySettings
    options: tuple[str, ...]  # the same settings as options of the command


class TrayColumnFacts(TypedDict):
    """A column: what it shows, its scale, and what stands for each row."""

    word: str  # as in the command
    view: str
    layer: int  # from 0
    head: int | None
    query: list[int] | None  # row, column of a patch of `picture`
    picture: int  # a row
    model: int
    limits: list[float] | None  # of all rows together
    marks: list[list[int] | None]  # the patch that was asked, in each picture
    numbers: list[float]  # one for each row; empty for the pictures themselves
    says: str  # what the numbers are
    note: str


@dataclass(frozen=True)
class TrayScene:
    """Maps column by column, and in each row by row, one after the other in two flat arrays."""

    models: list[str]  # by number, as they are said
    grids: list[list[int]]  # h, w of each row in model 0
    columns: list[TrayColumnFacts]
    places: list[list[int]]  # of each column: 0 picture, 1 colours, 2 values; where it begins
    shapes_of: list[list[list[int]]]  # of each column, h and w of each row
    cluster_colours: list[list[int]]  # RGB by number
    colours: np.ndarray  # uint8 [n, 3] of all maps of colours, one after the other
    values: np.ndarray  # float32 [m] of all maps of numbers, and clusters as numbers


def parse_tray(
    words: Sequence[str],
    preset: str = "paper",
    *,
    flip: bool = False,
    robust: bool = False,
    align: str = "rotation",
    k: int = 6,
    seed: int = 0,
) -> ChosenTray:
    """ValueError in a sentence for a word that says no column, or an option that there is not."""
    if align not in METHODS:
        raise ValueError(f"Colours are aligned by {', '.join(METHODS)}, not {align!r}.")
    columns = tuple(column_of(word) for word in words)
    kept = TraySettings(settings(preset, flip), align, robust, k, seed)
    options = [*(["--preset", preset] if preset != "paper" else []), *(["--flip"] if flip else [])]
    options += ["--robust"] if robust else []
    options += ["--align", align] if align != "rotation" else []
    options += [*(["--k", str(k)] if k != 6 else []), *(["--seed", str(seed)] if seed else [])]
    return ChosenTray(columns, kept, tuple(options))


def tray_scene(rows: int, look: Look, chosen: ChosenTray, models: Sequence[str]) -> TrayScene:
    """`look(row)`: the picture, seen by each of the models, which are named here. ValueError for
    what is not there."""
    filled = fill_tray(rows, look, chosen.columns, chosen.settings)
    colours: list[np.ndarray] = [np.empty((0, 3), np.uint8)]
    values: list[np.ndarray] = [np.empty(0, np.float32)]
    places, shapes = [], []
    for column in filled.columns:
        kind = {"input": 0, "pca": 1}.get(column.column.view, 2)
        kept = [[], colours, values][kind]
        places.append([kind, sum(map(len, kept))])
        maps = column.maps if kind else []
        shapes.append([list(one.shape[:2]) for one in maps])
        if kind == 1:
            colours += [to_bytes(one.numpy()).reshape(-1, 3) for one in maps]
        else:
            values += [one.numpy().astype(np.float32).reshape(-1) for one in maps]
    return TrayScene(
        models=list(models),
        grids=[list(grid) for grid in filled.grids],
        columns=[facts_of(column) for column in filled.columns],
        places=places,
        shapes_of=shapes,
        cluster_colours=[list(colour) for colour in cluster_table().tolist()],
        colours=np.concatenate(colours),
        values=np.concatenate(values),
    )


def facts_of(filled: FilledColumn) -> TrayColumnFacts:
    one = filled.column
    return {
        "word": one.word,
        "view": one.view,
        "layer": one.layer,
        "head": one.head,
        "query": list(one.query) if one.query else None,
        "picture": one.picture,
        "model": one.model,
        "limits": list(filled.limits) if filled.limits else None,
        "marks": [list(mark) if mark else None for mark in filled.marks],
        "numbers": list(filled.numbers),
        "says": filled.says,
        "note": filled.note,
    }


# --- the figure


@dataclass(frozen=True)
class TraySource:
    """What a command opens to see the same."""

    pictures: tuple[str, ...]
    models: tuple[str, ...]  # names as they are said; one or more
    opened: tuple[Mapping[str, str], ...]  # of each model: its name, or the file of its weights
    size: int  # short side, px
    said: tuple[tuple[str, ...], ...] = ()  # of each, as `said_in_words` has it


@torch.inference_mode()
def print_tray(rows: int, look: Look, chosen: ChosenTray, source: TraySource) -> Printed:
    """ValueError for what is not there."""
    filled = fill_tray(rows, look, chosen.columns, chosen.settings)
    names = [picture.rsplit("/", 1)[-1] for picture in source.pictures]

    def draw(width: Width | float) -> Any:
        return figure_of(filled, names, width=width, models=source.models)

    first, *others = source.opened
    words = ["tray", *source.pictures, "--columns", *(one.word for one in chosen.columns)]
    words += [f"--{'weights' if 'file' in first else 'model'}", *first.values()]
    words += source.said[0] if source.said else ()
    if others:
        words += ["--second", *(name for other in others for name in other.values())]
    words += [*chosen.options, "--size", str(source.size)]
    return Printed("tray", draw, tuple(words), ALONE if any(source.said[1:]) else "")
