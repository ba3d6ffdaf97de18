"""A tray: several pictures as rows, chosen views as columns, one basis and one scale a column.

    columns = [column_of(word) for word in ("input", "pca:8", "pca:11", "attention:11.3")]
    tray = fill_tray(len(pictures), lambda row: [inspect(vit, pictures[row])], columns)
    tray.columns[1].maps[0]    # [h, w, 3], the first picture in the PCA of all of them

A picture is looked at, what the columns need of it is kept, and the rest is let go: twelve pictures
at 518 px leave megabytes, where twelve inspections would be gigabytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from dino_core.analysis.alignment import Method, colour_places
from dino_core.analysis.clustering import kmeans, same_numbers
from dino_core.analysis.comparison import nearest, relation_difference, to_grid
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.model_grid import place_in
from dino_core.analysis.similarity import cosine_similarity, directions
from dino_core.analysis.tokens import ordinary_patches, stream_norms
from dino_core.analysis.tray_columns import MOST_COLUMNS, MOST_MODELS, MOST_ROWS, Column
from dino_core.config import PCA_PRESETS, PCAConfig

CLUSTERS = range(2, 13)
Grid = tuple[int, int]
Look = Callable[[int], Sequence[Inspection]]  # row -> the picture in each model
FEATURES = ("pca", "similar", "clusters")  # views of what all pictures' features have in common


@dataclass(frozen=True)
class TraySettings:
    """What all columns of a tray have in common."""

    config: PCAConfig = PCA_PRESETS["paper"]
    method: Method = "rotation"  # how PCA of other layers and models comes to the first one's
    robust: bool = False  # patches whose length stands out have no say in the PCA
    k: int = 6  # clusters
    seed: int = 0  # of the clusters


@dataclass(frozen=True)
class FilledColumn:
    """One view of all pictures."""

    column: Column  # its layer counted from 0
    maps: tuple[Tensor, ...]  # a row each: pca [h, w, 3] in 0 to 1, clusters int64, else float32
    limits: tuple[float, float] | None  # of all rows together; None where there is no scale
    marks: tuple[tuple[int, int] | None, ...]  # a row each: the patch that was asked
    numbers: tuple[float, ...]  # a row each, what `says` is about
    says: str
    note: str = ""


@dataclass(frozen=True)
class Tray:
    """Pictures, as model 0 was given them, and what the columns show of them."""

    pixels: tuple[np.ndarray, ...]  # uint8 [H, W, 3], a row each
    grids: tuple[Grid, ...]  # of model 0
    columns: tuple[FilledColumn, ...]


@dataclass
class _Kept:
    """What is kept of the pictures that have been looked at: by model and layer, a row each."""

    pixels: list[np.ndarray]
    grids: list[list[Grid]]  # a model each
    features: dict[tuple[int, int], list[Tensor]]  # [P, D]
    ordinary: dict[tuple[int, int], list[Tensor]]  # bool [P]
    maps: dict[Column, list[Tensor]]  # [h, w] of what is read off a picture alone


@torch.inference_mode()
def fill_tray(
    rows: int,
    look: Look,
    columns: Sequence[Column],
    settings: TraySettings | None = None,
) -> Tray:
    """`look(row)` -> that picture, seen by each model; it is asked once for each row, and once more
    first for each picture in which attention is asked of a patch.

    PCA and clusters are made of all pictures together; several PCA columns, of other layers or
    models, are one family in colours that stay (`alignment.py`), and clusters keep their numbers.
    ValueError for more than twelve rows, columns or models, and for what a model or picture does
    not have.
    """
    settings = settings or TraySettings()
    check_counts(rows, columns, settings)
    sources = {c.picture for c in columns if c.view == "attention" and c.query is not None}
    check_sources(rows, columns)
    homes = {row: look(row)[0].grid for row in sorted(sources)}
    kept = _Kept([], [], {}, {}, {})
    for row in range(rows):
        seen = look(row)
        if row == 0:
            check_models(len(seen))
            columns = [with_layer(column, seen) for column in columns]
        keep(kept, seen, columns, homes, settings.robust)
    together = {**pca_columns(kept, columns, settings), **cluster_columns(kept, columns, settings)}
    filled = [together.get(column) or single_column(kept, column) for column in columns]
    return Tray(tuple(kept.pixels), tuple(kept.grids[0]), tuple(filled))


# --- what is asked


def check_counts(rows: int, columns: Sequence[Column], settings: TraySettings) -> None:
    if not 1 <= rows <= MOST_ROWS:
        raise ValueError(f"A tray holds 1 to {MOST_ROWS} pictures, not {rows}.")
    if not 1 <= len(columns) <= MOST_COLUMNS:
        raise ValueError(f"A tray has 1 to {MOST_COLUMNS} columns, not {len(columns)}.")
    if settings.k not in CLUSTERS:
        raise ValueError(f"The clusters are 2 to {CLUSTERS[-1]}, not {settings.k}.")


def check_models(count: int) -> None:
    if not 1 <= count <= MOST_MODELS:
        raise ValueError(f"A tray has 1 to {MOST_MODELS} models, not {count}.")


def check_sources(rows: int, columns: Sequence[Column]) -> None:
    for column in columns:
        if column.query is not None and column.picture >= rows:
            raise ValueError(
                f"{column.word}: there are pictures 0 to {rows - 1}, but no {column.picture}."
            )


def with_layer(column: Column, seen: Sequence[Inspection]) -> Column:
    """The same with its layer counted from 0. ValueError for what the models do not have."""
    if column.view == "input":
        return column
    needed = 1 if column.view == "difference" else column.model
    if needed >= len(seen):
        what = "the difference wants a second one" if needed == 1 else f"there is no {needed}"
        raise ValueError(f"{column.word}: there are {len(seen)} models, {what}.")
    one = seen[column.model]
    if not -one.layers <= column.layer < one.layers:
        raise ValueError(
            f"{column.word}: there are layers 0 to {one.layers - 1}, or -1 to {-one.layers} from "
            "the end."
        )
    if column.head is not None and column.head >= one.heads:
        raise ValueError(f"{column.word}: there are heads 0 to {one.heads - 1}.")
    return replace(column, layer=column.layer % one.layers)


# --- one picture after the other


def keep(
    kept: _Kept,
    seen: Sequence[Inspection],
    columns: Sequence[Column],
    homes: Mapping[int, Grid],
    robust: bool,
) -> None:
    """Adds a picture: copies, so that what it was read off can be let go."""
    kept.pixels.append(seen[0].pixels.numpy())
    kept.grids = kept.grids or [[] for _ in seen]
    for grids, one in zip(kept.grids, seen, strict=True):
        grids.append(one.grid)
    for place in {(c.model, c.layer) for c in columns if c.view in FEATURES}:
        one, layer = seen[place[0]], place[1]
        kept.features.setdefault(place, []).append(one.patches(layer).float().cpu())
        if robust:
            kept.ordinary.setdefault(place, []).append(ordinary_patches(one, layer).cpu())
    for column in set(columns):
        if column.view in ("attention", "norms", "difference"):
            kept.maps.setdefault(column, []).append(read(column, seen, homes).float().cpu())


def read(column: Column, seen: Sequence[Inspection], homes: Mapping[int, Grid]) -> Tensor:
    """[h, w]: what is read off one picture alone."""
    one = seen[column.model]
    if column.view == "norms":
        return one.on_grid(stream_norms(one).float())[column.layer + 1].clone()
    if column.view == "attention":
        token = 0
        if column.query is not None:
            token = one.token_at(*place_in(column.query, homes[column.picture], one.grid))
        heads = one.on_grid(one.row(column.layer, token).float())  # [A, h, w]
        return heads.mean(0) if column.head is None else heads[column.head].clone()
    other = seen[1]  # at the same depth: the last layer goes with the last
    depth = round(column.layer * (other.layers - 1) / max(one.layers - 1, 1))
    second = other.patches(depth).float()
    own = one.patches(column.layer).float()
    return relation_difference(own, to_grid(second, other.grid, one.grid)).unflatten(0, one.grid)


# --- columns


def single_column(kept: _Kept, column: Column) -> FilledColumn:
    """A column whose pictures have nothing in common but the scale."""
    nothing = (None,) * len(kept.pixels)
    if column.view == "input":
        pixels = tuple(torch.from_numpy(picture) for picture in kept.pixels)
        return FilledColumn(column, pixels, None, nothing, (), "")
    if column.view == "similar":
        return similar_column(kept, column)
    maps = tuple(kept.maps[column])
    low = min(float(one.min()) for one in maps) if column.view == "norms" else 0.0
    high = max(float(one.max()) for one in maps)
    marks: tuple[tuple[int, int] | None, ...] = nothing
    if column.query is not None:
        home, grids = kept.grids[0][column.picture], kept.grids[column.model]
        marks = tuple(place_in(column.query, home, grid) for grid in grids)
    if column.view == "difference":
        numbers, says = [float(one.mean()) for one in maps], "mean difference"
    else:
        numbers = [float(one.max()) for one in maps]
        says = "largest weight" if column.view == "attention" else "longest token"
    return FilledColumn(column, maps, (low, high), marks, tuple(numbers), says)


def similar_column(kept: _Kept, column: Column) -> FilledColumn:
    """Likeness of all patches to one patch of one picture, which itself is not in `numbers`."""
    features, grids = kept.features[column.model, column.layer], kept.grids[column.model]
    assert column.query is not None, "a column of likeness has its patch"
    row, at = (
        column.picture,
        place_in(column.query, kept.grids[0][column.picture], grids[column.picture]),
    )
    index = at[0] * grids[row][1] + at[1]
    one = features[row][[index]]  # [1, D]
    found = [cosine_similarity(one, part)[0] for part in features]
    others = [part if i != row else without(part, index) for i, part in enumerate(found)]
    return FilledColumn(
        column,
        tuple(part.unflatten(0, grid) for part, grid in zip(found, grids, strict=True)),
        (-1.0, 1.0),
        tuple(at if i == row else None for i in range(len(features))),
        tuple(float(part.max()) for part in others),
        "best match",
    )


def without(values: Tensor, index: int) -> Tensor:
    """[n] -> [n - 1]; where there is one alone, it stays."""
    rest = torch.cat([values[:index], values[index + 1 :]])
    return rest if len(rest) else values


def pca_columns(
    kept: _Kept, columns: Sequence[Column], settings: TraySettings
) -> dict[Column, FilledColumn]:
    """All PCA columns, one family: in the basis of the first of them."""
    asked = list(dict.fromkeys(column for column in columns if column.view == "pca"))
    if not asked:
        return {}
    places = [(column.model, column.layer) for column in asked]
    family = colour_places(
        [torch.cat(kept.features[place]) for place in places],
        [kept.grids[model] for model, _ in places],
        settings.config,
        method=settings.method,
        reference=0,
        asked=[torch.cat(kept.ordinary[place]) for place in places] if settings.robust else None,
    )
    filled = {}
    for number, (column, one) in enumerate(zip(asked, family.maps, strict=True)):
        grids = kept.grids[column.model]
        sizes = [h * w for h, w in grids]
        brought = f", cosine with the column before {one.cosine:.2f}" if number else ""
        note = f"{100 * one.variance:.0f} % of variance{brought}"
        filled[column] = FilledColumn(
            column,
            in_pictures(one.colours, grids),
            None,
            (None,) * len(grids),
            tuple(float(part.float().mean()) for part in one.foreground.split(sizes)),
            "foreground",
            "; ".join(filter(None, [note, family.note])),
        )
    return filled


def cluster_columns(
    kept: _Kept, columns: Sequence[Column], settings: TraySettings
) -> dict[Column, FilledColumn]:
    """All columns of clusters; each has the numbers, and so the colours, of the one before."""
    filled: dict[Column, FilledColumn] = {}
    before: tuple[np.ndarray, Sequence[Grid]] | None = None
    for column in dict.fromkeys(column for column in columns if column.view == "clusters"):
        grids = kept.grids[column.model]
        points = directions(torch.cat(kept.features[column.model, column.layer])).numpy()
        found = kmeans(points, min(settings.k, len(points)), settings.seed)
        labels = found.labels
        if before is not None:
            labels = same_numbers(on_grids(*before, grids), labels)[labels]
        before = labels, grids
        maps = in_pictures(torch.from_numpy(labels).long(), grids)
        filled[column] = FilledColumn(
            column,
            maps,
            None,
            (None,) * len(grids),
            tuple(float((one == 0).float().mean()) for one in maps),
            "cluster 0",
            f"{100 * found.explained:.0f} % explained",
        )
    return filled


def on_grids(labels: np.ndarray, grids: Sequence[Grid], targets: Sequence[Grid]) -> np.ndarray:
    """Labels of all pictures, one after the other, on another model's grids."""
    parts = torch.from_numpy(labels).split([h * w for h, w in grids])
    moved = [nearest(part, *both) for part, *both in zip(parts, grids, targets, strict=True)]
    return torch.cat(moved).numpy()


def in_pictures(values: Tensor, grids: Sequence[Grid]) -> tuple[Tensor, ...]:
    """[n, ...] -> a picture each, [h, w, ...]."""
    parts = values.split([h * w for h, w in grids])
    return tuple(part.unflatten(0, grid) for part, grid in zip(parts, grids, strict=True))
