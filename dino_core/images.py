"""Files and uploads -> RGB pictures <-> normalised tensors, and where each pixel's patch is.

Three steps, in the order a picture takes them, here for ViT-S/14 at 224 px:

    open_picture    a file of 640 x 427 px, of any usual kind -> an RGB picture, decoded with care
    fit_to_patches  -> [224, 336] px, a multiple of 14 on both sides: a grid of 16 x 24 patches
    to_tensor       -> float32 [3, 224, 336], ImageNet mean 0 and standard deviation 1

Sizes are (height, width), as in a tensor; points are (x, y) in pixels from the upper left corner,
with pixel 0 reaching from 0 to 1; patches are (row, col). Colour profiles are not applied: the
official data loading (`datasets/decoders.py`) ignores them too.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

# Channel statistics of ImageNet's training pictures, in [0, 1] (official `data/transforms.py`).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_MEAN_COLOUR = (124, 116, 104)  # the mean in 8 bits: all but 0 after normalisation

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

_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}

Fit = Literal["resize", "pad", "crop"]


# --- file -> picture


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


# --- pixels <-> patches


def patch_grid(height: int, width: int, patch_size: int) -> tuple[int, int]:
    """Patches (h, w) of a picture of whole patches: 224 x 336 px in patches of 14 are 16 x 24."""
    if height < patch_size or width < patch_size or height % patch_size or width % patch_size:
        raise ValueError(
            f"Height and width must be multiples of the patch size {patch_size}, but are "
            f"{height} and {width}: bring the picture to such a size with fit_to_patches."
        )
    return height // patch_size, width // patch_size


def patch_at(x: float, y: float, patch_size: int, grid: tuple[int, int]) -> tuple[int, int]:
    """Patch (row, col) under a point; a point outside belongs to the nearest patch."""
    h, w = grid
    row = min(max(math.floor(y / patch_size), 0), h - 1)
    col = min(max(math.floor(x / patch_size), 0), w - 1)
    return row, col


def patch_box(row: int, col: int, patch_size: int) -> tuple[int, int, int, int]:
    """Pixels (x0, y0, x1, y1) of a patch, x1 and y1 excluded."""
    x0, y0 = col * patch_size, row * patch_size
    return x0, y0, x0 + patch_size, y0 + patch_size


@dataclass(frozen=True)
class Fitted:
    """A picture of whole patches, and how it came from its source: input = source * scale + offset.

    A point that the input does not show (cropped away) or that the source lacks (padding) maps
    like any other; only `patch_at` clamps, to the nearest patch.
    """

    picture: Image.Image  # RGB, the model's input
    patch_size: int
    source_size: tuple[int, int]  # (height, width) before
    scale: tuple[float, float]  # along x and y: input pixels per source pixel
    offset: tuple[float, float]  # along x and y: input pixels

    @property
    def grid(self) -> tuple[int, int]:
        return patch_grid(self.picture.height, self.picture.width, self.patch_size)

    @property
    def source_box(self) -> tuple[float, float, float, float]:
        """The part of the source that the model sees: (x0, y0, x1, y1) in source pixels."""
        height, width = self.source_size
        x0, y0 = self.to_source(0, 0)
        x1, y1 = self.to_source(self.picture.width, self.picture.height)
        return max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))

    def to_input(self, x: float, y: float) -> tuple[float, float]:
        return x * self.scale[0] + self.offset[0], y * self.scale[1] + self.offset[1]

    def to_source(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.offset[0]) / self.scale[0], (y - self.offset[1]) / self.scale[1]

    def patch_at(self, x: float, y: float) -> tuple[int, int]:
        """Patch (row, col) under a point of the source."""
        return patch_at(*self.to_input(x, y), self.patch_size, self.grid)

    def patch_box(self, row: int, col: int) -> tuple[float, float, float, float]:
        """Where a patch lies on the source: (x0, y0, x1, y1). Padding reaches past its edge."""
        x0, y0, x1, y1 = patch_box(row, col, self.patch_size)
        return *self.to_source(x0, y0), *self.to_source(x1, y1)


def fit_to_patches(
    picture: Image.Image,
    patch_size: int,
    size: int | tuple[int, int] | None = None,
    how: Fit = "resize",
    *,
    interpolation: Literal["bicubic", "bilinear"] = "bicubic",
    max_pixels: int = MAX_PIXELS,
) -> Fitted:
    """Bring a picture to whole patches.

    `size` says how large: a number of pixels for the short side, an exact (height, width), or
    None for the size it has. `how` says what becomes of the rest:

        resize  stretch both sides to the nearest multiple (to the exact size): all is seen
        pad     keep the aspect, fill up on the right and below with the ImageNet mean colour
        crop    keep the aspect, cut the middle out
    """
    scales = _wanted_scales(picture, patch_size, size, how)
    exact = (size[1], size[0]) if isinstance(size, tuple) else (None, None)
    x, y = (
        _fit_axis(length, scale, patch_size, target, how)
        for length, scale, target in zip(picture.size, scales, exact, strict=True)
    )
    was, becomes = f"{picture.width} x {picture.height} px", f"{x.target} x {y.target} px"
    if 0 in (x.target, y.target):
        raise ValueError(
            f"A picture of {was} is smaller than a patch of {patch_size} px and cannot be cropped "
            f"to one: give a size of at least {patch_size}, or pad or resize it."
        )
    if x.target * y.target > max_pixels:
        raise ValueError(
            f"A picture of {was} would become {becomes}, more than the {max_pixels / 1e6:g} "
            "megapixels allowed: choose a smaller size or an exact one."
        )
    return _place(picture, patch_size, x, y, _RESAMPLING[interpolation])


def _wanted_scales(
    picture: Image.Image, patch_size: int, size: int | tuple[int, int] | None, how: Fit
) -> tuple[Fraction, Fraction]:
    """Scale along x and y before rounding. Fractions, since 427 * (224 / 427) must be 224."""
    if how not in ("resize", "pad", "crop"):
        raise ValueError(f"How to fit must be resize, pad or crop, but is {how!r}.")
    if size is None:
        return Fraction(1), Fraction(1)
    if isinstance(size, tuple):
        patch_grid(*size, patch_size)  # refuses what is not whole patches
        x, y = Fraction(size[1], picture.width), Fraction(size[0], picture.height)
        if how == "resize":
            return x, y
        scale = min(x, y) if how == "pad" else max(x, y)
        return scale, scale
    if size < 1:
        raise ValueError(f"The short side must have at least 1 px, but {size} was asked for.")
    scale = Fraction(size, min(picture.size))
    return scale, scale


@dataclass(frozen=True)
class _Axis:
    """One side: source pixels `start` to `stop` fill the first `filled` of `target` pixels."""

    start: Fraction
    stop: Fraction
    filled: int
    target: int

    @property
    def scale(self) -> Fraction:
        return self.filled / (self.stop - self.start)


def _fit_axis(length: int, scale: Fraction, patch_size: int, target: int | None, how: Fit) -> _Axis:
    wanted = length * scale
    start, stop = Fraction(0), Fraction(length)
    if how == "crop":
        target = target or math.floor(wanted / patch_size) * patch_size
        start = (length - target / scale) / 2
        if scale == 1:  # half a pixel off would blur
            start = Fraction(math.floor(start))
        return _Axis(start, start + target / scale, target, target)
    if how == "pad":
        target = target or math.ceil(wanted / patch_size) * patch_size
        return _Axis(start, stop, max(round(wanted), 1), target)
    target = target or max(round(wanted / patch_size), 1) * patch_size
    return _Axis(start, stop, target, target)


def _place(
    picture: Image.Image, patch_size: int, x: _Axis, y: _Axis, resampling: Image.Resampling
) -> Fitted:
    box = (float(x.start), float(y.start), float(x.stop), float(y.stop))
    fitted = picture.resize((x.filled, y.filled), resampling, box)
    if fitted.size != (x.target, y.target):
        canvas = Image.new("RGB", (x.target, y.target), _MEAN_COLOUR)
        canvas.paste(fitted, (0, 0))
        fitted = canvas
    return Fitted(
        picture=fitted,
        patch_size=patch_size,
        source_size=(picture.height, picture.width),
        scale=(float(x.scale), float(y.scale)),
        offset=(float(-x.start * x.scale), float(-y.start * y.scale)),
    )


# --- pictures <-> tensors


def to_tensor(
    picture: Image.Image,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
) -> "Tensor":
    """RGB picture -> float32 [3, H, W], (pixel / 255 - mean) / std."""
    import torch  # here, so that decoding alone does not wait for it

    if picture.mode != "RGB":
        raise ValueError(f"An RGB picture is wanted, but this one is {picture.mode}: convert it.")
    pixels = torch.from_numpy(np.array(picture))  # [H, W, 3] uint8
    out = pixels.permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format)
    shift, scale = (torch.tensor(v, dtype=torch.float32).view(3, 1, 1) for v in (mean, std))
    return out.sub_(shift * 255).div_(scale * 255)


def from_tensor(
    images: "Tensor",
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
) -> np.ndarray:
    """float [..., 3, H, W], normalised -> uint8 [..., H, W, 3]; the way back from `to_tensor`."""
    shift, scale = (images.new_tensor(v).view(3, 1, 1) for v in (mean, std))
    pixels = (images.detach() * (scale * 255)).add_(shift * 255).round_().clamp_(0, 255).byte()
    return pixels.movedim(-3, -1).contiguous().cpu().numpy()  # [..., 3, H, W] -> [..., H, W, 3]
