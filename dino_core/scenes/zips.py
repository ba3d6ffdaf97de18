"""What is in a zip that a visitor uploads, before anything is made of it. No torch here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

MOST_NAMES, LONGEST_NAME = 50, 200


@dataclass(frozen=True)
class PictureChoice:
    """What a person answers about the pictures of a zip, as the command line's options do."""

    include: tuple[str, ...] = ()  # folders and files that are taken although their name says no
    exclude: tuple[str, ...] = ()  # those that are left out; patterns such as *_small.jpg as well
    stretch: bool = False  # of 16-bit pictures, from the smallest to the largest value

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "PictureChoice":
        """From what a page sends. ValueError in a sentence for anything else."""
        stretch = values.get("stretch", False)
        if not isinstance(stretch, bool):
            raise ValueError("Whether to stretch is yes or no.")
        return cls(_names(values.get("include", [])), _names(values.get("exclude", [])), stretch)

    def options(self) -> dict[str, Any]:
        """As keyword arguments of `find_pictures`."""
        return asdict(self)


def _names(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or len(values) > MOST_NAMES:
        raise ValueError(f"Folders and files are named in a list of at most {MOST_NAMES}.")
    if not all(isinstance(name, str) and 0 < len(name) <= LONGEST_NAME for name in values):
        raise ValueError(f"A name has 1 to {LONGEST_NAME} characters.")
    return tuple(values)


class ZipContents(TypedDict):
    pictures: int
    classes: dict[str, int]  # name -> how many pictures
    divided: bool  # into train, val and test
    left_out: int  # files that are not used
    aside: dict[str, int]  # folders that were passed over -> their files
    notes: list[str]  # sentences: how folders were understood, what was left out and why
    choice: dict[str, Any]  # with which it was looked through


def contents(path: Path, choice: PictureChoice = PictureChoice()) -> ZipContents:
    """ValueError in a sentence when the zip is refused."""
    from dino_core.datasets import find_pictures
    from dino_core.datasets.aside import folders_aside

    pictures = find_pictures(path, **choice.options()).without_refused()
    if not len(pictures):
        name, why = pictures.left_out[0]
        raise ValueError(f"{path} has no picture that can be read. The first says: {name}: {why}")
    counts = [0] * len(pictures.classes)
    for label in pictures.labels or ():
        counts[label] += 1
    return {
        "pictures": len(pictures),
        "classes": dict(zip(pictures.classes, counts, strict=True)),
        "divided": pictures.splits is not None,
        "left_out": len(pictures.left_out),
        "aside": folders_aside(pictures.left_out),
        "notes": pictures.summary(),
        "choice": {
            "include": list(choice.include),
            "exclude": list(choice.exclude),
            "stretch": choice.stretch,
        },
    }
