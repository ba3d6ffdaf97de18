"""Many pictures: a gallery is a folder on disk, built by a process of its own and only read here.

    folder = Path("galleries/holiday")
    launch("holiday.zip", folder, Options(size=224))     # goes on when the caller ends
    state_of(folder)["state"]                            # embedding, then mapping, then ready
    points(folder)                                       # the PCA map, once there are features
    points(folder, method="umap")                        # NotReady until the process has made it

Features are named by kind and layer: "cls" is the class token, "mean_patch" the mean of the patch
tokens, "both" one beside the other; a layer counts from 0, None means the last one, and every layer
is seen through the final norm. Indices count the pictures that could be read, in the order of
`names`. Arrays are NumPy; everything else in a scene can be written as JSON.

Nothing here imports torch before numbers are asked for.
"""

import csv
import io
import shlex
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from dino_core.gallery.folder import (
    KINDS,
    METHODS,
    TILE,
    TILES_A_SIDE,
    GalleryFolder,
    NotReady,
    StoredMap,
    digest_of,
    start_process,
)
from dino_core.gallery.options import Options
from dino_core.scenes.facts import GalleryMapFacts
from dino_core.weights.variants import VARIANTS

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "KINDS",
    "METHODS",
    "TILE",
    "TILES_A_SIDE",
    "Gallery",
    "NotReady",
    "Options",
    "Points",
    "atlas",
    "command_of",
    "describe",
    "export_csv",
    "find",
    "launch",
    "name_of",
    "names",
    "picture",
    "picture_file",
    "points",
    "state_of",
    "stop",
]

SOME = 1000  # names that are looked up one by one
Kind = Literal["cls", "mean_patch", "both"]
Method = Literal["pca", "umap", "tsne"]


# --- the process


def launch(data: str | Path, folder: str | Path, options: Options | None = None) -> int:
    """Starts, or goes on with, the gallery of a folder or zip ("samples": those of the project).

    -> the id of its process, which goes on when this one ends. ValueError, before anything is
    started, when `data` has no pictures, is refused, or the folder holds another gallery.
    """
    return start_process(data, folder, options or Options())


def state_of(folder: str | Path) -> dict[str, Any]:
    """How far it is. ValueError when there is no gallery in this folder.

    state         waiting, embedding, mapping, ready, failed, stopped
    words         a sentence for the person who waits
    done, total   pictures seen and to see; broken ones count as seen
    seconds_left  of the embedding, None while that is not known
    broken        [[name, why], ...], the first 100
    broken_count  how many there are
    left_out      [[name, why], ...], the first 100 files that were not taken for its pictures
    left_out_count  how many there are
    notes         sentences on what was left out, and how the folders were understood
    alive         whether its process is at work; one that ended without a word is "stopped"
    can_resume    whether `launch` with the same data would go on with it
    maps          [[features, layer, method], ...] of what has been made, "hdbscan" among it; PCA
                  maps are made when they are asked for
    doing         what the process computes now, in words; "" when nothing

    From "mapping" on everything but UMAP, t-SNE, HDBSCAN and the probes is there.
    """
    return GalleryFolder(folder).state()


def stop(folder: str | Path) -> None:
    """Asks its process to stop after the batch it is in. `launch` goes on from there."""
    GalleryFolder(folder).request_stop()


def command_of(folder: str | Path, data: str = "pictures.zip") -> str:
    """The line that builds the same gallery, with `data` for the file of the pictures."""
    config = GalleryFolder(folder).read_config()
    data = "samples" if config["data"] == "samples" else data
    words = Options(**config["options"]).arguments()
    return shlex.join(
        ["python", "-m", "dino_core", "gallery", data, "--output", "galleries/again", *words]
    )


# --- what is in it


@dataclass(frozen=True)
class Gallery:
    """The pictures, and what they were seen with. -1 and "" stand for no label and no split."""

    labels: np.ndarray  # int32 [n], index into classes
    names: list[str]  # as in the folder or zip, with / between folders; [] of a large gallery
    classes: list[str]
    splits: list[str]  # "train", "test" or "" of each picture; [] of a large gallery
    layers: int
    dim: int
    grid: tuple[int, int]  # (h, w) patches of every picture: the middle square of it
    patch_pictures: int  # `similar_patches` knows this many pictures, the first ones
    model: str  # name
    title: str  # of the weights, in honest words
    known: str  # of these weights, in a sentence; "" for a file of a person's own
    official: bool
    size: int  # px
    count: int  # pictures
    atlases: int  # files of TILES_A_SIDE x TILES_A_SIDE thumbnails of TILE px
    tile: int = TILE
    columns: int = TILES_A_SIDE  # picture i: atlas i // columns**2, then row by row
    large: bool = False  # names, points and thumbnails come in parts, see `gallery_parts`


