"""images/labels.py: the label in the middle of each patch, whatever was done to the picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dino_core.images import fit_to_patches
from dino_core.images.labels import labels_on_grid, read_labels


def test_the_label_in_the_middle_of_each_patch() -> None:
    labels = np.arange(6).reshape(2, 3).repeat(14, 0).repeat(14, 1)  # [28, 42]
    picture = Image.new("RGB", (42, 28))
    wanted = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(labels_on_grid(labels, fit_to_patches(picture, 14)), wanted)
    halved = fit_to_patches(picture, 7, (14, 21))  # of half the size: the same places
    np.testing.assert_array_equal(labels_on_grid(labels, halved), wanted)
    padded = labels_on_grid(labels + 1, fit_to_patches(picture, 14, (56, 42), "pad"))
    np.testing.assert_array_equal(padded[:2], wanted + 1)
    assert not padded[2:].any(), "where the input was padded there is no label"
    with pytest.raises(ValueError, match="have 28 x 42 px, but the frames have 42 x 28"):
        labels_on_grid(labels.T, fit_to_patches(picture, 14))


def test_indexed_and_grey_pictures_are_read_as_they_are(tmp_path: Path) -> None:
    indexed = Image.fromarray(np.array([[0, 3], [1, 0]], np.uint8), "P")
    indexed.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    indexed.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), [[0, 3], [1, 0]])
    Image.new("RGB", (2, 2)).save(tmp_path / "b.png")
    with pytest.raises(
        ValueError, match=r"b\.png should be an indexed or grey picture, but is RGB"
    ):
        read_labels(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(ValueError, match=r"^The mask: "):
        read_labels(tmp_path / "c.png", "The mask")
