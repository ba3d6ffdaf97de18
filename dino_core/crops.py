"""Multi-crop augmentation: picture -> 2 global and L local crops, and the decisions behind them.

The recipe is DINO's (Caron et al. 2021), its numbers those of the official `data/augmentations.py`
and `data/transforms.py`; the paper names the sizes, 224 and 98 px (section 5). The student sees
every crop, the teacher the global ones only, when ViT-g is trained as when the smaller models are
distilled from it. Each crop is made in this order:

    box of random area and aspect -> bicubic resize -> flip          (geometry)
    -> brightness, contrast, saturation, hue, in a random order      (jitter, all four or none)
    -> grey -> Gaussian blur -> solarise -> tensor, normalise

Followed with numbers for a picture of 500 x 375 px: a global crop takes 32 to 100 % of its 187 500
px, say the box (31, 12, 402, 360), and becomes 224 x 224 px, a grid of 16 x 16 patches of 14 px; a
local crop takes 5 to 32 % and becomes 98 x 98 px, a grid of 7 x 7.

The work has two halves. `draw_crops` is all of the randomness and sees no pixel, `apply_decisions`
is all of the pixels and draws nothing: recorded decisions can be shown, stored and replayed. Every
decision has its own place in the drawn numbers, so that with one seed a change of, say, the blur
probability leaves boxes and colours as they were.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from dino_core.config import GLOBAL_CROPS, CropConfig
from dino_core.images import IMAGENET_MEAN, IMAGENET_STD

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels of the source; x1 and y1 are outside

BOX_TRIES = 10
JITTER_ORDERS = list(permutations(("brightness", "contrast", "saturation", "hue")))  # 24


class Draws(NamedTuple):
    """The uniform numbers in [0, 1) of one crop; each is drawn whether or not it will be used."""

    areas: Sequence[float]  # of the box, one for each try
    aspects: Sequence[float]
    left: float
    top: float
    flip: float
    jitter: float  # whether the four parts of it are applied
    jitter_order: float
    brightness: float
    contrast: float
    saturation: float
    hue: float
    grey: float
    blur: float
    blur_sigma: float
    solarize: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Draws":
        """From `DRAWS_PER_CROP` numbers: area and aspect of each try in turns, then the others."""
        tries = numbers[: 2 * BOX_TRIES]
        return cls(tries[::2], tries[1::2], *numbers[2 * BOX_TRIES :])


DRAWS_PER_CROP = 2 * BOX_TRIES + len(Draws._fields) - 2


@dataclass(frozen=True)
class Operation:
    """One colour operation that fired, e.g. `Operation("blur", {"kernel": 9, "sigma": 1.3})`."""

    name: str  # brightness, contrast, saturation, hue, grey, blur, solarize
    parameters: dict[str, float]


@dataclass(frozen=True)
class Decisions:
    """Everything random about one crop: enough to make it again from the picture."""

    kind: Literal["global", "local"]
    index: int  # counted from 0 within the kind
    size: int  # side of the finished crop, px
    picture_size: tuple[int, int]  # width, height of the source, px
    box: Box
    flipped: bool
    operations: tuple[Operation, ...]  # in the order applied

    @property
    def area_fraction(self) -> float:
        """Share of the picture inside the box, 0 to 1."""
        x0, y0, x1, y1 = self.box
        width, height = self.picture_size
        return (x1 - x0) * (y1 - y0) / (width * height)

    @property
    def aspect(self) -> float:
        """Width / height of the box; the finished crop is always square."""
        x0, y0, x1, y1 = self.box
        return (x1 - x0) / (y1 - y0)

    def as_dict(self) -> dict[str, Any]:
        """The decisions as plain values, ready for JSON."""
        return {
            "kind": self.kind,
            "index": self.index,
            "size": self.size,
            "picture_size": list(self.picture_size),
            "box": list(self.box),
            "area_fraction": self.area_fraction,
            "aspect": self.aspect,
            "flipped": self.flipped,
            "operations": [{"name": o.name, **o.parameters} for o in self.operations],
        }


@dataclass(frozen=True, eq=False)
class Crop(Decisions):
    """A finished crop: its decisions and its pixels."""

    pixels: np.ndarray  # uint8 [size, size, 3], RGB

    def tensor(self) -> Tensor:
        """The crop as the model takes it: normalised float32 [3, size, size]."""
        return stack_crops([self])[0]


def sample_crops(
    picture: Image.Image, config: CropConfig, generator: torch.Generator
) -> tuple[Crop, ...]:
    """The 2 global crops of an RGB picture, then its L local ones."""
    decisions = draw_crops(picture.width, picture.height, config, generator)
    return tuple(Crop(**vars(one), pixels=apply_decisions(picture, one)) for one in decisions)


def stack_crops(crops: Sequence[Crop]) -> Tensor:
    """Crops of one size as a batch for the model: float32 [n, 3, H, W], ImageNet-normalised."""
    size = crops[0].size
    batch = torch.empty(len(crops), 3, size, size)
    for row, crop in zip(batch, crops, strict=True):
        row.copy_(torch.from_numpy(crop.pixels).permute(2, 0, 1))  # [H, W, 3] -> [3, H, W]
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return batch.sub_(255 * mean).div_(255 * std)


# --- drawing: randomness without pixels


def draw_crops(
    width: int, height: int, config: CropConfig, generator: torch.Generator
) -> tuple[Decisions, ...]:
    """All decisions for one picture of width x height px: 2 global crops, then the local ones."""
    # One call for all numbers: a hundred small calls would cost more than the smallest crop.
    count = GLOBAL_CROPS + config.local_count
    rows = torch.rand(count, DRAWS_PER_CROP, generator=generator).tolist()
    return tuple(
        _draw_crop((width, height), config, i, Draws.of(row)) for i, row in enumerate(rows)
    )


def _draw_crop(
    picture_size: tuple[int, int], config: CropConfig, number: int, draws: Draws
) -> Decisions:
    """One crop's numbers become its decisions. The first `GLOBAL_CROPS` crops are global."""
    is_global = number < GLOBAL_CROPS
    scale = config.global_scale if is_global else config.local_scale
    return Decisions(
        kind="global" if is_global else "local",
        index=number if is_global else number - GLOBAL_CROPS,
        size=config.global_size if is_global else config.local_size,
        picture_size=picture_size,
        box=_draw_box(picture_size, scale, config.aspect_ratio, draws),
        flipped=draws.flip < config.flip_probability,
        operations=_draw_operations(config, min(number, GLOBAL_CROPS), draws),
    )


