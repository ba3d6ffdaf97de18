"""TIFF files as cameras and instruments write them: what their tags say, in words.

A TIFF is a chain of directories, each a list of tags. Pillow reads the first picture of the usual
kinds. This file says what the others are, and finds the previews in cameras' raw files, most of
which are TIFF files inside.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

Tags = dict[int, tuple[int, ...]]  # number of a tag -> its whole numbers

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
STRIPS, SAMPLES, STRIP_BYTES, PLANAR = 273, 277, 279, 284
SUB_DIRECTORIES, EXTRA_SAMPLES, SAMPLE_FORMAT = 330, 338, 339
JPEG_START, JPEG_LENGTH = 513, 514
MAKER, ORIENTATION, DNG_VERSION = 271, 274, 50706
FOLLOWING = 0  # no tag of TIFF's: where the next directory of the chain lies, 0 at its end

_DIRECTORIES = 32  # looked at; a camera writes up to about ten
_TAGS = 512  # of one directory
_VALUES = 4096  # of one tag; strips of large pictures have more, and are not needed
_SIZES = {1: 1, 3: 2, 4: 4, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}  # of whole numbers, by kind
_LETTERS = {1: "B", 3: "H", 4: "I", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_PACKINGS = {
    34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP",
    50002: "JPEG XL", 32773: "PackBits", 32946: "Deflate", 5: "LZW", 8: "Deflate", 6: "JPEG",
    7: "JPEG",
}  # fmt: skip


@dataclass(frozen=True)
class _Layout:
    """Classic TIFF counts in 4 bytes, BigTIFF in 8."""

    order: str  # "<" or ">"
    big: bool

    def number(self, data: bytes, at: int, letter: str) -> int:
        return int(struct.unpack_from(self.order + letter, data, at)[0])


def directories(data: bytes) -> list[Tags]:
    """The directories of a file and those below them, first come first; as far as it is whole."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return []
    layout = _Layout(order, big=data[2:4] in (b"+\0", b"\0+"))
    found: list[Tags] = []
    seen: set[int] = set()
    try:
        waiting = [layout.number(data, 8 if layout.big else 4, "Q" if layout.big else "I")]
        while waiting and len(found) < _DIRECTORIES:
            at = waiting.pop(0)
            if at == 0 or at in seen:  # the end, or a circle
                continue
            seen.add(at)
            tags, following = _directory(data, at, layout)
            found.append(tags)
            waiting += [*tags.get(SUB_DIRECTORIES, ())[:_DIRECTORIES], following]
    except (struct.error, OverflowError):  # cut short, or pointing outside
        pass
    return found


def _directory(data: bytes, at: int, layout: _Layout) -> tuple[Tags, int]:
    head, width, letter = (8, 20, "Q") if layout.big else (2, 12, "I")
    count = layout.number(data, at, "Q" if layout.big else "H")
    tags: Tags = {}
    for i in range(min(count, _TAGS)):
        place = at + head + i * width
        tag, kind = struct.unpack_from(layout.order + "HH", data, place)
        if kind in _SIZES:
            tags[tag] = _values(data, place + 4, kind, layout)
        else:
            tags.setdefault(tag, ())  # it is there, whatever it says
    following = layout.number(data, at + head + count * width, letter)
    return tags | {FOLLOWING: (following,)}, following


def _values(data: bytes, at: int, kind: int, layout: _Layout) -> tuple[int, ...]:
    letter, room = ("Q", 8) if layout.big else ("I", 4)
    count = layout.number(data, at, letter)
    at += room
    taken = min(count, _VALUES)
    if count * _SIZES[kind] > room:
        at = layout.number(data, at, letter)
    if taken * _SIZES[kind] > len(data) - at:
        return ()
    return struct.unpack_from(f"{layout.order}{taken}{_LETTERS[kind]}", data, at)


def is_raw(data: bytes, found: list[Tags]) -> bool:
    """Whether this TIFF is a camera's raw file, whose first picture is but a thumbnail."""
    if not found:
        return False
    first = found[0]
    if DNG_VERSION in first or data[8:10] == b"CR":
        return True
    small = bool(first.get(SUBFILE, (0,))[:1] == (1,))
    return MAKER in first and small and SUB_DIRECTORIES in first


def jpeg_streams(found: list[Tags]) -> Iterator[tuple[int, int]]:
    """(start, length) of the pictures that directories keep as JPEG, previews among them."""
    for tags in found:
        if tags.get(JPEG_START) and tags.get(JPEG_LENGTH):
            yield tags[JPEG_START][0], tags[JPEG_LENGTH][0]
        packed = tags.get(COMPRESSION, (1,))[:1] in ((6,), (7,))
        if packed and len(tags.get(STRIPS, ())) == 1 and tags.get(STRIP_BYTES):
            yield tags[STRIPS][0], tags[STRIP_BYTES][0]


def notes_on(tags: Tags) -> list[str]:
    """What is left out when the first directory is read as an ordinary picture, in sentences."""
    notes = []
    bands = (tags.get(SAMPLES) or (1,))[0]
    if (tags.get(PHOTOMETRIC) or (1,))[0] == 2 and unnamed_bands(tags):
        notes.append(f"The file has {bands} bands: the first three are taken as red, green, blue.")
    if any(tags.get(FOLLOWING, ())):
        notes.append("The file has more than one page: the first one is taken.")
    return notes


def unnamed_bands(tags: Tags) -> bool:
    """Whether a picture in RGB has more bands, and does not say that they are transparency."""
    bands = (tags.get(SAMPLES) or (1,))[0]
    return bands > 3 and (tags.get(EXTRA_SAMPLES) or (0,))[0] not in (1, 2)


def describe(found: list[Tags]) -> str:
    """A sentence on a TIFF that is not read: what is in it, and what to do. Empty if none fits."""
    if not found:
        return ""
    tags = found[0]
    bits, bands = max(tags.get(BITS) or (1,)), (tags.get(SAMPLES) or (1,))[0]
    kind = (tags.get(SAMPLE_FORMAT) or (1,))[0]
    number = {2: "signed ", 3: "floating-point ", 5: "complex ", 6: "complex "}.get(kind, "")
    amount = f"numbers of {bits} bits" if number else f"{bits} bits"
    grey = (tags.get(PHOTOMETRIC) or (1,))[0] in (0, 1)
    planes = tags.get(PLANAR, ())[:1] == (2,)
    if bands > 3 or (bands > 1 and (grey or number or planes)):
        return (
            f"This TIFF has {bands} bands of {number}{amount} each, as pictures of satellites and "
            f"microscopes have: export three of them as an RGB picture, or one as grey."
        )
    if kind in (5, 6) or bits > 64:
        return f"This TIFF holds {number}{amount}, which are no brightness: export it as PNG."
    packing = (tags.get(COMPRESSION) or (1,))[0]
    if packing not in (1, 5, 6, 7, 8, 32773, 32946):
        name = _PACKINGS.get(packing, f"method {packing}")
        return f"This TIFF is packed by {name}, which is not read here: save it as PNG or JPEG."
    if bits not in (1, 2, 4, 8, 12, 16, 32):
        return f"This TIFF holds {number}{amount} a pixel, which is not read here: save it as PNG."
    return ""