def names(folder: str | Path) -> Gallery:
    """NotReady while pictures are still being embedded."""
    store = GalleryFolder(folder)
    facts, listing, large = store.facts(), store.listing(), store.is_large()
    return Gallery(
        labels=listing.labels(),
        names=[] if large else listing.names(),
        classes=facts["classes"],
        splits=[] if large else listing.splits(),
        layers=facts["layers"],
        dim=facts["dim"],
        grid=(facts["grid"][0], facts["grid"][1]),
        patch_pictures=facts["patch_pictures"],
        model=facts["model"],
        title=facts["title"],
        known=_known_of(facts["title"]),
        official=facts["official"],
        size=facts["size"],
        atlases=-(-len(listing) // TILES_A_SIDE**2),
        count=len(listing),
        large=large,
    )


def name_of(folder: str | Path, index: int) -> str:
    """What one picture is called, as in the folder or zip."""
    listing = GalleryFolder(folder).listing()
    return listing.name(checked(index, len(listing)))


def _known_of(title: str) -> str:
    """What the catalogue says first of the weights with this title."""
    notes = next((one.notes for one in VARIANTS if one.title == title), ())
    return notes[0] if notes else ""


def describe(folder: str | Path) -> str:
    """The gallery in a sentence: how many pictures, classes, model and size."""
    one = names(folder)
    parted = f" in {len(one.classes)} classes" if one.classes else " without labels"
    return f"{one.count:,} pictures{parted}, {one.title}, {one.size} px."


def atlas(folder: str | Path, number: int) -> Path:
    """A JPEG of thumbnails, those of the pictures from number * TILES_A_SIDE**2 on.

    ValueError when there is none of that number.
    """
    return GalleryFolder(folder).atlas(number)


def picture(folder: str | Path, index: int) -> "Image.Image":
    """One picture as it is in the source: RGB, upright, whole. ValueError when it is gone."""
    store = GalleryFolder(folder)
    with still_there():
        return store.one(checked(index, store.count())).picture(0)


def picture_file(folder: str | Path, index: int) -> tuple[str, bytes]:
    """(name without folders, the file's bytes as they are), to open it as an upload."""
    store = GalleryFolder(folder)
    with still_there():
        pictures = store.one(checked(index, store.count()))
        return Path(pictures.names[0]).name, pictures.read(0)


def find(folder: str | Path, wanted: "Image.Image | str") -> int | None:
    """Where a picture is in the gallery: decoded (as `open_picture` does it), or its digest."""
    digest = wanted if isinstance(wanted, str) else digest_of(wanted)
    return GalleryFolder(folder).find(digest)


@contextmanager
def still_there() -> Iterator[None]:
    """A picture that was taken away since is said to be."""
    try:
        yield
    except (KeyError, OSError, zlib.error) as error:
        raise ValueError("This picture is no longer there, or it was changed since.") from error


def checked(index: int, count: int) -> int:
    if not 0 <= index < count:
        raise ValueError(f"There are {count} pictures, 0 to {count - 1}, and no picture {index}.")
    return index


# --- maps


@dataclass(frozen=True)
class Points:
    """A map in two dimensions, turned and mirrored so that points move little between maps."""

    xy: np.ndarray  # float32 [n, 2], in -1 to 1, y upwards
    features: str
    layer: int
    method: str
    facts: Annotated[dict[str, Any], GalleryMapFacts] = field(default_factory=dict)


def points(
    folder: str | Path,
    features: Kind = "cls",
    layer: int | None = None,
    method: Method = "pca",
    like: str | Path | None = None,
) -> Points:
    """The map of these features. PCA at once; others are asked for, and NotReady until they are.

    NotReady.words says what is being waited for. Every map is aligned (Procrustes, with
    reflection, no change of shape) with the PCA map of the class token in the last layer, or with
    that of another gallery, `like`, which holds pictures of the same names: so points that stand
    for the same picture can move from one map to the other.
    """
    from dino_core.gallery.projection import aligned_map

    stored: StoredMap = aligned_map(GalleryFolder(folder), features, layer, method, like)
    return Points(stored.xy, stored.features, stored.layer, stored.method, stored.facts)


# --- to take along


def export_csv(
    folder: str | Path,
    features: Kind = "cls",
    layer: int | None = None,
    method: Method = "pca",
    selection: Sequence[int] | None = None,
) -> str:
    """Name, class, split, x, y of every picture, or of a selection, as CSV with a header line.

    Cells that a spreadsheet would take for a formula begin with an apostrophe.
    """
    store, map_ = GalleryFolder(folder), points(folder, features, layer, method)
    listing, classes = store.listing(), store.facts()["classes"]
    labels = listing.labels()
    chosen = range(len(listing)) if selection is None else selection
    known = listing.names() if len(chosen) > SOME else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["index", "name", "class", "split", "x", "y"])
    for index in chosen:
        index = checked(int(index), len(listing))
        label, [split] = int(labels[index]), listing.splits(slice(index, index + 1))
        class_ = classes[label] if label >= 0 else ""
        x, y = map_.xy[index]
        row = [index, _cell(known[index] if known else listing.name(index)), _cell(class_), split]
        writer.writerow([*row, f"{x:.6f}", f"{y:.6f}"])
    return text.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
