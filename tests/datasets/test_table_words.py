"""Small rules on tables and names of classes, value by value."""

from pathlib import Path
from typing import Any

import pytest

from dino_core.datasets import class_names, tables
from dino_core.datasets.tables import Names, Table, labels_from

# --- tables


def test_pictures_by_what_tables_call_them() -> None:
    names = Names(["a/1.png", "b/1.png", "b/2.x.png", "3", "lists/4.png"], "lists/")
    for path, meant in (
        ("a/1.png", "a/1.png"),
        ("./a/1.png", "a/1.png"),
        (" a\\1.png ", "a/1.png"),
        ("1.png", None),
        ("2.x.png", "b/2.x.png"),
        ("2.x", "b/2.x.png"),
        ("2", None),
        ("elsewhere/2.x.png", "b/2.x.png"),
        ("deep/elsewhere/2.x.png", "b/2.x.png"),
        ("3", "3"),
        ("4.png", "lists/4.png"),
        ("", None),
        ("/a/1.png", None),
        ("x/../a/1.png", None),
    ):
        assert names.find(path) == meant, path


def table(header: bool = True, **columns: list[str]) -> Table:
    return Table("t.csv", columns, header)


@pytest.mark.parametrize(
    ("columns", "header", "column"),
    [
        ({"label": ["x"], "class": ["y"]}, True, "label"),
        ({"y": ["x"], "Class-Name": ["y"]}, True, "Class-Name"),
        ({"colour": ["x"]}, True, "colour"),
        ({"colour": ["x"], "size": ["y"]}, True, None),
        ({"colour": ["x"], "Unnamed: 0": ["y"]}, True, "colour"),
        ({"colour": ["x"], "split": ["y"]}, True, "colour"),
        ({"colour": ["x"], "image": ["y"]}, True, "colour"),
        ({"1": ["x"], "2": ["y"]}, False, "1"),
        ({"split": ["x"]}, True, None),
        ({}, True, None),
    ],
)
def test_which_column_holds_the_labels(columns: Any, header: bool, column: str | None) -> None:
    whole = table(header, path=["1.png"], **columns)
    assert tables._label_column(whole, "path") == column


def test_which_column_holds_the_paths() -> None:
    finder = Names([f"{n}.png" for n in range(30)], "")
    good, bad = [f"{n}.png" for n in range(10)], ["x"] * 10
    for columns, column in (
        ({"a": good, "b": bad}, "a"),
        ({"a": good, "path": good}, "path"),
        ({"path": bad, "b": good[:2] + bad[:8]}, "b"),
        ({"b": good[:1] + bad[:9]}, None),
        ({"image": good[:1] + bad[:9]}, "image"),
        ({"path": [], "b": good}, "b"),
        ({"b": ["x"] * 500 + good * 60}, None),
    ):
        assert tables._path_column(table(**columns), finder) == column  # type: ignore[arg-type]


def test_what_a_table_says_of_each_row() -> None:
    rows = {"path": ["1", "1", "2", "x" * 300, "3", "1"], "label": ["a", "b", "", "a", "c", "b"]}
    rows["split"] = ["train", "", "val", "test", "test", ""]
    found = labels_from(table(**rows), ["1.png", "2.png", "3.png"])
    assert found is not None
    assert found.labels == {"1.png": "a", "3.png": "c"}
    assert found.splits == {"1.png": "train", "2.png": "val", "3.png": "test"}
    assert found.left_out == [
        ("2.png", "t.csv has no label for it."),
        ("x" * 200, "t.csv names it, but there is no such picture."),
    ]
    two = "t.csv has two labels for 1.png: the first is taken."
    assert found.notes == [two, two]
    many = table(path=["1"] * 9, label=list("abcdefghi"))
    again = labels_from(many, ["1.png"])
    assert again is not None
    assert again.notes == [two] * 3
    named = labels_from(Table("val.csv", {"p": ["1"], "c": ["a"]}), ["1.png"])
    assert named is not None
    assert named.splits == {"1.png": "val"}


def test_how_a_table_of_text_is_read() -> None:
    for text, columns, header in (
        (b"path,label\n1,a\n\n2,b\n", {"path": ["1", "2"], "label": ["a", "b"]}, True),
        (b"1,a\n2,b\n", {"0": ["1", "2"], "1": ["a", "b"]}, False),
        (b"path,,path\n1, x ,3\n", {"path": ["1"], "#1": ["x"], "path#2": ["3"]}, True),
        (b"path;label\n1;a,b\n", {"path": ["1"], "label": ["a,b"]}, True),
        (b"path|label\n1|a\n", {"path": ["1"], "label": ["a"]}, True),
        (b"1.png cat\n2.png dog\n", {"0": ["1.png", "2.png"], "1": ["cat", "dog"]}, False),
        (b"a b c\n", {"0": ["a b c"]}, False),
        (b"path,label,x\n1\n", {"path": ["1"], "label": [""], "x": [""]}, True),
        (b"pa\0th,label\n1,a\n", {"path": ["1"], "label": ["a"]}, True),
    ):
        found = tables.read_table("t.csv", text)
        assert (found.columns, found.header) == (columns, header), text


