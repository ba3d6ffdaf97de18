"""Small rules on names, value by value: splits, what is a picture, folders aside, classes."""

import io
from collections import Counter
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dino_core.datasets import contents, find
from dino_core.datasets.aside import folders_aside, is_aside
from dino_core.datasets.containers import split_of_file
from dino_core.datasets.contents import left_out_sentences, matches, name_objection
from dino_core.datasets.layout import Selection, read_layout
from dino_core.datasets.splits import evaluated_on, split_of, split_sentence, words_of_name
from dino_core.images import MAX_BYTES

# --- splits


def test_words_of_a_name() -> None:
    assert words_of_name("TrainImages-2017") == ["train", "images"]
    assert words_of_name("seg_train2") == ["seg", "train"]
    assert words_of_name("17") == []


@pytest.mark.parametrize(
    ("name", "kind", "rest"),
    [
        *[(name, "train", ()) for name in ("train", "Training", "TRN", "trainings", "trains")],
        *[(name, "val", ()) for name in ("val", "valid", "validation", "dev", "eval", "devel")],
        *[(name, "test", ()) for name in ("test", "Testing", "tst", "hold-out", "HoldOut")],
        *[(name, "test", ()) for name in ("held_out", "holdouts", "heldout")],
        *[(name, "train", ()) for name in ("trainset", "train_images", "TrainData", "train-2017")],
        *[(name, "test", ()) for name in ("testimgs", "test_split", "testsets")],
        ("seg_train", "train", ("seg",)),
        ("train_val", "", ()),
        ("cats", "", ("cats",)),
        ("set", "", ()),
        ("sets", "", ()),
        ("data", "", ()),
        ("retrain", "", ("retrain",)),
        ("", "", ()),
    ],
)
def test_splits_by_name(name: str, kind: str, rest: tuple[str, ...]) -> None:
    assert split_of(name) == (kind, rest)


def test_an_evaluation_beside_a_dev_is_the_test() -> None:
    for kinds, wanted in (
        ({"train": "train", "dev": "val", "eval": "val"}, {"eval": "test"}),
        ({"train": "train", "dev": "val", "evaluation": "val"}, {"evaluation": "test"}),
        ({"train": "train", "eval": "val"}, {}),
        ({"train": "train", "dev": "val", "eval": "val", "test": "test"}, {}),
        ({"train": "train", "dev": "val"}, {}),
    ):
        assert evaluated_on(kinds) == wanted


def test_a_sentence_on_splits() -> None:
    said = split_sentence(Counter(train=1234, val=5))
    assert said == (
        "Divided by its folders: 1,234 train, 5 val. There is no test, so val is tested on."
    )
    assert split_sentence(Counter(test=2, train=1)) == "Divided by its folders: 1 train, 2 test."
    three = split_sentence(Counter(test=2, val=3, train=1))
    assert three == "Divided by its folders: 1 train, 3 val, 2 test."


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("imagenet-train-000012.tar", "train"),
        ("train/000012.tar", "train"),
        ("val/train-1.tar", "train"),
        ("a/test/b/0.tar", "test"),
        ("train-00000-of-00002.parquet", "train"),
        ("validation-00000-of-00001-abcd.parquet", "val"),
        ("data/set-0.tar", ""),
    ],
)
def test_splits_by_the_names_of_files(file: str, kind: str) -> None:
    assert split_of_file(file) == kind


# --- what is a picture, and what is not


def listing_of(*files: tuple[str, int, bytes]) -> contents.Listing:
    found = contents.Listing()
    for name, size, head in files:
        found.add(name, size, lambda head=head: head)
    return found


PNG = b"\x89PNG\r\n\x1a\n"


