"""The smallest models and pictures that tests of several files share."""

import torch
from torch import Tensor, nn

from dino_core.config import ViTConfig
from dino_core.vit import VisionTransformer

TINY = ViTConfig(dim=48, depth=2, heads=3, image_size=56)


def tiny_vit(config: ViTConfig = TINY, seed: int = 0) -> VisionTransformer:
    vit = VisionTransformer(config).eval()
    shake(vit, seed)
    return vit


@torch.no_grad()
def shake(module: nn.Module, seed: int = 0) -> None:
    """Every parameter random: no LayerScale of 1e-5, zero bias or zero token hides a mistake."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))


def pictures(size: int = 56) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
