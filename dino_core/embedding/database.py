"""One SQLite file: rows by a key of bytes, batches as transactions, errors in sentences.

After a kill or a power cut a batch is there as a whole or not at all. Several processes may use one
file, and several threads one database.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 60  # s to wait for another process that writes


class Database:
    """A file and the table in it, made where they are missing.

    ValueError, here and in whatever is asked of it, where the file is damaged or there is no room.
    """

    def __init__(self, path: Path, table: str, *, holds: str, or_else: str = "") -> None:
        """`table`: CREATE TABLE IF NOT EXISTS ... For the errors: what it `holds`, "The features",
        and what can be done beside making room, ", or use --no-cache"."""
        self.path, self._holds, self._or_else = path, holds, or_else
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self._file = sqlite3.connect(
                path, timeout=PATIENCE, check_same_thread=False, isolation_level=None
            )
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute(table)

    def close(self) -> None:
        self._file.close()

    def row(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row that a query finds."""
        with self._alone():
            row: tuple[Any, ...] | None = self._file.execute(query, values).fetchone()
        return row

    def write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """A statement for each row, all of them or none."""
        with self._alone():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                self._file.executemany(statement, rows)
                self._file.execute("COMMIT")
            except BaseException:
                self._file.execute("ROLLBACK")
                raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread of this process meanwhile; errors in sentences."""
        with self._lock:
            try:
                yield
            except sqlite3.OperationalError as error:
                raise ValueError(
                    f"{self._holds} cannot be kept in {self.path} ({error}). Make room"
                    f"{self._or_else}."
                ) from error
            except sqlite3.DatabaseError as error:
                raise ValueError(
                    f"{self.path} is damaged ({error}). Delete it{self._or_else}."
                ) from error
