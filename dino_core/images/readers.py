"""One kind of file, one way to read it: headers first, limits, then pixels."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin

from dino_core.images import deep, tiff
from dino_core.images.formats import HEAD, Kind, refusal

LARGER_JPEG, LARGER_HEIF = 5, 1.5  # times the pixels allowed for other kinds
# libjpeg keeps all coefficients of a picture that comes in several passes, 6 bytes a pixel.
PASSES_PIXELS = 64_000_000

# EXIF orientation -> what turns the stored picture upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION_TAG = 0x0112  # an EXIF tag
DAMAGED = "This picture is damaged or incomplete: save or download it again."


@dataclass(frozen=True)
class Work:
    """A file and how it is to be read; notes are added on the way."""

    data: bytes
    max_pixels: int
    stretch: bool
    notes: list[str] = field(default_factory=list)


# --- headers


def open_header(work: Work, kind: Kind, directories: list[tiff.Tags]) -> Image.Image:
    """Read the header only, and refuse what is no picture or has too many pixels."""
    try:
        image = Image.open(BytesIO(work.data), formats=(kind.decoder,))
    except Image.DecompressionBombError:  # Pillow's own limit, far above ours; it hides the size
        raise ValueError(_too_large(None, work.max_pixels)) from None
    except Exception:
        raise ValueError(tiff.describe(directories) or refusal(work.data[:HEAD])) from None
    if image.width * image.height > work.max_pixels:
        raise ValueError(_too_large(image.size, work.max_pixels))
    return image


def _too_large(size: tuple[int, int] | None, most: float) -> str:
    has = "far" if size is None else f"{size[0]} x {size[1]} px,"
    verb = "has" if size is None else "is"
    return (
        f"This picture {verb} {has} more than the {most / 1e6:g} megapixels allowed: "
        f"save it smaller."
    )


def open_jpeg(work: Work) -> Image.Image:
    """The header; a large picture will be decoded at a fraction of its size, in little memory."""
    try:  # not by Image.open, which refuses 200 megapixels without asking how they are decoded
        image = JpegImagePlugin.JpegImageFile(BytesIO(work.data))
        passes = _in_passes(image, work.data)
    except Exception:
        raise ValueError(refusal(work.data[:HEAD])) from None
    size, pixels = image.size, image.width * image.height
    most = LARGER_JPEG * work.max_pixels
    if passes:
        most = max(min(most, PASSES_PIXELS), work.max_pixels)
    if pixels > most:
        raise ValueError(_too_large(size, most))
    if pixels > work.max_pixels:
        step = next(k for k in (2, 4, 8) if pixels <= k * k * work.max_pixels)
        image.draft(image.mode, (max(size[0] // step, 1), max(size[1] // step, 1)))
        words = {2: "a half", 4: "a quarter", 8: "an eighth"}[step]
        work.notes.append(
            f"A photo of {pixels / 1e6:.0f} megapixels: it was read at {words} of its size, "
            f"{image.width} x {image.height} px."
        )
    return image


def _in_passes(image: JpegImagePlugin.JpegImageFile, data: bytes) -> bool:
    """Whether a JPEG is progressive, or its colours come one after the other."""
    if image.info.get("progressive") or image.info.get("progression"):
        return True
    assert image.fp is not None
    behind = image.fp.tell()  # Pillow stops behind the header of the first scan
    for colours in range(1, image.layers):
        header = b"\xff\xda" + (6 + 2 * colours).to_bytes(2, "big")
        if data.startswith(header, behind - 8 - 2 * colours):
            return True
    return False


def read_heif(work: Work) -> Image.Image:
    """The primary picture of a HEIC file. libheif turns it upright itself."""
    import pillow_heif

    try:
        file = pillow_heif.open_heif(BytesIO(work.data))
        image = file[file.primary_index]
    except Exception:
        raise ValueError(
            "This HEIC picture is damaged, or packed in a way that is not read here: save or "
            "download it again, or save it as JPEG."
        ) from None
    pixels = image.size[0] * image.size[1]
    if pixels > LARGER_HEIF * work.max_pixels:
        raise ValueError(_too_large(image.size, LARGER_HEIF * work.max_pixels))
    try:
        picture = _to_rgb(image.to_pillow())
    except Exception:
        raise ValueError(DAMAGED) from None
    if picture.width * picture.height > work.max_pixels:
        picture = picture.reduce(2)
        work.notes.append(
            f"A photo of {pixels / 1e6:.0f} megapixels: it was read at a half of its size, "
            f"{picture.width} x {picture.height} px."
        )
    return picture


# --- loaded pixels -> RGB


def pixels_of(image: Image.Image, work: Work) -> Image.Image:
    """Decode, and bring to RGB of 8 bits."""
    mode = deep.raw_mode(image)
    lower = None
    if work.stretch and ";16" in mode and image.mode in ("RGB", "RGBA"):
        again = Image.open(BytesIO(work.data), formats=(str(image.format),))
        if deep.other_bytes(again):
            again.load()
            lower = np.asarray(again)[..., :3]
    image.load()
    if deep.is_deep_grey(image):
        return deep.grey_to_rgb(image, work.stretch, work.notes)
    if ";16" in mode and image.mode in ("RGB", "RGBA"):
        values = np.asarray(image)
        if lower is not None:
            stretched = deep.stretch_colours(values[..., :3], lower, work.notes)
            image = Image.fromarray(np.dstack([stretched, values[..., 3:]]))
        else:
            deep.colour_note(values[..., :3], work.notes)
    tags = getattr(image, "tag_v2", None)
    if image.mode == "RGBA" and tags is not None and _unnamed_alpha(tags):
        return image.convert("RGBX").convert("RGB")
    return _to_rgb(image)


def _unnamed_alpha(tags: Any) -> bool:
    """A fourth band that nothing calls transparency, such as near infrared."""
    return tiff.SAMPLES in tags and not tags.get(tiff.EXTRA_SAMPLES)


def orientation_of(image: Image.Image) -> Any:
    """EXIF orientation, 1 to 8; whatever cannot be read counts as upright, as in any viewer."""
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        raise deep.UnclearPixelsError("This picture is in Lab colours: save it as RGB.")
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        _eight_bit_transparency(image)
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _eight_bit_transparency(image: Image.Image) -> None:
    """A PNG of 16-bit RGB names its transparent colour in 16 bits; its pixels now have 8."""
    colour = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(colour, tuple) and max(colour) > 255:
        image.info["transparency"] = tuple(value >> 8 for value in colour)
