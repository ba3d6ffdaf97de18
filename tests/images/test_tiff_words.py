"""What the tags of a TIFF say, value by value: directories, previews, and sentences in full."""

import struct
from typing import Any

import pytest
from hostile import four_colours, jpeg
from PIL import Image
from tiny_tiffs import directory, raw_file

from dino_core.images import notes_of, open_picture, raw
from dino_core.images.tiff import (
    Tags,
    describe,
    directories,
    is_raw,
    jpeg_streams,
    notes_on,
    unnamed_bands,
)

BITS, PACKING, COLOUR, BANDS, PLANES, EXTRA, NUMBERS = 258, 259, 262, 277, 284, 338, 339


def entry(order: str, tag: int, letter: str, kind: int, *values: int) -> bytes:
    """One tag, whose values fit into four bytes."""
    packed = struct.pack(f"{order}{len(values)}{letter}", *values).ljust(4, b"\0")
    return struct.pack(order + "HHI", tag, kind, len(values)) + packed


@pytest.mark.parametrize("order", ["<", ">"])
def test_whole_numbers_of_every_kind(order: str) -> None:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    tags = [
        entry(order, 1, "B", 1, 1, 2, 3, 255),
        entry(order, 2, "H", 3, 65535, 7),
        entry(order, 3, "I", 4, 2**32 - 1),
        entry(order, 4, "h", 8, -2, 3),
        entry(order, 5, "i", 9, -7),
        entry(order, 6, "I", 13, 9),
        entry(order, 7, "B", 2, 65, 0),  # letters, which are no numbers
        entry(order, 8, "I", 5, 1),  # fractions neither
    ]
    data = head + struct.pack(order + "H", len(tags)) + b"".join(tags) + bytes(4)
    wanted = {1: (1, 2, 3, 255), 2: (65535, 7), 3: (2**32 - 1,), 4: (-2, 3), 5: (-7,), 6: (9,)}
    assert directories(data) == [wanted | {7: (), 8: (), 0: (0,)}]
    for end in range(8, len(data)):
        assert directories(data[:end]) == []


def test_numbers_that_do_not_fit_lie_elsewhere_and_are_not_endless() -> None:
    """At most 4096 of a tag, and 512 tags; none of what reaches beyond the end of the file."""
    numbers = list(range(5000))
    whole = b"II*\0\x08\0\0\0" + directory(8, {300: (3, numbers[:3]), 301: (3, numbers)}, "<")
    (found,) = directories(whole)
    assert found[300] == (0, 1, 2)
    assert found[301] == tuple(numbers[:4096])
    start = 8 + 2 + 2 * 12 + 4 + 6
    (found,) = directories(whole[: start + 2 * 4096])
    assert found[301] == tuple(numbers[:4096])
    (found,) = directories(whole[: start + 2 * 4096 - 1])
    assert (found[300], found[301]) == ((0, 1, 2), ())
    many = b"II*\0\x08\0\0\0" + directory(8, {n: (3, [n]) for n in range(1000, 1600)}, "<")
    (found,) = directories(many)
    assert sorted(found) == [0, *range(1000, 1512)]
    assert found[1511] == (1511,)


def test_directories_below_come_before_the_next_of_the_chain() -> None:
    size = len(directory(0, {1: (3, [0])}, "<"))
    below, more = 100, 100 + size
    first = directory(8, {1: (3, [10]), 330: (4, [below, more])}, "<", following=more + size)
    data = (b"II*\0\x08\0\0\0" + first).ljust(below, b"\0")
    for number, at in enumerate((below, more, more + size)):
        data += directory(at, {1: (3, [number])}, "<")
    assert [one.get(1) for one in directories(data)] == [(10,), (0,), (1,), (2,)]
    assert directories(b"XX" + data[2:]) == []


# --- raw files


