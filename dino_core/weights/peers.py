"""A backbone under the names of others: official, Hugging Face, timm. The way back of `layouts`.

Pure renaming, cutting and filling in: a VisionTransformer in, dicts out, no files.
"""

import re
from typing import Any

from torch import Tensor

from dino_core.config import ViTConfig
from dino_core.images.tensors import IMAGENET_MEAN, IMAGENET_STD
from dino_core.vit import SwiGLU, VisionTransformer

HUGGING_FACE_NAMES = (
    (r"^(cls_token|mask_token|register_tokens)$", r"embeddings.\1"),
    (r"^pos_embed$", "embeddings.position_embeddings"),
    (r"^patch_embed\.proj\.", "embeddings.patch_embeddings.projection."),
    (r"^norm\.", "layernorm."),
    (r"^blocks\.", "encoder.layer."),
    (r"\.attn\.([qkv])\.", r".attention.attention.\1."),
    (r"\.attention\.q\.", ".attention.query."),
    (r"\.attention\.k\.", ".attention.key."),
    (r"\.attention\.v\.", ".attention.value."),
    (r"\.attn\.proj\.", ".attention.output.dense."),
    (r"\.ls([12])\.gamma$", r".layer_scale\1.lambda1"),
    (r"\.mlp\.w12\.", ".mlp.weights_in."),
    (r"\.mlp\.w3\.", ".mlp.weights_out."),
)
HUGGING_FACE_ACTIVATIONS = {"gelu_tanh": "gelu_pytorch_tanh"}

TIMM_MODELS = {384: "small", 768: "base", 1024: "large", 1536: "giant"}


def official_state(vit: VisionTransformer) -> dict[str, Tensor]:
    """The state dict as it is: our names are the official ones."""
    return {name: tensor.detach().contiguous() for name, tensor in vit.state_dict().items()}


def hugging_face_state(vit: VisionTransformer) -> dict[str, Tensor]:
    """Under the names of `Dinov2Model` or `Dinov2WithRegistersModel`."""
    named: dict[str, Tensor] = {}
    for name, tensor in official_state(vit).items():
        if ".attn.qkv." in name:
            for part, piece in zip("qkv", tensor.chunk(3), strict=True):
                named[name.replace(".attn.qkv.", f".attn.{part}.")] = piece.contiguous()
        else:
            named[name] = tensor
    return {_renamed(name): tensor for name, tensor in named.items()}


def _renamed(name: str) -> str:
    for pattern, replacement in HUGGING_FACE_NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def hugging_face_config(config: ViTConfig) -> dict[str, Any]:
    """config.json. ValueError for what the library has no place for."""
    _need_square(config, "transformers")
    if config.layer_scale_init is None:
        raise ValueError("transformers has no DINOv2 without LayerScale: choose another target.")
    with_registers = {"num_register_tokens": config.registers} if config.registers else {}
    kind = "Dinov2WithRegistersModel" if config.registers else "Dinov2Model"
    return {
        "architectures": [kind],
        "model_type": "dinov2_with_registers" if config.registers else "dinov2",
        **with_registers,
        "hidden_size": config.dim,
        "num_hidden_layers": config.depth,
        "num_attention_heads": config.heads,
        "mlp_ratio": int(config.mlp_ratio) if config.mlp_ratio % 1 == 0 else config.mlp_ratio,
        "hidden_act": HUGGING_FACE_ACTIVATIONS.get(config.activation, config.activation),
        "layer_norm_eps": config.norm_eps,
        "image_size": config.image_size,
        "patch_size": config.patch_size,
        "num_channels": config.channels,
        "qkv_bias": True,
        "layerscale_value": 1.0,
        "use_swiglu_ffn": config.ffn == "swiglu",
        "torch_dtype": "float32",
    }


def hugging_face_processor(config: ViTConfig) -> dict[str, Any]:
    """preprocessor_config.json: short side to 256 px, then the middle, as officially evaluated."""
    crop = 224 // config.patch_size * config.patch_size
    return {
        "image_processor_type": "BitImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": 256},
        "resample": 3,  # bicubic
        "do_center_crop": True,
        "crop_size": {"height": crop, "width": crop},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(IMAGENET_MEAN),
        "image_std": list(IMAGENET_STD),
    }


def timm_state(vit: VisionTransformer) -> dict[str, Tensor]:
    """Under timm's names: no mask token; with registers the class token has its position in it."""
    renamed: dict[str, Tensor] = {}
    registers = vit.config.registers > 0
    for name, tensor in official_state(vit).items():
        if name == "mask_token":
            continue
        if registers and name == "cls_token":
            tensor = tensor + vit.pos_embed.detach()[:, :1]
        elif registers and name == "pos_embed":
            tensor = tensor[:, 1:].contiguous()
        name = "reg_token" if name == "register_tokens" else name
        name = re.sub(r"\.mlp\.w12\.", ".mlp.fc1.", name)
        renamed[re.sub(r"\.mlp\.w3\.", ".mlp.fc2.", name)] = tensor
    return renamed


def timm_model(vit: VisionTransformer) -> tuple[str, dict[str, Any]]:
    """What `timm.create_model` is given for this model: a name, and arguments where it differs.

    ValueError for what timm has no place for.
    """
    config = vit.config
    if config.activation != "gelu" and config.ffn == "mlp":
        raise ValueError(f"timm's DINOv2 has GELU, this model {config.activation}.")
    if config.norm_eps != 1e-6:
        raise ValueError(f"timm's DINOv2 has norms with 1e-6, this model {config.norm_eps:g}.")
    size = TIMM_MODELS.get(config.dim, "small") if config.ffn == "mlp" else "giant"
    name = f"vit_{size}_patch14_{'reg4_' if config.registers else ''}dinov2"
    arguments: dict[str, Any] = {"num_classes": 0, "dynamic_img_size": True}
    standard = {"small": (384, 12, 6), "base": (768, 12, 12)}
    standard |= {"large": (1024, 24, 16), "giant": (1536, 40, 24)}
    if (config.dim, config.depth, config.heads) != standard[size]:
        arguments |= {"embed_dim": config.dim, "depth": config.depth, "num_heads": config.heads}
    if config.image_sides != (518, 518):
        arguments["img_size"] = config.image_sides
    if config.patch_size != 14:
        arguments["patch_size"] = config.patch_size
    if config.channels != 3:
        arguments["in_chans"] = config.channels
    if config.registers not in (0, 4):
        arguments["reg_tokens"] = config.registers
    if config.layer_scale_init is None:
        arguments["init_values"] = None
    mlp = vit.blocks[0].mlp
    hidden = (
        2 * mlp.w3.in_features if isinstance(mlp, SwiGLU) else int(config.dim * config.mlp_ratio)
    )
    usual = 2.66667 * 2 if size == "giant" else 4
    if int(config.dim * usual) != hidden:
        arguments["mlp_ratio"] = (hidden + 0.5) / config.dim
    return name, arguments


def _need_square(config: ViTConfig, library: str) -> None:
    r, c = config.position_grid
    if r != c:
        raise ValueError(
            f"{library} takes positions on a square grid only; this model's are on {r} x {c}."
        )
