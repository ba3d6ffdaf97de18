"""Labels from a table: a CSV, TSV or Parquet of paths and labels, beside the pictures or as data.

    path,label                file,class,split            000bec18,golden retriever
    cats/1.jpg,cat            1.jpg,cat,train             (the name without its ending,
    dogs/1.jpg,dog            2.jpg,dog,test              and no header)

The column of paths is the one whose values are names of pictures that are there; the column of
labels is the one with a usual name, or else the only other one. Paths are relative to the table,
and never lead outside.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from dino_core.datasets.contents import Left
from dino_core.datasets.parquet_files import ParquetFile
from dino_core.datasets.splits import split_of
from dino_core.images.formats import kind_of

MAX_TABLE = 256 * 2**20  # bytes
MAX_ROWS = 20_000_000
MAX_CELLS = 60_000_000  # rows times columns
LABELS = (
    "class_name", "classname", "label_name", "labelname", "label", "labels", "class", "classes",
    "category", "category_name", "target", "species", "breed", "diagnosis", "dx", "name_of_class",
    "y", "tag", "variety", "type", "class_id", "label_id", "category_id", "class id",
)  # fmt: skip
PATHS = (
    "path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path",
    "image_name", "image_id", "imagepath", "img", "img_path", "img_name", "picture", "photo", "id",
    "name", "filenames", "images",
)  # fmt: skip
SPLITS = ("split", "set", "subset", "partition", "fold", "data set", "dataset", "phase", "usage")
_LOOKED_AT = 500  # rows that tell which column holds the paths


@dataclass
class Table:
    """Columns by their names; without a header they are called 0, 1, 2."""

    name: str
    columns: dict[str, list[str]]
    header: bool = True


@dataclass
class Labelled:
    """What a table says of the pictures that are there."""

    labels: dict[str, str] = field(default_factory=dict)  # name of a picture -> class
    splits: dict[str, str] = field(default_factory=dict)
    left_out: list[Left] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


# --- files -> columns


def read_table(name: str, data: bytes) -> Table:
    """ValueError, in a sentence, for what is no table."""
    if PurePosixPath(name).suffix.lower() == ".parquet":
        return Table(name, _parquet_columns(name, data))
    kind = kind_of(data[:1024])
    if data and kind is not None and not kind.name.startswith("a text"):
        raise ValueError(f"{name} is no table of text but {kind.name}.")
    text = _text_of(data).replace("\0", "")
    rows = _rows_of(name, text)
    width = max(len(row) for row in rows[:_LOOKED_AT])
    check_size(name, len(rows), width)
    rows = [[*row, *[""] * (width - len(row))][:width] for row in rows]
    known = {*LABELS, *PATHS, *SPLITS}
    header = any(_plain(cell) in known for cell in rows[0])
    titles = [cell.strip() for cell in rows[0]] if header else [str(i) for i in range(width)]
    body = rows[1:] if header else rows
    columns: dict[str, list[str]] = {}
    for i, title in enumerate(titles):
        columns[title if title and title not in columns else f"{title}#{i}"] = [
            row[i].strip() for row in body
        ]
    return Table(name, columns, header)


def _rows_of(name: str, text: str) -> list[list[str]]:
    """All that have anything in them. ValueError where there are none, or too many cells."""
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(text), _dialect(text)):
            if any(row):
                rows.append(row)
                cells += len(row)
            if cells > MAX_CELLS:
                check_size(name, cells, 1)
    except csv.Error as error:
        raise ValueError(f"{name} is no table that can be read ({error}).") from None
    if not rows:
        raise ValueError(f"{name} has no rows.")
    return rows


def _text_of(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _dialect(text: str) -> type[csv.Dialect]:
    """Whichever of the usual signs between columns occurs most in the first line."""
    first = text.lstrip("\r\n").split("\n", 1)[0]

    class Found(csv.excel):
        delimiter = max(",;\t|", key=first.count)

    if not any(map(first.count, ",;\t|")) and len(first.split()) == 2:
        Found.delimiter = " "
    return Found


def _parquet_columns(name: str, data: bytes) -> dict[str, list[str]]:
    import pyarrow.types as types

    file = ParquetFile(data, name)
    plain = (types.is_string, types.is_large_string, types.is_integer, types.is_boolean)
    simple = [
        one.name
        for one in file.schema
        if any(
            is_kind(one.type.value_type if types.is_dictionary(one.type) else one.type)
            for is_kind in plain
        )
    ]
    if not simple and file.schema.names:
        raise ValueError(
            f"{name} has no column of texts or numbers: paths to pictures are wanted, or the "
            f"pictures themselves in a column called image."
        )
    check_size(name, file.metadata.num_rows, len(simple))
    columns: dict[str, list[str]] = {}
    left = MAX_TABLE
    for column in simple:
        values = file.values(column, left)
        left -= file.nbytes(column)
        columns[column] = ["" if value is None else str(value) for value in values]
    return columns


def check_size(name: str, rows: int, columns: int) -> None:
    """ValueError for a table that would fill the memory, however few bytes it is written in."""
    if rows > MAX_ROWS:
        raise ValueError(f"{name} has more than {MAX_ROWS:,} rows.")
    if rows * columns > MAX_CELLS:
        raise ValueError(f"{name} has {rows:,} rows of {columns:,} columns: write fewer columns.")


# --- columns -> labels


class Names:
    """Finds pictures by what tables call them."""

    def __init__(self, names: Iterable[str], folder: str) -> None:
        """`folder` is where the table lies, inside the source: empty or ending in a slash."""
        self.folder = folder
        self.exact: dict[str, str] = {}
        self.by_file: dict[str, str | None] = {}  # None: there are several
        self.by_stem: dict[str, str | None] = {}
        for name in names:
            plain = _nfc(name)
            self.exact[plain] = name
            file = plain.rsplit("/", 1)[-1]
            stem = file.rsplit(".", 1)[0] if "." in file else file
            for table, key in ((self.by_file, file), (self.by_stem, stem)):
                table[key] = None if key in table else name

    def find(self, path: str) -> str | None:
        """The picture that is meant; None where there is none, or more than one."""
        plain = _nfc(path.strip().replace("\\", "/")).removeprefix("./")
        if not plain or plain.startswith("/") or ".." in plain.split("/"):
            return None
        whole = f"{self.folder}{plain}"
        if whole in self.exact:
            return self.exact[whole]
        if plain in self.exact:
            return self.exact[plain]
        file = plain.rsplit("/", 1)[-1]
        return self.by_file.get(file) or self.by_stem.get(file)


def labels_from(table: Table, names: Sequence[str]) -> Labelled | None:
    """Labels of pictures; None for a table that is not about them."""
    folder = table.name.rpartition("/")[0]
    finder = Names(names, f"{folder}/" if folder else "")
    path = _path_column(table, finder)
    if path is None:
        return None
    label = _label_column(table, path)
    if label is None:
        return None
    split = next((name for name in table.columns if _plain(name) in SPLITS and name != path), None)
    found = Labelled()
    where = split_of(PurePosixPath(table.name).stem)[0]  # train.csv says it by its name
    for i, (given, cls) in enumerate(zip(table.columns[path], table.columns[label], strict=True)):
        name = finder.find(given)
        if name is None:
            found.left_out.append(
                (given[:200], f"{table.name} names it, but there is no such picture.")
            )
        elif not cls:
            found.left_out.append((name, f"{table.name} has no label for it."))
        elif found.labels.setdefault(name, cls) != cls:
            found.notes.append(f"{table.name} has two labels for {name}: the first is taken.")
        if name is not None:
            kind = split_of(table.columns[split][i])[0] if split is not None else where
            if kind:
                found.splits[name] = kind
    found.notes = found.notes[:3]
    return found


def _path_column(table: Table, finder: Names) -> str | None:
    """The column most of whose values are pictures that are there; at least a tenth."""
    best, most = None, 0.1
    for name, values in table.columns.items():
        sample = values[:_LOOKED_AT]
        if not sample:
            continue
        share = sum(finder.find(value) is not None for value in sample) / len(sample)
        share += 0.01 * (_plain(name) in PATHS and share > 0)
        if share > most:
            best, most = name, share
    return best


def _label_column(table: Table, path: str) -> str | None:
    others = [name for name in table.columns if name != path]
    for wanted in LABELS:
        for name in others:
            if _plain(name) == wanted:
                return name
    rest = [
        name
        for name in others
        if _plain(name) not in {*SPLITS, *PATHS, ""} and not name.startswith("Unnamed")
    ]
    return rest[0] if len(rest) == 1 or (rest and not table.header) else None


def _plain(title: str) -> str:
    return title.strip().strip("\ufeff").casefold().replace("-", "_").replace(" ", "_")


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def join(parts: Sequence[Labelled], names: Sequence[str], tables: Sequence[str]) -> Labelled:
    """Several tables, such as train.csv and val.csv, as one; pictures in none are left out."""
    whole = Labelled()
    for part in parts:
        for name, cls in part.labels.items():
            whole.labels.setdefault(name, cls)
        whole.splits |= part.splits
        whole.left_out += part.left_out
        whole.notes += part.notes
    title = " and ".join(tables)
    named = {name for name, _ in whole.left_out}
    whole.left_out += [
        (name, f"It has no row in {title}.")
        for name in names
        if name not in whole.labels and name not in named
    ]
    whole.splits = {name: kind for name, kind in whole.splits.items() if name in whole.labels}
    whole.notes.insert(0, f"The labels are those of {title}.")
    return whole
