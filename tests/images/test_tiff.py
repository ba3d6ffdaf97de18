"""TIFF files of cameras and instruments: previews taken and said, bands and numbers in words."""

import struct

import numpy as np
import pytest
from hostile import (
    BLUE,
    GREEN,
    HEIGHT,
    RED,
    WIDTH,
    YELLOW,
    exif,
    four_colours,
    is_plain_sentence,
    jpeg,
    with_exif,
)
from PIL import Image
from tiny_tiffs import Entries, directory, raw_file

from dino_core.images import notes_of, open_picture
from dino_core.images.tiff import directories, is_raw, jpeg_streams


def scientific(
    bands: int, bits: int, kind: int = 1, photometric: int = 1, planar: int = 1
) -> bytes:
    """One strip of so many bands, 8 x 8 px."""
    data = bytes(8 * 8 * bands * bits // 8)
    entries: Entries = {
        256: (3, [8]), 257: (3, [8]), 258: (3, [bits] * bands), 259: (3, [1]),
        262: (3, [photometric]), 273: (4, [8]), 277: (3, [bands]), 278: (3, [8]),
        279: (4, [len(data)]), 284: (3, [planar]), 339: (3, [kind] * bands),
    }  # fmt: skip
    return (
        b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory(8 + len(data), entries, "<")
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bands": 8, "bits": 16}, "8 bands of 16 bits each"),
        ({"bands": 13, "bits": 16}, "13 bands"),
        ({"bands": 4, "bits": 16}, "4 bands"),
        ({"bands": 4, "bits": 32, "photometric": 2}, "4 bands of 32 bits"),
        ({"bands": 5, "bits": 8}, "5 bands of 8 bits"),
        ({"bands": 3, "bits": 32, "kind": 3, "photometric": 2}, "3 bands of floating-point"),
        ({"bands": 3, "bits": 16, "planar": 2}, "3 bands"),
        ({"bands": 1, "bits": 64, "kind": 6}, "complex numbers"),
        ({"bands": 1, "bits": 64, "kind": 3}, "floating-point numbers of 64 bits"),
        ({"bands": 1, "bits": 24}, "24 bits"),
    ],
)  # fmt: skip
def test_bands_and_numbers_are_said(options: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError) as caught:
        open_picture(scientific(**options))
    assert words in str(caught.value)
    assert is_plain_sentence(str(caught.value))


@pytest.mark.parametrize("packing", [34887, 34712, 12345])
def test_a_way_of_packing_that_is_not_read_is_said(packing: int) -> None:
    data = scientific(1, 8).replace(
        struct.pack("<HHIH", 259, 3, 1, 1), struct.pack("<HHIH", 259, 3, 1, packing)
    )
    with pytest.raises(ValueError, match="packed by") as caught:
        open_picture(data)
    assert is_plain_sentence(str(caught.value))


def with_bands(bands: int, extra: list[int] | None = None, planar: int = 2) -> bytes:
    """RGB and more bands of zeros, 8 bits, each in a plane of its own or pixel by pixel."""
    colours = four_colours()
    more = [np.zeros((HEIGHT, WIDTH), np.uint8)] * (bands - 3)
    values = np.stack([*np.moveaxis(colours, 2, 0), *more], axis=0 if planar == 2 else 2)
    size = HEIGHT * WIDTH
    at = 8 + size * bands
    entries: Entries = {
        256: (3, [WIDTH]), 257: (3, [HEIGHT]), 258: (3, [8] * bands), 259: (3, [1]),
        262: (3, [2]), 273: (4, [8 + size * i for i in range(bands)]), 277: (3, [bands]),
        278: (3, [HEIGHT]), 279: (4, [size] * bands), 284: (3, [planar]),
    }  # fmt: skip
    if extra is not None:
        entries[338] = (3, extra)
    if planar == 1:
        entries |= {273: (4, [8]), 279: (4, [size * bands])}
    return b"II*\0" + struct.pack("<I", at) + values.tobytes() + directory(at, entries, "<")


def test_planes_are_put_together_and_a_fourth_band_is_no_transparency() -> None:
    """Near infrared, all zero here, would make the whole picture white."""
    for data in (with_bands(3), with_bands(4), with_bands(4, planar=1), with_bands(4, [0], 1)):
        np.testing.assert_array_equal(np.asarray(open_picture(data)), four_colours())
    assert notes_of(open_picture(with_bands(3))) == ()
    assert "has 4 bands: the first three" in notes_of(open_picture(with_bands(4)))[0]
    transparent = open_picture(with_bands(4, [2]))
    assert (np.asarray(transparent) == 255).all()
    assert notes_of(transparent) == ()
    with pytest.raises(ValueError, match="5 bands of 8 bits each"):
        open_picture(with_bands(5))


# --- raw files


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("dng", "sub"), [(True, True), (True, False), (False, True)])
def test_the_preview_of_a_raw_file_is_taken_and_said(order: str, dng: bool, sub: bool) -> None:
    data = raw_file(order=order, dng=dng, sub=sub, preview=jpeg(four_colours()))
    picture = open_picture(data)
    assert picture.size == (WIDTH, HEIGHT)
    assert np.abs(np.asarray(picture).astype(int) - four_colours()).mean() < 3
    assert notes_of(picture) == (
        f"A camera's raw file: the preview in it was taken, {WIDTH} x {HEIGHT} px.",
    )


