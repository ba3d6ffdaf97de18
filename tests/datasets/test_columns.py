"""Which columns of a Parquet hold pictures and labels, and which tables are about a folder."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_runs import files, picture

from dino_core.datasets import find_pictures, picture_tables
from dino_core.datasets.picture_tables import (
    label_column,
    picture_column,
    read_picture_tables,
    rows_of_pictures,
)

HELD = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def schema(features: dict[str, Any] | None = None, **columns: Any) -> Any:
    found = pa.schema(list(columns.items()))
    if features is None:
        return found
    said = json.dumps({"info": {"features": features}})
    return found.with_metadata({"huggingface": said})


@pytest.mark.parametrize(
    ("given", "column"),
    [
        (schema(image=HELD), "image.bytes"),
        (schema(image=pa.binary()), "image"),
        (schema(img=pa.large_binary()), "img"),
        (schema(JPG=pa.binary()), "JPG"),
        (schema(mask=pa.binary()), ""),
        (schema({"mask": {"_type": "Image"}}, mask=pa.binary()), "mask"),
        (schema({"mask": {"_type": "Value"}}, mask=pa.binary()), ""),
        (schema(mask=HELD, image=HELD), "image.bytes"),
        (schema(mask=HELD), "mask.bytes"),
        (schema(mask=HELD, other=HELD), "mask.bytes"),
        (schema(photo=pa.binary(), image=pa.binary()), "image"),
        (schema(image=pa.struct([("path", pa.string())])), ""),
        (schema(image=pa.struct([("bytes", pa.string())])), ""),
        (schema(image=pa.string()), ""),
    ],
)
def test_where_the_pictures_are(given: Any, column: str) -> None:
    assert picture_column(given) == column


@pytest.mark.parametrize(
    ("given", "column"),
    [
        (schema(label=pa.int64(), class_name=pa.string()), "label"),
        (schema(y=pa.int64(), breed=pa.string()), "breed"),
        (schema(Label=pa.string()), "Label"),
        (schema(label=pa.float32()), ""),
        (schema(label=pa.dictionary(pa.int8(), pa.string())), "label"),
        (schema(label=pa.large_string()), "label"),
        (schema({"fine": {"_type": "ClassLabel"}}, fine=pa.int64()), "fine"),
        (schema({"fine": {"_type": "ClassLabel"}}, fine=pa.int64(), y=pa.int64()), "y"),
        (
            schema({"y": {"_type": "ClassLabel"}}, label=pa.int64(), y=pa.int64()),
            "y",
        ),
        (schema(image=pa.binary()), ""),
    ],
)
def test_where_the_labels_are(given: Any, column: str) -> None:
    assert label_column(given) == column


def test_what_is_said_of_columns_may_be_nonsense() -> None:
    for said in (b"{", b"[]", b'{"info": 1}', b'{"info": {"features": []}}', b"{}"):
        given = pa.schema([("image", pa.binary())]).with_metadata({"huggingface": said})
        assert picture_tables._features(given) == {}
    assert picture_tables._features(schema({"a": {"x": 1}, "b": 2})) == {"a": {"x": 1}}


def test_rows_of_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": [b"x"] * 3}), path)
    assert rows_of_pictures(path) == 3
    pq.write_table(pa.table({"label": [1] * 3}), path)
    assert rows_of_pictures(path) == 0
    path.write_bytes(b"PAR1")
    assert rows_of_pictures(path) == 0
    assert rows_of_pictures(tmp_path / "none") == 0


def test_names_labels_and_splits_of_rows(tmp_path: Path) -> None:
    rows = [
        {"bytes": b"x", "path": path} for path in ("a/b.png", None, "..", "c\\d.png", "e\n.png")
    ]
    table = pa.table(
        {
            "image": pa.array(rows, HELD),
            "label": [" 1 ", "0", None, "1", "0"],
            "split": ["train", "validation", "test", "", None],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    found = read_picture_tables(tmp_path, ["a.parquet"], alone=True)
    names = ["0/b.png", "1", "2", "3/d.png", "4/e?.png"]
    assert list(found.places) == names
    size = (tmp_path / "a.parquet").stat().st_size
    assert [found.places[name] for name in names] == [(0, n, size) for n in range(5)]
    assert found.labels == {
        "the column label": dict(zip(names, ["1", "0", "", "1", "0"], strict=True))
    }
    assert found.splits == {names[0]: "train", names[1]: "val", names[2]: "test"}
    assert (found.column, found.left_out, found.given) == ("image.bytes", [], ())
    both = read_picture_tables(tmp_path, ["a.parquet", "none.parquet"])
    assert list(both.places) == [f"a.parquet/{name}" for name in names]
    (left,) = both.left_out
    assert left[0] == "none.parquet"
    with pytest.raises(ValueError, match="none"):
        read_picture_tables(tmp_path, ["none.parquet"])
    pq.write_table(pa.table({"photo": [b"x"] * 11}), tmp_path / "b.parquet")
    other = read_picture_tables(tmp_path, ["a.parquet", "b.parquet"])
    said = "Its pictures are in photo, and those of the others in image.bytes."
    assert other.left_out == [("b.parquet", said)]
    alone = read_picture_tables(tmp_path, ["b.parquet"], alone=True)
    assert list(alone.places)[::10] == ["00", "10"]


def test_row_groups_that_are_too_large_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table({"image": [b"x" * 10, b"x" * 10, b"x" * 10_000]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    monkeypatch.setattr(picture_tables, "MAX_GROUP", 5_000)
    found = read_picture_tables(tmp_path, ["a.parquet"], alone=True)
    assert list(found.places) == ["0", "1"]
    ((name, why),) = found.left_out
    assert name == "2"
    assert why == (
        "Its row group holds 0 MB of pictures, and one is read as a whole: write the table again "
        "with row_group_size=1000."
    )
    monkeypatch.setattr(picture_tables, "MAX_ROWS", 2)
    with pytest.raises(ValueError, match=r"a\.parquet has more than 2 rows"):
        read_picture_tables(tmp_path, ["a.parquet"])
    monkeypatch.setattr(picture_tables, "MAX_ROWS", 3)
    assert len(read_picture_tables(tmp_path, ["a.parquet"]).places) == 2


# --- tables beside pictures


def test_of_several_tables_the_one_about_most_pictures_is_taken(tmp_path: Path) -> None:
    contents = {f"{n}.png": picture(n) for n in range(4)}
    tables = {
        "a.csv": b"path,label\n0.png,x\n1.png,y\n",
        "b.csv": b"path,label\n0.png,p\n1.png,q\n2.png,p\n",
        "c.csv": b"name,size\nsomething,7\nelse,8\n",
        "d.csv": b"\xff\xd8\xff",
    }
    found = find_pictures(files(tmp_path, contents | tables))
    assert (found.names, found.classes) == (("0.png", "1.png", "2.png"), ("p", "q"))
    left = dict(found.left_out)
    assert left["a.csv"] == left["c.csv"] == "A table that is not about these pictures."
    assert left["d.csv"].startswith("A table that cannot be read: d.csv is no table of text but")
    assert left["3.png"] == "It has no row in b.csv."
    assert found.notes == ("The labels are those of b.csv.",)
    named = find_pictures(tmp_path / "a.csv")
    assert (named.names, named.classes) == (("0.png", "1.png"), ("x", "y"))
    assert dict(named.left_out)["b.csv"] == "A table that is not about these pictures."


def test_tables_that_are_too_large_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = b"path,label\n0.png,x\n1.png,y\n"
    root = files(tmp_path, {"0.png": picture(0), "1.png": picture(1), "t.csv": table})
    monkeypatch.setattr("dino_core.datasets.tables.MAX_TABLE", len(table))
    assert find_pictures(root).classes == ("x", "y")
    monkeypatch.setattr("dino_core.datasets.tables.MAX_TABLE", len(table) - 1)
    said = "t.csv is larger than 0 MB."
    assert dict(find_pictures(root).left_out)["t.csv"] == f"A table that cannot be read: {said}"
    with pytest.raises(ValueError, match=r"^t\.csv is larger than 0 MB\.$"):
        find_pictures(root / "t.csv")