def _draw_box(
    picture_size: tuple[int, int],
    scale: tuple[float, float],
    aspect_ratio: tuple[float, float],
    draws: Draws,
) -> Box:
    """A box of uniform area and log-uniform aspect that lies anywhere inside the picture.

    Up to ten pairs (area, aspect) are tried. If none fits, as in a very long picture, the box is
    the largest central one whose aspect is allowed.
    """
    width, height = picture_size
    low, high = (math.log(ratio) for ratio in aspect_ratio)
    for u_area, u_aspect in zip(draws.areas, draws.aspects, strict=True):
        area = width * height * _between(*scale, u_area)
        aspect = math.exp(_between(low, high, u_aspect))
        w = round(math.sqrt(area * aspect))
        h = round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            x0 = int((width - w + 1) * draws.left)
            y0 = int((height - h + 1) * draws.top)
            return x0, y0, x0 + w, y0 + h

    narrowest, widest = aspect_ratio
    w, h = width, height
    if width / height < narrowest:
        h = round(width / narrowest)
    elif width / height > widest:
        w = round(height * widest)
    x0, y0 = (width - w) // 2, (height - h) // 2
    return x0, y0, x0 + w, y0 + h


def _draw_operations(config: CropConfig, slot: int, draws: Draws) -> tuple[Operation, ...]:
    """The colour operations that fire. Slots 0 and 1: the global crops; 2: all local crops."""
    operations = []
    if draws.jitter < config.jitter_probability:
        strengths = {
            "brightness": ("factor", 1.0, config.brightness, draws.brightness),
            "contrast": ("factor", 1.0, config.contrast, draws.contrast),
            "saturation": ("factor", 1.0, config.saturation, draws.saturation),
            "hue": ("shift", 0.0, config.hue, draws.hue),
        }
        for name in JITTER_ORDERS[int(len(JITTER_ORDERS) * draws.jitter_order)]:
            parameter, neutral, strength, u = strengths[name]
            if strength > 0:
                value = _between(neutral - strength, neutral + strength, u)
                operations.append(Operation(name, {parameter: value}))
    if draws.grey < config.grey_probability:
        operations.append(Operation("grey", {}))
    if draws.blur < config.blur_probability[slot]:
        sigma = _between(*config.blur_sigma, draws.blur_sigma)
        operations.append(Operation("blur", {"kernel": config.blur_kernel, "sigma": sigma}))
    if draws.solarize < config.solarize_probability[slot]:
        operations.append(Operation("solarize", {"threshold": config.solarize_threshold}))
    return tuple(operations)


def _between(low: float, high: float, u: float) -> float:
    return low + (high - low) * u


# --- applying: pixels without randomness


