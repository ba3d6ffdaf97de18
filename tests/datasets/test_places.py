"""Where pictures lie in files that hold many: read from there, what stays open, what is kept."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dino_core.datasets import places
from dino_core.datasets.layout import Selection, read_layout
from dino_core.datasets.places import Places


def placed(root: Path, files: dict[str, bytes], *rows: tuple[int, int, int]) -> Places:
    for name, data in files.items():
        (root / name).write_bytes(data)
    return Places(root, tuple(files), np.array(rows, np.int64).reshape(-1, 3))


def test_bytes_from_here_to_there(tmp_path: Path) -> None:
    found = placed(tmp_path, {"a.tar": b"0123456789", "b.tar": b"abcdef"}, (0, 2, 3), (1, 4, 2))
    assert (found.read(0, 99), found.read(1, 99)) == (b"234", b"ef")
    assert (found.read(0, 2), found.read(0, 0)) == (b"23", b"")
    some = found.subset([1, 0, 1])
    assert [some.read(i, 9) for i in range(3)] == [b"ef", b"234", b"ef"]
    assert some._open is found._open
    again = pickle.loads(pickle.dumps(found))
    assert again.read(1, 9) == b"ef"
    assert (again.root, again.files, again.column) == (tmp_path, ("a.tar", "b.tar"), "")
    shorter = placed(tmp_path, {"c.tar": b"0123"}, (0, 2, 3))
    assert shorter.read(0, 2) == b"23"
    with pytest.raises(ValueError, match=r"c\.tar has become shorter since it was looked through"):
        shorter.read(0, 3)


def test_how_many_lie_in_a_row_in_one_file() -> None:
    for files, streams in (
        ([0, 0, 0, 1, 1, 2], (3, 2, 1)),
        ([0, 1, 0], (1, 1, 1)),
        ([5, 5], (2,)),
        ([], (0,)),
    ):
        rows = np.array([(file, 0, 0) for file in files], np.int64).reshape(-1, 3)
        assert Places(Path(), (), rows).streams == streams
    assert Places(Path(), (), np.zeros((0, 3))).buffer == 4096
    assert Places(Path(), (), np.zeros((0, 3)), "image").buffer == 1024


def test_the_sixteen_tars_that_were_read_last_stay_open(tmp_path: Path) -> None:
    files = {f"{n:02}.tar": b"x" for n in range(18)}
    found = placed(tmp_path, files, *((n, 0, 1) for n in range(18)))
    for index in (*range(16), 0, 16, 17):
        assert found.read(index, 1) == b"x"
    names = [path.name for path in found._open.files]
    assert names == [f"{n:02}.tar" for n in (*range(3, 16), 0, 16, 17)]
    assert not any(file.closed for file in found._open.files.values())


def test_rows_of_a_table_and_the_groups_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values: list[Any] = [bytes([n]) * 100 for n in range(6)]
    values[4] = None
    pq.write_table(pa.table({"image": values}), tmp_path / "t.parquet", row_group_size=2)
    rows = np.array([(0, n, 999) for n in range(7)], np.int64)
    found = Places(tmp_path, ("t.parquet",), rows, "image")
    read: list[int] = []
    inner = places.ParquetFile.read

    def noted(self: Any, column: str, most: int, group: int) -> Any:
        read.append(group)
        assert (column, most) == ("image", 2 * 2**30)
        return inner(self, column, most, group)

    monkeypatch.setattr(places.ParquetFile, "read", noted)
    assert [found.read(n, 3) for n in (0, 1, 3, 2, 5, 0)] == [
        bytes([n]) * 3 for n in (0, 1, 3, 2, 5, 0)
    ]
    assert read == [0, 1, 2], "each once"
    for row in (4, 6):
        with pytest.raises(ValueError, match="The table has no bytes for it"):
            found.read(row, 3)
    read.clear()
    monkeypatch.setattr(places, "KEPT_BYTES", 1)
    small = Places(tmp_path, ("t.parquet",), rows, "image")
    for row in (0, 1, 2, 0, 1):
        small.read(row, 1)
    assert read == [0, 1, 0], "the last one alone"
    read.clear()
    size = small._groups._bytes
    monkeypatch.setattr(places, "KEPT_BYTES", 2 * size)
    two = Places(tmp_path, ("t.parquet",), rows, "image")
    for row in (0, 2, 0, 5, 0, 2):
        two.read(row, 1)
    assert read == [0, 1, 2, 1], "what was asked for last stays"


# --- folders beside loose pictures


@pytest.mark.parametrize(
    ("names", "labels", "notes"),
    [
        (["1.png", "2.png", "a/3.png"], {}, 0),
        (["1.png", "2.png", "a/3.png", "b/4.png"], {}, 1),
        (["1.png", "a/2.png", "b/3.png"], {"a/2.png": "a", "b/3.png": "b"}, 0),
        (["1.png", "a/2.png", "a/3.png"], {}, 0),
    ],
)
def test_folders_that_are_too_few_to_be_classes(
    names: list[str], labels: dict[str, str], notes: int
) -> None:
    found = read_layout(names, Selection())
    assert (found.labels, len(found.notes)) == (labels, notes)
    if notes:
        assert found.notes == [
            "Most pictures lie beside the folders and not in them, so the folders are not taken "
            "for classes: a, b."
        ]
    many = [f"{n}.png" for n in range(9)] + [f"{name}/1.png" for name in "fedcba"]
    assert read_layout(many, Selection()).notes[0].endswith("for classes: a, b, c, d, e, ....")
