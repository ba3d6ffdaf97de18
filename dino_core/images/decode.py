"""A file, of whatever kind and however broken -> an upright RGB picture, or a sentence.

What a file is, is read off its first bytes (`formats`), and only that decoder sees it. Sizes are
read from headers and checked before any pixel is decoded.

    most kinds     Pillow, up to `max_pixels`
    JPEG           up to 5 times as many, decoded at a half, a quarter or an eighth of its size
    HEIC           libheif, up to 1.5 times as many, then halved: photos of 48 megapixels
    raw files      the largest preview in them (`raw`)
    deep pixels    16 bits, floats (`deep`)
"""

import warnings
from pathlib import Path

from PIL import Image

from dino_core.images import deep, formats, tiff
from dino_core.images.formats import HEAD, kind_of, refusal
from dino_core.images.raw import read_preview
from dino_core.images.readers import (
    DAMAGED,
    UPRIGHT,
    Work,
    open_header,
    open_jpeg,
    orientation_of,
    pixels_of,
    read_heif,
)

MAX_BYTES = 100 * 2**20  # a photo of 200 megapixels, or a camera's raw file
MAX_PIXELS = 40_000_000


def open_picture(
    source: str | Path | bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    stretch: bool = False,
) -> Image.Image:
    """Decode a file, named by its path or given as its bytes, into an upright RGB picture.

    Of an animation or a file of several pages the first picture is taken, transparency is laid
    over white, 16 bits become 8 by scaling; `stretch` brings the values that occur in them to 0
    and 255 instead (`deep`). What a person should know of it, `notes_of(picture)` says. Limits hold
    before any pixel is decoded. Whatever is wrong with the file, the answer is a ValueError in one
    sentence fit for the person who chose it.
    """
    work = Work(_read(source, max_bytes), max_pixels, stretch)
    # Pillow comments on odd files by warnings: they are either harmless or answered below.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        picture = _decoded(work)
    # No position, profile or thumbnail travels on with the pixels.
    picture.info = {"notes": tuple(work.notes)} if work.notes else {}
    return picture


def notes_of(picture: Image.Image) -> tuple[str, ...]:
    """Sentences on what `open_picture` did otherwise than one might expect; mostly none."""
    return tuple(picture.info.get("notes", ()))


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


def _decoded(work: Work) -> Image.Image:
    head = work.data[:HEAD]
    kind = kind_of(head)
    if kind is None or not kind.decoder:
        raise ValueError(refusal(head))
    directories = tiff.directories(work.data) if kind in (formats.TIFF, formats.RAW) else []
    if kind is formats.RAW or tiff.is_raw(work.data, directories):
        return read_preview(work, directories)
    if kind is formats.HEIF:
        return read_heif(work)
    image = open_jpeg(work) if kind is formats.JPEG else open_header(work, kind, directories)
    if kind is formats.TIFF and directories:
        work.notes.extend(tiff.notes_on(directories[0]))
    try:
        if kind is not formats.TIFF and getattr(image, "is_animated", False):
            work.notes.append("The file is an animation: its first picture is taken.")
        picture = pixels_of(image, work)
        upright = UPRIGHT.get(orientation_of(image))
    except deep.UnclearPixelsError as error:
        raise ValueError(str(error)) from None
    except Exception:  # a decoder fed with garbage may raise anything
        raise ValueError(DAMAGED) from None
    return picture if upright is None else picture.transpose(upright)
