"""A picture as the model is to see it. What is written here is part of every cache key.

    crop      short side to `size`, the middle square   (official logistic regression)
    official  short side to size * 256 / 224, the middle square of `size`   (official k-NN, linear)
    resize    short side to `size`, both sides stretched to whole patches: all is seen
    pad       short side to `size`, filled up to whole patches

Official file: `dinov2/data/transforms.py`, bicubic with ImageNet's mean and standard deviation.
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dino_core.images import IMAGENET_MEAN, IMAGENET_STD, fit_to_patches, to_tensor

Fit = Literal["crop", "official", "resize", "pad"]
FITS = ("crop", "official", "resize", "pad")
RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}

# Mean and standard deviation of the channels, in [0, 1]. CIFAR-10: over the training pictures.
STATISTICS = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}


@dataclass(frozen=True)
class Preparation:
    """From a decoded picture to the model's input."""

    size: int | tuple[int, int] | None = 224  # px, short side or (height, width); None: as it is
    fit: Fit = "crop"
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    normalise: Literal["imagenet", "cifar10"] = "imagenet"

    def check(self, patch_size: int) -> None:
        """ValueError for a size that cannot be, before any picture has been looked at."""
        size = (self.size, self.size) if isinstance(self.size, int) else self.size
        exact = self.fit in ("crop", "official") or isinstance(self.size, tuple)
        if size and exact and (min(size) < patch_size or any(side % patch_size for side in size)):
            near = [max(round(side / patch_size), 1) * patch_size for side in size]
            asked = f"{size[0]}x{size[1]}" if isinstance(self.size, tuple) else f"{self.size}"
            better = f"{near[0]}x{near[1]}" if isinstance(self.size, tuple) else f"{near[0]}"
            raise ValueError(
                f"The size is {asked} px, but sides must be multiples of the patch size "
                f"{patch_size}: give {better}."
            )
        if self.fit == "official" and not isinstance(self.size, int):
            raise ValueError("The official fit is of a square: give its side as one number.")

    def pixels(self, picture: Image.Image, patch_size: int) -> np.ndarray:
        """RGB picture -> uint8 [H, W, 3], whole patches. ValueError when it cannot be fitted."""
        if self.fit == "official":
            assert isinstance(self.size, int)
            return np.asarray(official_square(picture, self.size, RESAMPLING[self.interpolation]))
        size, how = self.size, self.fit
        if isinstance(size, int) and how == "crop":
            size = (size, size)
        fitted = fit_to_patches(picture, patch_size, size, how, interpolation=self.interpolation)
        return np.asarray(fitted.picture)

    def images(self, pixels: np.ndarray, like: Tensor) -> Tensor:
        """uint8 [B, H, W, 3] -> normalised [B, 3, H, W], where and of what kind `like` is."""
        mean, std = (
            torch.tensor(v, dtype=torch.float32, device=like.device).view(3, 1, 1)
            for v in STATISTICS[self.normalise]
        )
        images = torch.from_numpy(pixels).to(like.device).permute(0, 3, 1, 2)  # -> [B, 3, H, W]
        images = images.to(torch.float32, memory_format=torch.contiguous_format)
        return images.sub_(mean * 255).div_(std * 255).to(like.dtype)  # as `images.to_tensor`

    def as_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def official_square(picture: Image.Image, size: int, resampling: Image.Resampling) -> Image.Image:
    """The middle of a picture whose short side was brought to size * 256 / 224 px.

    Rounding as in torchvision's Resize (down) and CenterCrop (to the nearest even half). Of a very
    long picture only the part around the middle is scaled: the rest would be cut off again.
    """
    short = round(size * 256 / 224)
    picture = around_middle(picture)
    width, height = picture.size
    if width <= height:
        width, height = short, int(short * height / width)
    else:
        width, height = int(short * width / height), short
    resized = picture.resize((width, height), resampling)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return resized.crop((left, top, left + size, top + size))


def around_middle(picture: Image.Image, longest_aspect: int = 16) -> Image.Image:
    """The middle of a picture that is longer than that; a shorter one as it is.

    5000 x 1 px with a short side of 256 px would be 328 megapixels, nearly all of them cut off.
    """
    width, height = picture.size
    most = longest_aspect * min(width, height)
    if max(width, height) <= most:
        return picture
    if width > height:
        left = (width - most) // 2
        return picture.crop((left, 0, left + most, height))
    top = (height - most) // 2
    return picture.crop((0, top, width, top + most))


def middle_square(picture: Image.Image, size: int, patch_size: int) -> Image.Image:
    """The middle of a picture whose short side was brought to `size`, bicubic."""
    return fit_to_patches(picture, patch_size, (size, size), "crop").picture


def square_input(picture: Image.Image, size: int, patch_size: int) -> Tensor:
    """The same as the model's input, normalised: [3, size, size]."""
    return to_tensor(middle_square(picture, size, patch_size))
