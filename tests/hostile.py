"""Odd, broken and dangerous picture files, made on the spot, each with what must come of it.

`CASES` is the table, `write_files(folder)` puts all of them on disk. Where Pillow would be judge of
its own work (16 bits, transparency, white-is-zero TIFF, orientation) the bytes are written here by
hand, from the PNG, TIFF and EXIF specifications.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

Colour = tuple[float, float, float]

PAGE_BYTES = 25 * 2**20  # the most that the page takes

RED, GREEN, BLUE, YELLOW = (220, 30, 40), (20, 160, 60), (30, 60, 200), (230, 210, 40)
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
WIDTH, HEIGHT = 48, 32  # of the four-coloured picture


def is_plain_sentence(text: str) -> bool:
    """Fit for a person: no path, no code, no name of an exception."""
    signs = ("/", "\\", "Traceback", "<", "0x", "\n", "Error", "None")
    return text[0].isupper() and text[-1] == "." and not any(sign in text for sign in signs)


@dataclass(frozen=True)
class Case:
    """A file and what must come of it: a picture of this size and colour, or a sentence."""

    name: str
    build: Callable[[], bytes]
    error: str | None = None  # part of the sentence; None: a picture comes out
    size: tuple[int, int] = (WIDTH, HEIGHT)  # (width, height)
    quadrants: tuple[Colour, Colour, Colour, Colour] = (RED, GREEN, BLUE, YELLOW)  # as one reads
    tolerance: float = 1.0  # of a quadrant's mean, in 8-bit levels
    note: str = ""  # part of what is said of a picture that was read otherwise than expected


def four_colours() -> np.ndarray:
    """uint8 [32, 48, 3]: red, green / blue, yellow."""
    pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    pixels[: HEIGHT // 2, : WIDTH // 2] = RED
    pixels[: HEIGHT // 2, WIDTH // 2 :] = GREEN
    pixels[HEIGHT // 2 :, : WIDTH // 2] = BLUE
    pixels[HEIGHT // 2 :, WIDTH // 2 :] = YELLOW
    return pixels


def noise(height: int = 64, width: int = 96) -> np.ndarray:
    """uint8 [H, W, 3] that does not compress, so that cutting the file short hurts."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def saved(pixels: np.ndarray | Image.Image, format: str, **options: object) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def whole(colour: Colour) -> tuple[Colour, Colour, Colour, Colour]:
    return colour, colour, colour, colour


# --- PNG by hand


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, chunks: bytes = b"") -> bytes:
    """A PNG of raw rows, each with its leading filter byte.

    Colour is 0 for grey, 2 for RGB, 3 for a palette, 4 for grey and 6 for RGB with alpha.
    """
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    data = png_chunk(b"IDAT", zlib.compress(rows, 9))
    end = png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + chunks + data + end


def png_of(samples: np.ndarray, colour: int, chunks: bytes = b"") -> bytes:
    """A PNG of an array [H, W, channels] of uint8 or uint16."""
    height, width, _ = samples.shape
    bits = samples.dtype.itemsize * 8
    big_endian = samples.astype(samples.dtype.newbyteorder(">"))
    rows = b"".join(b"\0" + row.tobytes() for row in big_endian)
    return png(width, height, bits, colour, rows, chunks)


def blank_png(side: int) -> bytes:
    """A square of 1-bit black: 20000 x 20000 px in some 50 kB, without ever holding 50 MB."""
    row = b"\0" * (1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)


def grey16_png(value: int, chunks: bytes = b"") -> bytes:
    return png_of(np.full((HEIGHT, WIDTH, 1), value, np.uint16), 0, chunks)


def rgb16_png(chunks: bytes = b"") -> bytes:
    return png_of(four_colours().astype(np.uint16) * 256 + 7, 2, chunks)


