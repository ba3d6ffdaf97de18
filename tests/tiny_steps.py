"""The smallest pair whose training steps tests of several files look at."""

import torch
from PIL import Image

from dino_core.config import CropConfig, HeadConfig, TrainConfig, ViTConfig

SMALL = TrainConfig(
    vit=ViTConfig(dim=16, depth=2, heads=2, patch_size=4, image_size=16),
    dino_head=HeadConfig(prototypes=12, hidden=20, bottleneck=8),
    ibot_head=HeadConfig(prototypes=10, hidden=20, bottleneck=8),
    crops=CropConfig(global_size=16, local_size=8, local_count=2),
)


def small_pictures(count: int = 3) -> list[Image.Image]:
    generator = torch.Generator().manual_seed(5)
    pixels = torch.randint(0, 256, (count, 24, 24, 3), generator=generator, dtype=torch.uint8)
    return [Image.fromarray(one.numpy()) for one in pixels]
