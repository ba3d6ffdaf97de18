"""gallery/preparation.py: what the model sees, against torchvision and the rest of the library."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import CenterCrop, InterpolationMode, Resize

from dino_core.embedding.preparation import STATISTICS, Preparation
from dino_core.images import fit_to_patches, to_tensor


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize("size", [(300, 200), (33, 77), (40, 40), (500, 61), (37, 50)])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_official_is_resize_and_centre_crop(size: tuple[int, int], interpolation: str) -> None:
    picture = noise(*size)
    got = Preparation(224, "official", interpolation).pixels(picture, 14)
    resized = Resize(256, InterpolationMode(interpolation))(picture)
    np.testing.assert_array_equal(got, np.asarray(CenterCrop(224)(resized)))


@pytest.mark.parametrize("size", [(5000, 1), (1, 5000), (3000, 20)])
def test_a_thin_picture_is_not_scaled_whole(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """5000 x 1 px scaled to a short side of 256 would take a gigabyte."""
    scale = Image.Image.resize

    def watched(self: Image.Image, size: tuple[int, int], *rest: object) -> Image.Image:
        assert size[0] * size[1] < 2_000_000
        return scale(self, size, *rest)

    monkeypatch.setattr(Image.Image, "resize", watched)
    for fit in ("official", "crop", "resize", "pad"):
        pixels = Preparation(224, fit).pixels(noise(*size), 14)
        assert pixels.shape[0] * pixels.shape[1] <= 2.2 * 224 * 224


@pytest.mark.parametrize(
    ("preparation", "shape"),
    [
        (Preparation(28), (28, 28)),
        (Preparation(28, "resize"), (28, 56)),
        (Preparation(28, "pad"), (28, 70)),
        (Preparation((28, 42), "resize"), (28, 42)),
        (Preparation(None), (28, 56)),
        (Preparation(None, "pad"), (42, 70)),
    ],
)
def test_sizes(preparation: Preparation, shape: tuple[int, int]) -> None:
    assert preparation.pixels(noise(67, 30), 14).shape == (*shape, 3)


def test_the_middle_square_is_that_of_the_rest_of_the_library() -> None:
    picture = noise(67, 30)
    got = Preparation(28, interpolation="bilinear").pixels(picture, 14)
    fitted = fit_to_patches(picture, 14, (28, 28), "crop", interpolation="bilinear").picture
    np.testing.assert_array_equal(got, np.asarray(fitted))


@pytest.mark.parametrize("name", STATISTICS)
def test_pixels_become_what_to_tensor_makes_of_them(name: str) -> None:
    preparation = Preparation(28, normalise=name)
    pixels = [preparation.pixels(noise(30 + i, 30), 14) for i in range(3)]
    got = preparation.images(np.stack(pixels), torch.zeros(1))
    expected = [to_tensor(Image.fromarray(one), *STATISTICS[name]) for one in pixels]
    assert torch.equal(got, torch.stack(expected))
    assert preparation.images(np.stack(pixels), torch.zeros(1).bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("preparation", "words"),
    [
        (Preparation(30), "give 28"),
        (Preparation(7), "give 14"),
        (Preparation((28, 30), "resize"), "give 28x28"),
        (Preparation(None, "official"), "its side as one number"),
    ],
)
def test_a_size_that_cannot_be_is_refused(preparation: Preparation, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        preparation.check(14)


def test_a_short_side_may_be_any_number_where_it_is_rounded() -> None:
    Preparation(30, "resize").check(14)
    Preparation(30, "pad").check(14)
    Preparation(None).check(14)
