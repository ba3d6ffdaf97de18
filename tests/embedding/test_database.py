"""Batches are there as a whole or not at all; errors are sentences."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from dino_core.embedding.database import Database

TABLE = "CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, number INTEGER NOT NULL)"
PUT, GET = "INSERT INTO rows VALUES (?, ?)", "SELECT number FROM rows WHERE key = ?"


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Database]:
    base = Database(tmp_path / "folder" / "base.sqlite", TABLE, holds="The rows", or_else=" or go")
    yield base
    base.close()


def test_rows_are_there_for_everybody_at_once(base: Database) -> None:
    base.write(PUT, [(b"a", 1), (b"b", 2)])
    with sqlite3.connect(base.path) as other:
        assert other.execute("SELECT COUNT(*) FROM rows").fetchone() == (2,)
    assert base.row(GET, b"b") == (2,)
    assert base.row(GET, b"c") is None


def test_half_a_batch_is_none_and_the_next_one_counts(base: Database) -> None:
    with pytest.raises(ValueError, match="is damaged"):  # whatever SQLite does not take
        base.write(PUT, [(b"a", 1), (b"a", 2)])
    assert base.row(GET, b"a") is None
    base.write(PUT, [(b"a", 3)])
    assert base.row(GET, b"a") == (3,)


def test_damage_is_said_with_what_can_be_done(base: Database) -> None:
    base.write(PUT, [(b"a", 1)])
    base.path.write_bytes(b"no database, but long enough to be looked at" * 400)
    with pytest.raises(ValueError, match=r"base\.sqlite is damaged \(.*\)\. Delete it or go\.$"):
        Database(base.path, TABLE, holds="The rows", or_else=" or go").row(GET, b"a")


def test_a_file_that_cannot_be_written_is_said_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "base.sqlite").mkdir()
    with pytest.raises(ValueError, match=r"^The rows cannot be kept in .*\. Make room\.$"):
        Database(tmp_path / "base.sqlite", TABLE, holds="The rows")
