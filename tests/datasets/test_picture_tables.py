"""Parquet with pictures inside, as Hugging Face keeps them; damaged ones in words."""

import pickle

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from sharded import picture_table
from tiny_runs import coloured, files, picture

from dino_core.datasets import find_pictures, picture_tables, places

CLASSES = ("zebra", "ape", "bee")
PICTURES = [picture(i) for i in range(7)]
LABELS = [0, 1, 2, 0, 1, 2, 0]


def test_a_table_is_the_folder_that_it_was_made_of(tmp_path):
    contents = coloured(3)
    names = sorted(contents)
    folder = find_pictures(files(tmp_path / "folder", contents))
    table = picture_table(
        tmp_path / "t.parquet", [contents[n] for n in names], folder.labels, folder.classes, group=4
    )
    found = find_pictures(table)
    assert (found.labels, found.classes) == (folder.labels, folder.classes)
    assert [found.read(i) for i in range(9)] == [folder.read(i) for i in range(9)]
    assert found.names[7] == "7/7.png"


def test_names_and_splits_of_hugging_face(tmp_path):
    for part in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"):
        picture_table(tmp_path / "data" / f"{part}.parquet", PICTURES, LABELS, CLASSES)
    (tmp_path / "README.md").write_text("# A set")
    found = find_pictures(tmp_path)
    assert found.classes == CLASSES  # label 1 stays 1: in the order of the schema, not by name
    assert found.labels == tuple(LABELS * 3)
    assert found.splits == ("test",) * 7 + ("train",) * 14
    assert found.names[0] == "data/test-00000-of-00001.parquet/0/0.png"
    assert found.part("train").read(8) == PICTURES[1]
    only = find_pictures(tmp_path / "data" / "train-{00000..00001}-of-00002.parquet")
    assert (len(only), only.splits) == (14, None)


@pytest.mark.parametrize("name", ["image", "img", "jpg", "bytes"])
@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_bytes_alone_and_labels_of_text(tmp_path, name, kind):
    columns = {name: pa.array(PICTURES, kind), "category": [f"c{i % 2}" for i in range(7)]}
    columns["split"] = ["train"] * 4 + ["validation"] * 3
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = find_pictures(tmp_path / "t.parquet")
    assert found.classes == ("c0", "c1")
    assert found.labels == (0, 1, 0, 1, 0, 1, 0)
    assert found.splits == ("train",) * 4 + ("val",) * 3
    assert found.names[2] == "2"
    some = pickle.loads(pickle.dumps(found)).subset([6, 1])
    assert [some.read(0), some.read(1)] == [PICTURES[6], PICTURES[1]]


@pytest.mark.parametrize(("labels", "expected"), [([None] * 7, None), ([-1] * 7, None)])
def test_a_test_part_without_labels(tmp_path, labels, expected):
    found = find_pictures(picture_table(tmp_path / "t.parquet", PICTURES, labels, CLASSES))
    assert (len(found), found.labels) == (7, expected)


def test_rows_that_are_none(tmp_path):
    """A row without bytes and one of junk are met when they are read, as broken files are."""
    rows = [*PICTURES[:3], None, b"junk"]
    found = find_pictures(picture_table(tmp_path / "t.parquet", rows, [0, 9, None, 1, 1], CLASSES))
    assert dict(found.left_out) == {
        "1/1.png": "Its label is 9, but there are names for 0 to 2 alone.",
        "2/2.png": "Its label is empty.",
    }
    assert found.read(0) == PICTURES[0]
    with pytest.raises(ValueError, match="no bytes"):
        found.read(1)
    with pytest.raises(ValueError, match="a picture is wanted"):
        found.picture(2)


def test_any_order_with_one_row_group_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "KEPT_BYTES", 1)
    found = find_pictures(picture_table(tmp_path / "t.parquet", PICTURES, LABELS, group=2))
    for i in (6, 0, 5, 1, 1, 4, 3, 2):
        assert found.read(i) == PICTURES[i]
        assert found.places is not None
        groups = found.places._groups
        assert groups._bytes == sum(values.nbytes for values in groups._kept.values())
        assert len(groups._kept) == 1


