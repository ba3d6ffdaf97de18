"""A file, of whatever kind and however broken -> an upright RGB picture, or a sentence."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")  # nothing else is ever decoded
MAX_BYTES = 25 * 2**20
MAX_PIXELS = 40_000_000

# EXIF orientation -> what turns the stored picture upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION, _BITS_PER_SAMPLE, _PHOTOMETRIC = 0x0112, 0x0102, 0x0106  # EXIF and TIFF tags


def open_picture(
    source: str | Path | bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Decode a file, named by its path or given as its bytes, into an upright RGB picture.

    Of an animation or a file of several pages the first picture is taken, transparency is laid
    over white, 16 bits become 8 by scaling. Limits hold before any pixel is decoded. Whatever is
    wrong with the file, the answer is a ValueError in one sentence fit for the person who chose it.
    """
    data = _read(source, max_bytes)
    # Pillow comments on odd files by warnings: they are either harmless or answered below.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        image = _open_checked(data, max_pixels)
        try:
            image.load()
            picture = _to_rgb(image)
            upright = _UPRIGHT.get(_orientation(image))
        except _UnclearPixelsError as error:
            raise ValueError(str(error)) from None
        except Exception:  # a decoder fed with garbage may raise anything
            raise ValueError(
                "This picture is damaged or incomplete: save or download it again."
            ) from None
    if upright is not None:
        picture = picture.transpose(upright)
    picture.info = {}  # no position, profile or thumbnail travels on with the pixels
    return picture


class _UnclearPixelsError(Exception):
    """The pixels are there, but what their numbers mean is not known."""


def _read(source: str | Path | bytes, max_bytes: int) -> bytes:
    if isinstance(source, bytes):
        data, size = source, len(source)
    else:
        path = Path(source)
        try:
            if not path.is_file():
                raise ValueError("There is no such file: choose a picture file.")
            size = path.stat().st_size
            data = path.read_bytes() if size <= max_bytes else b""
        except OSError:
            raise ValueError("The file cannot be read: choose another picture file.") from None
    if size > max_bytes:
        raise ValueError(
            f"The file has {size / 2**20:.1f} MB, more than the {max_bytes / 2**20:g} MB allowed: "
            "save the picture smaller, for example as JPEG."
        )
    if not data:
        raise ValueError("The file is empty: choose a picture file.")
    return data


def _open_checked(data: bytes, max_pixels: int) -> Image.Image:
    """Read the header only, and refuse what is no picture or has too many pixels."""
    allowed = f"more than the {max_pixels / 1e6:g} megapixels allowed: save it smaller."
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:  # Pillow's own limit, far above ours; it hides the size
        raise ValueError(f"This picture has far {allowed}") from None
    except Exception:
        raise ValueError(_not_a_picture(data)) from None
    width, height = image.size
    if width * height > max_pixels:
        raise ValueError(f"This picture is {width} x {height} px, {allowed}")
    return image


def _not_a_picture(data: bytes) -> str:
    """Name the kinds of file that people try most often, so that they know what to do."""
    start = data[:1024].lstrip().lower()
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1"):
        kind = "a HEIC photo"
    elif data[4:12] in (b"ftypavif", b"ftypavis"):
        kind = "an AVIF picture"
    elif start.startswith(b"%pdf"):
        kind = "a PDF document"
    elif b"<svg" in start:
        kind = "an SVG drawing"
    else:
        return "This file is damaged or no picture: JPEG, PNG, WebP, GIF, TIFF or BMP is wanted."
    return f"This is {kind}, which is not read here: save it as JPEG or PNG."


def _orientation(image: Image.Image) -> Any:
    """EXIF orientation, 1 to 8; whatever cannot be read counts as upright, as in any viewer."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "F":
        return _deep_grey_to_rgb(image)
    if image.mode == "I":
        raise _UnclearPixelsError(
            "This picture stores grey as 32-bit or signed numbers, so what is black and what is "
            "white is not known: save it with 8 or 16 bits."
        )
    if image.mode == "LAB":
        raise _UnclearPixelsError("This picture is in Lab colours: save it as RGB.")
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        _eight_bit_transparency(image)
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _deep_grey_to_rgb(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, or of floats in [0, 1]. Pillow's own conversion clips both."""
    tags = getattr(image, "tag_v2", {})  # TIFF only
    values = np.asarray(image)  # [H, W]
    if image.mode == "F":
        if not (values.min() >= 0 and values.max() <= 1):  # also refuses NaN
            raise _UnclearPixelsError(
                "This picture stores grey as floating-point numbers outside 0 to 1, so what is "
                "black and what is white is not known: save it with 8 or 16 bits."
            )
        grey = np.rint(values * 255).astype(np.uint8)
    else:
        peak = 2 ** int(tags.get(_BITS_PER_SAMPLE, (16,))[0]) - 1  # 12 bits come in 16, unscaled
        grey = ((values.astype(np.uint32) * 255 + peak // 2) // peak).astype(np.uint8)
        if "transparency" in image.info:
            grey[values == image.info["transparency"]] = 255
    if tags.get(_PHOTOMETRIC) == 0:  # white is zero; Pillow turns it round for 8 bits only
        grey = 255 - grey
    return Image.fromarray(grey).convert("RGB")


def _eight_bit_transparency(image: Image.Image) -> None:
    """A PNG of 16-bit RGB names its transparent colour in 16 bits; its pixels now have 8."""
    colour = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(colour, tuple) and max(colour) > 255:
        image.info["transparency"] = tuple(value >> 8 for value in colour)
