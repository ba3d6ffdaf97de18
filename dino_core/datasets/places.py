"""Where pictures lie in files that hold many: bytes from here to there in a tar, rows of a Parquet.

    rows    int64 [n, 3]: number of the file; the first byte in a tar, or the row of a table; bytes
            (of a table's row, which nobody counted: those of the whole file)

A place is all that is needed to read a picture, so that any order costs the same, and shards are
read like folders: no stream has to be followed to the place where a run was interrupted.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from dino_core.datasets.parquet_files import ParquetFile

MAX_GROUP = 2 * 2**30  # bytes of pictures in one row group, which is read as a whole
SHUFFLED = 4096  # places in the buffer that puts pictures of tars into a random order
ROWS_SHUFFLED = 1024  # the same of tables, whose row groups are read as a whole
OPEN_TARS = 16  # of each thread
KEPT_BYTES = 256 * 2**20  # of row groups that are kept, the last one whatever its size


@dataclass(frozen=True, eq=False)
class Places:
    """Where each picture of a set lies."""

    root: Path  # the folder of all files
    files: tuple[str, ...]  # below it
    rows: np.ndarray  # int64 [n, 3]
    column: str = ""  # of the pictures, in tables; "image.bytes" for a part of a struct
    _open: "_OpenTars" = field(default_factory=lambda: _OpenTars(), repr=False)
    _groups: "_RowGroups" = field(default_factory=lambda: _RowGroups(), repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """What is open goes to no other process."""
        return Places, (self.root, self.files, self.rows, self.column)

    def subset(self, indices: Sequence[int]) -> "Places":
        """Some of them, in the order given. What is open stays shared."""
        rows = self.rows[np.asarray(indices, np.int64)]
        return Places(self.root, self.files, rows, self.column, self._open, self._groups)

    def read(self, index: int, count: int) -> bytes:
        """At most so many first bytes of a picture. ValueError or OSError when they are gone."""
        number, at, size = (int(value) for value in self.rows[index])
        path = self.root / self.files[number]
        if self.column:
            return self._groups.read(path, self.column, at)[:count]
        file = self._open.of(path)
        file.seek(at)
        wanted = min(size, count)
        data = file.read(wanted)
        if len(data) < wanted:
            raise ValueError(f"{path.name} has become shorter since it was looked through.")
        return data

    @property
    def streams(self) -> tuple[int, ...]:
        """How many pictures in a row lie in one file, file by file: cheap to read in this order."""
        ends = np.flatnonzero(np.diff(self.rows[:, 0])) + 1
        return tuple(np.diff([0, *ends.tolist(), len(self.rows)]).tolist())

    @property
    def buffer(self) -> int:
        """How many places a shuffle may hold, so that what it reads lies close together."""
        return ROWS_SHUFFLED if self.column else SHUFFLED


class _OpenTars(threading.local):
    """The tars that each thread has read from last stay open: a shuffle goes to and fro."""

    def __init__(self) -> None:
        self.files: OrderedDict[Path, BufferedReader] = OrderedDict()

    def of(self, path: Path) -> BufferedReader:
        if path in self.files:
            self.files.move_to_end(path)
        else:
            if len(self.files) >= OPEN_TARS:
                self.files.popitem(last=False)[1].close()
            self.files[path] = path.open("rb")
        return self.files[path]


class _RowGroups:
    """Row groups of Parquet files, read as a whole and kept for those who want the next rows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: dict[Path, tuple[ParquetFile, np.ndarray]] = {}  # and first rows of groups
        self._kept: OrderedDict[tuple[Path, int], Any] = OrderedDict()
        self._bytes = 0

    def read(self, path: Path, column: str, row: int) -> bytes:
        with self._lock:
            if path not in self._tables:
                self._tables[path] = _opened(path)
            table, starts = self._tables[path]
            value = None
            if row < starts[-1]:  # it may have become shorter since it was looked through
                group = int(np.searchsorted(starts, row, "right")) - 1
                values = self._group(path, table, column, group)
                value = values[row - int(starts[group])].as_py()
        if value is None:
            raise ValueError("The table has no bytes for it.")
        return bytes(value)

    def _group(self, path: Path, table: ParquetFile, column: str, group: int) -> Any:
        key = (path, group)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        values = table.read(column, MAX_GROUP, group)
        self._kept[key] = values
        self._bytes += values.nbytes
        while self._bytes > KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return values


def _opened(path: Path) -> tuple[ParquetFile, np.ndarray]:
    table = ParquetFile(path, path.name)
    return table, np.cumsum([0, *table.groups])
