"""Parquet files that lie about their size, or hold little in many words."""

import io
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from sharded import picture_table
from tiny_runs import files, picture

from dino_core.datasets import find_pictures, places, tables
from dino_core.datasets.parquet_files import ParquetFile

PICTURES = [picture(i) for i in range(3)]


def written(columns: dict[str, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def whole(value: int) -> bytes:
    """A number as Thrift writes it: zigzag, seven bits a byte."""
    value, found = value << 1, b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_pages_are_walked_over_as_they_were_written(compression, version, dictionary):
    """Footers that tell the truth count the headers as well: a few bytes a page."""
    images = [{"bytes": bytes([i]) * 3000, "path": f"{i}.png"} for i in range(200)]
    data = written(
        {"image": images, "label": list(range(200)), "note": [None, "a" * 500] * 100},
        compression=compression,
        data_page_version=version,
        use_dictionary=dictionary,
        data_page_size=8192,
        row_group_size=90,
        write_statistics=["label"],
    )
    file = ParquetFile(data, "t.parquet")
    for i, column in enumerate(("image.bytes", "image.path", "label", "note")):
        chunks = [file.metadata.row_group(group).column(i) for group in range(3)]
        assert {chunk.path_in_schema for chunk in chunks} == {column}
        said = sum(chunk.total_uncompressed_size for chunk in chunks)
        assert 0 < said - file.nbytes(column) < 0.05 * said + 300
    assert file.values("note", 2**20) == [None, "a" * 500] * 100
    assert file.values("image.path", 2**20) == [f"{i}.png" for i in range(200)]


def test_a_footer_that_lies_about_the_size_is_found_out(tmp_path: Path, monkeypatch):
    rows = [*PICTURES, bytes(300_000)]
    path = picture_table(tmp_path / "t.parquet", rows, group=4)
    said = parquet.ParquetFile(path).metadata.row_group(0).column(0).total_uncompressed_size
    data = path.read_bytes()
    true, told = whole(said), whole(said - 280_000)
    assert (data.count(true), len(true)) == (1, len(told))
    path.write_bytes(data.replace(true, told))
    monkeypatch.setattr(places, "MAX_GROUP", 200_000)
    found = find_pictures(path)
    with pytest.raises(ValueError, match=r"holds .* and at most .* smaller row_group_size"):
        found.read(0)


def test_a_footer_whose_parts_do_not_add_up_is_found_out():
    data = written({"label": list(range(77))})
    at = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    rows, more = (b"\x16" + whole(count) for count in (77, 78))  # a field of 64 bits
    assert data[at:].count(rows) > 1, "of the file, and of its part"
    with pytest.raises(ValueError, match="its parts have not as many rows as it says"):
        ParquetFile(data[:at] + data[at:].replace(rows, more, 1), "t.parquet")


def test_one_value_for_many_rows_stays_one(tmp_path: Path):
    """A megabyte that is named a million times would be a terabyte."""
    many = ["a" * 100_000] * 500
    file = ParquetFile(written({"path": many, "label": ["cat"] * 500}), "t.parquet")
    values = file.values("path", 2**20)
    assert values == many
    assert values[0] is values[499]
    parquet.write_table(pa.table({"image": [b"a" * 100_000] * 500}), tmp_path / "t.parquet")
    found = find_pictures(tmp_path / "t.parquet")
    assert found.read(499) == b"a" * 100_000
    assert found.places is not None
    assert found.places._groups._bytes < 2**20


def test_a_table_in_a_zip_does_not_fill_the_memory(tmp_path: Path, monkeypatch):
    contents = {f"{i}.png": one for i, one in enumerate(PICTURES)}
    contents["t.parquet"] = written({"path": list(contents), "label": ["cat", "dog", "cat"]})
    assert find_pictures(files(tmp_path / "a", contents)).labels == (0, 1, 0)
    small = written({"path": list(contents)[:3], "label": ["a" * 9000] * 3}, compression="zstd")
    monkeypatch.setattr(tables, "MAX_TABLE", 8000)
    assert len(small) < 8000
    large = find_pictures(files(tmp_path / "b", contents | {"t.parquet": small}))
    assert large.labels is None
    assert "at most 0 MB are read at once" in dict(large.left_out)["t.parquet"]


@pytest.mark.parametrize(
    "text",
    [
        "1.png,cat"
        + "," * 40
        + "\n"
        + "1.png,cat\n" * 40,  # each row would get as many cells as the first
        "1.png,cat\n" * 600,
        "1.png," + "cat," * 1200,
    ],
)
def test_cells_are_counted_before_they_are_filled_up(monkeypatch, text):
    monkeypatch.setattr(tables, "MAX_CELLS", 1000)
    with pytest.raises(ValueError, match=r"^t\.csv has .* of .* columns: write fewer columns\.$"):
        tables.read_table("t.csv", text.encode())


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_changed_is_read_or_named(tmp_path: Path, seed: int):
    """Single bytes of footer and headers: a table that says more rows than it has, for one."""
    data = picture_table(tmp_path / "t.parquet", PICTURES * 3, [0, 1, 1] * 3, "ab").read_bytes()
    draw = random.Random(seed)
    heads = [data.index(one[:16]) for one in PICTURES]
    for _ in range(40):
        at = draw.choice([40, *heads, len(data) - 1500]) + draw.randrange(-60, 1500)
        changed = bytearray(data)
        changed[max(at, 4)] = draw.choice([0, 1, 2, 21, 127, 128, 255, draw.randrange(256)])
        (tmp_path / "t.parquet").write_bytes(changed)
        for why in what_is_said_of(tmp_path / "t.parquet"):
            assert "\n" not in why


def what_is_said_of(path: Path) -> list[str]:
    said = []
    try:
        found = find_pictures(path)
    except ValueError as error:
        return [str(error)]
    for i in range(len(found)):
        try:
            found.read(i)
        except ValueError as error:
            said.append(str(error))
    return said + [why for _, why in found.left_out]


def test_all_columns_together_have_the_room_of_one_table(monkeypatch):
    columns = {name: [f"{name}{i}" * 20 for i in range(200)] for name in ("path", "label")}
    data = written(columns, use_dictionary=False)
    each = ParquetFile(data, "t.parquet").nbytes("path")
    monkeypatch.setattr(tables, "MAX_TABLE", 3 * each)
    assert tables.read_table("t.parquet", data).columns == columns
    monkeypatch.setattr(tables, "MAX_TABLE", int(1.5 * each))
    with pytest.raises(ValueError, match="are read at once"):
        tables.read_table("t.parquet", data)
