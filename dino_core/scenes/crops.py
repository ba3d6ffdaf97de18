"""Screen 1: the two global and the local crops, with every decision that made them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image

from dino_core.config import BLUR_AS_RUN, BLUR_AS_WRITTEN, CropConfig
from dino_core.crops import overlap, sample_crops
from dino_core.draw.colours import crop_colour

BLUR = {"as run": BLUR_AS_RUN, "as written": BLUR_AS_WRITTEN}


@dataclass(frozen=True)
class CropsScene:
    """The crops in order: global 1 and 2, then the local ones. n crops."""

    picture_size: tuple[int, int]  # (width, height) of the source, px
    seed: int
    blur: str  # "as run" or "as written"
    blur_probability: tuple[float, float, float]  # global 1, global 2, local
    crops: list[dict[str, Any]]  # kind, index, box, flip, operations, area, aspect
    colours: list[tuple[int, int, int]]
    pixels: tuple[np.ndarray, ...]  # n x uint8 [size, size, 3]
    overlaps: np.ndarray  # float32 [n, n], share of the smaller box in per cent


def crops_scene(
    source: Image.Image, seed: int, blur: str = "as run", config: CropConfig | None = None
) -> CropsScene:
    """The crops that a seed gives. ValueError for an unknown kind of blur."""
    if blur not in BLUR:
        raise ValueError(f"Blur is one of {', '.join(BLUR)}, but is {blur!r}.")
    config = replace(config or CropConfig(), blur_probability=BLUR[blur])
    crops = sample_crops(source, config, torch.Generator().manual_seed(seed))
    shares = [[overlap(a.box, b.box).of_smaller for b in crops] for a in crops]
    return CropsScene(
        picture_size=source.size,
        seed=seed,
        blur=blur,
        blur_probability=config.blur_probability,
        crops=[crop.as_dict() for crop in crops],
        colours=[crop_colour(crop.kind, crop.index) for crop in crops],
        pixels=tuple(crop.pixels for crop in crops),
        overlaps=np.array(shares, dtype=np.float32),
    )
