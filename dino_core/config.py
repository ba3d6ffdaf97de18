"""Every number of the method that a person may choose, as frozen dataclasses.

The defaults are those of the official code (`configs/ssl_default_config.yaml` and
`hub/backbones.py` of facebookresearch/dinov2), with the paper's section where it names them.
Nothing here imports more than the standard library.
"""

from dataclasses import dataclass
from typing import Literal

GLOBAL_CROPS = 2  # G, of each picture: what the teacher sees. Fixed by the method, not an option

# How the official augmentation declares its blur and how it runs differ: `data/transforms.py` hands
# `1 - p` to RandomApply, so the first global crop is never blurred and the second nearly always.
# The released models were trained that way, and it is the default here.
# Each tuple: probability for the first global crop, the second, and every local crop.
BLUR_AS_RUN = (0.0, 0.9, 0.5)
BLUR_AS_WRITTEN = (1.0, 0.1, 0.5)


@dataclass(frozen=True)
class CropConfig:
    """Multi-crop augmentation (Caron et al. 2021; official `data/augmentations.py`).

    Sizes are in pixels, scales are fractions of the picture's area. The two global crops differ:
    only the second may be solarised, and they are blurred with different probabilities.
    """

    global_size: int = 224  # px
    global_scale: tuple[float, float] = (0.32, 1.0)  # share of the picture's area, drawn evenly
    local_size: int = 98  # 7 x 7 patches of 14 px; the official 96 px fits patch 16 only
    local_scale: tuple[float, float] = (0.05, 0.32)  # share of the picture's area, drawn evenly
    local_count: int = 8  # eight in the official recipe
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


MaskShape = Literal["blocks", "scattered"]  # iBOT's `pred_shape`, "block" and "rand"


@dataclass(frozen=True)
class MaskConfig:
    """Block masking for iBOT (official `data/masking.py`, `data/collate.py`).

    The paper says no more than "we randomly mask some of the input patches" (section 4); blocks
    are BEiT's (Bao et al. 2021), and came by way of iBOT (Zhou et al. 2022).
    """

    probability: float = 0.5  # share of the global crops of a batch that are masked at all
    ratio: tuple[float, float] = (0.1, 0.5)  # masked share of a masked crop's patches
    min_block: int = 4  # patches
    max_fraction: float = 0.5  # no block takes more of the grid than this
    aspect_ratio: tuple[float, float] = (0.3, 1 / 0.3)  # height / width of a block
    tries: int = 10  # draws for one block before the mask is called done
    shape: MaskShape = "blocks"  # scattered: as many patches, one as likely as another
    # In distillation (paper, section 5) iBOT is on all patches of the global crops, and what is
    # drawn above does not count.
    hide: bool = True  # without it nothing is masked: distillation


Activation = Literal["gelu", "gelu_tanh", "quick_gelu", "relu", "silu"]


@dataclass(frozen=True)
class ViTConfig:
    """A vision transformer (official `models/vision_transformer.py`).

    `image_size` fixes the grid of the learned positions: 518 px / 14 = 37 x 37; a pair is height
    and width, for models whose positions were learned on a grid that is no square. Any other size
    that is a multiple of `patch_size` is reached by bicubic interpolation, in one of two ways:
    by a scale factor of (size + offset) / grid without antialiasing (offset 0.1, the models
    without registers), or to the exact size with antialiasing (offset 0.0, those with registers).
    """

    dim: int = 384
    depth: int = 12
    heads: int = 6
    patch_size: int = 14
    image_size: int | tuple[int, int] = 518  # px
    channels: int = 3
    mlp_ratio: float = 4.0
    ffn: Literal["mlp", "swiglu"] = "mlp"
    registers: int = 0
    layer_scale_init: float | None = 1.0  # None: no LayerScale. Training starts from 1e-5
    position_offset: float = 0.1
    position_antialias: bool = False
    norm_eps: float = 1e-6  # of every LayerNorm
    activation: Activation = "gelu"  # of the plain MLP; SwiGLU has its own
    drop_path: float = 0.0  # the same for every block; training uses 0.3
    fused_attention: bool = True  # False: softmax(q k) v written out

    def __post_init__(self) -> None:
        if self.dim % self.heads:
            raise ValueError(f"Width {self.dim} cannot be shared by {self.heads} heads.")
        if not isinstance(self.image_size, int):  # a list, when it was read from JSON
            height, width = self.image_size
            square = height == width
            object.__setattr__(self, "image_size", height if square else (height, width))
        for side in self.image_sides:
            if side % self.patch_size:
                raise ValueError(
                    f"Image size {side} is no multiple of patch size {self.patch_size}."
                )

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads

    @property
    def hidden(self) -> int:
        """Units of the MLP's hidden layer. SwiGLU has two thirds of them, rounded up to 8."""
        hidden = int(self.dim * self.mlp_ratio)
        return (int(hidden * 2 / 3) + 7) // 8 * 8 if self.ffn == "swiglu" else hidden

    @property
    def image_sides(self) -> tuple[int, int]:
        """(height, width) that the learned positions are for, in pixels."""
        return (self.image_size,) * 2 if isinstance(self.image_size, int) else self.image_size

    @property
    def position_grid(self) -> tuple[int, int]:
        """(rows, columns) of the learned positions, in patches."""
        height, width = self.image_sides
        return height // self.patch_size, width // self.patch_size


