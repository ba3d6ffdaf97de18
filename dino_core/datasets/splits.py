"""Which split a name speaks of: Training, test_set, seg_val, HoldOut."""

import re
from collections import Counter
from collections.abc import Mapping

SPLITS = ("train", "val", "test")
_SPLIT_WORDS = {
    **dict.fromkeys(("train", "trains", "training", "trainings", "trn"), "train"),
    **dict.fromkeys(
        ("val", "vals", "valid", "valids", "validate", "validation", "validations", "dev", "devel",
         "development", "eval", "evaluation"),
        "val",
    ),
    **dict.fromkeys(
        ("test", "tests", "testing", "tst", "holdout", "heldout", "holdouts"), "test"
    ),
}  # fmt: skip
FILLING = {
    "set", "sets", "data", "dataset", "datasets", "images", "image", "img", "imgs", "pictures",
    "picture", "photos", "photo", "folder", "split", "splits", "samples", "files", "jpg", "jpeg",
    "png", "jpegimages", "crops",
}  # fmt: skip


def words_of_name(folder: str) -> list[str]:
    """TrainImages-2017 -> train, images"""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", folder)
    return re.findall(r"[^\W\d_]+", apart.casefold())


def split_of(folder: str) -> tuple[str, tuple[str, ...]]:
    """(train, val, test or "", other words) of a folder's name: seg_train is (train, (seg,))."""
    kinds, rest = [], []
    joined = "".join(words_of_name(folder)).replace("holdout", "test").replace("heldout", "test")
    words = ["test"] if joined == "test" else words_of_name(folder)
    for word in words:
        whole = re.sub(r"(?<=.)(sets?|data|images|imgs|split)$", "", word)
        if word in _SPLIT_WORDS or whole in _SPLIT_WORDS:
            kinds.append(_SPLIT_WORDS.get(word) or _SPLIT_WORDS[whole])
        elif word not in FILLING:
            rest.append(word)
    kind = kinds[0] if len(set(kinds)) == 1 else ""
    return kind, tuple(rest)


def evaluated_on(kinds: Mapping[str, str]) -> dict[str, str]:
    """Folders that are the test, of folders and their splits: evaluation beside train and dev.

    Alone it is what a training looks at meanwhile; beside another such one it is the third part.
    """
    late = [name for name in kinds if {"eval", "evaluation"} & set(words_of_name(name))]
    others = [name for name, kind in kinds.items() if kind == "val" and name not in late]
    return dict.fromkeys(late, "test") if others and "test" not in kinds.values() else {}


def split_sentence(counts: Counter[str]) -> str:
    """A sentence on how a set is divided, and what stands in for what is missing."""
    parts = ", ".join(f"{counts[split]:,} {split}" for split in SPLITS if counts[split])
    words = f"Divided by its folders: {parts}."
    if counts["val"] and not counts["test"]:
        words += " There is no test, so val is tested on."
    return words
