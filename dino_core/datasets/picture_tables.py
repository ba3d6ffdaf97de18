"""Parquet files that hold the pictures themselves, as Hugging Face keeps data sets.

    image   struct<bytes: binary, path: string>, or the bytes alone
    label   a number, with the names of the classes in the metadata "huggingface", or a text

One row is one picture, files and rows in their order; train-00000-of-00002.parquet says the split.
A picture is called after its file and row, and the path in the table where there is one.
"""

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from dino_core.datasets.contents import printable
from dino_core.datasets.parquet_files import ParquetFile
from dino_core.datasets.places import MAX_GROUP
from dino_core.datasets.shards import Contained
from dino_core.datasets.splits import split_of
from dino_core.datasets.tables import LABELS, MAX_ROWS, PATHS, SPLITS

MAX_COLUMN = 512 * 2**20  # bytes of all labels, or paths, or splits


def rows_of_pictures(path: Path) -> int:
    """Rows of a Parquet file with a column of pictures; 0 for any other, and what is damaged."""
    try:
        table = ParquetFile(path, path.name)
    except ValueError:
        return 0
    return int(table.metadata.num_rows) if picture_column(table.schema) else 0


def read_picture_tables(root: Path, files: Sequence[str], *, alone: bool = False) -> Contained:
    """What the metadata and the columns of labels say; no picture is read.

    ValueError when there is only one file, and nothing to be had from it.
    """
    found = Contained(files=list(files))
    for number, file in enumerate(files):
        try:
            _read_one(found, root, number, "" if alone else f"{file}/")
        except ValueError as error:
            if len(files) == 1:
                raise
            found.left_out.append((file, f"{str(error).rstrip('.')}."))
    return found


def _read_one(found: Contained, root: Path, number: int, prefix: str) -> None:
    path = root / found.files[number]
    table = ParquetFile(path, path.name)
    schema, metadata = table.schema, table.metadata
    column = picture_column(schema)
    if not column:
        raise ValueError(f"{path.name} has no column of pictures.")
    if found.column and column != found.column:
        raise ValueError(
            f"Its pictures are in {column}, and those of the others in {found.column}."
        )
    if metadata.num_rows > MAX_ROWS:
        raise ValueError(f"{path.name} has more than {MAX_ROWS:,} rows.")
    found.column = column
    names = _names(table, column, prefix)
    size, row = path.stat().st_size, 0
    for group in range(metadata.num_row_groups):
        rows = range(row, row + metadata.row_group(group).num_rows)
        row = rows.stop
        held = _bytes_in(metadata.row_group(group), column)
        if held > MAX_GROUP:
            why = (
                f"Its row group holds {held >> 20:,} MB of pictures, and one is read as a whole: "
                f"write the table again with row_group_size=1000."
            )
            found.left_out += [(names[i], why) for i in rows]
            continue
        for i in rows:
            found.places[names[i]] = (number, i, size)
            found.inside[names[i]] = names[i]
    _read_labels(found, table, names)


def picture_column(schema: Any) -> str:
    """Where the bytes of pictures are: "image", or "image.bytes" of a struct; empty for nowhere."""
    import pyarrow

    binary = (pyarrow.types.is_binary, pyarrow.types.is_large_binary)
    found: dict[str, str] = {}
    features = _features(schema)
    for field in schema:
        is_image = features.get(field.name, {}).get("_type") == "Image"
        if pyarrow.types.is_struct(field.type):
            parts = {part.name: part.type for part in field.type}
            if any(is_kind(parts["bytes"]) for is_kind in binary if "bytes" in parts):
                found[field.name] = f"{field.name}.bytes"
        elif any(is_kind(field.type) for is_kind in binary) and (
            is_image or field.name.casefold() in {*PATHS, "bytes", "jpg", "jpeg", "png", "webp"}
        ):
            found[field.name] = field.name
    usual = [name for name in found if name.casefold() in PATHS]
    usual.sort(key=lambda name: PATHS.index(name.casefold()))
    return found[(usual or list(found))[0]] if found else ""


def _features(schema: Any) -> dict[str, dict[str, Any]]:
    """What Hugging Face says of the columns, as it was written; empty where it says nothing."""
    try:
        said = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = said["info"]["features"]
        return {name: one for name, one in features.items() if isinstance(one, dict)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _bytes_in(group: Any, column: str) -> int:
    """Bytes of the pictures in a row group, unpacked, as its metadata says."""
    chunks = (group.column(i) for i in range(group.num_columns))
    return sum(one.total_uncompressed_size for one in chunks if one.path_in_schema == column)


def _names(table: ParquetFile, column: str, prefix: str) -> list[str]:
    rows = table.metadata.num_rows
    width = len(str(max(rows - 1, 0)))
    names = [f"{prefix}{row:0{width}}" for row in range(rows)]
    outer = column.removesuffix(".bytes")
    if column == outer or outer not in table.schema.names:
        return names
    field = table.schema.field(outer)
    if "path" in {part.name for part in field.type}:
        paths = table.values(f"{outer}.path", MAX_COLUMN)
        for row, path in enumerate(paths):
            file = PurePosixPath(str(path or "").replace("\\", "/")).name
            if file and file != "..":
                names[row] += f"/{printable(file)[:200]}"
    return names


def _read_labels(found: Contained, table: ParquetFile, names: Sequence[str]) -> None:
    column = label_column(table.schema)
    if column:
        given = _features(table.schema).get(column, {}).get("names")
        if isinstance(given, list) and all(isinstance(one, str) for one in given):
            found.given = found.given or tuple(given)
        values = found.labels.setdefault(f"the column {column}", {})
        for name, value in zip(names, table.values(column, MAX_COLUMN), strict=True):
            values[name] = "" if value is None else str(value).strip()
    for field in table.schema:
        if field.name.casefold() in SPLITS and str(field.type) in ("string", "large_string"):
            for name, value in zip(names, table.values(field.name, MAX_COLUMN), strict=True):
                kind = split_of(str(value or ""))[0]
                if kind:
                    found.splits[name] = kind
            return


def label_column(schema: Any) -> str:
    """A column of numbers or texts with a usual name; or the first whose classes have names."""
    import pyarrow

    plain = {
        field.name.casefold(): field.name
        for field in schema
        if pyarrow.types.is_integer(field.type)
        or pyarrow.types.is_string(field.type)
        or pyarrow.types.is_large_string(field.type)
        or pyarrow.types.is_dictionary(field.type)
    }
    named = [name for name, one in _features(schema).items() if one.get("_type") == "ClassLabel"]
    usual = [plain[name] for name in ("label", *LABELS) if name in plain]
    return next((name for name in usual if name in named), (usual + named + [""])[0])
