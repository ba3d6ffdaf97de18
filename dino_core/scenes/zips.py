"""What is in a zip that a visitor uploads, before anything is made of it. No torch here."""

from pathlib import Path
from typing import TypedDict


class ZipContents(TypedDict):
    pictures: int
    classes: dict[str, int]  # name -> how many pictures
    divided: bool  # into train, val and test
    left_out: int  # files that are not used
    notes: list[str]  # sentences: how folders were understood, what was left out and why


def contents(path: Path) -> ZipContents:
    """ValueError in a sentence when the zip is refused."""
    from dino_core.datasets import find_pictures

    pictures = find_pictures(path).without_refused()
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
        "notes": pictures.summary(),
    }
