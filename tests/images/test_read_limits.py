"""Limits and words of reading pictures, each from both sides; numbers for a model."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dino_core.images import (
    deep,
    from_tensor,
    notes_of,
    open_picture,
    to_tensor,
)
from dino_core.images.decode import MAX_BYTES, MAX_PIXELS
from dino_core.images.readers import PASSES_PIXELS, Work, _eight_bit_transparency, _too_large

# --- deep pixels


@pytest.mark.parametrize(
    ("values", "peak", "stretch", "wanted", "note"),
    [
        ([0, 65535], 65535, False, [0, 255], ""),
        ([0, 128, 129, 32768], 65535, False, [0, 0, 1, 128], ""),
        ([0, 4095], 4095, False, [0, 255], ""),
        ([0, 16383], 65535, False, [0, 64], "The values reach from 0 to 16,383, a small part of 0 "
         "to 65,535, so the picture is shown with little contrast. Stretch them to see black to "
         "white."),
        ([0, 16384], 65535, False, [0, 64], ""),
        ([7, 7], 65535, False, [0, 0], ""),
        ([100, 101], 255, False, [100, 101], ""),
        ([100, 300], 65535, True, [0, 255], "The values were stretched: 100 is black, 300 white."),
        ([7, 7], 65535, True, [0, 0], ""),
    ],
)  # fmt: skip
def test_whole_numbers_of_a_known_range(
    values: list[int], peak: int, stretch: bool, wanted: list[int], note: str
) -> None:
    notes: list[str] = []
    found = deep._of_whole_range(np.array(values, np.uint16), peak, stretch, notes)
    assert found.tolist() == wanted
    assert found.dtype == np.uint8
    assert notes == ([note] if note else [])


NONE = " which have no agreed white. The values were stretched: {} is black, {} white."


@pytest.mark.parametrize(
    ("values", "stretch", "wanted", "note"),
    [
        ([0.0, 0.5, 1.0], False, [0, 128, 255], ""),
        ([0.5, 0.75], False, [128, 191], "The values reach from 0.5 to 0.75, a small part of 0 to "
         "1, so the picture is shown with little contrast. Stretch them to see black to white."),
        ([0.5, 0.7501], False, [128, 191], ""),
        ([0.5, 0.5], False, [128, 128], ""),
        ([0.0, 1.5], False, [0, 255], "Grey is stored as floating-point numbers,"
         + NONE.format("0", "1.5")),
        ([-0.5, 0.5], False, [0, 255], "Grey is stored as floating-point numbers,"
         + NONE.format("-0.5", "0.5")),
        ([0.0, 0.5], True, [0, 255], "Grey is stored as floating-point numbers,"
         + NONE.format("0", "0.5")),
    ],
)  # fmt: skip
def test_numbers_of_any_range(
    values: list[float], stretch: bool, wanted: list[int], note: str
) -> None:
    notes: list[str] = []
    found = deep._of_any_range(np.array(values, np.float32), stretch, notes)
    assert found.tolist() == wanted
    assert notes == ([note] if note else [])
    whole = np.array([-5, 0, 2**30], np.int32)
    assert deep._of_any_range(whole, False, notes).tolist() == [0, 0, 255]
    assert notes[-1].startswith("Grey is stored as 32-bit or signed numbers, which")
    with pytest.raises(deep.UnclearPixelsError, match="as 32-bit or signed numbers, all of them 7"):
        deep._of_any_range(np.array([7, 7], np.int32), False, notes)
    with pytest.raises(
        deep.UnclearPixelsError, match=r"as floating-point numbers, all of them 2\.5"
    ):
        deep._of_any_range(np.array([2.5, 2.5], np.float32), False, notes)


def test_colours_that_fill_a_small_part_of_their_range() -> None:
    for low, high, said in ((0, 63, True), (0, 64, False), (200, 255, True), (9, 9, False)):
        notes: list[str] = []
        deep.colour_note(np.array([[[low, high, low]]], np.uint8), notes)
        assert bool(notes) is said
        if said:
            assert notes[0].startswith(
                f"The values reach from {low * 256:,} to {high * 256 + 255:,}, a small part of 0 to"
            )
    notes = []
    upper, lower = np.array([[[1, 2, 3]]], np.uint8), np.array([[[0, 0, 128]]], np.uint8)
    values = deep.stretch_colours(upper, lower, notes)
    assert values.tolist() == [[[0, round(256 / 640 * 255), 255]]]
    assert notes == ["The values were stretched: 256 is black, 896 white."]


# --- limits of files


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(("width", "height"), [(160, 40), (40, 160)])
@pytest.mark.parametrize(("share", "factor"), [(4, 2), (5, 4), (16, 4)])
def test_long_jpegs_are_read_at_a_fraction_too(
    width: int, height: int, share: int, factor: int
) -> None:
    data = saved(Image.new("RGB", (width, height), "teal"), "JPEG")
    most = -(-width * height // share)
    if width * height > 5 * most:
        with pytest.raises(ValueError, match=f"{width} x {height} px, more than the 0.002"):
            open_picture(data, max_pixels=most)
        return
    picture = open_picture(data, max_pixels=most)
    small = (width // factor, height // factor)
    assert picture.size == small
    words = {2: "a half", 4: "a quarter"}[factor]
    assert notes_of(picture) == (
        f"A photo of 0 megapixels: it was read at {words} of its size, {small[0]} x {small[1]} px.",
    )


def test_what_is_allowed() -> None:
    assert (MAX_BYTES, MAX_PIXELS, PASSES_PIXELS) == (104_857_600, 40_000_000, 64_000_000)
    assert _too_large((9, 8), 1.5e6) == (
        "This picture is 9 x 8 px, more than the 1.5 megapixels allowed: save it smaller."
    )
    assert _too_large(None, 4e7) == (
        "This picture has far more than the 40 megapixels allowed: save it smaller."
    )
    picture = saved(Image.new("RGB", (5, 4)), "PNG")
    assert open_picture(picture, max_pixels=20).size == (5, 4)
    with pytest.raises(ValueError, match=r"5 x 4 px, more than the 1\.9e-05 megapixels"):
        open_picture(picture, max_pixels=19)
    assert open_picture(picture, max_bytes=len(picture)).size == (5, 4)
    with pytest.raises(ValueError) as caught:
        open_picture(bytes(3 * 2**20), max_bytes=2**20 + 2**19)
    assert str(caught.value) == (
        "The file has 3.0 MB, more than the 1.5 MB allowed: save the picture smaller, for example "
        "as JPEG."
    )


def test_a_transparent_colour_of_sixteen_bits() -> None:
    for mode, colour, becomes in (
        ("RGB", (256, 512, 65535), (1, 2, 255)),
        ("RGB", (1, 2, 255), (1, 2, 255)),
        ("RGB", (1, 2, 256), (0, 0, 1)),
        ("L", (256, 256, 256), (256, 256, 256)),
        ("RGB", 7, 7),
    ):
        picture = Image.new(mode, (1, 1))
        picture.info["transparency"] = colour
        _eight_bit_transparency(picture)
        assert picture.info["transparency"] == becomes


def test_work_begins_without_notes() -> None:
    assert Work(b"", 1, False).notes == []


# --- tensors


def test_numbers_for_a_model_and_back() -> None:
    picture = Image.fromarray(np.array([[[0, 255, 51]]], np.uint8))
    mean, std = (0.5, 0.25, 0.2), (0.5, 0.5, 0.1)
    tensor = to_tensor(picture, mean, std)
    assert tensor.flatten().tolist() == pytest.approx([-1, 1.5, 0], abs=1e-6)
    assert from_tensor(tensor, mean, std).tolist() == [[[0, 255, 51]]]
    assert from_tensor(tensor * 100, mean, std).tolist() == [[[0, 255, 51]]]
    for mode in ("L", "RGBA"):
        with pytest.raises(ValueError, match=f"An RGB picture is wanted, but this one is {mode}"):
            to_tensor(Image.new(mode, (2, 2)))
