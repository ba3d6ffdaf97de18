"""Pictures of whole patches: sizes, ways back, and the limit for thin pictures."""

import itertools

import numpy as np
import pytest
from hostile import is_plain_sentence, noise
from PIL import Image
from torchvision.transforms.v2 import functional as tv

from dino_core.images import (
    fit_to_patches,
    limited_short_side,
    patch_at,
    patch_box,
    patch_grid,
    to_tensor,
)

MODES = ("resize", "pad", "crop")
# Wide, high, square, odd, of whole patches already, one pixel, and a thread either way.
SHAPES = [(427, 640), (301, 200), (96, 96), (15, 29), (28, 42), (1, 1), (1, 500), (500, 1)]
SIZES = [None, 14, 56, 100, (28, 70), (70, 28)]


@pytest.mark.parametrize("patch_size", [1, 14, 16])
def test_every_pixel_lies_in_the_box_of_its_patch(patch_size: int):
    grid = patch_grid(3 * patch_size, 5 * patch_size, patch_size)
    assert grid == (3, 5)
    seen = np.full((3 * patch_size, 5 * patch_size), -1)
    for row, col in itertools.product(range(3), range(5)):
        x0, y0, x1, y1 = patch_box(row, col, patch_size)
        assert (seen[y0:y1, x0:x1] == -1).all()
        seen[y0:y1, x0:x1] = row * 5 + col
    for y, x in np.ndindex(*seen.shape):
        row, col = patch_at(x + 0.5, y + 0.5, patch_size, grid)
        assert row * 5 + col == seen[y, x]


def test_points_outside_belong_to_the_nearest_patch():
    grid = (3, 5)
    assert patch_at(-0.01, -9, 14, grid) == (0, 0)
    assert patch_at(70, 42, 14, grid) == (2, 4)  # the lower right corner itself
    assert patch_at(1e9, 20, 14, grid) == (1, 4)
    assert patch_at(13.99, 14, 14, grid) == (1, 0)


@pytest.mark.parametrize(
    ("height", "width"),
    [(0, 14), (13, 14), (14, 15), (-14, 14), (14, 0), (14, 13), (15, 14), (14, -14)],
)
def test_grid_wants_whole_patches(height: int, width: int):
    with pytest.raises(ValueError, match=f"multiples of the patch size 14.*{height} and {width}"):
        patch_grid(height, width, 14)