def test_files_are_sorted_out_by_ending_and_content() -> None:
    found = listing_of(
        ("a.PNG", 5, b""),
        ("b.tar", 2**40, b""),
        ("c.csv", 2**40, b""),
        ("d.png", MAX_BYTES, b""),
        ("e.png", MAX_BYTES + 1, b""),
        ("f.txt", 3, b"words"),
        ("g.txt", 4, PNG),
        ("h", 6, PNG),
        ("i", 7, b"words"),
        ("j.xyz", 8, b"\1\2\3"),
        (".hidden.png", 9, PNG),
        ("__MACOSX/k.png", 9, PNG),
        ("x/Thumbs.db", 9, b""),
        ("./l.png", 10, PNG),
        (".", 10, b"words"),
    )
    pictures = {"a.PNG": 5, "d.png": MAX_BYTES, "g.txt": 4, "h": 6, "./l.png": 10}
    assert found.pictures == pictures
    assert (found.tables, found.shards) == ({"c.csv": 2**40}, {"b.tar": 2**40})
    assert found.left_out == [
        ("e.png", "The file is larger than 100 MB (100 MB)."),
        ("f.txt", "This is a text file, no picture."),
        ("i", "This is a text file."),
        ("j.xyz", "This is no picture of a kind that is read."),
        (".", "This is a text file."),
    ]


def test_a_file_that_cannot_be_looked_into() -> None:
    def fail(error: Exception) -> Any:
        def head() -> bytes:
            raise error

        return head

    found = contents.Listing()
    found.add("a", 1, fail(OSError(5, "Input/output error")))
    found.add("b", 1, fail(ValueError("It is locked.")))
    found.add("c.txt", 1, fail(OSError(5, "Input/output error")))
    assert found.left_out == [
        ("a", "The file cannot be read: Input/output error."),
        ("b", "The file cannot be read: It is locked."),
        ("c.txt", "This is a text file, no picture."),
    ]


def test_a_thousand_of_an_ending_are_looked_into() -> None:
    found = contents.Listing()
    for number in range(1002):
        found.add(f"{number}.txt", 1, lambda: PNG)
    found.add("0.md", 1, lambda: PNG)
    assert len(found.pictures) == 1001
    assert [name for name, _ in found.left_out] == ["1000.txt", "1001.txt"]


def test_names_that_are_taken_from_zips_and_tars() -> None:
    outside, none = "Its name leads outside.", "Its name is none that a file may have."
    for name, said in (
        ("a/b.png", ""),
        ("a..b/c", ""),
        ("/a", outside),
        ("a/../b", outside),
        ("..", outside),
        ("C:x", outside),
        ("c:/x", outside),
        ("cc:/x", ""),
        ("", none),
        ("a\nb", none),
        ("a" * 255, ""),
        ("a" * 256, none),
        ("/".join(["a" * 255] * 16), ""),
        ("/".join(["a" * 255] * 16) + "/a", none),
    ):
        assert name_objection(name) == said, name[:20]


@pytest.mark.parametrize(
    ("name", "patterns", "fits"),
    [
        ("a/masks/1.png", ("masks",), True),
        ("a/masks/1.png", ("MASKS/",), True),
        ("a/masks/1.png", ("./a/masks",), True),
        ("a/masks/1.png", ("a\\masks",), True),
        ("a/masks/1.png", ("*.png",), True),
        ("a/masks/1.png", ("a/masks/1.png",), True),
        ("a/masks/1.png", ("masks/1.png",), False),
        ("a/masks/1.png", ("mask",), False),
        ("a/masks/1.png", (), False),
        ("a/masks/1.png", ("x", "a"), True),
    ],
)
def test_patterns_of_names(name: str, patterns: tuple[str, ...], fits: bool) -> None:
    assert matches(name, patterns) is fits


def test_sentences_on_what_is_left_out() -> None:
    left = [(f"{n}.txt", "Words.") for n in range(4)] + [("x", "Odd.")]
    left += [(f"{n}.md", "More.") for n in range(1200)]
    assert left_out_sentences(left) == [
        "1,200 files were left out (0.md, 1.md, 2.md, ...): More.",
        "4 files were left out (0.txt, 1.txt, 2.txt, ...): Words.",
        "1 file was left out (x): Odd.",
    ]
    assert left_out_sentences(left[:3]) == ["3 files were left out (0.txt, 1.txt, 2.txt): Words."]
    assert left_out_sentences(left[:2], 1) == ["2 files were left out (0.txt, ...): Words."]


# --- folders that are no classes


