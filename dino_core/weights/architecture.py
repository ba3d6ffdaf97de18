"""Tensors under the official names -> the ViTConfig they belong to -> a VisionTransformer.

Shapes tell nearly everything. They do not tell the number of heads (a head's rows look like any
others), the epsilon of the norms, the activation, or rows and columns of a grid that is no square:
a config.json of Hugging Face does, or the person who knows.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from dino_core.config import Activation, ViTConfig
from dino_core.vit import VisionTransformer
from dino_core.weights.foreign import MODEL_TYPES, refusal
from dino_core.weights.untold import Untold

OFFICIAL_HEADS = {384: 6, 768: 12, 1024: 16, 1536: 24}
LISTED = 10  # names in an error message, of each kind
FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
MAX_BLOCKS = 512  # the deepest ViT known has 64
ACTIVATION_NAMES: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "quick_gelu": "quick_gelu",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}


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


def config_from_hugging_face(text: str, inferred: ViTConfig) -> ViTConfig:
    """What a config.json says beyond the shapes: heads, epsilon, activation, rows and columns.

    A config of another model is refused, or would lend its heads to the wrong weights. One without
    a model type of its own (of a whole system, with the backbone's inside) counts where it fits.
    """
    try:
        stated = json.loads(text)
    except (ValueError, RecursionError):
        return inferred
    if not isinstance(stated, dict):
        return inferred
    kind = str(stated.get("model_type", ""))
    if kind in MODEL_TYPES:
        raise ValueError(refusal(f"{MODEL_TYPES[kind]} (so says config.json)"))
    if isinstance(stated.get("backbone_config"), dict):
        stated = stated["backbone_config"]
    if stated.get("hidden_size") != inferred.dim or "num_attention_heads" not in stated:
        return inferred
    name = str(stated.get("hidden_act", "gelu"))
    if inferred.ffn == "mlp" and name not in ACTIVATION_NAMES:
        known = ", ".join(ACTIVATION_NAMES)
        raise ValueError(f"config.json names the activation {name!r}. Known are: {known}.")
    try:
        return replace(
            inferred,
            heads=int(stated["num_attention_heads"]),
            norm_eps=float(stated.get("layer_norm_eps", inferred.norm_eps)),
            activation=ACTIVATION_NAMES.get(name, "gelu"),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"config.json does not fit these weights: {error}") from error


def stated_grid(text: str | None, patch_size: int) -> tuple[int, int] | None:
    """Rows and columns of the learned positions, where a config.json gives an image size."""
    try:
        stated: Any = json.loads(text or "null")
        size = stated["image_size"]
        height, width = (size, size) if isinstance(size, int) else map(int, size)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return height // patch_size, width // patch_size


def infer_config(
    tensors: Mapping[str, Tensor],
    heads: int | None = None,
    grid: tuple[int, int] | None = None,
) -> ViTConfig:
    """Reads the architecture off tensors under the official names.

    `heads` is needed for a width that is neither official nor a multiple of 64, `grid` (rows,
    columns) for positions on a grid that is no square. How positions are interpolated is not in the
    tensors either: as in the official models with or without registers. Raises ValueError when
    something is missing, and Untold when it is undecidable.
    """
    positions = _shape(tensors, "pos_embed", 3)  # [1, 1 + r*c, D]
    dim = positions[-1]
    _, channels, patch_size, _ = _shape(tensors, "patch_embed.proj.weight", 4)
    registers = tensors["register_tokens"].shape[1] if "register_tokens" in tensors else 0
    ffn, mlp_ratio = _feed_forward(tensors, dim)
    rows, columns = _grid(positions[1] - 1, grid)
    return ViTConfig(
        dim=dim,
        depth=count_blocks(tensors),
        heads=heads or _heads(dim),
        patch_size=patch_size,
        image_size=(rows * patch_size, columns * patch_size),
        channels=channels,
        mlp_ratio=mlp_ratio,
        ffn=ffn,
        registers=registers,
        layer_scale_init=1.0 if "blocks.0.ls1.gamma" in tensors else None,
        position_offset=0.0 if registers else 0.1,
        position_antialias=registers > 0,
    )


def count_blocks(tensors: Mapping[str, Tensor]) -> int:
    """How many blocks there are, numbered from 0 without a gap."""
    found = {int(m[1]) for name in tensors if (m := re.match(r"blocks\.(\d{1,9})\.", name))}
    if not found:
        raise ValueError("The weights have no blocks.")
    if len(found) > MAX_BLOCKS or max(found) != len(found) - 1:
        raise ValueError(
            f"The weights have {len(found)} blocks, of which the last has the number {max(found)}: "
            f"wanted are blocks numbered from 0 without a gap, {MAX_BLOCKS} at most."
        )
    return len(found)


def _grid(count: int, grid: tuple[int, int] | None) -> tuple[int, int]:
    """Rows and columns of so many learned positions: as given, or a square."""
    if grid is not None and grid[0] * grid[1] == count:
        return grid
    side = math.isqrt(max(count, 0))
    if grid is None and side and side**2 == count:
        return side, side
    pairs = [(r, count // r) for r in range(2, side + 1) if count % r == 0]
    both = ", ".join(f"{r}x{c} or {c}x{r}" for r, c in pairs[-3:]) or "none"
    what = (
        f"The position embedding has {count + 1} rows: one for the class token and {count} for a "
        f"grid that is {'no square' if grid is None else f'not {grid[0]}x{grid[1]}'}."
    )
    advice = f"Say its rows and columns, grid=... (possible: {both})."
    if not pairs:
        raise ValueError(f"{what} {advice}")
    ways = [f"{r}x{c}" for pair in pairs[::-1] for r, c in (pair, pair[::-1])]
    raise Untold(what, advice, "grid", list(dict.fromkeys(ways)))


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
    what = f"The number of heads cannot be read off weights of width {dim}."
    divisors = [str(heads) for heads in range(1, dim + 1) if dim % heads == 0]
    raise Untold(what, "Say it: heads=...", "heads", divisors)


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
    Raises ValueError that lists every missing, unexpected and wrongly shaped tensor, and for
    weights that are no finite numbers.
    """
    if config.depth > MAX_BLOCKS:
        raise ValueError(f"A model of {config.depth} blocks is claimed; {MAX_BLOCKS} at most.")
    vit = VisionTransformer(config, device="meta")
    check_fit(vit, tensors)
    check_values(tensors)
    state = {
        name: tensors[name].to(device=device, dtype=dtype, copy=True) for name in vit.state_dict()
    }
    vit.load_state_dict(state, assign=True)
    return vit.requires_grad_(trainable).eval()


def check_values(tensors: Mapping[str, Tensor]) -> None:
    """Raises ValueError unless every tensor holds finite floating-point numbers."""
    for name, tensor in tensors.items():
        if tensor.is_meta:
            raise ValueError(f"{name} has a shape but no values: it was saved from a meta device.")
        if tensor.dtype not in FLOATS:
            raise ValueError(
                f"{name} holds {str(tensor.dtype).removeprefix('torch.')} numbers: quantised "
                f"weights are not read. Save the model in float32, bfloat16 or float16."
            )
    spoilt = [name for name, tensor in tensors.items() if not is_finite(tensor)]
    if spoilt:
        raise ValueError(
            f"The weights are spoilt: {len(spoilt)} of {len(tensors)} tensors hold values that are "
            f"no finite numbers (NaN or infinity), the first is {spoilt[0]}. The training that "
            f"wrote them had diverged: take an earlier checkpoint."
        )


def is_finite(tensor: Tensor) -> bool:
    """Whether every value is: then their sum is too, which is read off once and many times faster.
    A sum of finite values may overflow, so that a sum that is not finite proves nothing."""
    return bool(tensor.sum().isfinite()) or bool(tensor.isfinite().all())


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