def test_row_groups_that_are_too_large_are_left_out(tmp_path, monkeypatch):
    path = picture_table(tmp_path / "t.parquet", PICTURES, group=4)
    larger = parquet.ParquetFile(path).metadata.row_group(0).column(0).total_uncompressed_size
    monkeypatch.setattr(picture_tables, "MAX_GROUP", larger - 1)
    found = find_pictures(path)
    assert [found.read(i) for i in range(3)] == PICTURES[4:]
    assert len(found.left_out) == 4
    assert all("row_group_size=1000" in why for _, why in found.left_out)


def test_damaged_tables(tmp_path):
    whole = picture_table(tmp_path / "a.parquet", PICTURES, LABELS, CLASSES).read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:-100])
    found = find_pictures(tmp_path / "{a,b}.parquet")
    assert len(found) == 7
    assert found.left_out[0][0] == "b.parquet"
    assert "no Parquet that can be read" in found.left_out[0][1]
    at = whole.index(PICTURES[0][:8])
    (tmp_path / "c.parquet").write_bytes(whole[: at - 8] + bytes(900) + whole[at + 892 :])
    torn = find_pictures(tmp_path / "c.parquet")
    with pytest.raises(ValueError, match=r"\.$"):  # a sentence
        torn.picture(0)


@pytest.mark.parametrize(
    "metadata", [b"junk", b"[]", b"{}", b'{"info": {"features": {"label": 3}}}', b"\xff"]
)
def test_metadata_of_any_shape(tmp_path, metadata):
    path = picture_table(tmp_path / "t.parquet", PICTURES, LABELS, CLASSES)
    table = parquet.read_table(path).replace_schema_metadata({b"huggingface": metadata})
    parquet.write_table(table, path)
    assert find_pictures(path).classes == ("0", "1", "2")


def test_texts_of_other_letters(tmp_path):
    """Labels that are no Unicode: the table says so, and no traceback does."""
    labels = pa.array([b"caf\xe9"] * 7, pa.binary()).view(pa.string())
    parquet.write_table(pa.table({"image": PICTURES, "label": labels}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"The column label cannot be read .*\.$"):
        find_pictures(tmp_path / "t.parquet")


def test_a_table_of_thumbnails_beside_the_pictures_is_no_set(tmp_path):
    files(tmp_path, coloured(2))
    picture_table(tmp_path / "features.parquet", [picture(i, side=90) for i in range(6)])
    found = find_pictures(tmp_path)
    assert (len(found), found.classes) == (6, ("blue", "green", "red"))
    assert [name for name, _ in found.left_out] == ["features.parquet"]


def test_a_preview_beside_a_table_is_no_folder_of_pictures(tmp_path):
    picture_table(tmp_path / "data" / "train-0.parquet", PICTURES, LABELS, CLASSES)
    files(tmp_path, {"preview.png": picture(0, side=300), "README.md": b"#"})
    found = find_pictures(tmp_path)
    assert len(found) == 7
    assert {name for name, _ in found.left_out} == {"README.md", "preview.png"}


def test_a_table_of_paths_is_what_it_was(tmp_path):
    contents = coloured(2)
    files(tmp_path, contents)
    names = sorted(contents)
    table = {"path": names, "label": [name.split("/")[0] for name in names]}
    parquet.write_table(pa.table(table), tmp_path / "labels.parquet")
    found = find_pictures(tmp_path / "labels.parquet")
    assert (len(found), found.classes) == (6, ("blue", "green", "red"))


def test_of_two_columns_of_splits_the_first_counts(tmp_path):
    columns = {"image": PICTURES, "split": ["train"] * 4 + ["test"] * 3, "fold": ["val"] * 7}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    assert find_pictures(tmp_path / "t.parquet").splits == ("train",) * 4 + ("test",) * 3


def test_tables_with_their_pictures_in_other_columns_are_not_one_set(tmp_path):
    """All are read from one column: the others are named, not read from where nothing is."""
    for name, column in (("a", "image"), ("b", "img"), ("c", "image")):
        parquet.write_table(pa.table({column: PICTURES}), tmp_path / f"{name}.parquet")
    found = find_pictures(tmp_path)
    assert len(found) == 14
    ((name, why),) = found.left_out
    assert name == "b.parquet"
    assert why == "Its pictures are in img, and those of the others in image."
    assert found.read(13) == PICTURES[6]