def expected_size(height: int, width: int, size: object, how: str, patch: int) -> tuple[int, int]:
    """(height, width) that comes closest, found by trying all multiples."""
    if isinstance(size, tuple):
        return size
    short = min(height, width)
    found = []
    for side in (height, width):
        # Everything times `short`, so that the wanted side is a whole number.
        wanted = side * (short if size is None else size)
        multiples = [k * patch * short for k in range(wanted // (patch * short) + 2)]
        if how == "resize":
            best = min(multiples[1:], key=lambda m: abs(m - wanted))
        elif how == "pad":
            best = next(m for m in multiples[1:] if m >= wanted)
        else:
            best = max(m for m in multiples if m <= wanted)
        found.append(best // short)
    return found[0], found[1]


@pytest.mark.parametrize("how", MODES)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_fitted_sizes_and_round_trips(height: int, width: int, size: object, how: str):
    picture = Image.new("RGB", (width, height), "red")
    wanted = expected_size(height, width, size, how, 14)
    long = isinstance(size, int) and max(height, width) > 2 * min(height, width)
    if how == "crop" and (0 in wanted or long):
        with pytest.raises(ValueError, match="smaller than a patch of 14 px"):
            fit_to_patches(picture, 14, size, how)
        return
    fitted = fit_to_patches(picture, 14, size, how)
    got = (fitted.picture.height, fitted.picture.width)
    if long:  # a size of its own, see below
        wanted = got
    if how == "resize" and got != wanted:  # half-way between two multiples, either is nearest
        assert all(abs(a - b) in (0, 14) for a, b in zip(got, wanted, strict=True))
        short = min(height, width)
        for side, a, b in zip((height, width), got, wanted, strict=True):
            exact = side * (short if size is None else size) / short
            assert abs(a - exact) == abs(b - exact)
    else:
        assert got == wanted
    assert fitted.grid == (got[0] // 14, got[1] // 14)

    h, w = fitted.grid  # a thread has thousands of patches: its two ends will do
    rows, cols = ({*range(n)[:9], *range(n)[-9:]} for n in (h, w))
    for row, col in itertools.product(rows, cols):
        x0, y0, x1, y1 = fitted.patch_box(row, col)
        assert fitted.patch_at((x0 + x1) / 2, (y0 + y1) / 2) == (row, col)
        np.testing.assert_allclose(
            (*fitted.to_input(x0, y0), *fitted.to_input(x1, y1)), patch_box(row, col, 14), atol=1e-6
        )
    x0, y0, x1, y1 = fitted.source_box
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    if how != "crop":  # all is seen
        np.testing.assert_allclose((x0, y0, x1, y1), (0, 0, width, height), atol=1e-6)
    if how == "crop":  # the middle, with the same scale both ways
        assert fitted.scale[0] == pytest.approx(fitted.scale[1])
        assert abs((width - x1) - x0) <= 1
        assert abs((height - y1) - y0) <= 1


def ramp(height: int, width: int) -> Image.Image:
    """Red says where along x a pixel is, green where along y: 0.25 a pixel."""
    pixels = np.zeros((height, width, 3))
    pixels[..., 0] = (np.arange(width) + 0.5) / width * 255
    pixels[..., 1] = (np.arange(height)[:, None] + 0.5) / height * 255
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("how", MODES)
@pytest.mark.parametrize("size", [None, 98, 224, (112, 112), (70, 210), (210, 70)], ids=str)
def test_mapping_tells_where_each_pixel_came_from(size: object, how: str, interpolation: str):
    """The pixels themselves say so, independently of the mapping's arithmetic."""
    height, width = 201, 317
    fitted = fit_to_patches(ramp(height, width), 14, size, how, interpolation=interpolation)
    pixels = np.asarray(fitted.picture).astype(float)
    for y, x in itertools.product(
        range(10, pixels.shape[0] - 10, 13), range(10, pixels.shape[1] - 10, 13)
    ):
        from_x, from_y = fitted.to_source(x + 0.5, y + 0.5)
        if from_x > width - 4 or from_y > height - 4:  # padding and its edge
            continue
        red, green = from_x / width * 255, from_y / height * 255
        assert pixels[y, x, 0] == pytest.approx(red, abs=1.2)
        assert pixels[y, x, 1] == pytest.approx(green, abs=1.2)


def test_native_crop_and_pad_keep_the_pixels():
    pixels = noise(47, 61)
    cropped = fit_to_patches(Image.fromarray(pixels), 14, how="crop")
    np.testing.assert_array_equal(np.asarray(cropped.picture), pixels[2:44, 2:58])
    assert cropped.source_box == (2, 2, 58, 44)
    padded = fit_to_patches(Image.fromarray(pixels), 14, how="pad")
    values = np.asarray(padded.picture)
    assert values.shape == (56, 70, 3)
    np.testing.assert_array_equal(values[:47, :61], pixels)
    filling = to_tensor(padded.picture)[:, 47:]  # the mean colour vanishes for the model
    assert filling.abs().max() < 0.01
    assert to_tensor(padded.picture)[:, :, 61:].abs().max() < 0.01


def test_resize_is_pillows_antialiased_bicubic():
    picture = Image.fromarray(noise(90, 130))
    for interpolation in ("bicubic", "bilinear"):
        fitted = fit_to_patches(picture, 14, 42, interpolation=interpolation)
        expected = tv.resize(picture, [42, 56], tv.InterpolationMode(interpolation))
        assert fitted.picture == expected


def test_wrong_requests_are_refused_in_a_plain_sentence():
    picture = Image.new("RGB", (640, 427))
    for request in [
        {"size": (224, 225)},
        {"size": (0, 14)},
        {"size": 0},
        {"size": -14},
        {"how": "stretch"},
        {"size": 13, "how": "crop"},
        {"size": 224, "max_pixels": 10_000},
    ]:
        with pytest.raises(ValueError) as caught:
            fit_to_patches(picture, 14, **request)
        assert is_plain_sentence(str(caught.value))


# --- long pictures


def test_the_short_side_of_a_long_picture_is_shorter():
    assert limited_short_side(400, 200, 224) == 224
    assert limited_short_side(1600, 200, 224) == 112  # 112 x 896 px, as many as 224 x 448
    assert limited_short_side(200, 1600, 224) == 112


@pytest.mark.parametrize("how", MODES)
@pytest.mark.parametrize("size", [14, 56, 224, 518])
@pytest.mark.parametrize(
    ("width", "height"), [(3000, 20), (20, 3000), (5000, 1), (1, 4096), (900, 300)]
)
def test_a_thin_picture_is_never_many_patches(width: int, height: int, size: int, how: str):
    """3000 x 20 px with a short side of 518 would be 205 000 patches, an answer that never comes.

    What came out is said. Rounding to whole patches may add one patch to each side.
    """
    thin = Image.new("RGB", (width, height))
    if how == "crop" and limited_short_side(width, height, size) < 14:
        with pytest.raises(ValueError, match="give an exact size") as caught:
            fit_to_patches(thin, 14, size, how)
        assert is_plain_sentence(str(caught.value))
        return
    fitted = fit_to_patches(thin, 14, size, how)
    side = size / 14
    h, w = fitted.grid
    most = 2 * side**2
    assert (h - 1) * (w - 1) < most
    assert h * w <= max(most, 2) or min(h, w) > 1
    assert fitted.note.startswith(("A long picture", "A very long picture"))
    x0, y0, x1, y1 = fitted.source_box
    if how != "crop":
        np.testing.assert_allclose((x0, y0, x1, y1), (0, 0, width, height), atol=1e-6)


def test_an_exact_size_is_what_a_person_asked_for():
    thread = Image.new("RGB", (5000, 1))
    for how in MODES:
        fitted = fit_to_patches(thread, 14, (224, 224), how)
        assert (fitted.grid, fitted.note) == ((16, 16), "")
    ordinary = fit_to_patches(Image.new("RGB", (640, 427)), 14, 224)
    assert (ordinary.grid, ordinary.note) == ((16, 24), "")


def test_as_many_pixels_as_are_allowed() -> None:
    picture = Image.new("RGB", (28, 42))
    assert fit_to_patches(picture, 14, max_pixels=28 * 42).grid == (3, 2)
    with pytest.raises(ValueError, match="megapixels allowed"):
        fit_to_patches(picture, 14, max_pixels=28 * 42 - 1)