VIT_SMALL = ViTConfig()
VIT_BASE = ViTConfig(dim=768, depth=12, heads=12)
VIT_LARGE = ViTConfig(dim=1024, depth=24, heads=16)
VIT_GIANT = ViTConfig(dim=1536, depth=40, heads=24, ffn="swiglu")

# For training on small pictures and small machines.
VIT_TINY_TRAIN = ViTConfig(dim=192, depth=6, heads=3, image_size=98)


@dataclass(frozen=True)
class PCAConfig:
    """How patch features become colours (paper, section 7.5 and figure 1; the official notebooks).

    The foreground step thresholds the first component over all patches and repeats the PCA on
    what is left. Its sign is arbitrary: the side that holds less of the pictures' border is taken
    for the foreground, `flip` takes the other. The official notebooks threshold a fixed direction
    (DINOv2) or a small classifier (DINOv3) instead, which were not released; the presets keep the
    rest of their recipes.
    """

    foreground: bool = True
    threshold: float = 0.0  # of the first component, in units of its standard deviation
    flip: bool = False  # the other side of the first component is the foreground
    median: bool = False  # 3 x 3 median of the foreground score before the threshold
    whiten: bool = False  # components in units of their standard deviation
    colours: Literal["minmax", "sigmoid"] = "minmax"  # sigmoid: of 2 x, for whitened components
    components: tuple[int, int, int] = (0, 1, 2)  # shown as red, green, blue
    short_side: int | None = None  # px, the size the recipe was published with


PCA_PRESETS = {
    "paper": PCAConfig(),
    "dinov2-notebook": PCAConfig(threshold=0.05, short_side=448),
    "dinov3-notebook": PCAConfig(median=True, whiten=True, colours="sigmoid", short_side=768),
    "all-patches": PCAConfig(foreground=False),
}


@dataclass(frozen=True)
class PropagationConfig:
    """Labels carried through a film (DINO's evaluation on DAVIS 2017, the official defaults)."""

    neighbours: int = 5  # patches that have a say
    radius: int = 12  # rows and columns within which they are looked for
    queue: int = 7  # frames before this one that are asked, beside the first
    temperature: float = 0.1  # of the softmax over cosines


@dataclass(frozen=True)
class HeadConfig:
    """A projection head (paper, section 4; official `layers/dino_head.py`).

    The DINO and the iBOT loss can share one or have one each. The official code's default is one
    for both (`train.ibot_head` is None here); the paper has "two separate heads in all our
    experiments" (section 4), as the official configurations of ViT-L/14 and ViT-g/14.
    """

    prototypes: int = 65536  # K
    hidden: int = 2048
    bottleneck: int = 256  # width of the unit sphere on which the prototypes lie
    layers: int = 3  # linear maps before the prototypes
    mlp_bias: bool = True
    # Spread of the initial weights. None draws with 1 / sqrt(width in), which narrow heads need:
    # at 0.02 their output hardly depends on the picture.
    linear_std: float | None = 0.02
    prototype_std: float | None = (
        None  # None: uniform within 1 / sqrt(bottleneck), the official one
    )


@dataclass(frozen=True)
class LossConfig:
    """The three losses and the teacher's targets (paper, section 4)."""

    dino_weight: float = 1.0
    ibot_weight: float = 1.0  # 0 leaves iBOT out
    koleo_weight: float = 0.1  # 0 leaves KoLeo out
    student_temperature: float = 0.1
    centering: Literal["centering", "sinkhorn_knopp"] = "centering"
    center_momentum: float = 0.9
    sinkhorn_iterations: int = 3


