"""Many pictures, more than are sent at once: maps, names and thumbnails in parts, when wanted.

    names(folder).large            from here on it is worth it
    part(folder, 0)                a first, even sample of the map; the others fill it up
    names(folder, [5, 17, 99])     what these pictures are called
    found(folder, "cat")           who has it in the name or class
    tiles(folder, [5, 17, 99])     thumbnails on one sheet

A server that answers all of this holds no more of a gallery than one answer: features and graphs
stay on the disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from dino_core.gallery.folder import GalleryFolder
from dino_core.scenes.facts import GalleryMapFacts
from dino_core.scenes.gallery import Kind, Method, checked, points

if TYPE_CHECKING:
    from PIL import Image

PART = 50_000  # points
MOST = 256  # names or thumbnails at once


@dataclass(frozen=True)
class Part:
    """Every so many-th point of a map: each part alone is a thin picture of the whole."""

    xy: np.ndarray  # float32 [m, 2], of the pictures part, part + parts, part + 2 parts, ...
    part: int
    parts: int
    count: int  # pictures in all
    features: str
    layer: int
    method: str
    facts: Annotated[dict[str, Any], GalleryMapFacts] = field(default_factory=dict)


def part(
    folder: str | Path,
    number: int,
    features: Kind = "cls",
    layer: int | None = None,
    method: Method = "pca",
) -> Part:
    """One part of `points`. NotReady as there; ValueError for a part that there is not."""
    every = points(folder, features, layer, method)
    parts = -(-len(every.xy) // PART)
    if not 0 <= number < parts:
        raise ValueError(f"This map has parts 0 to {parts - 1}, and no part {number}.")
    xy = np.ascontiguousarray(every.xy[number::parts])
    made = every.features, every.layer, every.method
    return Part(xy, number, parts, len(every.xy), *made, every.facts)


def names(folder: str | Path, indices: Sequence[int]) -> list[str]:
    """What these pictures are called, in this order. ValueError for one that there is not."""
    _check_number(indices, "names")
    listing = GalleryFolder(folder).listing()
    return [listing.name(checked(index, len(listing))) for index in indices]


@dataclass(frozen=True)
class Found:
    """The pictures with a text in their name or class."""

    indices: np.ndarray  # int32 [m], ascending


def found(folder: str | Path, text: str) -> Found:
    """In any case, and without the spaces around it."""
    return Found(GalleryFolder(folder).listing().find(text))


def tiles(folder: str | Path, indices: Sequence[int]) -> "Image.Image":
    """The thumbnails of these pictures on one sheet, 16 beside each other, in this order."""
    from dino_core.gallery.tiles import sheet

    _check_number(indices, "thumbnails")
    store = GalleryFolder(folder)
    count = store.count()
    return sheet(store, [checked(index, count) for index in indices])


def _check_number(indices: Sequence[int], what: str) -> None:
    if not 1 <= len(indices) <= MOST:
        raise ValueError(f"Ask for 1 to {MOST} {what}, not {len(indices)}.")
