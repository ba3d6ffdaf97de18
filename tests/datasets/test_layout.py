"""What folders say: classes, splits, what is no class, and what lies beside."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_runs import files, picture

from dino_core.datasets import Pictures, find_pictures
from dino_core.datasets.aside import is_aside
from dino_core.datasets.splits import evaluated_on, split_of


def found_in(root: Path, names: list[str], **selection: tuple[str, ...]) -> Pictures:
    return find_pictures(files(root, {n: picture(i) for i, n in enumerate(names)}), **selection)


def seen_as(found: Pictures) -> dict[str, tuple[str, str]]:
    """name -> (class, split), each empty where nothing is said."""
    labels = found.labels or [-1] * len(found)
    splits = found.splits or [""] * len(found)
    return {
        name: (found.classes[label] if label >= 0 else "", split)
        for name, label, split in zip(found.names, labels, splits, strict=True)
    }


@pytest.mark.parametrize(
    ("names", "labels", "classes", "splits"),
    [
        (["1.png", "2.png"], None, (), None),
        (["around/1.png", "around/2.png"], None, (), None),
        (["all/cat/1.png", "all/dog/1.png"], (0, 1), ("cat", "dog"), None),
        (["train/cat/1.png", "train/dog/1.png"], (0, 1), ("cat", "dog"), None),
        (["train/1.png", "test/1.png"], None, (), ("test", "train")),
        (
            ["train/cat/1.png", "train/dog/1.png", "val/cat/1.png"],
            (0, 1, 0),
            ("cat", "dog"),
            ("train", "train", "val"),
        ),
        (["data/Test/x/1.png", "data/Train/y/1.png"], (0, 1), ("x", "y"), ("test", "train")),
    ],
)
def test_labels_and_splits_come_from_the_folders(tmp_path, names, labels, classes, splits):
    found = found_in(tmp_path, names)
    assert (found.labels, found.classes, found.splits) == (labels, classes, splits)


# --- splits


@pytest.mark.parametrize(
    ("train", "other", "kind"),
    [
        ("Training", "Testing", "test"),
        ("TRAIN", "TEST", "test"),
        ("trains", "tests", "test"),
        ("train", "valid", "val"),
        ("Train", "Val", "val"),
        ("training", "Validation", "val"),
        ("train", "dev", "val"),
        ("train", "eval", "val"),
        ("train", "holdout", "test"),
        ("train", "hold_out", "test"),
        ("train_set", "test_set", "test"),
        ("TrainImages", "TestImages", "test"),
        ("training-data", "testing-data", "test"),
        ("train2017", "val2017", "val"),
        ("seg_train", "seg_test", "test"),
        ("trainset", "testset", "test"),
    ],
)
@pytest.mark.parametrize("around", ["", "dataset/", "a/b/"])
@pytest.mark.parametrize("again", [False, True])
def test_splits_by_whatever_name_are_no_classes(tmp_path, train, other, kind, around, again):
    names = [
        f"{around}{folder}/{f'{folder}/' if again else ''}{cls}/{i}.png"
        for folder in (train, other)
        for cls in ("cats", "dogs")
        for i in range(2)
    ]
    found = found_in(tmp_path, names)
    assert found.classes == ("cats", "dogs")
    wanted = {n: n.split("/")[-2] for n in names}
    assert {n: cls for n, (cls, _) in seen_as(found).items()} == wanted
    assert set(found.splits) == {"train", kind}
    for name, (_, split) in seen_as(found).items():
        assert split == ("train" if f"{train}/" in name else kind)
    assert found.left_out == ()
    assert any(note.startswith("Divided by its folders: 4 train, 4 ") for note in found.notes)


def test_three_splits_stay_three_and_what_is_used_for_what_is_said(tmp_path):
    names = [f"{s}/{c}/{i}.png" for s in ("train", "val", "test") for c in "ab" for i in range(2)]
    found = found_in(tmp_path / "three", names)
    assert [len(found.part(split)) for split in ("train", "val", "test")] == [4, 4, 4]
    assert "Divided by its folders: 4 train, 4 val, 4 test." in found.notes
    two = found_in(tmp_path / "two", [name for name in names if not name.startswith("test")])
    assert [len(two.part(split)) for split in ("train", "val", "test")] == [4, 0, 4]
    assert {name.split("/")[0] for name in two.part("test").names} == {"val"}
    assert "There is no test, so val is tested on." in two.notes[0]


def test_without_a_train_there_is_nothing_to_learn_from(tmp_path):
    found = found_in(tmp_path, [f"{s}/{c}/1.png" for s in ("val", "test") for c in "ab"])
    assert len(found.part("test")) == 2
    with pytest.raises(ValueError, match="folders for test and val, but none for train"):
        found.part("train")


def test_two_folders_of_one_split_are_put_together_and_it_is_said(tmp_path):
    names = [f"{s}/{c}/1.png" for s in ("train", "val", "valid") for c in "ab"]
    found = found_in(tmp_path, names)
    assert len(found.part("test")) == 4
    assert "val and valid were put together as val." in found.notes


@pytest.mark.parametrize(
    "classes",
    [
        ("train", "bus", "car"),
        ("train", "plane"),
        ("test", "control"),
        ("valid", "invalid"),
        ("train_station", "test_tube"),
        ("dev", "ops", "qa"),
        ("training shoes", "boots"),
    ],
)
def test_classes_that_are_called_like_a_split_are_classes(tmp_path, classes):
    found = found_in(tmp_path, [f"{c}/{i}.png" for c in classes for i in range(2)])
    assert found.classes == tuple(sorted(classes))
    assert found.splits is None


def test_splits_inside_of_classes(tmp_path):
    names = [f"{c}/{s}/{i}.png" for c in ("cats", "dogs") for s in ("Train", "Test") for i in "12"]
    found = found_in(tmp_path, names)
    assert found.classes == ("cats", "dogs")
    assert [len(found.part(split)) for split in ("train", "test")] == [4, 4]


def test_a_folder_beside_the_splits_is_left_out_and_named(tmp_path):
    names = [f"{s}/{c}/1.png" for s in ("train", "test") for c in "ab"]
    found = found_in(tmp_path, [*names, "pred/1.png", "pred/2.png", "chest/train/a/1.png", "x.png"])
    assert found.names == tuple(sorted(names))
    assert dict(found.left_out) == {
        "pred/1.png": "Its folder pred is neither train, val nor test.",
        "pred/2.png": "Its folder pred is neither train, val nor test.",
        "chest/train/a/1.png": "Its folder chest is neither train, val nor test.",
        "x.png": "It lies beside the folders of the splits.",
    }


def test_a_test_without_classes_does_not_take_the_labels_of_train(tmp_path):
    """As competitions are handed out: what is to be guessed lies in one heap."""
    names = [f"train/{c}/{i}.png" for c in ("cat", "dog") for i in range(3)]
    found = found_in(tmp_path, [*names, *(f"test/{i}.png" for i in range(20))])
    assert (found.classes, len(found), found.splits) == (("cat", "dog"), 6, None)
    assert len(found.left_out) == 20
    assert found.left_out[0][1] == "It lies in test, in no class's folder."


def test_one_class_in_every_split_is_still_a_class(tmp_path):
    found = found_in(tmp_path, ["train/cats/1.png", "train/dogs/1.png", "test/cats/1.png"])
    assert found.part("test").labels == (0,)
    assert found.classes == ("cats", "dogs")


def test_folders_that_say_only_pictures_are_no_classes(tmp_path):
    found = found_in(tmp_path, ["train/images/1.png", "train/images/2.png", "val/images/3.png"])
    assert (found.labels, set(found.splits)) == (None, {"train", "val"})
    found = found_in(tmp_path / "b", ["images/train/1.png", "images/val/2.png"])
    assert (found.labels, set(found.splits)) == (None, {"train", "val"})


def test_one_class_in_two_spellings_is_one(tmp_path):
    names = ["train/Cats/1.png", "train/Cats/2.png", "train/dog/1.png", "test/cats/1.png"]
    found = found_in(tmp_path, [*names, "test/dog/1.png"])
    assert found.classes == ("Cats", "dog")
    assert "Cats and cats were taken for one class, Cats." in found.notes
    apart = found_in(tmp_path / "b", ["train/A/1.png", "train/a/1.png", "test/a/1.png"])
    assert apart.classes == ("A", "a")  # both are there at once: two classes


def test_letters_and_accents_apart_are_the_same_class(tmp_path):
    found = found_in(tmp_path, ["train/cafe\u0301/1.png", "train/x/1.png", "test/caf\u00e9/1.png"])
    assert found.classes == ("caf\u00e9", "x")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("train", "train"), ("2_Test", "test"), ("contest", ""), ("restraint", ""), ("values", "")],
)
def test_only_whole_words_are_splits(name, kind):
    assert split_of(name)[0] == kind


# --- strays


@pytest.mark.parametrize("around", ["", "data/"])
def test_a_stray_picture_is_left_out_and_the_labels_stay(tmp_path, around):
    names = [f"{around}{c}/{i}.png" for c in ("a", "b", "c") for i in range(3)]
    found = found_in(tmp_path, [*names, f"{around}overview.png", "top.png"])
    assert found.classes == ("a", "b", "c")
    assert found.names == tuple(sorted(names))
    assert {name for name, _ in found.left_out} == {f"{around}overview.png", "top.png"}
    assert all(why == "It lies beside the folders of the classes." for _, why in found.left_out)


def test_where_most_of_a_split_lie_loose_all_of_it_is_kept_without_classes(tmp_path):
    names = ["train/1.png", "train/2.png", "train/a/3.png", "test/4.png", "test/b/5.png"]
    found = found_in(tmp_path, names)
    assert (found.labels, found.left_out) == (None, ())
    assert seen_as(found) == {name: ("", name.split("/")[0]) for name in names}


def test_where_most_lie_loose_the_folders_are_no_classes(tmp_path):
    """The heap of a camera with two small folders in it: nothing is lost."""
    found = found_in(tmp_path, [f"{i}.png" for i in range(6)] + ["a/1.png", "b/1.png"])
    assert (len(found), found.labels, found.left_out) == (8, None, ())
    assert "not taken for classes: a, b" in found.notes[0]


def test_without_labels_nothing_is_left_out(tmp_path):
    found = found_in(tmp_path, ["holiday/1.png", "holiday/2.png", "cover.png"])
    assert (len(found), found.labels, found.left_out) == (3, None, ())


# --- no classes


@pytest.mark.parametrize(
    ("parts", "splits"),
    [
        (("train", "dev", "evaluation"), {"train", "val", "test"}),
        (("Train_set", "Valid_set", "Eval_set"), {"train", "val", "test"}),
        (("train", "eval"), {"train", "val"}),
        (("train", "eval", "test"), {"train", "val", "test"}),
        (("train", "val", "eval", "test"), {"train", "val", "test"}),
    ],
)
def test_three_parts_stay_three_whatever_the_third_is_called(tmp_path, parts, splits):
    found = found_in(tmp_path, [f"{part}/{c}/1.png" for part in parts for c in ("a", "b")])
    assert set(found.splits) == splits
    assert found.classes == ("a", "b")


@pytest.mark.parametrize("folder", ["annotations_png", "masks-jpg", "labels_yolo", "Thumbs_PNG"])
def test_how_files_are_written_does_not_make_a_class_of_masks(tmp_path, folder):
    names = [f"{part}/{c}/1.png" for part in ("images", folder) for c in ("a", "b")]
    assert found_in(tmp_path, names).classes == ("a", "b")


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (["1.png", "2.png", "thumbs/1.png", "thumbs/2.png"], {"thumbs/1.png", "thumbs/2.png"}),
        (["1.png", "gt/1.png", "Masks/1.png"], {"gt/1.png", "Masks/1.png"}),
        (["train/1.png", "train/masks/1.png", "test/2.png"], {"train/masks/1.png"}),
        (["cover.png", "previews/1.png", "previews/2.png"], set()),  # most are there
        (["thumbs/1.png", "thumbs/2.png"], set()),
        (["1.png", "cats/1.png"], set()),
    ],
)
def test_thumbnails_beside_the_pictures_are_no_pictures_of_the_set(tmp_path, names, left):
    found = found_in(tmp_path, names)
    assert set(dict(found.left_out)) == left
    assert set(found.names) == set(names) - left
    everything = found_in(tmp_path / "all", names, include=("**/thumbs", "thumbs"))
    assert len(everything) == len(names) - len(left - {"thumbs/1.png", "thumbs/2.png"})


@pytest.mark.parametrize(
    "folder", ["annotations", "Masks", "labels", "thumbs", "Thumbnails", "SegmentationClass", "gt"]
)
def test_folders_of_masks_and_annotations_are_no_classes(tmp_path, folder):
    names = [f"{c}/{i}.png" for c in ("cats", "dogs") for i in range(3)]
    found = found_in(tmp_path, [*names, *(f"{folder}/{i}.png" for i in range(3))])
    assert found.classes == ("cats", "dogs")
    assert len(found.left_out) == 3
    assert f"called {folder} is not taken for pictures of a class; include it" in found.summary()[0]
    taken = find_pictures(tmp_path, include=[folder])
    assert taken.classes == tuple(sorted(["cats", "dogs", folder]))
    assert taken.left_out == ()


def test_inside_of_splits_as_well(tmp_path):
    names = [f"{s}/{c}/{i}.png" for s in ("train", "val") for c in ("a", "b") for i in range(2)]
    found = found_in(tmp_path, [*names, "train/masks/0.png", "val/masks/0.png"])
    assert found.classes == ("a", "b")
    assert len(found.left_out) == 2
    taken = find_pictures(tmp_path, include=["train/masks"])
    assert taken.classes == ("a", "b", "masks")


def test_pictures_and_their_masks(tmp_path):
    found = found_in(tmp_path, ["images/1.png", "images/2.png", "masks/1.png", "masks/2.png"])
    assert (len(found), found.labels) == (2, None)


@pytest.mark.parametrize(
    "classes",
    [("mask", "no_mask"), ("with mask", "without mask"), ("mask", "helmet", "gloves"), ("masks",
     "no masks", "half masks"), ("label", "box")],
)  # fmt: skip
def test_classes_that_are_called_so_are_classes(tmp_path, classes):
    found = found_in(tmp_path, [f"{c}/{i}.png" for c in classes for i in range(3)])
    assert found.classes == tuple(sorted(classes))


def flat(seed: int) -> bytes:
    """Four classes in flat colours, as of a segmentation."""
    pixels = np.zeros((24, 20, 3), np.uint8)
    pixels[seed:12, 4:] = (120, 30, 30)
    pixels[15:] = (30, 120, 30)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("folder", ["mask", "seg", "painted", "car_masks"])
def test_masks_are_known_by_their_pixels_where_the_name_leaves_it_open(tmp_path, folder):
    contents: dict[str, bytes] = {}
    for i in range(4):
        contents |= {f"cats/{i}.png": picture(i), f"dogs/{i}.png": picture(9 + i)}
        contents[f"{folder}/{i}.png"] = flat(i)
    found = find_pictures(files(tmp_path, contents))
    assert found.classes == ("cats", "dogs")
    assert {name for name, _ in found.left_out} == {f"{folder}/{i}.png" for i in range(4)}


def test_drawings_in_flat_colours_are_classes(tmp_path):
    contents = {f"{c}/{i}.png": flat(i) for c in ("round", "square") for i in range(3)}
    assert find_pictures(files(tmp_path, contents)).classes == ("round", "square")


@pytest.mark.parametrize("pattern", ["dogs", "DOGS/", "d*", "./dogs", "dogs/*"])
def test_what_is_not_wanted_is_left_out(tmp_path, pattern):
    names = [f"{c}/{i}.png" for c in ("cats", "dogs", "owls") for i in range(2)]
    found = found_in(tmp_path, names, exclude=(pattern,))
    assert found.classes == ("cats", "owls")
    assert [why for _, why in found.left_out] == ["Left out as asked."] * 2


def test_everything_left_out_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"2 files were left out, such as 1\.png: Left"):
        found_in(tmp_path, ["1.png", "2.png"], exclude=("*",))


def test_as_many_beside_the_folders_as_in_them_is_too_many(tmp_path):
    found = found_in(tmp_path, ["1.png", "2.png", "cats/3.png", "dogs/4.png"])
    assert (len(found), found.labels) == (4, None)
    found = found_in(
        tmp_path / "more", ["1.png", "2.png", "cats/3.png", "cats/4.png", "dogs/5.png"]
    )
    assert (len(found), found.classes) == (3, ("cats", "dogs"))


def test_val_and_test_beside_a_class_are_classes(tmp_path):
    """Without a train, only folders that are all splits are splits."""
    found = found_in(tmp_path, ["val/1.png", "test/1.png", "bus/1.png"])
    assert found.classes == ("bus", "test", "val")
    assert found.splits is None


def test_what_lies_beside_a_folder_named_once_more_is_left_out(tmp_path):
    inside = [f"{split}/{split}/{name}/1.png" for split in ("train", "test") for name in "ab"]
    found = found_in(tmp_path, [*inside, "train/stray.png"])
    assert set(found.names) == set(inside)
    assert found.classes == ("a", "b")
    beside = [name for name, why in found.left_out if "beside the folder train" in why]
    assert beside == ["train/stray.png"]


def test_splits_in_classes_are_of_all_pictures_or_of_none(tmp_path):
    names = ["cat/train/1.png", "cat/test/1.png", "dog/train/1.png", "dog/2.png"]
    found = found_in(tmp_path, names)
    assert found.classes == ("cat", "dog")
    assert (len(found), found.splits) == (4, None)


@pytest.mark.parametrize(
    ("name", "kind"), [("train_test", ""), ("val+train", ""), ("train_train", "train")]
)
def test_a_name_of_two_splits_is_none(name, kind):
    assert split_of(name)[0] == kind


def test_one_picture_of_the_same_name_makes_no_folder_of_masks(tmp_path):
    """A class with a single drawing, 1.png, beside another that has a 1.png as well."""

    def are_masks(names):
        return names[0].startswith("logo")

    cats = [f"cats/{i}.png" for i in range(4)]
    assert not is_aside("logo", {"logo": ["logo/1.png"], "cats": cats}, are_masks)
    assert is_aside("logo", {"logo": ["logo/1.png", "logo/2.png"], "cats": cats}, are_masks)
    assert not is_aside("logo", {"logo": ["logo/1.png", "logo/9.png"], "cats": cats}, are_masks)


def test_an_evaluation_is_the_test_where_there_is_a_dev_and_no_test():
    kinds = {"train": "train", "dev": "val", "evaluation": "val"}
    assert evaluated_on(kinds) == {"evaluation": "test"}
    assert evaluated_on(kinds | {"test": "test"}) == {}
    assert evaluated_on({"train": "train", "evaluation": "val"}) == {}