def apply_decisions(picture: Image.Image, decisions: Decisions) -> np.ndarray:
    """Make the crop that was decided. RGB picture -> uint8 [size, size, 3]."""
    if picture.mode != "RGB":
        raise ValueError(
            f"Crops are taken from an RGB picture, but this one is {picture.mode!r}. "
            "Open it with dino_core.open_picture, or convert it with picture.convert('RGB')."
        )
    if picture.size != decisions.picture_size:
        raise ValueError(
            f"These crops were drawn for a picture of {decisions.picture_size} px, but this one "
            f"has {picture.size} px. Use the same picture, or draw again."
        )
    # Cut first, then resize: the filter must not see pixels outside the box.
    side = decisions.size
    crop = picture.crop(decisions.box).resize((side, side), Image.Resampling.BICUBIC)
    if decisions.flipped:
        crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for operation in decisions.operations:
        crop = apply_operation(crop, operation)
    return np.array(crop)


def apply_operation(picture: Image.Image, operation: Operation) -> Image.Image:
    """One colour operation on an RGB picture, rounded to 8 bits as all of them are."""
    return _OPERATIONS[operation.name](picture, **operation.parameters)


def _brightness(picture: Image.Image, factor: float) -> Image.Image:
    """black + factor * (picture - black)"""
    return ImageEnhance.Brightness(picture).enhance(factor)


def _contrast(picture: Image.Image, factor: float) -> Image.Image:
    """grey mean + factor * (picture - grey mean)"""
    # As ImageEnhance.Contrast, whose way to the mean through ImageStat takes three times as long.
    mean = int(np.asarray(picture.convert("L")).mean() + 0.5)
    return Image.blend(Image.new("RGB", picture.size, (mean, mean, mean)), picture, factor)


def _saturation(picture: Image.Image, factor: float) -> Image.Image:
    """grey picture + factor * (picture - grey picture)"""
    return Image.blend(_grey(picture), picture, factor)


def _hue(picture: Image.Image, shift: float) -> Image.Image:
    """Turn every colour by the same angle; shift 1 would be the full circle of 256 steps."""
    steps = int(shift * 255)  # the official 255, cut towards zero
    turned = [(hue + steps) % 256 for hue in range(256)]
    unchanged = list(range(256))
    hsv = picture.convert("HSV").point(turned + unchanged + unchanged)
    return hsv.convert("RGB")


def _grey(picture: Image.Image) -> Image.Image:
    """0.299 R + 0.587 G + 0.114 B in all three channels"""
    return picture.convert("L").convert("RGB")


def _blur(picture: Image.Image, kernel: int, sigma: float) -> Image.Image:
    """Gaussian blur, picture mirrored at its edges, as two passes of 1-D filters.

    The official 2-D filter is the outer product of these two, and is 9 / 2 times the work.
    """
    reach = kernel // 2
    taps = [math.exp(-0.5 * (x / sigma) ** 2) for x in range(-reach, reach + 1)]
    taps = [tap / sum(taps) for tap in taps]
    pairs = [(i, kernel - 1 - i) for i in range(reach)]  # left and right of the middle, same tap
    width, height = picture.size
    edges = ((reach, reach), (reach, reach), (0, 0))
    padded = np.pad(np.asarray(picture), edges, mode="reflect").astype(np.float32)
    down = taps[reach] * padded[reach : reach + height]  # [H, W + 2 reach, 3]
    for i, j in pairs:
        down += taps[i] * (padded[i : i + height] + padded[j : j + height])
    across = taps[reach] * down[:, reach : reach + width]  # [H, W, 3]
    for i, j in pairs:
        across += taps[i] * (down[:, i : i + width] + down[:, j : j + width])
    return Image.fromarray(np.rint(across).astype(np.uint8))


def _solarize(picture: Image.Image, threshold: int) -> Image.Image:
    """x where x < threshold, else 255 - x"""
    return ImageOps.solarize(picture, threshold)


_OPERATIONS: dict[str, Callable[..., Image.Image]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hue": _hue,
    "grey": _grey,
    "blur": _blur,
    "solarize": _solarize,
}


# --- looking


@dataclass(frozen=True)
class Overlap:
    """What two boxes share, in per cent."""

    of_smaller: float  # intersection / area of the smaller box: 100 when it lies inside the other
    iou: float  # intersection / union: 100 when they are the same box


def overlap(first: Box, second: Box) -> Overlap:
    """How much of two boxes of the same picture is common."""
    width = max(0, min(first[2], second[2]) - max(first[0], second[0]))
    height = max(0, min(first[3], second[3]) - max(first[1], second[1]))
    shared = width * height
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (first, second)]
    return Overlap(100 * shared / min(areas), 100 * shared / (sum(areas) - shared))
