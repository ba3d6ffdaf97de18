"""More than 8 bits: shown as the file means them, a word where little of the range is used."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hostile import HEIGHT, WIDTH, grey_tiff, is_plain_sentence, png_chunk, png_of, saved, tiff
from PIL import Image

from dino_core.images import notes_of, open_picture


def slope(low: float, high: float, dtype: type = np.uint16) -> np.ndarray:
    """[H, W] from low on the left to high on the right."""
    row = np.linspace(low, high, WIDTH)
    return np.tile(row if dtype in (np.float32, np.float64) else np.rint(row), (HEIGHT, 1)).astype(
        dtype
    )


def grey_png(low: int, high: int) -> bytes:
    return png_of(slope(low, high)[..., None], 0)


def colour_png(low: int, high: int) -> bytes:
    grey = slope(low, high)
    return png_of(np.dstack([grey, grey[:, ::-1], grey]), 2)


def see_through_png(low: int, high: int) -> bytes:
    grey = slope(low, high)
    return png_of(np.dstack([grey, grey, grey, np.full_like(grey, 65535)]), 6)


def grey_tif(low: int, high: int, order: str = "<") -> bytes:
    return tiff(slope(low, high), 16, 1, order=order)


def packed_tif(low: int, high: int) -> bytes:
    return saved(Image.fromarray(slope(low, high)), "TIFF", compression="tiff_lzw")


def motorola_tif(low: int, high: int) -> bytes:
    return grey_tif(low, high, ">")


def colour_tif(low: int, high: int, order: str = "<") -> bytes:
    grey = slope(low, high)
    return tiff(np.dstack([grey, grey[:, ::-1], grey]), 16, 2, order=order)


def motorola_colour_tif(low: int, high: int) -> bytes:
    return colour_tif(low, high, ">")


PNG = [grey_png, colour_png, see_through_png]
DEEP = [*PNG, grey_tif, motorola_tif, packed_tif, colour_tif, motorola_colour_tif]
PLAIN = "Stretch them to see black to white."


@pytest.mark.parametrize("build", DEEP)
@pytest.mark.parametrize(("low", "high"), [(0, 4095), (10, 1023), (60_000, 65_535), (0, 16_000)])
def test_a_small_part_of_the_range_gets_a_word_and_can_be_stretched(
    build: Callable[[int, int], bytes], low: int, high: int
) -> None:
    data = build(low, high)
    plain = np.asarray(open_picture(data))[..., 0].astype(float)
    np.testing.assert_allclose(plain, slope(low, high) / 257, atol=1.01)  # as the file means it
    (note,) = notes_of(open_picture(data))
    assert PLAIN in note
    assert "a small part of 0 to 65,535" in note
    assert is_plain_sentence(note)

    picture = open_picture(data, stretch=True)
    stretched = np.asarray(picture)[..., 0].astype(float)
    expected = (slope(low, high) - float(low)) / (high - low) * 255
    np.testing.assert_allclose(stretched, expected, atol=0.51)
    (note,) = notes_of(picture)
    assert f"{low:,} is black, {high:,} white" in note


@pytest.mark.parametrize("build", DEEP)
@pytest.mark.parametrize(("low", "high"), [(0, 65_535), (500, 40_000), (300, 300)])
def test_an_ordinary_range_needs_no_word(
    build: Callable[[int, int], bytes], low: int, high: int
) -> None:
    assert notes_of(open_picture(build(low, high))) == ()


def test_how_see_through_a_grey_picture_is_says_nothing_of_its_range() -> None:
    grey = slope(0, 4095)
    data = png_of(np.dstack([grey, np.full_like(grey, 65535)]), 4)
    (note,) = notes_of(open_picture(data))
    assert note.startswith("The values reach from 0 to 4,095, a small part of 0 to 65,535")


def test_eight_bits_are_never_stretched() -> None:
    dark = np.full((HEIGHT, WIDTH, 3), 9, np.uint8)
    dark[0] = 12
    picture = open_picture(saved(dark, "PNG"), stretch=True)
    np.testing.assert_array_equal(np.asarray(picture), dark)
    assert notes_of(picture) == ()


def test_stretching_keeps_what_is_see_through() -> None:
    hidden = png_chunk(b"tRNS", struct.pack(">H", 4095))
    picture = open_picture(png_of(slope(0, 4095)[..., None], 0, hidden), stretch=True)
    assert np.asarray(picture)[0, -1].tolist() == [255, 255, 255]
    alpha = np.dstack([*[slope(0, 4095)] * 3, np.zeros((HEIGHT, WIDTH), np.uint16)])
    assert (np.asarray(open_picture(png_of(alpha, 6), stretch=True)) == 255).all()


@pytest.mark.parametrize(
    ("dtype", "kind", "low", "high"),
    [
        (np.float32, 3, -3.5, 812.0),
        (np.float32, 3, 0.0, 4095.0),
        (np.float32, 3, 1e-3, 2e30),
        (np.int16, 2, -1000, 3000),  # Hounsfield units of a scanner
        (np.int32, 2, -(2**31), 2**31 - 1),
        (np.uint32, 1, 0, 2**32 - 1),
    ],
)
def test_numbers_without_an_agreed_white_are_stretched_and_it_is_said(
    dtype: type, kind: int, low: float, high: float
) -> None:
    bits = np.dtype(dtype).itemsize * 8
    picture = open_picture(tiff(slope(low, high, dtype), bits, 1, kind))
    expected = np.tile(np.linspace(0, 255, WIDTH), (HEIGHT, 1))
    np.testing.assert_allclose(np.asarray(picture)[..., 0], expected, atol=0.6)
    (note,) = notes_of(picture)
    assert "no agreed white" in note
    assert "is black" in note


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_said(value: float) -> None:
    values = slope(0, 1, np.float32)
    values[3, 5] = value
    with pytest.raises(ValueError, match=r"no numbers \(NaN\) or infinite") as caught:
        open_picture(tiff(values, 32, 1, 3))
    assert is_plain_sentence(str(caught.value))


def test_one_value_alone_cannot_be_stretched() -> None:
    with pytest.raises(ValueError, match="all of them 99"):
        open_picture(grey_tiff(99, np.float32, kind=3))
