"""What others use for the same work, with the same weights or the same distribution."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms as T

from dino_core.config import CropConfig, MaskConfig
from dino_core.images import IMAGENET_MEAN, IMAGENET_STD
from dino_core.vit import VisionTransformer, interpolate_positions


def timm_vit(vit: VisionTransformer, size: int) -> Any:
    """timm's ViT-S/14 with our weights; its positions are those of that size, once and for all."""
    config = vit.config
    name = "vit_small_patch14_dinov2"
    peer = timm.create_model(name, img_size=size, depth=config.depth).eval()
    state = vit.state_dict()
    del state["mask_token"]  # timm has none
    grid = (size // config.patch_size, size // config.patch_size)
    state["pos_embed"] = interpolate_positions(
        state["pos_embed"],
        grid,
        offset=config.position_offset,
        antialias=config.position_antialias,
    )
    peer.load_state_dict(state)
    return peer


def timm_with_all_maps(peer: Any) -> Callable[[Tensor], list[Tensor]]:
    """Attention maps the usual way: fused attention off, a hook behind every softmax.

    The returned function gives one map [B, A, N, N] for each block.
    """
    maps: list[Tensor] = []
    for block in peer.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _module, _input, out: maps.append(out))

    def forward(images: Tensor) -> list[Tensor]:
        maps.clear()
        peer.forward_features(images)
        return maps

    return forward


def torchvision_crops(config: CropConfig) -> Callable[[Image.Image], tuple[Tensor, Tensor]]:
    """The augmentation in torchvision's transforms (v1) and in the official order.

    A picture -> the batches of its global [2, 3, H, W] and its local crops [L, 3, H, W].
    """

    def cut(size: int, scale: tuple[float, float]) -> list[Any]:
        bicubic = T.InterpolationMode.BICUBIC
        return [
            T.RandomResizedCrop(size, scale, config.aspect_ratio, interpolation=bicubic),
            T.RandomHorizontalFlip(config.flip_probability),
        ]

    def colour(slot: int) -> list[Any]:
        strengths = (config.brightness, config.contrast, config.saturation, config.hue)
        solarize = config.solarize_probability[slot]
        return [
            T.RandomApply([T.ColorJitter(*strengths)], config.jitter_probability),
            T.RandomGrayscale(config.grey_probability),
            T.RandomApply(
                [T.GaussianBlur(config.blur_kernel, config.blur_sigma)],
                config.blur_probability[slot],
            ),
            *([T.RandomSolarize(config.solarize_threshold, solarize)] if solarize else []),
            T.ToTensor(),
            T.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]

    globals_ = [
        T.Compose(cut(config.global_size, config.global_scale) + colour(slot)) for slot in (0, 1)
    ]
    local = T.Compose(cut(config.local_size, config.local_scale) + colour(2))

    def crops(picture: Image.Image) -> tuple[Tensor, Tensor]:
        locals_ = [local(picture) for _ in range(config.local_count)]
        return torch.stack([make(picture) for make in globals_]), torch.stack(locals_)

    return crops


def cell_by_cell_mask(
    grid: tuple[int, int], target: int, config: MaskConfig, rng: random.Random
) -> np.ndarray:
    """Block masking as it is usually written: an array, filled one cell at a time. bool [h, w]."""
    h, w = grid
    mask = np.zeros((h, w), dtype=bool)
    log_aspect = [math.log(limit) for limit in config.aspect_ratio]
    achieved = 0
    while achieved < target:
        wanted = min(target - achieved, int(config.max_fraction * h * w))
        new = 0
        for _ in range(config.tries):
            area = rng.uniform(config.min_block, wanted)
            aspect = math.exp(rng.uniform(*log_aspect))
            height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if height >= h or width >= w:
                continue
            top, left = rng.randint(0, h - height), rng.randint(0, w - width)
            if (
                not 0
                < height * width - mask[top : top + height, left : left + width].sum()
                <= wanted
            ):
                continue
            for row in range(top, top + height):
                for column in range(left, left + width):
                    if mask[row, column] == 0:
                        mask[row, column] = True
                        new += 1
            break
        if not new:
            break
        achieved += new
    return mask