def test_what_makes_a_raw_file() -> None:
    plain, small = b"II*\0" + bytes(20), {271: (77,), 330: (99,), 254: (1,)}
    assert not is_raw(plain, [])
    assert is_raw(plain, [{50706: (1,)}])
    assert is_raw(b"II*\0\x10\0\0\0CR", [{}])
    assert is_raw(plain, [small])
    for tag in small:
        assert not is_raw(plain, [{n: v for n, v in small.items() if n != tag}])
    assert not is_raw(plain, [{}, small]), "the first directory alone decides"


def test_which_strips_are_jpegs() -> None:
    one: Tags = {259: (7,), 273: (10,), 279: (5,)}
    assert list(jpeg_streams([one])) == [(10, 5)]
    for other in (
        {},
        one | {273: (10, 20)},
        one | {279: ()},
        one | {259: (1,)},
        {273: (10,), 279: (5,)},
        {513: (40,)},
        {514: (8,)},
        {513: (), 514: (8,)},
    ):
        assert list(jpeg_streams([other])) == []
    assert list(jpeg_streams([one | {513: (40,), 514: (8,)}])) == [(40, 8), (10, 5)]


def test_where_a_jpeg_may_begin() -> None:
    start = b"\xff\xd8\xff"
    assert raw._jpegs_inside(b"") == []
    assert raw._jpegs_inside(start) == [(0, 3)]
    assert raw._jpegs_inside(b"ab" + start + start + b"c") == [(2, 7), (5, 4)]
    assert raw._jpegs_inside(start * 100) == [(3 * n, 300 - 3 * n) for n in range(64)]


def test_previews_are_pictures_of_eight_bits() -> None:
    grey = four_colours()[..., 0]
    assert raw._jpeg_area(jpeg(four_colours())) == grey.size
    assert raw._jpeg_area(jpeg(grey)) == grey.size
    from io import BytesIO

    four = BytesIO()
    Image.new("CMYK", (8, 8)).save(four, "JPEG")
    assert raw._jpeg_area(four.getvalue()) == raw._jpeg_area(b"none") == 0


def test_what_is_damaged_is_tried_four_times() -> None:
    """Larger headers without pixels behind them; then the next largest."""
    small = jpeg(four_colours()[:8, :8])
    broken = jpeg(four_colours())[:700]
    for count, said in ((3, "8 x 8 px"), (4, None)):
        data = b"IIRO\x08\0\0\0" + bytes(20) + broken * count + bytes(9) + small
        if said is None:
            with pytest.raises(ValueError, match="without a preview"):
                open_picture(data)
        else:
            assert notes_of(open_picture(data))[0].endswith(f"was taken, {said}.")


def test_a_thumbnail_that_is_no_colour_is_no_preview() -> None:
    data = raw_file().replace(
        struct.pack("<HHIH", 262, 3, 1, 2), struct.pack("<HHIH", 262, 3, 1, 9)
    )
    with pytest.raises(ValueError, match="raw file without a preview"):
        open_picture(data)


def test_a_raw_file_s_thumbnail_is_turned() -> None:
    picture = open_picture(raw_file(turned=6))
    assert picture.size == (12, 16)
    assert notes_of(picture)[0].endswith("was taken, 12 x 16 px.")


# --- sentences


def test_notes_on_bands_and_pages() -> None:
    bands = "The file has {} bands: the first three are taken as red, green, blue."
    pages = "The file has more than one page: the first one is taken."
    for tags, notes in (
        ({}, []),
        ({COLOUR: (2,), BANDS: (3,)}, []),
        ({COLOUR: (2,), BANDS: (4,)}, [bands.format(4)]),
        ({COLOUR: (1,), BANDS: (4,)}, []),
        ({BANDS: (4,)}, []),
        ({COLOUR: (2,)}, []),
        ({COLOUR: (2,), BANDS: (5,), EXTRA: (0,)}, [bands.format(5)]),
        ({COLOUR: (2,), BANDS: (5,), EXTRA: (1,)}, []),
        ({COLOUR: (2,), BANDS: (5,), EXTRA: (2,)}, []),
        ({COLOUR: (2,), BANDS: (5,), EXTRA: (3,)}, [bands.format(5)]),
        ({COLOUR: (2,), BANDS: (5,), EXTRA: ()}, [bands.format(5)]),
        ({0: (7,)}, [pages]),
        ({0: (0,)}, []),
        ({COLOUR: (2,), BANDS: (4,), 0: (7,)}, [bands.format(4), pages]),
    ):
        assert notes_on(tags) == notes
    assert not unnamed_bands({BANDS: (3,)})
    assert unnamed_bands({BANDS: (4,)})


