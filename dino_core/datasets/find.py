"""A folder, zip, table or shards -> Pictures: what is there, its names, what is left out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dino_core.assets import SAMPLES
from dino_core.datasets import tables
from dino_core.datasets.containers import named_source, pictures_in, source_in
from dino_core.datasets.contents import ENDINGS, TABLES, Left, Listing
from dino_core.datasets.folders import list_folder
from dino_core.datasets.layout import Layout, Selection, read_layout
from dino_core.datasets.patterns import refuse_address
from dino_core.datasets.pictures import Pictures
from dino_core.datasets.splits import split_sentence
from dino_core.datasets.zips import Archive, list_zip
from dino_core.images import open_picture

_VALUES_OF_MASKS = 16  # colours that a picture of classes has at most


def find_pictures(
    source: str | Path,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    stretch: bool = False,
) -> Pictures:
    """Looks through a folder, a zip, the folder of a table (.csv, .tsv, .parquet), or shards: tars
    or Parquet files that hold pictures, one, a folder or a pattern such as set-{000..999}.tar.

    include  names or patterns (masks, extra/*) of folders and files that are taken although
             their name speaks against it
    exclude  those that are left out although nothing speaks against it
    stretch  deep pixels are stretched to the values that occur (`images.deep`)
    ValueError when there is nothing to be had from it.
    """
    refuse_address(source)
    path = Path(source).expanduser()

    def selection_for(read: Read) -> Selection:
        return Selection(tuple(include), tuple(exclude), _mask_test(read, stretch))

    files = named_source(path)
    if files is None:
        read, listing, table = _listed(path)
        files = source_in(path, listing) if path.is_dir() else None
    if files is not None:
        return replace(pictures_in(files, selection_for), stretch=stretch)
    listing.left_out += [(name, "This is a packed archive.") for name in listing.shards]
    layout = read_layout(sorted(listing.pictures), selection_for(read))
    _read_tables(layout, listing, read, table)
    left_out = sorted([*layout.left_out, *listing.left_out])
    gone = {name for name, _ in layout.left_out}
    names = tuple(name for name in sorted(listing.pictures) if name not in gone)
    if not names:
        raise ValueError(_nothing_in(path, left_out))
    labels, classes = _numbered(layout, names)
    splits = tuple(layout.splits.get(name, "") for name in names) if layout.splits else None
    return Pictures(
        path.resolve(),
        names,
        labels,
        classes,
        splits,
        tuple(listing.pictures[name] for name in names),
        left_out=tuple(left_out),
        notes=tuple(layout.notes),
        stretch=stretch,
        by_table=layout.by_table,
    )


def sample_pictures() -> Pictures:
    """The pictures that come with the project."""
    found = find_pictures(SAMPLES)
    known = replace(found, left_out=(), notes=())  # what lies beside them is the project's own
    return known.subset([i for i, name in enumerate(found.names) if "/" not in name])


Read = Callable[[str], bytes]


def _listed(path: Path) -> tuple[Read, Listing, str | None]:
    """(how a file of it is read, what is there, the table that was named)."""
    if path.is_dir():
        return (lambda name: (path / name).read_bytes()), list_folder(path), None
    if path.is_file() and path.suffix.lower() in TABLES:
        folder = path.parent
        return (lambda name: (folder / name).read_bytes()), list_folder(folder), path.name
    if path.is_file():
        listing = list_zip(path)
        archive = Archive(path)
        return (lambda name: archive.read(name, tables.MAX_TABLE)), listing, None
    raise ValueError(
        f"There is no folder or zip {path}, nor a table or shards: name one with pictures in it."
    )


def _mask_test(read: Read, stretch: bool) -> Callable[[Sequence[str]], bool]:
    """Whether pictures show classes by a few flat colours, as masks do."""

    def are_masks(names: Sequence[str]) -> bool:
        for name in names:
            try:
                pixels = np.asarray(open_picture(read(name)))
            except (ValueError, OSError):
                return False
            colours = np.unique(pixels.reshape(-1, 3)[: 512 * 512], axis=0)
            if len(colours) > _VALUES_OF_MASKS or pixels.size < 3 * 64:
                return False
        return bool(names)

    return are_masks


def _read_tables(layout: Layout, listing: Listing, read: Read, named: str | None) -> None:
    """Labels from tables, where the folders say none or a table was named; the rest left out."""
    gone = {name for name, _ in layout.left_out}
    names = [name for name in sorted(listing.pictures) if name not in gone]
    others = sorted(listing.tables) if named is None else [named]
    ignored = [name for name in listing.tables if name not in others]
    if layout.labels and named is None:
        layout.left_out += [
            (name, "A table, but the folders say the classes.") for name in sorted(listing.tables)
        ]
        return
    found: dict[str, tables.Labelled] = {}
    for name in others:
        try:
            if listing.tables.get(name, 0) > tables.MAX_TABLE:
                raise ValueError(f"{name} is larger than {tables.MAX_TABLE >> 20} MB.")
            labelled = tables.labels_from(tables.read_table(name, read(name)), names)
        except (ValueError, OSError) as error:
            if named is not None:
                raise ValueError(str(error)) from None
            layout.left_out.append((name, f"A table that cannot be read: {error}"))
            continue
        if labelled is None or not labelled.labels:
            if named is not None:
                raise ValueError(
                    f"{named} has no column of paths to pictures beside it and one of labels: give "
                    f"it as two columns, path and label."
                )
            ignored.append(name)
        else:
            found[name] = labelled
    if len(found) > 1 and not all(one.splits for one in found.values()):
        best = max(found, key=lambda name: len(found[name].labels))
        ignored += [name for name in found if name != best]
        found = {best: found[best]}
    layout.left_out += [(name, "A table that is not about these pictures.") for name in ignored]
    if found:
        whole = tables.join(list(found.values()), names, list(found))
        layout.labels, layout.by_table = whole.labels, True
        layout.notes += whole.notes
        layout.left_out += whole.left_out
        if whole.splits or named is not None:
            layout.splits = whole.splits
        _note_divided(layout)


def _note_divided(layout: Layout) -> None:
    layout.splits = {name: kind for name, kind in layout.splits.items() if name in layout.labels}
    layout.notes = [note for note in layout.notes if not note.startswith("Divided by")]
    counts = Counter(layout.splits.values())
    if len(counts) < 2:
        layout.splits = {}
    else:
        layout.notes.append(split_sentence(counts).replace("by its folders", "as it says"))


def _numbered(
    layout: Layout, names: Sequence[str]
) -> tuple[tuple[int, ...] | None, tuple[str, ...]]:
    """Labels as places in the sorted list of classes."""
    if not layout.labels:
        return None, ()
    classes = tuple(sorted({layout.labels[name] for name in names}))
    place = {name: i for i, name in enumerate(classes)}
    return tuple(place[layout.labels[name]] for name in names), classes


def _nothing_in(path: Path, left_out: Sequence[Left]) -> str:
    text = f"{path} has no pictures. Looked for were {', '.join(ENDINGS)}, and by their content"
    if left_out:
        name, why = left_out[0]
        return f"{text} all others; {len(left_out):,} files were left out, such as {name}: {why}"
    return f"{text} all others, in all folders inside it."
