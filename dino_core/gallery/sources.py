"""What a person names as their pictures: a folder, a zip, or the samples of the project."""

from pathlib import Path

from dino_core.datasets import Pictures, find_pictures, sample_pictures

SAMPLES = "samples"


def pictures_of(data: str | Path) -> Pictures:
    """ValueError, in a sentence, when there are none or the zip is refused."""
    return sample_pictures() if str(data) == SAMPLES else find_pictures(data)