@dataclass(frozen=True)
class OptimConfig:
    """AdamW and what it does to each parameter (official `utils/param_groups.py`)."""

    betas: tuple[float, float] = (0.9, 0.999)
    layer_decay: float = 0.9  # learning-rate factor from each block to the one before it
    patch_embed_factor: float = 0.2  # of the learning rate, for the patch embedding
    clip: float | None = 3.0  # largest gradient norm of the backbone and of each head; None: none


@dataclass(frozen=True)
class ScheduleConfig:
    """What changes during a run. Lengths are in epochs of a fixed number of steps, not of data.

    The peak learning rate is `base_learning_rate * sqrt(batch_size / 1024)`.
    """

    epochs: int = 100
    epoch_length: int = 1250  # steps
    batch_size: int = 2048  # pictures a step, all devices together; official 64 x 32 GPUs
    base_learning_rate: float = 4e-3
    end_learning_rate: float = 1e-6
    warmup_epochs: int = 10  # of the learning rate, linear from 0
    freeze_last_layer_epochs: int = 1  # the prototypes' learning rate is 0
    weight_decay: float = 0.04
    end_weight_decay: float = 0.4
    momentum: float = 0.992  # of the teacher
    end_momentum: float = 1.0
    start_teacher_temperature: float = 0.04
    teacher_temperature: float = 0.07
    teacher_temperature_epochs: int = 30  # linear from the start value, constant afterwards

    @property
    def steps(self) -> int:
        return self.epochs * self.epoch_length


@dataclass(frozen=True)
class FollowConfig:
    """Distillation for small machines: a student that follows a frozen teacher's features.

    Neither heads nor prototypes; not the recipe of the released models (paper, section 5). The
    teacher is asked once about every crop; whatever varies a crop beyond that is cheap.
    """

    answers: int = 16_000  # crops that the teacher is asked about
    first_look: int = 256  # crops from which is known what the teacher usually says
    teacher_grid: int | None = None  # patches a side that the teacher sees; None: as the student
    crop_scale: tuple[float, float] = (0.4, 1.0)  # share of the area, of crops after the whole one
    flip_probability: float = 0.5  # of crop and answer together
    gain: float = 0.2  # brightness times [0.8, 1.2], the student's alone
    offset: float = 0.1  # and plus [-0.1, 0.1] of white
    patch_weight: float = 1.0  # of the patches' loss, beside 1 for the class token's


@dataclass(frozen=True)
class TrainConfig:
    """Everything that a training run is made of. The defaults are `ssl_default_config.yaml`."""

    vit: ViTConfig = ViTConfig(
        dim=1024,
        depth=24,
        heads=16,
        patch_size=16,
        image_size=224,
        layer_scale_init=1e-5,
        drop_path=0.3,
    )
    dino_head: HeadConfig = HeadConfig()
    ibot_head: HeadConfig | None = None  # None: patches go through the DINO head
    crops: CropConfig = CropConfig(local_size=96)
    masks: MaskConfig = MaskConfig()
    loss: LossConfig = LossConfig()
    optim: OptimConfig = OptimConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    bfloat16: bool = False  # networks under autocast; losses and targets stay in float32


# ViT-L/16 on ImageNet-1k (`configs/ssl_default_config.yaml`, `configs/train/vitl16_short.yaml`).
OFFICIAL_SHORT = TrainConfig()

# ViT-L/14 on ImageNet-22k (`configs/train/vitl14.yaml`). ViT-g/14 differs in the backbone
# (VIT_GIANT's shape) and in its 12 instead of 32 pictures a GPU.
OFFICIAL_LONG = TrainConfig(
    vit=ViTConfig(
        dim=1024,
        depth=24,
        heads=16,
        image_size=224,
        ffn="swiglu",
        layer_scale_init=1e-5,
        drop_path=0.4,
    ),
    dino_head=HeadConfig(prototypes=131072, bottleneck=384),
    ibot_head=HeadConfig(prototypes=131072, bottleneck=256),
    crops=CropConfig(local_size=98),
    loss=LossConfig(centering="sinkhorn_knopp"),
    optim=OptimConfig(layer_decay=1.0),
    schedule=ScheduleConfig(
        epochs=500,
        batch_size=3072,  # 32 x 96 GPUs
        base_learning_rate=2e-4,
        warmup_epochs=80,
        end_weight_decay=0.2,
        momentum=0.994,
    ),
)
