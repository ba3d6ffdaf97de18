"""Tensors under the official names -> the ViTConfig they belong to -> a VisionTransformer.

Everything but the number of heads can be read off the shapes: a head's rows look like any others.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from dino_core.config import ViTConfig
from dino_core.vit import VisionTransformer

OFFICIAL_HEADS = {384: 6, 768: 12, 1024: 16, 1536: 24}
LISTED = 10  # names in an error message, of each kind


def config_from_metadata(metadata: Mapping[str, str]) -> ViTConfig | None:
    """The ViTConfig that save_backbone wrote, None when there is none."""
    if "config" not in metadata:
        return None
    try:
        return ViTConfig(**json.loads(metadata["config"]))
    except (TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"The file's config is not one of this version of the project ({error})."
        ) from error


def infer_config(tensors: Mapping[str, Tensor], heads: int | None = None) -> ViTConfig:
    """Reads the architecture off tensors under the official names.

    `heads` is needed for a width that is neither official nor a multiple of 64. How positions are
    interpolated is not in the tensors either: as in the official models with or without registers.
    Raises ValueError when something is missing or undecidable.
    """
    positions = _shape(tensors, "pos_embed", 3)  # [1, 1 + S*S, D]
    dim = positions[-1]
    _, channels, _, patch_size = _shape(tensors, "patch_embed.proj.weight", 4)
    blocks = [int(m[1]) for name in tensors if (m := re.match(r"blocks\.(\d+)\.", name))]
    if not blocks:
        raise ValueError("The weights have no blocks.")
    side = math.isqrt(positions[1] - 1)
    if not side or side**2 != positions[1] - 1:
        raise ValueError(
            f"The position embedding has {positions[1]} rows; wanted is one for the class token "
            f"and a square grid, such as 1 + 37 x 37 = 1370."
        )
    registers = tensors["register_tokens"].shape[1] if "register_tokens" in tensors else 0
    ffn, mlp_ratio = _feed_forward(tensors, dim)
    return ViTConfig(
        dim=dim,
        depth=max(blocks) + 1,
        heads=heads or _heads(dim),
        patch_size=patch_size,
        image_size=side * patch_size,
        channels=channels,
        mlp_ratio=mlp_ratio,
        ffn=ffn,
        registers=registers,
        layer_scale_init=1.0 if "blocks.0.ls1.gamma" in tensors else None,
        position_offset=0.0 if registers else 0.1,
        position_antialias=registers > 0,
    )


def _shape(tensors: Mapping[str, Tensor], name: str, ndim: int) -> tuple[int, ...]:
    if name not in tensors:
        raise ValueError(f"This is no DINOv2 backbone: it has no {name}.")
    shape = tuple(tensors[name].shape)
    if len(shape) != ndim:
        raise ValueError(f"{name} has shape {list(shape)}; wanted are {ndim} dimensions.")
    return shape


def _heads(dim: int) -> int:
    if dim in OFFICIAL_HEADS:
        return OFFICIAL_HEADS[dim]
    if dim % 64 == 0:  # the width of a head in every official model
        return dim // 64
    raise ValueError(
        f"The number of heads cannot be read off weights of width {dim}. Say it: heads=..."
    )


def _feed_forward(
    tensors: Mapping[str, Tensor], dim: int
) -> tuple[Literal["mlp", "swiglu"], float]:
    """(kind, mlp_ratio). SwiGLU rounds its width up to 8: the ratio is 4 wherever 4 fits."""
    if "blocks.0.mlp.w3.weight" in tensors:
        hidden = _shape(tensors, "blocks.0.mlp.w3.weight", 2)[1]
        usual = (int(4 * dim * 2 / 3) + 7) // 8 * 8
        return "swiglu", 4.0 if hidden == usual else _ratio(hidden * 3 // 2, dim)
    return "mlp", _ratio(_shape(tensors, "blocks.0.mlp.fc1.weight", 2)[0], dim)


def _ratio(hidden: int, dim: int) -> float:
    """A ratio with int(dim * ratio) == hidden, which the plain quotient may miss by rounding."""
    ratio = hidden / dim
    return ratio if int(dim * ratio) == hidden else math.nextafter(ratio, math.inf)


def load_state(
    config: ViTConfig,
    tensors: Mapping[str, Tensor],
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    trainable: bool = False,
) -> VisionTransformer:
    """A VisionTransformer with exactly these weights, in evaluation mode.

    The weights are copied, so that the model does not depend on a file they were mapped from.
    Raises ValueError that lists every missing, unexpected and wrongly shaped tensor.
    """
    vit = VisionTransformer(config, device="meta")
    check_fit(vit, tensors)
    state = {
        name: tensors[name].to(device=device, dtype=dtype, copy=True) for name in vit.state_dict()
    }
    vit.load_state_dict(state, assign=True)
    return vit.requires_grad_(trainable).eval()


def check_fit(vit: VisionTransformer, tensors: Mapping[str, Tensor]) -> None:
    """Raises ValueError unless names and shapes are exactly those of the model."""
    wanted = vit.state_dict()
    shapes = [
        f"{name} is {list(tensors[name].shape)}, wanted {list(wanted[name].shape)}"
        for name in wanted
        if name in tensors and tensors[name].shape != wanted[name].shape
    ]
    problems = {
        "missing": [name for name in wanted if name not in tensors],
        "unexpected": [name for name in tensors if name not in wanted],
        "of another shape": shapes,
    }
    if not any(problems.values()):
        return
    config = vit.config
    lists = "; ".join(f"{len(n)} {what}: {_cut(n)}" for what, n in problems.items() if n)
    raise ValueError(
        f"The weights do not fit a model of width {config.dim} with {config.depth} blocks, patch "
        f"{config.patch_size}, {config.registers} registers, {config.ffn}. {lists}."
    )


def _cut(names: list[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")
