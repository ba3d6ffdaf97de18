"""What is in a zip that a visitor uploads, before anything is made of it. No torch here."""

from pathlib import Path
from typing import TypedDict


class ZipContents(TypedDict):
    pictures: int
    classes: dict[str, int]  # name -> how many pictures
    divided: bool  # into train/ and test/


def contents(path: Path) -> ZipContents:
    """ValueError in a sentence when the zip is refused."""
    from dino_core.datasets import find_pictures

    pictures = find_pictures(path)
    counts = [0] * len(pictures.classes)
    for label in pictures.labels or ():
        counts[label] += 1
    return {
        "pictures": len(pictures),
        "classes": dict(zip(pictures.classes, counts, strict=True)),
        "divided": pictures.splits is not None,
    }
