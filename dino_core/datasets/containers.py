"""Sets in files that hold many pictures, shards or Parquet -> Pictures, in one order.

    set-{000000..000999}.tar, set.tar, a folder of tars             shards, see `shards`
    train-00000-of-00002.parquet, a folder of them, a pattern       see `picture_tables`

The order is that of the files, by name or as a pattern has them, and in each that of its members or
rows. Splits are what the names of files and folders say: train-000.tar, val/000.tar.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from dino_core.datasets.class_names import FILES, classes_of, names_beside
from dino_core.datasets.contents import SHARDS, Left, Listing, matches
from dino_core.datasets.layout import Layout, Selection, read_layout
from dino_core.datasets.patterns import is_pattern, matching_files
from dino_core.datasets.picture_tables import read_picture_tables, rows_of_pictures
from dino_core.datasets.pictures import Pictures
from dino_core.datasets.places import Places
from dino_core.datasets.shards import Contained, chosen_labels, read_shards
from dino_core.datasets.splits import split_of, split_sentence

COMPRESSED = (".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
_OF = re.compile(r"[-_]\d+-of-\d+.*$")  # train-00000-of-00002-1a2b3c


@dataclass(frozen=True)
class Source:
    """Files that hold pictures, and what lies beside them."""

    path: Path  # what was named
    root: Path  # the folder of all the files
    files: tuple[str, ...]  # below it, in order
    left_out: tuple[Left, ...] = ()

    @property
    def shards(self) -> bool:
        return Path(self.files[0]).suffix.lower() != ".parquet"


def named_source(path: Path) -> Source | None:
    """A file or a pattern of files that hold pictures; None for anything else.

    ValueError for a pattern of which files are missing, or are of several kinds.
    """
    if is_pattern(path):
        files = matching_files(path)
        endings = {file.suffix.lower() for file in files}
        if len(endings) > 1 or endings - {*SHARDS, ".parquet"}:
            raise ValueError(f"{path} should name shards: files that all end in .tar, or .parquet.")
        root = Path(os.path.commonpath([file.absolute().parent for file in files]))
        return Source(path, root, tuple(str(file.absolute().relative_to(root)) for file in files))
    is_tar = path.suffix.lower() in SHARDS or path.name.lower().endswith(COMPRESSED)
    if path.is_file() and (
        is_tar or (path.suffix.lower() == ".parquet" and rows_of_pictures(path))
    ):
        return Source(path, path.absolute().parent, (path.name,))
    return None


def source_in(path: Path, listing: Listing) -> Source | None:
    """The shards or picture tables that make up most of a folder; None where others do.

    Shards count by their bytes, tables by their rows, against the pictures that lie loose: a
    preview next to a thousand shards makes no folder of pictures, and a table of thumbnails that
    was made of the pictures in a folder is no set in their place.
    """
    files = sorted(listing.shards)
    if sum(listing.shards.values()) <= sum(listing.pictures.values()):
        tables = {
            name: rows_of_pictures(path / name)
            for name in sorted(listing.tables)
            if name.lower().endswith(".parquet")
        }
        if sum(tables.values()) <= len(listing.pictures):
            return None
        files = [name for name, rows in tables.items() if rows]
    others = {*listing.pictures, *listing.tables, *listing.shards} - {*files}
    left = [(name, why) for name, why in listing.left_out if name not in FILES]
    left += [(name, "It lies beside the files that hold the pictures.") for name in others]
    return Source(path, path, tuple(files), tuple(left))


def pictures_in(source: Source, select: Callable[[Callable[[str], bytes]], Selection]) -> Pictures:
    """All pictures with their labels. `select` is given how a picture inside is read.

    ValueError when there is none.
    """
    alone = len(source.files) == 1 and source.path.is_file()
    read = read_shards if source.shards else read_picture_tables
    found = read(source.root, source.files, alone=alone)
    names = list(found.places)
    places = Places(
        source.root,
        source.files,
        np.array([found.places[name] for name in names], np.int64).reshape(-1, 3),
        found.column,
    )

    def read_inside(name: str) -> bytes:
        return places.read(at[name], 1 << 27)

    at = {found.inside[name]: i for i, name in enumerate(names)}
    layout, order = _understood(found, source, select(read_inside))
    gone = {name for name, _ in layout.left_out}
    kept = [i for i, name in enumerate(names) if name not in gone]
    left_out = tuple(sorted([*layout.left_out, *found.left_out, *source.left_out]))
    if not kept:
        first = f" {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
        raise ValueError(f"{source.path} has no pictures that can be used.{first}")
    pictures = Pictures(
        source.path.absolute(),
        tuple(names),
        sizes=tuple(places.rows[:, 2].tolist()),
        left_out=left_out,
        notes=tuple(layout.notes),
        by_table=layout.by_table,
        places=places,
    ).subset(kept)
    labels = splits = None
    if layout.labels:
        number = {cls: i for i, cls in enumerate(order)}
        labels = tuple(number[layout.labels[name]] for name in pictures.names)
    if layout.splits:
        splits = tuple(layout.splits.get(name, "") for name in pictures.names)
    return replace(pictures, labels=labels, classes=order, splits=splits)


def _understood(
    found: Contained, source: Source, selection: Selection
) -> tuple[Layout, tuple[str, ...]]:
    """Labels, splits and what is left out, by the names of pictures; and the order of classes."""
    layout = Layout()
    names = []
    for name in found.places:
        if matches(name, selection.exclude):
            layout.left_out.append((name, "Left out as asked."))
        else:
            names.append(name)
    values, bad, kind = chosen_labels(found)
    given, file = (found.given, "") if found.given else names_beside(source.root)
    written = {name: values[name] for name in names if name in values}
    classes = classes_of(written, given)
    order: tuple[str, ...] = ()
    if classes.labels:
        layout.labels, order, layout.by_table = classes.labels, classes.order, True
        layout.left_out += classes.left_out
        layout.left_out += [
            (name, bad.get(name, f"It has no label: there is no {kind} for it."))
            for name in names
            if name not in values
        ]
        layout.notes.append(_label_sentence(kind, file))
    elif source.shards:
        order = _by_folders(found, names, selection, layout)
    _read_splits(found, names, layout)
    return layout, order


def _label_sentence(kind: str, file: str) -> str:
    words = f"The labels are those of {kind}"
    words += " files beside the pictures" if kind in (".cls", ".txt", ".json") else ""
    words += " in the files beside the pictures" if kind.startswith(".json ") else ""
    return f"{words}, the names those of {file}." if file else f"{words}."


def _by_folders(
    found: Contained, names: Sequence[str], selection: Selection, layout: Layout
) -> tuple[str, ...]:
    """The classes that folders inside of the tars say, where nothing else does."""
    inside = read_layout(sorted({found.inside[name] for name in names}), selection)
    reasons = dict(inside.left_out)
    layout.notes += inside.notes
    for name in names:
        own = found.inside[name]
        if own in reasons:
            layout.left_out.append((name, reasons[own]))
        if own in inside.labels:
            layout.labels[name] = inside.labels[own]
        if own in inside.splits:
            layout.splits[name] = inside.splits[own]
    return tuple(sorted(set(layout.labels.values())))


def _read_splits(found: Contained, names: Sequence[str], layout: Layout) -> None:
    """Splits by a column of the table, or the names of files; none where there is only one."""
    gone = {name for name, _ in layout.left_out}
    if not layout.splits:
        by_file = [split_of_file(file) for file in found.files]
        for name in names:
            kind = found.splits.get(name) or by_file[found.places[name][0]]
            if kind and name not in gone:
                layout.splits[name] = kind
    counts = Counter(layout.splits.values())
    if len(counts) < 2:
        layout.splits = {}
    elif not any(note.startswith("Divided") for note in layout.notes):
        how = "by a column of its tables" if found.splits else "by the names of its files"
        layout.notes.append(split_sentence(counts).replace("by its folders", how))


def split_of_file(file: str) -> str:
    """ "train" of imagenet-train-000012.tar, of train/000012.tar and of
    train-00000-of-00002.parquet; empty where none of the three is named."""
    path = PurePosixPath(file)
    parts = [_OF.sub("", path.stem), *reversed(path.parts[:-1])]
    return next((kind for kind in (split_of(part)[0] for part in parts) if kind), "")
