"""Labels from CSV, TSV and Parquet, beside the pictures or as the data itself."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_runs import files, picture, zipped

from dino_core.datasets import find_pictures

NAMES = ("1.png", "2.png", "3.png", "4.png")
CLASSES = ("cat", "dog", "cat", "owl")


def csv_of(
    path: str | None = "path", label: str | None = "label", between: str = ",", form: str = "{}"
) -> str:
    rows = [f"{form.format(n)}{between}{c}" for n, c in zip(NAMES, CLASSES, strict=True)]
    return "\n".join([*([f"{path}{between}{label}"] if path else []), *rows, ""])


def with_table(root: Path, table: str | bytes, name: str = "labels.csv", folder: str = "") -> Path:
    data = table.encode() if isinstance(table, str) else table
    return files(root, {f"{folder}{n}": picture(i) for i, n in enumerate(NAMES)} | {name: data})


def check(found) -> None:
    assert [found.classes[label] for label in found.labels] == list(CLASSES)
    assert found.classes == ("cat", "dog", "owl")
    assert "The labels are those of" in found.notes[0]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("path", "label"),
        ("file", "class"),
        ("filename", "target"),
        ("Image", "Category"),
        ("image_name", "class_name"),
        ("image_id", "breed"),
        ("where it is", "what it is"),
        (None, None),
    ],
)
@pytest.mark.parametrize("between", [",", ";", "\t"])
@pytest.mark.parametrize("given_as", ["beside", "data", "zip"])
def test_columns_by_any_name_and_none(tmp_path, path, label, between, given_as):
    table = csv_of(path, label, between)
    root = with_table(tmp_path / "d", table)
    if given_as == "zip":
        contents = {n: picture(i) for i, n in enumerate(NAMES)} | {"labels.csv": table.encode()}
        root = zipped(tmp_path / "z.zip", contents)
    found = find_pictures(root / "labels.csv" if given_as == "data" else root)
    check(found)
    assert found.names == NAMES
    assert found.read(0) == picture(0)


@pytest.mark.parametrize(
    "form", ["./{}", "pictures/{}", "pictures\\{}", "d/pictures/{}", "C:\\old\\{}"]
)
def test_paths_that_nearly_fit_are_found(tmp_path, form):
    check(find_pictures(with_table(tmp_path / "d", csv_of(form=form), folder="pictures/")))


def test_names_without_their_ending(tmp_path):
    table = csv_of("id", "breed").replace(".png", "")
    found = find_pictures(with_table(tmp_path, table, folder="images/"))
    check(found)


@pytest.mark.parametrize("name", ["Labels.CSV", "labels.Tsv"])
@pytest.mark.parametrize("given_as", ["beside", "data"])
def test_a_table_s_ending_in_any_case(tmp_path, name, given_as):
    table = csv_of(between="\t" if name.endswith("Tsv") else ",")
    root = with_table(tmp_path, table, name)
    check(find_pictures(root if given_as == "beside" else root / name))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_tables_of_spreadsheets(tmp_path, encoding):
    table = csv_of(between=";").replace("owl", "Käuzchen").replace("\n", "\r\n").encode(encoding)
    found = find_pictures(with_table(tmp_path, table))
    assert "Käuzchen" in found.classes


def test_parquet(tmp_path):
    root = with_table(tmp_path / "d", "")
    (root / "labels.csv").unlink()
    columns = {"width": [1, 2, 3, 4], "file_name": list(NAMES), "label": list(CLASSES)}
    pq.write_table(pa.table(columns), root / "labels.parquet")
    check(find_pictures(root))
    check(find_pictures(root / "labels.parquet"))
    pq.write_table(pa.table({"scan": [b"x"]}), root / "x.parquet")
    with pytest.raises(ValueError, match="has no column of texts"):
        find_pictures(root / "x.parquet")


def test_a_column_of_splits(tmp_path):
    rows = ["name,diagnosis,split", "1.png,a,train", "2.png,b,Training", "3.png,a,valid",
            "4.png,b,test"]  # fmt: skip
    found = find_pictures(with_table(tmp_path, "\n".join(rows)))
    assert found.splits == ("train", "train", "val", "test")
    assert found.part("train").names == ("1.png", "2.png")
    assert any("2 train, 1 val, 1 test" in note for note in found.notes)


def test_a_table_for_each_split(tmp_path):
    contents = {n: picture(i) for i, n in enumerate(NAMES)}
    contents |= {
        "train.csv": b"file,label\n1.png,a\n2.png,b\n",
        "test.csv": b"file,label\n3.png,a\n",
    }
    found = find_pictures(files(tmp_path, contents))
    assert found.names == NAMES[:3]
    assert found.splits == ("train", "train", "test")
    assert dict(found.left_out)["4.png"] == "It has no row in test.csv and train.csv."


def test_what_does_not_fit_together_is_left_out_and_named(tmp_path):
    rows = ["path,label", "1.png,a", "2.png,b", "gone.png,a", "3.png,", "../../secret.png,b",
            "/etc/hosts,b"]  # fmt: skip
    found = find_pictures(with_table(tmp_path, "\n".join(rows)))
    assert (found.names, found.classes) == (("1.png", "2.png"), ("a", "b"))
    left = dict(found.left_out)
    assert left["gone.png"] == "labels.csv names it, but there is no such picture."
    assert left["3.png"] == "labels.csv has no label for it."
    assert left["4.png"] == "It has no row in labels.csv."
    assert "no such picture" in left["../../secret.png"]
    assert "no such picture" in left["/etc/hosts"]


def test_folders_of_classes_come_before_a_table_and_it_is_said(tmp_path):
    contents = {"cats/1.png": picture(0), "dogs/2.png": picture(1), "labels.csv": csv_of().encode()}
    found = find_pictures(files(tmp_path, contents))
    assert found.classes == ("cats", "dogs")
    assert dict(found.left_out) == {"labels.csv": "A table, but the folders say the classes."}
    by_table = find_pictures(tmp_path / "labels.csv")
    assert by_table.classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("a,b\n11,12\n", "no column of paths"),
        ("", "has no rows"),
        ("path\n1.png\n2.png\n", "no column of paths to pictures beside it and one of labels"),
        (b"PK\x03\x04", "no table of text but a zip"),
        (b"\xff\xd8\xff\xe0", "no table of text but a JPEG"),
    ],
)
def test_a_table_that_is_none_is_said_as_data_and_left_out_beside(tmp_path, table, words):
    root = with_table(tmp_path / "d", table)
    with pytest.raises(ValueError, match=words):
        find_pictures(root / "labels.csv")
    found = find_pictures(root)
    assert (found.labels, len(found)) == (None, 4)
    assert found.left_out[0][0] == "labels.csv"


def test_a_damaged_parquet_is_said(tmp_path):
    root = with_table(tmp_path / "d", b"PAR1 and no more", "labels.parquet")
    with pytest.raises(ValueError, match="no Parquet that can be read"):
        find_pictures(root / "labels.parquet")
    assert len(find_pictures(root)) == 4


def test_the_fingerprint_notices_another_label(tmp_path):
    root = with_table(tmp_path / "d", csv_of())
    before = find_pictures(root).fingerprint
    (root / "labels.csv").write_text(csv_of().replace("1.png,cat", "1.png,dog"))
    assert find_pictures(root).fingerprint != before


def test_of_two_labels_for_a_picture_the_first_is_taken_and_it_is_said(tmp_path):
    contents = {f"{i}.png": picture(i) for i in range(2)}
    table = "path,label\n0.png,cat\n1.png,dog\n0.png,dog\n1.png,dog\n"
    found = find_pictures(files(tmp_path / "data", contents | {"t.csv": table.encode()}))
    assert (found.classes, found.labels) == (("cat", "dog"), (0, 1))
    assert "t.csv has two labels for 0.png: the first is taken." in found.notes
    assert not [note for note in found.notes if "for 1.png" in note], "it has the same one twice"
