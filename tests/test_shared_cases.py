"""The small inputs that people bring, one of each kind, where they lie beside the checkout."""

from pathlib import Path

import numpy as np
import pytest

from dino_core.datasets import find_pictures
from dino_core.images import fit_to_patches, notes_of, open_picture

CASES = Path(__file__).parent.parent.parent / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"there is no folder {CASES}")


def test_a_48_megapixel_photo_is_read_at_a_half() -> None:
    picture = open_picture(CASES / "mp48.jpg")
    assert picture.size == (4032, 3024)
    assert "48.8" in notes_of(picture)[0] or "49 megapixels" in notes_of(picture)[0]


def test_12_bits_in_a_16_bit_file_get_a_word_and_can_be_stretched() -> None:
    picture = open_picture(CASES / "gray12in16.png")
    assert np.asarray(picture).mean() < 10
    assert "Stretch them to see black to white" in notes_of(picture)[0]
    stretched = np.asarray(open_picture(CASES / "gray12in16.png", stretch=True))
    assert (stretched.min(), stretched.max()) == (0, 255)
    assert stretched.mean() > 60


def test_a_thin_picture_has_a_limit_in_words() -> None:
    fitted = fit_to_patches(open_picture(CASES / "thin.png"), 14, 518)
    h, w = fitted.grid
    assert h * w <= 2 * 37 * 37
    assert "A long picture: its short side is 60 px instead of 518." in fitted.note


def test_training_and_testing_are_splits() -> None:
    found = find_pictures(CASES / "kaggle.zip")
    assert found.classes == ("cats", "dogs")
    assert (len(found.part("train")), len(found.part("test"))) == (8, 8)


def test_a_stray_picture_does_not_cost_the_labels() -> None:
    found = find_pictures(CASES / "stray_class.zip")
    assert found.classes == ("glioma", "meningioma", "notumor")
    assert len(found) == 9
    assert [name for name, _ in found.left_out] == ["overview.png"]


def test_all_formats_that_can_be_read_are_used_and_the_others_named() -> None:
    found = find_pictures(CASES / "mixed_formats.zip")
    refused = dict(found.refused())
    assert set(refused) == {f"b/IMG_{i}.HEIC" for i in range(4)}
    assert all("HEIC" in why for why in refused.values())
    read = [name for name in found.names if name not in refused]
    assert len(read) == 12
    for name in read:
        assert found.picture(found.names.index(name)).mode == "RGB"


def test_a_zip_of_windows_has_its_labels() -> None:
    found = find_pictures(CASES / "backslash.zip")
    assert found.classes == ("cats", "dogs")
    assert found.labels == (0,) * 4 + (1,) * 4
    assert found.picture(7).mode == "RGB"
