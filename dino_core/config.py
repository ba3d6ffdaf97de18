"""Every number of the method that a person may choose, as frozen dataclasses.

The defaults are those of the official code (`configs/ssl_default_config.yaml` and
`hub/backbones.py` of facebookresearch/dinov2), with the paper's section where it names them.
Nothing here imports more than the standard library.
"""

from dataclasses import dataclass
from typing import Literal

# How the official augmentation declares its blur and how it runs differ: `data/transforms.py` hands
# `1 - p` to RandomApply, so global crop 1 is never blurred and global crop 2 nearly always. The
# released models were trained that way, and it is the default here.
# Each tuple: probability for global crop 1, global crop 2, and every local crop.
BLUR_AS_RUN = (0.0, 0.9, 0.5)
BLUR_AS_WRITTEN = (1.0, 0.1, 0.5)


@dataclass(frozen=True)
class CropConfig:
    """Multi-crop augmentation (paper, appendix B.1; official `data/augmentations.py`).

    Sizes are in pixels, scales are fractions of the picture's area. The two global crops differ:
    only the second may be solarised, and they are blurred with different probabilities.
    """

    global_size: int = 224
    global_scale: tuple[float, float] = (0.32, 1.0)
    local_size: int = 98  # 7 x 7 patches of 14 px; the official 96 px fits patch 16 only
    local_scale: tuple[float, float] = (0.05, 0.32)
    local_count: int = 8
    aspect_ratio: tuple[float, float] = (3 / 4, 4 / 3)  # width / height
    flip_probability: float = 0.5
    jitter_probability: float = 0.8
    brightness: float = 0.4  # factor drawn from [1 - 0.4, 1 + 0.4]
    contrast: float = 0.4
    saturation: float = 0.2
    hue: float = 0.1  # shift drawn from [-0.1, 0.1] of the colour circle
    grey_probability: float = 0.2
    blur_probability: tuple[float, float, float] = BLUR_AS_RUN
    blur_kernel: int = 9  # taps, odd
    blur_sigma: tuple[float, float] = (0.1, 2.0)  # px
    solarize_probability: tuple[float, float, float] = (0.0, 0.2, 0.0)
    solarize_threshold: int = 128  # values from here on are inverted


@dataclass(frozen=True)
class MaskConfig:
    """Block masking for iBOT (paper, section 4; official `data/masking.py`, `data/collate.py`)."""

    probability: float = 0.5  # share of the global crops of a batch that are masked at all
    ratio: tuple[float, float] = (0.1, 0.5)  # masked share of a masked crop's patches
    min_block: int = 4  # patches
    max_fraction: float = 0.5  # no block takes more of the grid than this
    aspect_ratio: tuple[float, float] = (0.3, 1 / 0.3)  # height / width of a block
    tries: int = 10  # draws for one block before the mask is called done


@dataclass(frozen=True)
class ViTConfig:
    """A vision transformer (official `models/vision_transformer.py`).

    `image_size` fixes the grid of the learned positions: 518 px / 14 = 37 x 37. Any other size
    that is a multiple of `patch_size` is reached by bicubic interpolation, in one of two ways:
    by a scale factor of (size + offset) / grid without antialiasing (offset 0.1, the models
    without registers), or to the exact size with antialiasing (offset 0.0, those with registers).
    """

    dim: int = 384
    depth: int = 12
    heads: int = 6
    patch_size: int = 14
    image_size: int = 518
    channels: int = 3
    mlp_ratio: float = 4.0
    ffn: Literal["mlp", "swiglu"] = "mlp"
    registers: int = 0
    layer_scale_init: float | None = 1.0  # None: no LayerScale. Training starts from 1e-5
    position_offset: float = 0.1
    position_antialias: bool = False
    drop_path: float = 0.0  # the same for every block; training uses 0.3
    fused_attention: bool = True  # False: softmax(q k) v written out

    def __post_init__(self) -> None:
        if self.dim % self.heads:
            raise ValueError(f"Width {self.dim} cannot be shared by {self.heads} heads.")
        if self.image_size % self.patch_size:
            raise ValueError(
                f"Image size {self.image_size} is no multiple of patch size {self.patch_size}."
            )

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads

    @property
    def position_grid(self) -> int:
        """Side of the square grid of learned positions, in patches."""
        return self.image_size // self.patch_size


VIT_SMALL = ViTConfig()
VIT_BASE = ViTConfig(dim=768, depth=12, heads=12)
VIT_LARGE = ViTConfig(dim=1024, depth=24, heads=16)
VIT_GIANT = ViTConfig(dim=1536, depth=40, heads=24, ffn="swiglu")

# For training on small pictures and small machines.
VIT_TINY_TRAIN = ViTConfig(dim=192, depth=6, heads=3, image_size=98)
VIT_SMALL_TRAIN = ViTConfig(dim=384, depth=12, heads=6, image_size=224, layer_scale_init=1e-5)
