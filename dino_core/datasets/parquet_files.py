"""Parquet files of anybody: what a column takes in memory is known before it is read.

The footer of a file says how large its columns are, and may lie; each page says it once more, in
the header that pyarrow goes by. So the headers are walked over first, which reads a few bytes of
each page. A value that is written once and named a million times stays one value.

https://parquet.apache.org/docs/file-format/data-pages/; headers are in Thrift's compact protocol,
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

DICTIONARY = 2  # kind of the page that holds values once
MAX_HEADER = 16 * 2**20  # bytes of a page's header, as pyarrow has it
_DEPTH = 8  # structures inside each other, in a header
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_WHOLE = (4, 5, 6)  # i16, i32, i64


class ParquetFile:
    """A file, or the bytes of one, and what its footer says.

    `name` is what it is called in sentences. ValueError, in one, for what is no Parquet.
    """

    def __init__(self, source: Path | bytes, name: str) -> None:
        import pyarrow
        import pyarrow.parquet as parquet

        self.source, self.name = source, name
        self._tables: dict[str, Any] = {}  # pyarrow's files, by the column that is kept once
        try:
            table = parquet.ParquetFile(self._opened())
        except (pyarrow.ArrowException, OSError) as error:
            words = first_line(error)
            raise ValueError(f"{name} is no Parquet that can be read ({words}).") from None
        self._tables[""] = table
        self.schema, self.metadata = table.schema_arrow, table.metadata
        groups = range(self.metadata.num_row_groups)
        self.groups = [self.metadata.row_group(group).num_rows for group in groups]  # rows
        if min(self.groups, default=0) < 0 or sum(self.groups) != self.metadata.num_rows:
            raise ValueError(f"{name} is damaged: its parts have not as many rows as it says.")

    def _opened(self) -> IO[bytes]:
        if isinstance(self.source, bytes):
            return io.BytesIO(self.source)
        return self.source.open("rb")

    def read(self, column: str, most: int, group: int | None = None) -> Any:
        """The values of a column, a pyarrow.ChunkedArray; "image.bytes" is a part of a struct.

        Of one row group, or of all. ValueError for more than `most` bytes, before they are read,
        and for what is damaged.
        """
        import pyarrow

        groups = list(range(len(self.groups))) if group is None else [group]
        nbytes, once = 0, ""
        for kind, size in self._pages(column, groups):
            nbytes, once = nbytes + size, column if kind == DICTIONARY else once
        if nbytes > most:
            raise ValueError(
                f"{self.name} holds {nbytes >> 20:,} MB in its column {column}, and at most "
                f"{most >> 20:,} MB are read at once: write it with a smaller row_group_size."
            )
        chunks: list[Any] = []
        try:
            for one in groups:  # several at once pyarrow cannot, of a part of a struct
                chunks += self._table(once).read_row_group(one, columns=[column])[0].chunks
            if chunks and pyarrow.types.is_struct(chunks[0].type):
                part = column.split(".", 1)[1]
                chunks = [chunk.field(part) for chunk in chunks]
            values = pyarrow.chunked_array(chunks, None if chunks else pyarrow.string())
            values.validate(full=True)  # places in a dictionary that are not there
        except (pyarrow.ArrowException, OSError, KeyError) as error:
            raise self._damaged(column, group, first_line(error)) from None
        if len(values) != sum(self.groups[one] for one in groups):
            raise self._damaged(column, group, "it is cut short")
        return values

    def values(self, column: str, most: int) -> list[Any]:
        """All values of a column as Python's; one that is in a dictionary is one object."""
        import pyarrow

        found: list[Any] = []
        try:
            for chunk in self.read(column, most).chunks:
                if pyarrow.types.is_dictionary(chunk.type):
                    known = chunk.dictionary.to_pylist()
                    found += [None if i is None else known[i] for i in chunk.indices.to_pylist()]
                else:
                    found += chunk.to_pylist()
        except UnicodeDecodeError as error:
            raise self._damaged(column, None, first_line(error)) from None
        return found

    def nbytes(self, column: str) -> int:
        """What its pages hold, unpacked."""
        return sum(size for _, size in self._pages(column, range(len(self.groups))))

    def _table(self, once: str) -> Any:
        """The file as pyarrow opens it; `once`: a column whose values stay in their dictionary."""
        import pyarrow.parquet as parquet

        if once not in self._tables:
            self._tables[once] = parquet.ParquetFile(
                self._opened(), metadata=self.metadata, read_dictionary=[once]
            )
        return self._tables[once]

    def _damaged(self, column: str, group: int | None, words: str) -> ValueError:
        if group is None:
            return ValueError(f"The column {column} cannot be read ({words}).")
        return ValueError(f"{self.name} is damaged in row group {group} ({words}).")

    def _pages(self, column: str, groups: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Kind and unpacked bytes of each page of a column."""
        with self._opened() as file:
            for group in groups:
                of_group = self.metadata.row_group(group)
                for chunk in map(of_group.column, range(of_group.num_columns)):
                    path = chunk.path_in_schema
                    if path == column or path.startswith(f"{column}."):
                        try:
                            yield from pages(file, *range_of(chunk))
                        except (ValueError, OverflowError, OSError) as error:
                            raise self._damaged(column, group, first_line(error)) from None


def first_line(error: BaseException) -> str:
    return str(error).split("\n")[0].rstrip(".")


# --- pages


def range_of(chunk: Any) -> tuple[int, int]:
    """First byte of a column in a row group, and that after its last one, as pyarrow has them."""
    at, first = chunk.data_page_offset, chunk.dictionary_page_offset
    if chunk.has_dictionary_page and first and 0 < first < at:
        at = first
    return at, at + chunk.total_compressed_size


def pages(file: IO[bytes], at: int, end: int) -> Iterator[tuple[int, int]]:
    """Kind and unpacked bytes of each page between two places. ValueError for what is none."""
    while at < end:
        file.seek(at)
        header = _Header(file, at + MAX_HEADER)
        facts = header.structure()
        kind, unpacked, packed = (facts.get(number, -1) for number in (1, 2, 3))
        if min(kind, unpacked, packed) < 0:
            raise ValueError("a page without its size")
        yield kind, unpacked
        at = file.tell() + packed


class _Header:
    """Reads a structure in Thrift's compact protocol, of which only whole numbers are wanted."""

    def __init__(self, file: IO[bytes], end: int) -> None:
        self.file, self.end = file, end

    def structure(self, depth: int = 0) -> dict[int, int]:
        """Whole numbers by their fields; everything else is stepped over."""
        if depth > _DEPTH:
            raise ValueError("a header with too much in it")
        found: dict[int, int] = {}
        field = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            field = field + step if step else self._whole()
            if kind in _WHOLE:
                found[field] = self._whole()
            elif kind not in (_TRUE, _FALSE):
                self._skip(kind, depth)
        return found

    def _skip(self, kind: int, depth: int) -> None:
        if kind == _STRUCT:
            self.structure(depth + 1)
        elif kind in _WHOLE:
            self._whole()
        elif kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._number()
            for _ in range(min(count, MAX_HEADER)):
                self._skip(head & 15, depth + 1)
        elif kind in (_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY):
            lengths = {_DOUBLE: 8, _BINARY: -1}
            length = lengths.get(kind, 1)
            self.file.seek(self._number() if length < 0 else length, io.SEEK_CUR)
        else:
            raise ValueError("a header of another kind")

    def _byte(self) -> int:
        data = self.file.read(1)
        if not data or self.file.tell() > self.end:
            raise ValueError("a header that does not end")
        return data[0]

    def _number(self) -> int:
        """Seven bits a byte, the lowest first."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number that does not end")

    def _whole(self) -> int:
        """Zigzag: 0, -1, 1, -2, ..."""
        value = self._number()
        return value >> 1 ^ -(value & 1)