def png(colours: int, side: int = 8) -> bytes:
    values = (np.arange(side * side) % colours).astype(np.uint8).reshape(side, side)
    file = io.BytesIO()
    Image.fromarray(np.stack([values * 9, values, values], 2)).save(file, "PNG")
    return file.getvalue()


def test_masks_have_few_colours_and_pixels_enough_to_say_so() -> None:
    pictures = {"few": png(16), "many": png(17), "small": png(2, 7), "tiny": png(2, 8)}
    are_masks = find._mask_test(pictures.__getitem__, False)
    assert are_masks(["few", "tiny"])
    assert not are_masks(["few", "many"])
    assert not are_masks(["small"])
    assert not are_masks([])
    broken = find._mask_test(lambda _: b"none", False)
    assert not broken(["x"])


@pytest.mark.parametrize(
    ("folder", "others", "masks", "aside"),
    [
        ("masks", ["images"], (), True),
        ("masks_png", ["images"], (), True),
        ("png", ["images"], (), False),
        ("masks", ["no_masks"], (), False),
        ("mask", ["images"], ("mask",), True),
        ("mask", ["images"], (), False),
        ("mask", ["images"], ("mask", "images"), False),
        ("mask", [], ("mask",), False),
        ("cats", ["dogs"], ("cats",), False),
        ("dog_mask", ["dogs"], ("dog_mask",), True),
        ("mask", [str(n) for n in range(49)], ("mask",), True),
        ("mask", [str(n) for n in range(50)], ("mask",), False),
        ("Bounding_Boxes", ["x"], (), True),
    ],
)
def test_folders_aside(folder: str, others: list[str], masks: Any, aside: bool) -> None:
    folders = {name: [f"{name}/{name}{n}.png" for n in range(5)] for name in [folder, *others]}
    asked: list[Any] = []

    def are_masks(names: Any) -> bool:
        asked.append(names)
        return names[0].split("/")[0] in masks

    assert is_aside(folder, folders, are_masks) is aside
    assert all(len(names) == 3 for names in asked)


def test_a_mask_for_each_picture_is_known_by_its_name() -> None:
    folders = {"a": ["a/1.jpg", "a/2.jpg", "a/3.jpg"], "b": ["b/1_mask.png", "b/2-seg.png"]}

    def flat(names: Any) -> bool:
        return str(names[0]).startswith("b/")

    assert is_aside("b", folders, flat)
    assert not is_aside("a", folders, lambda names: not flat(names))
    assert not is_aside("b", folders | {"b": ["b/1_mask.png"]}, flat), "one alone is chance"
    assert not is_aside("b", folders | {"b": ["b/1_mask.png", "b/9.png"]}, flat)


def test_folders_passed_over_are_counted() -> None:
    said = "A folder called {} is not taken for pictures of a class; include it to."
    left = [("a/1", said.format("a")), ("a/2", said.format("a")), ("b\n/1", said.format("b\n"))]
    assert folders_aside([*left, ("c", "Another reason.")]) == {"a": 2, "b\n": 1}


@pytest.mark.parametrize(
    ("names", "notes", "classes"),
    [
        (
            ["train/Cats/1.png", "train/dogs/1.png", "test/cats/1.png", "test/cats/2.png"],
            ["Cats and cats were taken for one class, cats."],
            {"cats", "dogs"},
        ),
        (
            ["train/cats/1.png", "train/dogs/1.png", "test/cats/1.png"],
            [],
            {"cats", "dogs"},
        ),
        (
            ["train/Cats/1.png", "train/cats/1.png", "test/cats/1.png"],
            [],
            {"Cats", "cats"},
        ),
        (
            ["train/caf\u00e9/1.png", "train/x/1.png", "test/cafe\u0301/1.png"],
            [],
            {"caf\u00e9", "x"},
        ),
    ],
)
def test_one_class_in_two_spellings(names: list[str], notes: list[str], classes: set[str]) -> None:
    found = read_layout(names, Selection())
    assert [note for note in found.notes if "one class" in note] == notes
    assert set(found.labels.values()) == classes
    assert len(found.labels) == len(names)
