"""Pictures of whole patches, and which pixel of the file each patch came from."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from PIL import Image

from dino_core.images.decode import MAX_PIXELS

_MEAN_COLOUR = (124, 116, 104)  # ImageNet's mean in 8 bits: all but 0 after normalisation

# A long picture keeps its aspect, but not at any price: attention grows with the square of the
# patches. 3000 x 20 px with the short side at 518 would be 205 000 patches.
LONGEST_ASPECT = 2.0

_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}

Fit = Literal["resize", "pad", "crop"]


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
    note: str = ""  # a sentence where something was done otherwise than asked for

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
    None for the size it has. A short side of a long picture becomes shorter, so that the input has
    at most 2 size^2 pixels (`limited_short_side`), and `note` says so. `how` says what becomes of
    the rest:

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
            f"A picture of {was} would be smaller than a patch of {patch_size} px and cannot be "
            f"cropped to one: give an exact size, or pad or resize it."
        )
    if x.target * y.target > max_pixels:
        raise ValueError(
            f"A picture of {was} would become {becomes}, more than the {max_pixels / 1e6:g} "
            "megapixels allowed: choose a smaller size or an exact one."
        )
    fitted = _place(picture, patch_size, x, y, _RESAMPLING[interpolation])
    return replace(fitted, note=_note(picture, patch_size, size, becomes))


def limited_short_side(width: int, height: int, size: int) -> int:
    """The short side for a picture that is to have `size` px there, but at most 2 size^2 in all.

    224 px stay 224 up to 448 x 224; a picture eight times as long as high gets 112 px.
    """
    aspect = max(width, height) / min(width, height)
    if aspect <= LONGEST_ASPECT:
        return size
    return max(1, round(size * (LONGEST_ASPECT / aspect) ** 0.5))


def _note(
    picture: Image.Image, patch_size: int, size: int | tuple[int, int] | None, becomes: str
) -> str:
    if not isinstance(size, int):
        return ""
    short = limited_short_side(*picture.size, size)
    if short == size:
        return ""
    if short < patch_size:
        return f"A very long picture: it is brought to {becomes}."
    return f"A long picture: its short side is {short} px instead of {size}."


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
    short = limited_short_side(*picture.size, size)
    scale = Fraction(short, min(picture.size))
    if short == size or short >= patch_size or how == "crop":
        return scale, scale
    # The short side is one patch whatever is asked for: the long side must give way.
    longest = max(int(LONGEST_ASPECT * size * size) // patch_size, patch_size)
    along = min(scale, Fraction(longest // patch_size * patch_size, max(picture.size)))
    if how == "pad":
        return along, along
    return (along, scale) if picture.width > picture.height else (scale, along)


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