def test_tables_that_would_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 1000)
    monkeypatch.setattr(tables, "MAX_CELLS", 3000)
    tables.check_size("t", 1000, 3)
    with pytest.raises(ValueError, match="t has more than 1,000 rows"):
        tables.check_size("t", 1001, 1)
    with pytest.raises(ValueError, match="t has 1,000 rows of 4 columns: write fewer columns"):
        tables.check_size("t", 1000, 4)


# --- names of classes


@pytest.mark.parametrize(
    ("values", "given", "labels", "order", "left"),
    [
        ({"a": "7", "b": "10"}, (), {"a": "7", "b": "10"}, ("7", "10"), {}),
        ({"a": "1", "b": "0"}, ("x", "y"), {"a": "y", "b": "x"}, ("x", "y"), {}),
        ({"a": "1.0", "b": "+0"}, ("x", "y"), {"a": "y", "b": "x"}, ("x", "y"), {}),
        ({"a": "y"}, ("x", "y"), {"a": "y"}, ("y",), {}),
        ({"a": "cat", "b": "ant"}, (), {"a": "cat", "b": "ant"}, ("ant", "cat"), {}),
        ({"a": "0", "b": "-1"}, (), {"a": "0"}, ("0",), {"b": "Its label is -1: it has none."}),
        ({"a": "0", "b": "1", "c": ""}, (), {"a": "0", "b": "1"}, ("0", "1"),
         {"c": "Its label is empty."}),
        (
            {"a": "0", "b": "1", "c": "word"},
            (),
            {"a": "0", "b": "1"},
            ("0", "1"),
            {"c": "Its label is 'word', and those of the others are numbers."},
        ),
        (
            {"a": "0", "b": "1", "c": "2"},
            ("x", "y"),
            {"a": "x", "b": "y"},
            ("x", "y"),
            {"c": "Its label is 2, but there are names for 0 to 1 alone."},
        ),
        ({"a": "5", "b": "6", "c": "0"}, ("x", "y"), {"a": "5", "b": "6", "c": "0"},
         ("0", "5", "6"), {}),
        ({"a": "1", "b": "x"}, (), {"a": "1", "b": "x"}, ("1", "x"), {}),
    ],
)  # fmt: skip
def test_labels_as_they_are_written(
    values: dict[str, str],
    given: tuple[str, ...],
    labels: dict[str, str],
    order: tuple[str, ...],
    left: dict[str, str],
) -> None:
    found = class_names.classes_of(values, given)
    assert (found.labels, found.order, dict(found.left_out)) == (labels, order, left)


def test_what_can_be_the_name_of_a_class() -> None:
    assert class_names.class_name(" cafe\u0301 ") == ("caf\u00e9", "")
    assert class_names.class_name("a" * 200) == ("a" * 200, "")
    assert class_names.class_name("a" * 201)[1].startswith("Its label is longer than 200")
    assert class_names.class_name("a\nb")[1] == "Its label is no text in one line."
    assert class_names._apart(["crane", "dog", " crane"]) == ("crane", "dog", "crane (2)")


@pytest.mark.parametrize(
    ("text", "ending", "names"),
    [
        ("cat\n\n dog \n", ".txt", ("cat", "dog")),
        ("0 cat\n1: dog\n", ".txt", ("cat", "dog")),
        ("1 cat\n2 dog\n", ".txt", ("1 cat", "2 dog")),
        ("0 cat\ndog\n", ".txt", ("0 cat", "dog")),
        ("0 cat\n1 owl\ndog\n", ".txt", ("0 cat", "1 owl", "dog")),
        ("dog\n0 cat\n", ".txt", ("dog", "0 cat")),
        ('["cat", "dog"]', ".json", ("cat", "dog")),
        ('["cat", 1]', ".json", ()),
        ('{"1": "dog", "0": "cat"}', ".json", ("cat", "dog")),
        ('{"dog": 1, "cat": 0}', ".json", ("cat", "dog")),
        ('{"dog": 2, "cat": 0}', ".json", ()),
        ('{"dog": true, "cat": 0}', ".json", ()),
        ('{"1": "dog", "2": "cat"}', ".json", ()),
        ('"cat"', ".json", ()),
    ],
)
def test_files_of_names(text: str, ending: str, names: tuple[str, ...]) -> None:
    assert class_names.read_names(text, ending) == names


def test_names_beside(tmp_path: Path) -> None:
    assert class_names.names_beside(tmp_path) == ((), "")
    (tmp_path / "classes.json").write_text("{")
    (tmp_path / "labels.txt").write_text("\ufeffcat\ndog\n", encoding="utf-8")
    assert class_names.names_beside(tmp_path) == (("cat", "dog"), "labels.txt")
    (tmp_path / "classes.txt").write_text("owl\n")
    assert class_names.names_beside(tmp_path) == (("owl",), "classes.txt")
