"""Pictures <-> normalised tensors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

# Channel statistics of ImageNet's training pictures, in [0, 1] (official `data/transforms.py`).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


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