MANY = "This TIFF has {} bands of {} each, as pictures of satellites and microscopes have: export "
MANY += "three of them as an RGB picture, or one as grey."
NONE = "This TIFF holds {}, which are no brightness: export it as PNG."
PACKED = "This TIFF is packed by {}, which is not read here: save it as PNG or JPEG."
DEPTH = "This TIFF holds {} a pixel, which is not read here: save it as PNG."


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({}, ""),
        ({BANDS: (3,), BITS: (8, 8, 8), COLOUR: (2,)}, ""),
        ({BANDS: (4,), BITS: (8, 8, 8, 16), COLOUR: (2,)}, MANY.format(4, "16 bits")),
        ({BANDS: (2,), BITS: (8,)}, MANY.format(2, "8 bits")),
        ({BANDS: (2,), BITS: (8,), COLOUR: (0,)}, MANY.format(2, "8 bits")),
        ({BANDS: (2,), BITS: (8,), COLOUR: (3,)}, ""),
        ({BANDS: (2,), BITS: (8,), COLOUR: (2,), PLANES: (2,)}, MANY.format(2, "8 bits")),
        ({BANDS: (2,), BITS: (8,), COLOUR: (2,), PLANES: (1,)}, ""),
        (
            {BANDS: (2,), BITS: (16,), COLOUR: (2,), NUMBERS: (2,)},
            MANY.format(2, "signed numbers of 16 bits"),
        ),
        ({BANDS: (1,), BITS: (8,), PLANES: (2,)}, ""),
        ({BITS: (32,), NUMBERS: (3,)}, ""),
        ({BITS: (64,), NUMBERS: (5,)}, NONE.format("complex numbers of 64 bits")),
        ({BITS: (64,), NUMBERS: (6,)}, NONE.format("complex numbers of 64 bits")),
        ({BITS: (65,)}, NONE.format("65 bits")),
        ({BITS: (128,), NUMBERS: (3,)}, NONE.format("floating-point numbers of 128 bits")),
        ({BITS: (64,)}, DEPTH.format("64 bits")),
        ({BITS: (64,), NUMBERS: (3,)}, DEPTH.format("floating-point numbers of 64 bits")),
        ({BITS: (24,), NUMBERS: (2,)}, DEPTH.format("signed numbers of 24 bits")),
        *[({BITS: (bits,)}, "") for bits in (1, 2, 4, 8, 12, 16, 32)],
        *[({BITS: (bits,)}, DEPTH.format(f"{bits} bits")) for bits in (3, 5, 9, 10, 13, 14, 17)],
        *[({BITS: (bits,)}, DEPTH.format(f"{bits} bits")) for bits in (11, 15, 31, 33)],
        *[({BITS: (8,), PACKING: (one,)}, "") for one in (1, 5, 6, 7, 8, 32773, 32946)],
        *[
            ({BITS: (8,), PACKING: (one,)}, PACKED.format(name))
            for one, name in {
                34712: "JPEG 2000",
                34887: "LERC",
                34925: "LZMA",
                50000: "Zstandard",
                50001: "WebP",
                50002: "JPEG XL",
                2: "method 2",
                9: "method 9",
                32774: "method 32774",
            }.items()
        ],
        ({PACKING: ()}, ""),
        ({BITS: (), BANDS: (), COLOUR: (), NUMBERS: ()}, ""),
    ],
)
def test_sentences_on_what_is_not_read(tags: Any, said: str) -> None:
    assert describe([tags]) == said
    assert describe([tags, {BITS: (24,)}]) == said, "the first directory alone is described"


def test_of_no_directory_nothing_is_said() -> None:
    assert describe([]) == ""
