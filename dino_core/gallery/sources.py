"""What a person names as their pictures: a folder, a zip, or the samples of the project."""

from collections.abc import Sequence
from pathlib import Path

from dino_core.datasets import Pictures, find_pictures, sample_pictures

SAMPLES = "samples"


def pictures_of(
    data: str | Path,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    stretch: bool = False,
) -> Pictures:
    """The pictures, chosen as by `find_pictures`. ValueError, in a sentence, without any."""
    if str(data) == SAMPLES:
        return sample_pictures()
    return find_pictures(data, include=include, exclude=exclude, stretch=stretch)
