"""Screen What if: the pictures that values are taken from, and those that are screened together.

reference_pictures("galleries/holiday")      # at most 64 of them, evenly through the gallery
several("galleries/holiday", True, side=224, most=16)
"""

from dataclasses import dataclass
from pathlib import Path

from dino_core.datasets import Pictures, sample_pictures
from dino_core.embedding.preparation import Preparation
from dino_core.gallery.folder import GalleryFolder, NotReady
from dino_core.gallery.options import Options
from dino_core.gallery.screening import (
    evenly,
    is_labelled,
    preparation_of,
    rows_to_screen,
)

__all__ = ["REFERENCES", "Several", "reference_count", "reference_pictures", "several"]

REFERENCES = 64  # of a gallery: each costs a forward, and a mean over more is hardly another one


@dataclass(frozen=True, eq=False)
class Several:
    """Pictures that are screened together, all brought to one size."""

    pictures: Pictures
    preparation: Preparation  # a square
    rows: tuple[int, ...] = ()  # of each in its gallery, where that is labelled and of this model
    gallery: GalleryFolder | None = None  # the same


def reference_count(folder: str | Path | None) -> int:
    """How many pictures `reference_pictures` has."""
    return min(GalleryFolder(folder).count(), REFERENCES) if folder else len(sample_pictures())


def reference_pictures(folder: str | Path | None = None) -> Pictures:
    """The samples, or pictures of a gallery, evenly through it. ValueError when they are gone, and
    while it has not yet looked at them."""
    if folder is None:
        return sample_pictures()
    store = GalleryFolder(folder)
    try:
        return store.some(evenly(range(store.count()), REFERENCES))
    except NotReady as wait:
        raise ValueError(wait.words) from None


def several(folder: str | Path | None, is_of_model: bool, *, side: int, most: int) -> Several:
    """At most so many pictures of a gallery, or the samples, for one screening.

    They become squares of `side` px; those of a gallery whose features are of the same model
    (`is_of_model`) become what they were there, so that they can be compared with its features.
    ValueError as `reference_pictures`.
    """
    square = Preparation(side)
    if folder is None:
        pictures = sample_pictures()
        return Several(pictures.subset(range(min(len(pictures), most))), square)
    store = GalleryFolder(folder)
    try:
        rows = rows_to_screen(store, most)
    except NotReady as wait:
        raise ValueError(wait.words) from None
    pictures = store.some(rows)
    if not is_of_model:
        return Several(pictures, square)
    if not is_labelled(store):
        return Several(pictures, preparation_of(store))
    return Several(pictures, preparation_of(store), tuple(rows), store)


def file_seen_with(folder: str | Path) -> str | None:
    """The file of weights that a gallery was made with; None for a model by its name."""
    return Options(**GalleryFolder(folder).read_config()["options"]).weights


def model_seen_with(folder: str | Path) -> str | None:
    """The name of a gallery's model; None while there are no features."""
    try:
        return str(GalleryFolder(folder).facts()["model"])
    except (ValueError, NotReady):
        return None