def other_raw_files() -> dict[str, bytes]:
    small, large = jpeg(four_colours()[:8, :8]), jpeg(four_colours())
    box = b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + b"\0\0\1\0moov"
    return {
        "raf": b"FUJIFILMCCD-RAW 0201" + bytes(64) + small + bytes(50) + large + bytes(999),
        "orf": b"IIRO\x08\0\0\0" + bytes(64) + large + bytes(50) + small,
        "rw2": b"IIU\0\x18\0\0\0" + bytes(99) + small + large,
        "cr3": box + bytes(40) + small + bytes(40) + large,
        "cr2": b"II*\0\x10\0\0\0CR\2\0" + bytes(40) + small + large,
    }


@pytest.mark.parametrize("name", ["raf", "orf", "rw2", "cr3", "cr2"])
def test_of_several_previews_the_largest_is_taken(name: str) -> None:
    picture = open_picture(other_raw_files()[name])
    assert picture.size == (WIDTH, HEIGHT)
    assert "raw file" in notes_of(picture)[0]


def test_a_preview_is_turned_as_the_raw_file_says() -> None:
    stored = Image.fromarray(four_colours()).transpose(Image.Transpose.ROTATE_90)
    plain = jpeg(np.asarray(stored))
    for data in (
        raw_file(preview=plain, turned=6),
        raw_file(preview=with_exif(plain, exif(6)), turned=6),
        raw_file(preview=with_exif(plain, exif(6)), turned=1),  # it says so itself
    ):
        picture = open_picture(data)
        assert np.abs(np.asarray(picture).astype(int) - four_colours()).mean() < 3


def test_without_a_preview_the_thumbnail_is_said_or_a_sentence() -> None:
    picture = open_picture(raw_file())
    assert picture.size == (16, 12)
    assert "raw file" in notes_of(picture)[0]
    for data in (b"IIRO\x08\0\0\0" + bytes(99), b"FUJIFILMCCD-RAW " + b"\xff\xd8\xff" * 999):
        with pytest.raises(ValueError, match="raw file without a preview") as caught:
            open_picture(data)
        assert is_plain_sentence(str(caught.value))


def test_directories_end_whatever_they_point_to() -> None:
    circle = b"II*\0\x08\0\0\0" + directory(8, {330: (4, [8, 8])}, "<", following=8)
    assert len(directories(circle)) == 1
    many = b"II*\0\x08\0\0\0" + b"".join(
        directory(8 + 6 * i, {}, "<", following=8 + 6 * (i + 1)) for i in range(1000)
    )
    assert len(directories(many)) == 32
    whole = raw_file(preview=jpeg(four_colours()))
    for end in range(0, len(whole), 97):
        directories(whole[:end])
    assert directories(b"MM\0*" + b"\xff" * 40) == []


def test_the_four_colours_are_where_they_belong() -> None:
    """Of the preview, so that a wrong turn would be seen."""
    picture = open_picture(raw_file(preview=jpeg(four_colours())))
    corners = [(2, 2), (WIDTH - 3, 2), (2, HEIGHT - 3), (WIDTH - 3, HEIGHT - 3)]
    for corner, colour in zip(corners, (RED, GREEN, BLUE, YELLOW), strict=True):
        assert np.abs(np.subtract(picture.getpixel(corner), colour)).max() < 12


def test_what_was_done_to_a_preview_is_not_said_of_the_file() -> None:
    data = raw_file(preview=jpeg(four_colours()))
    (note,) = notes_of(open_picture(data, max_pixels=WIDTH * HEIGHT // 2))
    assert note.startswith("A camera's raw file: the preview in it was taken, 24 x 16 px")


@pytest.mark.parametrize("order", ["<", ">"])
def test_directories_of_files_beyond_four_gigabytes(order: str) -> None:
    """BigTIFF counts in eight bytes: one tag, 256 (width), a short of 7."""
    head = (b"II+\0" if order == "<" else b"MM\0+") + struct.pack(order + "HHQ", 8, 0, 16)
    value = struct.pack(order + "H", 7).ljust(8, b"\0")
    body = struct.pack(order + "QHHQ", 1, 256, 3, 1) + value + struct.pack(order + "Q", 0)
    assert directories(head + body) == [{256: (7,), 0: (0,)}]


def test_a_scan_with_smaller_copies_below_it_is_no_raw_file() -> None:
    whole = {271: (77,), 330: (99,), 254: (0,)}  # maker, directories below, not reduced
    assert not is_raw(b"II*\0" + bytes(20), [whole])
    assert is_raw(b"II*\0" + bytes(20), [whole | {254: (1,)}])


def test_old_and_new_ways_of_packing_as_jpeg_are_previews() -> None:
    strips = {273: (10,), 279: (5,)}
    found = [{259: (kind,), **strips} for kind in (1, 6, 7)] + [{513: (40,), 514: (8,)}]
    assert list(jpeg_streams(found)) == [(10, 5), (10, 5), (40, 8)]
