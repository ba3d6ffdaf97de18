"""Which pictures of a zip are taken: what is passed over is named, and can be taken."""

from pathlib import Path

import pytest
from tiny_runs import picture, zipped

from dino_core.scenes.zips import PictureChoice, contents


def pets(path: Path, *more: str) -> Path:
    names = ["cats/1.png", "cats/2.png", "dogs/3.png", *more]
    return zipped(path / "pets.zip", {name: picture(i) for i, name in enumerate(names)})


@pytest.mark.parametrize("folder", ["masks", "annotations", "Thumbnails", "ground_truth"])
def test_a_folder_that_was_passed_over_is_named_and_can_be_taken(
    tmp_path: Path, folder: str
) -> None:
    path = pets(tmp_path, f"{folder}/1.png", f"{folder}/2.png")
    found = contents(path)
    assert found["aside"] == {folder: 2}
    assert found["classes"] == {"cats": 2, "dogs": 1}
    assert found["choice"] == {"include": [], "exclude": [], "stretch": False}
    taken = contents(path, PictureChoice(include=(folder,)))
    assert taken["aside"] == {}
    assert taken["classes"] == {"cats": 2, "dogs": 1, folder: 2}
    assert taken["choice"]["include"] == [folder]


def test_several_folders_are_counted_one_by_one(tmp_path: Path) -> None:
    path = pets(tmp_path, "masks/1.png", "labels/1.png", "labels/2.png", "labels/3.png")
    assert contents(path)["aside"] == {"masks": 1, "labels": 3}
    assert contents(path, PictureChoice(include=("masks",)))["aside"] == {"labels": 3}


def test_what_is_left_out_as_asked_is_no_folder_passed_over(tmp_path: Path) -> None:
    path = pets(tmp_path, "birds/1.png")
    found = contents(path, PictureChoice(exclude=("birds", "cats/2*")))
    assert (found["classes"], found["aside"], found["left_out"]) == ({"cats": 1, "dogs": 1}, {}, 2)


@pytest.mark.parametrize(
    "values",
    [
        {"include": "masks"},
        {"include": [1]},
        {"include": [""]},
        {"exclude": ["x" * 201]},
        {"exclude": ["x"] * 51},
        {"exclude": {"a": 1}},
        {"stretch": "yes"},
        {"stretch": None},
    ],
)
def test_what_a_page_sends_is_looked_at(values: dict) -> None:
    with pytest.raises(ValueError, match=r"[.]$"):
        PictureChoice.of(values)


def test_a_choice_from_a_page(tmp_path: Path) -> None:
    choice = PictureChoice.of({"include": ["masks"], "exclude": ["*.bmp"], "stretch": True})
    assert choice == PictureChoice(("masks",), ("*.bmp",), stretch=True)
    assert PictureChoice.of({}) == PictureChoice()
