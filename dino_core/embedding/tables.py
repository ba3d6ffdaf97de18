"""Features -> a file, slice by slice: Parquet for tables, NPZ for NumPy.

    Parquet   a row a picture: name, label, class, split, cls, mean_patch (lists of D numbers),
              layers (a list of T * 2 * D numbers, by request); the facts as metadata "facts"
    NPZ       names [n], labels [n] (-1: none), classes [Y], splits [n], cls [n, D], mean_patch
              [n, D], layers [n, T, 2, D], broken [m, 2] (name, why), facts: JSON as text

Neither is ever in memory as a whole.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from dino_core.embedding.embed import SLICE, Embedded
from dino_core.writing import replacing

if TYPE_CHECKING:
    from dino_core.embedding.explore import Column

ENDINGS = (".parquet", ".npz")


def check_target(path: Path, wanted: tuple[str, ...] = ENDINGS) -> Path:
    """ValueError, before the long work, for a file that could not be written."""
    path = path.expanduser()
    if path.suffix.lower() not in wanted:
        raise ValueError(f"{path} should end in {' or '.join(wanted)}: that says what to write.")
    if path.suffix.lower() == ".parquet":
        _pyarrow()
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def check_folder(path: Path) -> Path:
    """The folder for parts. ValueError, before the long work, where none can be."""
    if path.suffix.lower() == ".npz":
        raise ValueError(
            f"{path} would be one file, but several processes write parts: name a folder, or a "
            f"name that ends in .parquet, which becomes one."
        )
    if path.is_file():
        raise ValueError(f"{path} is a file, and parts need a folder: name another.")
    _pyarrow()
    path.mkdir(parents=True, exist_ok=True)
    return path


def write(
    path: Path,
    embedded: Embedded,
    facts: dict[str, Any],
    columns: "Mapping[str, Column] | None" = None,
) -> None:
    """The file is there as a whole or not at all; its ending says which kind.

    `columns` are more of a Parquet file, see `explore`.
    """
    facts = {**facts, "broken": [list(one) for one in embedded.broken]}
    with replacing(path) as partial:
        if path.suffix.lower() == ".parquet":
            write_parquet(partial, embedded, facts, columns=columns)
        else:
            write_npz(partial, embedded, facts)


def columns_of(embedded: Embedded) -> list[str]:
    return ["cls", "mean_patch", *(["layers"] if embedded.cache.layers else [])]


# --- Parquet


def write_parquet(
    path: Path,
    embedded: Embedded,
    facts: dict[str, Any],
    more: Mapping[str, str] | None = None,
    *,
    columns: "Mapping[str, Column] | None" = None,
) -> None:
    """`more` is kept in the metadata beside the facts."""
    extra = columns or {}
    pa = _pyarrow()
    import pyarrow.parquet as parquet

    pictures, shapes = embedded.pictures, embedded.cache.shapes
    numbers = {"cls": pa.float32(), "mean_patch": pa.float32(), "layers": pa.float16()}
    fields = [("name", pa.string()), ("label", pa.int64())]
    fields += [("class", pa.string()), ("split", pa.string())]
    for column in columns_of(embedded):
        fields.append((column, pa.list_(numbers[column], int(np.prod(shapes[column])))))
    own = len(fields)
    fields += [(name, column.kind) for name, column in extra.items()]
    schema = pa.schema(fields).with_metadata({"facts": json.dumps(facts), **(more or {})})
    with parquet.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        for start, *arrays in zip(
            range(0, len(pictures), SLICE), *map(embedded.slices, columns_of(embedded)), strict=True
        ):
            rows = slice(start, start + SLICE)
            labels = None if pictures.labels is None else pictures.labels[rows]
            count = len(arrays[0])
            table: list[Any] = [
                pa.array([readable(name) for name in pictures.names[rows]]),
                pa.array([None] * count if labels is None else list(labels), pa.int64()),
                pa.array(
                    [
                        None if labels is None else readable(pictures.classes[i])
                        for i in labels or ()
                    ]
                    or [None] * count,
                    pa.string(),
                ),
                pa.array(
                    [None] * count if pictures.splits is None else list(pictures.splits[rows]),
                    pa.string(),
                ),
            ]
            for array, (_, kind) in zip(arrays, fields[4:own], strict=True):
                flat = pa.array(array.reshape(-1), kind.value_type)
                table.append(pa.FixedSizeListArray.from_arrays(flat, kind.list_size))
            table += [column.rows(rows) for column in extra.values()]
            writer.write_table(pa.Table.from_arrays(table, schema=schema), row_group_size=SLICE)


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise ValueError(
            "Parquet files need pyarrow: `pip install -r requirements.txt`, or write an .npz."
        ) from error
    return pyarrow


def readable(name: str) -> str:
    """A file name that is no proper text (a byte that no encoding explains) as text."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


# --- NPZ


def write_npz(path: Path, embedded: Embedded, facts: dict[str, Any]) -> None:
    """What `numpy.savez` would write, one array after the other and each in slices."""
    pictures, n = embedded.pictures, len(embedded.pictures)
    labels = np.array(pictures.labels or [-1] * n, np.int64)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        put = archive
        _put(put, "names", [text_array(pictures.names)])
        _put(put, "labels", [labels])
        _put(put, "classes", [text_array(pictures.classes)])
        _put(put, "splits", [text_array(pictures.splits or [""] * n)])
        _put(put, "broken", [text_array(sum(embedded.broken, ())).reshape(-1, 2)])
        _put(put, "facts", [np.array(json.dumps(facts))])
        for column in columns_of(embedded):
            _put(put, column, embedded.slices(column), n)


def _put(
    archive: zipfile.ZipFile, name: str, slices: Iterable[np.ndarray], count: int | None = None
) -> None:
    """One array; `count`: its length, where it comes in several slices."""
    parts: Iterator[np.ndarray] = iter(slices)
    first = next(parts)
    shape = first.shape if count is None else (count, *first.shape[1:])
    header = {
        "descr": np.lib.format.dtype_to_descr(first.dtype),
        "fortran_order": False,
        "shape": shape,
    }
    # A ZipInfo of its own has a fixed date: the same features give the same file.
    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
        np.lib.format.write_array_header_2_0(file, header)
        _write(file, first)
        for part in parts:
            _write(file, part)


def _write(file: IO[bytes], array: np.ndarray) -> None:
    file.write(np.ascontiguousarray(array).tobytes())


def text_array(texts: Iterable[str]) -> np.ndarray:
    """Fixed-width text, also of none at all."""
    return np.array([readable(text) for text in texts] or [], dtype=np.str_)
