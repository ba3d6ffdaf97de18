"""datasets/class_names.py: labels as they are written, and the files that name them."""

from pathlib import Path

import pytest

from dino_core.datasets import class_names as module
from dino_core.datasets.class_names import classes_of, names_beside, read_names


def test_a_number_among_names_is_a_name() -> None:
    found = classes_of({"a": "cat", "b": "dog", "c": "7", "d": "cat"})
    assert (found.order, found.left_out) == (("7", "cat", "dog"), [])


def test_a_name_among_numbers_is_left_out_and_numbers_stand_by_their_value() -> None:
    found = classes_of({"a": "10", "b": "9", "c": "9.0", "d": "cat", "e": "-1"})
    assert found.order == ("9", "10")
    assert found.labels == {"a": "10", "b": "9", "c": "9"}
    assert [name for name, _ in found.left_out] == ["d", "e"]


def test_numbers_are_those_of_the_names_that_are_given() -> None:
    given = ("crane", " dog ", "crane\n")  # ImageNet has two kinds of it
    found = classes_of({"a": "2", "b": "0", "c": "1", "d": "3", "e": "1"}, given)
    assert found.order == ("crane", "dog", "crane (2)")
    assert found.labels["a"] == "crane (2)"
    assert found.left_out == [("d", "Its label is 3, but there are names for 0 to 2 alone.")]


@pytest.mark.parametrize(
    ("text", "ending", "names"),
    [
        ("cat\ndog\n\n", ".txt", ("cat", "dog")),
        ("0 cat\n1: big dog", ".txt", ("cat", "big dog")),
        ("1 cat\n2 dog", ".txt", ("1 cat", "2 dog")),
        ('["cat", "dog"]', ".json", ("cat", "dog")),
        ('{"10": "k", "2": "c"}', ".json", ()),  # some are missing
        (str({str(i): f"n{i}" for i in range(11)}).replace("'", '"'), ".json",
         tuple(f"n{i}" for i in range(11))),
        ('{"dog": 1, "cat": 0}', ".json", ("cat", "dog")),
        ('{"cat": true}', ".json", ()),
    ],
)  # fmt: skip
def test_names_in_a_file(text: str, ending: str, names: tuple[str, ...]) -> None:
    assert read_names(text, ending) == names


def test_the_first_file_that_has_names_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "classes.txt").write_text("")
    (tmp_path / "classes.json").write_text("{")
    (tmp_path / "names.txt").write_bytes(b"\xef\xbb\xbfcat\ndog\n")  # as Windows writes it
    assert names_beside(tmp_path) == (("cat", "dog"), "names.txt")
    monkeypatch.setattr(module, "MAX_BYTES", 3)
    assert names_beside(tmp_path) == ((), "")