def with_alpha(dtype: type = np.uint8) -> np.ndarray:
    """RGBA [H, W, 4]: the left half opaque, the upper right half so, the lower right not at all."""
    scale = np.iinfo(dtype).max // 255
    pixels = np.dstack([four_colours(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    pixels[: HEIGHT // 2, WIDTH // 2 :, 3] = 128
    pixels[HEIGHT // 2 :, WIDTH // 2 :, 3] = 0
    return pixels.astype(dtype) * dtype(scale)


def over_white(colour: Colour, alpha: float) -> Colour:
    red, green, blue = (value * alpha + 255 * (1 - alpha) for value in colour)
    return red, green, blue


ALPHA_QUADRANTS = (RED, over_white(GREEN, 128 / 255), BLUE, WHITE)


def grey_alpha_png() -> bytes:
    samples = np.full((HEIGHT, WIDTH, 2), (100, 255), np.uint8)
    samples[:, WIDTH // 2 :, 1] = 51  # a fifth of grey 100, four fifths of white
    return png_of(samples, 4)


def palette_png(transparency: bytes = b"") -> bytes:
    index = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    index[: HEIGHT // 2, WIDTH // 2 :] = 1
    index[HEIGHT // 2 :, : WIDTH // 2] = 2
    index[HEIGHT // 2 :, WIDTH // 2 :] = 3
    palette = png_chunk(b"PLTE", bytes(RED + GREEN + BLUE + YELLOW))
    return png_of(index, 3, palette + (png_chunk(b"tRNS", transparency) if transparency else b""))


def one_bit_png() -> bytes:
    """The left half black, the right half white."""
    row = b"\0" + b"\x00" * (WIDTH // 16) + b"\xff" * (WIDTH // 16)
    return png(WIDTH, HEIGHT, 1, 0, row * HEIGHT)


def bomb_in_chunk(kind: bytes) -> bytes:
    """Eight megabytes of nothing behind eight kilobytes, in a chunk beside the pixels."""
    body = b"a\0\0" + zlib.compress(b" " * 8_000_000, 9)
    return rgb16_png(png_chunk(kind, body))


def animated_png() -> bytes:
    pictures = [Image.fromarray(four_colours()), Image.new("RGB", (WIDTH, HEIGHT), "black")]
    return saved(pictures[0], "PNG", save_all=True, append_images=pictures[1:], duration=50)


# --- JPEG


def as_stored(orientation: int) -> np.ndarray:
    """The four colours as a camera held that way stores them.

    The EXIF tag names the side of the upright picture on which the first stored row and the first
    stored column lie (EXIF 2.32, 4.6.4 A).
    """
    first_row, first_column = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    stored = four_colours()
    if first_row in ("left", "right"):
        stored = stored.transpose(1, 0, 2)
    if first_row in ("bottom", "right"):
        stored = stored[::-1]
    if first_column in ("bottom", "right"):
        stored = stored[:, ::-1]
    return np.ascontiguousarray(stored)


def oriented_jpeg(orientation: int) -> bytes:
    return with_exif(jpeg(as_stored(orientation)), exif(orientation))


def jpeg(pixels: np.ndarray) -> bytes:
    return saved(pixels, "JPEG", quality=95, subsampling=0)


def exif(orientation: int, entries: int = 1, kind: int = 3) -> bytes:
    """A TIFF directory with the orientation tag; too many entries or a wrong kind break it."""
    entry = struct.pack("<HHIHH", 0x0112, kind, 1, orientation, 0)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, entries) + entry + b"\0\0\0\0"


def with_exif(jpeg_bytes: bytes, body: bytes) -> bytes:
    return jpeg_bytes[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg_bytes[2:]


def cmyk_jpeg() -> bytes:
    """Four inks as Adobe writes them: inverted, with the marker that says so."""
    inks = 255 - four_colours()  # cyan, magenta, yellow; no black
    pixels = Image.fromarray(np.dstack([inks, np.zeros((HEIGHT, WIDTH), np.uint8)]), "CMYK")
    data = saved(pixels, "JPEG", quality=95, subsampling=0)
    assert b"Adobe" in data[:64]
    return data


def huge_jpeg() -> bytes:
    """A small picture whose header claims 65500 x 65500 px."""
    data = jpeg(four_colours())
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", 65500, 65500) + data[at + 4 :]


def several_in_one_jpeg() -> bytes:
    """A multi-picture file, as many telephones write them."""
    other = Image.new("RGB", (WIDTH, HEIGHT), "black")
    return saved(Image.fromarray(four_colours()), "MPO", save_all=True, append_images=[other])


# --- HEIC and AVIF


def heic(pixels: np.ndarray, **options: object) -> bytes:
    """As a telephone writes it; turned by the file's own boxes where EXIF says so."""
    import pillow_heif

    file = BytesIO()
    picture = pillow_heif.from_pillow(Image.fromarray(pixels))
    picture.save(file, quality=95, chroma=444, **options)
    return file.getvalue()


def avif(pixels: np.ndarray, **options: object) -> bytes:
    return saved(pixels, "AVIF", quality=95, subsampling="4:4:4", **options)


# --- TIFF by hand, and the others


def tiff(
    samples: np.ndarray, bits: int, photometric: int, kind: int = 1, order: str = "<"
) -> bytes:
    """One strip of grey [H, W] or of colours [H, W, C].

    Photometric is 0 where white is zero, 1 where black is, 2 for red, green and blue; kind is 1 for
    unsigned numbers, 2 for signed ones, 3 for floats.
    """
    height, width, bands = (*samples.shape, 1)[:3]
    data = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    tags = {
        256: width,
        257: height,
        258: bits,
        259: 1,
        262: photometric,
        273: 8,
        277: bands,
        278: height,
        279: len(data),
        339: kind,
    }
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags.items())
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8 + len(data))
    return start + data + struct.pack(order + "H", len(tags)) + entries + b"\0\0\0\0"


def grey_tiff(value: float, dtype: type, **options: int | str) -> bytes:
    bits = np.dtype(dtype).itemsize * 8
    settings = {"bits": bits, "photometric": 1, **options}
    return tiff(np.full((HEIGHT, WIDTH), value, dtype), **settings)  # type: ignore[arg-type]


def twelve_bit_tiff(value: int) -> bytes:
    """Two grey values in three bytes."""
    pair = bytes([value >> 4, (value & 15) << 4 | value >> 8, value & 255])
    packed = np.frombuffer(pair * (WIDTH * HEIGHT // 2), np.uint8).reshape(HEIGHT, -1)
    data = tiff(packed, 12, 1)
    return data.replace(struct.pack("<HHII", 256, 4, 1, packed.shape[1]), width_tag(WIDTH))


def width_tag(width: int) -> bytes:
    return struct.pack("<HHII", 256, 4, 1, width)


def huge_tiff() -> bytes:
    data = grey_tiff(0, np.uint8)
    return data.replace(width_tag(WIDTH), width_tag(4_000_000))


def several_pages() -> bytes:
    pages = [Image.fromarray(four_colours()), Image.new("RGB", (9, 9), "black")]
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])


def rotated_tiff() -> bytes:
    return saved(as_stored(8), "TIFF", tiffinfo={0x0112: 8})


def animated(format: str, **options: object) -> bytes:
    pictures = [Image.fromarray(four_colours()), Image.new("RGB", (WIDTH, HEIGHT), "black")]
    return saved(pictures[0], format, save_all=True, append_images=pictures[1:], **options)


def transparent_gif() -> bytes:
    """The yellow quadrant is see-through."""
    image = Image.fromarray(four_colours()).quantize(4)
    yellow = image.getpixel((WIDTH - 1, HEIGHT - 1))
    return saved(image, "GIF", transparency=yellow)


def huge_gif() -> bytes:
    data = animated("GIF")
    return data[:6] + struct.pack("<HH", 65500, 65500) + data[10:]


def huge_bmp() -> bytes:
    data = saved(four_colours(), "BMP")
    return data[:18] + struct.pack("<ii", 100_000, 100_000) + data[26:]


def huge_webp() -> bytes:
    """An animation of one small frame on a canvas of 16000 x 16000 px."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    def three_bytes(*values: int) -> bytes:
        return b"".join(struct.pack("<I", value)[:3] for value in values)

    picture = saved(four_colours(), "WEBP", lossless=True)[12:]
    frame = three_bytes(0, 0, WIDTH - 1, HEIGHT - 1, 100) + b"\0" + picture
    canvas = b"\x02\0\0\0" + three_bytes(16000 - 1, 16000 - 1)
    body = b"WEBP" + chunk(b"VP8X", canvas) + chunk(b"ANIM", b"\0" * 6) + chunk(b"ANMF", frame)
    return chunk(b"RIFF", body)


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def garbled(data: bytes) -> bytes:
    """The first 40 bytes as they were, then noise."""
    rest = np.random.default_rng(1).integers(0, 256, len(data) - 40, np.uint8)
    return data[:40] + rest.tobytes()


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><rect width="9"/></svg>'
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"

GREY_16 = 129 * 257  # Pillow's own conversion clips it to white

PICTURES = (
    Case("plain.png", lambda: png_of(four_colours(), 2)),
    Case("plain.jpg", lambda: jpeg(four_colours()), tolerance=2),
    Case("plain.bmp", lambda: saved(four_colours(), "BMP")),
    Case("plain.tif", lambda: saved(four_colours(), "TIFF")),
    Case("lzw.tif", lambda: saved(four_colours(), "TIFF", compression="tiff_lzw")),
    Case("plain.webp", lambda: saved(four_colours(), "WEBP", lossless=True)),
    Case("plain.gif", lambda: saved(four_colours(), "GIF")),
    Case("animated.gif", lambda: animated("GIF"), note="an animation"),
    Case("animated.webp", lambda: animated("WEBP", lossless=True), note="an animation"),
    Case("animated.png", animated_png, note="an animation"),
    Case("several_pages.tif", several_pages, note="more than one page"),
    Case("photo.heic", lambda: heic(four_colours()), tolerance=8),
    Case("photo_named.jpg", lambda: heic(four_colours()), tolerance=8),
    Case("see_through.heic", lambda: heic(with_alpha()), quadrants=ALPHA_QUADRANTS, tolerance=8),
    Case("turned.heic", lambda: heic(as_stored(6), exif=exif(6)), tolerance=8),
    Case("plain.avif", lambda: avif(four_colours()), tolerance=4),
    Case("turned.avif", lambda: avif(as_stored(8), exif=exif(8)), tolerance=4),
    Case("several_in_one.jpg", several_in_one_jpeg, tolerance=8),
    Case("png_named.jpg", lambda: png_of(four_colours(), 2)),
    Case("grey16.png", lambda: grey16_png(GREY_16), quadrants=whole((129, 129, 129))),
    Case("grey16_dark.png", lambda: grey16_png(700), quadrants=whole((700 / 257,) * 3)),
    Case(
        "grey16_transparent.png",
        lambda: grey16_png(GREY_16, png_chunk(b"tRNS", struct.pack(">H", GREY_16))),
        quadrants=whole(WHITE),
    ),
    Case("rgb16.png", rgb16_png),
    Case(
        "rgb16_transparent.png",
        lambda: rgb16_png(png_chunk(b"tRNS", struct.pack(">3H", *(256 * v + 7 for v in YELLOW)))),
        quadrants=(RED, GREEN, BLUE, WHITE),
    ),
    Case("rgba.png", lambda: png_of(with_alpha(), 6), quadrants=ALPHA_QUADRANTS),
    Case("rgba16.png", lambda: png_of(with_alpha(np.uint16), 6), quadrants=ALPHA_QUADRANTS),
    Case(
        "rgba.webp",
        lambda: saved(with_alpha(), "WEBP", lossless=True),
        quadrants=ALPHA_QUADRANTS,
    ),
    Case("rgba.tif", lambda: saved(with_alpha(), "TIFF"), quadrants=ALPHA_QUADRANTS),
    Case(
        "grey_alpha.png",
        grey_alpha_png,
        quadrants=((100,) * 3, (224,) * 3, (100,) * 3, (224,) * 3),
    ),
    Case("palette.png", palette_png),
    Case(
        "palette_transparent.png",
        lambda: palette_png(bytes([255, 128, 255, 0])),
        quadrants=ALPHA_QUADRANTS,
    ),
    Case("transparent.gif", transparent_gif, quadrants=(RED, GREEN, BLUE, WHITE)),
    Case("one_bit.png", one_bit_png, quadrants=(BLACK, WHITE, BLACK, WHITE)),
    Case("cmyk.jpg", cmyk_jpeg, tolerance=3),
    Case(
        "cmyk.tif",
        lambda: saved(Image.open(BytesIO(cmyk_jpeg())), "TIFF"),
        tolerance=3,
    ),
    Case("grey16.tif", lambda: grey_tiff(GREY_16, np.uint16), quadrants=whole((129,) * 3)),
    Case(
        "grey16_big_endian.tif",
        lambda: grey_tiff(GREY_16, np.uint16, order=">"),
        quadrants=whole((129,) * 3),
    ),
    Case(
        "grey16_white_is_zero.tif",
        lambda: grey_tiff(GREY_16, np.uint16, photometric=0),
        quadrants=whole((126,) * 3),
    ),
    Case("grey12.tif", lambda: twelve_bit_tiff(2071), quadrants=whole((129,) * 3)),
    Case("float.tif", lambda: grey_tiff(0.5, np.float32, kind=3), quadrants=whole((127.5,) * 3)),
    Case("rotated.tif", rotated_tiff),
    *(
        Case(f"orientation_{k}.jpg", lambda k=k: oriented_jpeg(k), tolerance=2)  # type: ignore[misc]
        for k in range(1, 9)
    ),
    Case("orientation_99.jpg", lambda: with_exif(jpeg(four_colours()), exif(99)), tolerance=2),
    Case(
        "exif_endless.jpg",
        lambda: with_exif(jpeg(four_colours()), exif(1, entries=60000)),
        tolerance=2,
    ),
    Case(
        "exif_wrong_kind.jpg",
        lambda: with_exif(jpeg(four_colours()), exif(6, kind=77)),
        tolerance=2,
    ),
    Case(
        "exif_noise.jpg",
        lambda: with_exif(jpeg(four_colours()), b"Exif\0\0" + noise().tobytes()[:500]),
        tolerance=2,
    ),
    Case(
        "one_pixel.png",
        lambda: png_of(np.full((1, 1, 3), RED, np.uint8), 2),
        size=(1, 1),
        quadrants=whole(RED),
    ),
    Case(
        "thread.png",
        lambda: png_of(np.full((1, 5000, 3), RED, np.uint8), 2),
        size=(5000, 1),
        quadrants=whole(RED),
    ),
)

REFUSED = (
    Case("empty.png", lambda: b"", error="is empty"),
    Case("corrupt.png", lambda: garbled(png_of(noise(), 2)), error="damaged"),
    Case("corrupt.jpg", lambda: garbled(jpeg(noise())), error="damaged"),
    Case("header_only.png", lambda: png_of(noise(), 2)[:20], error="damaged"),
    Case("truncated.png", lambda: cut(png_of(noise(), 2), 0.5), error="damaged or incomplete"),
    Case("truncated.jpg", lambda: cut(jpeg(noise()), 0.5), error="damaged or incomplete"),
    Case("truncated.webp", lambda: cut(saved(noise(), "WEBP"), 0.5), error="damaged"),
    Case("truncated.gif", lambda: cut(saved(noise(), "GIF"), 0.5), error="damaged or incomplete"),
    Case("truncated.tif", lambda: cut(saved(noise(), "TIFF"), 0.5), error="damaged"),
    Case("truncated.bmp", lambda: cut(saved(noise(), "BMP"), 0.5), error="damaged or incomplete"),
    Case("huge.png", lambda: blank_png(20_000), error="megapixels allowed"),
    Case("large.png", lambda: blank_png(7_000), error="7000 x 7000 px, more than the 40 mega"),
    Case("very_large.png", lambda: blank_png(11_000), error="11000 x 11000 px"),  # Pillow warns
    Case("huge.jpg", huge_jpeg, error="megapixels allowed"),
    Case("huge.gif", huge_gif, error="megapixels allowed"),
    Case("huge.bmp", huge_bmp, error="megapixels allowed"),
    Case("huge.tif", huge_tiff, error="megapixels allowed"),
    Case("huge.webp", huge_webp, error="megapixels allowed"),
    Case("text_bomb.png", lambda: bomb_in_chunk(b"zTXt"), error="damaged"),
    Case("profile_bomb.png", lambda: bomb_in_chunk(b"iCCP"), error="damaged"),
    Case("heavy.png", lambda: png_of(noise(), 2) + b"\0" * 26_300_000, error="25 MB allowed"),
    Case("signed16.tif", lambda: grey_tiff(9, np.int16, kind=2), error="signed numbers"),
    Case("int32.tif", lambda: grey_tiff(9, np.int32, kind=2), error="signed numbers"),
    Case("float_large.tif", lambda: grey_tiff(99, np.float32, kind=3), error="floating-point"),
    Case("float_nan.tif", lambda: grey_tiff(np.nan, np.float32, kind=3), error="floating-point"),
    Case("lab.tif", lambda: saved(Image.new("LAB", (9, 9)), "TIFF"), error="Lab colours"),
    Case("drawing.svg", lambda: SVG, error="SVG drawing"),
    Case("drawing_named.png", lambda: SVG, error="SVG drawing"),
    Case("document.pdf", lambda: b"%PDF-1.7\n1 0 obj\n", error="PDF document"),
    Case("postscript.eps", lambda: POSTSCRIPT, error="PostScript document"),
    Case(
        "beginning.heic",
        lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 200,
        error="the beginning of a HEIC picture",
    ),
    Case("cut.heic", lambda: cut(heic(noise()), 0.5), error="damaged"),
    Case("cut.avif", lambda: cut(avif(noise()), 0.5), error="damaged"),
    Case("photo.jxl", lambda: b"\xff\x0a" + bytes(range(99)), error="JPEG XL picture"),
    Case("scan.dcm", lambda: bytes(128) + b"DICM" + bytes(99), error="DICOM file"),
    Case("text_named.png", lambda: b"These are words, not pixels.\n" * 9, error="a text file"),
    Case("icon.ico", lambda: saved(four_colours(), "ICO"), error="an icon file"),
    Case("plain.ppm", lambda: saved(four_colours(), "PPM"), error="Netpbm picture"),
)

CASES = PICTURES + REFUSED


def write_files(folder: Path) -> dict[str, Path]:
    """Write every case into a folder: file name -> path."""
    paths = {case.name: folder / case.name for case in CASES}
    for case in CASES:
        paths[case.name].write_bytes(case.build())
    return paths
