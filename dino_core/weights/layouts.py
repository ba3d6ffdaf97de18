"""The names that others give to the same tensors -> the official names, which are ours.

    official           blocks.3.attn.qkv.weight
    official training  teacher.backbone.blocks.0.3.attn.qkv.weight      chunk 0, block 3
    plain ViT          blocks.3.attn.qkv.weight                          no LayerScale: DINO v1
    Hugging Face       encoder.layer.3.attention.attention.query.weight  and key, value
                       encoder.layer.3.attention.q_proj.weight           transformers 5 in memory
    timm               blocks.3.attn.qkv.weight                          SwiGLU as mlp.fc1, mlp.fc2

Pure renaming, stacking and filling in: dict in, dict out, no files.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dino_core.weights.candidates import BACKBONE, find_backbone
from dino_core.weights.foreign import foreign_model, refusal

Layout = Literal[
    "official", "official training checkpoint", "Hugging Face", "timm", "plain ViT", "own"
]

# The heads and loss centres of training.
TRAINING_PARTS = ("dino_head.", "ibot_head.", "dino_loss.", "ibot_patch_loss.")

HUGGING_FACE = (
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.", ""),
    (r"^layernorm\.", "norm."),
    (r"^encoder\.layer\.", "blocks."),
    (r"\.attention\.(?:attention\.)?([qkv])(?:uery|ey|alue|_proj)\.", r".attn.\1."),
    (r"\.attention\.(?:output\.dense|o_proj)\.", ".attn.proj."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"\.mlp\.weights_in\.", ".mlp.w12."),
    (r"\.mlp\.(?:weights_out|down_proj)\.", ".mlp.w3."),
)

# Kept apart by Hugging Face, one matrix in the official layout.
STACKS = {
    "attn.qkv": ("attn.q", "attn.k", "attn.v"),
    "mlp.w12": ("mlp.gate_proj", "mlp.up_proj"),
}


@dataclass(frozen=True)
class Converted:
    """A backbone under the official names, what was beside it, and what had to be made up."""

    tensors: dict[str, Tensor]
    layout: Layout
    aside: dict[str, Tensor]  # heads, loss centres, classifiers
    inside: frozenset[str] = frozenset()  # which of those are parts of the backbone's own module
    notes: tuple[str, ...] = ()


def convert(tensors: Mapping[str, Tensor], branch: str | None = None) -> Converted:
    """Finds the backbone, recognises its layout and gives it its official names.

    `branch` chooses where a checkpoint holds several backbones, see `weights.candidates`. Names
    that are not understood are kept: the strict loading afterwards lists them. Raises ValueError
    when there is no DINOv2 backbone, and names the model of another kind where it is known.
    """
    found = find_backbone(tensors, branch)
    other = foreign_model(found.backbone)
    if other is not None:
        raise ValueError(refusal(other))
    notes = list(found.notes)
    body = {n: t for n, t in found.backbone.items() if BACKBONE.match(n) or "." not in n}
    heads = {n: t for n, t in found.backbone.items() if n not in body}
    aside = heads | found.extras
    if aside:
        parts = sorted({name.split(".")[0] for name in aside})
        notes.insert(0, f"Left aside, not part of the backbone: {', '.join(parts)}.")

    layout: Layout
    if "embeddings.patch_embeddings.projection.weight" in body:
        layout = "Hugging Face"
        body = _stack({_rename(name): tensor for name, tensor in body.items()})
    elif "reg_token" in body or "mask_token" not in body:
        layout = "timm"
        body = _from_timm(body, notes)
        if not any(name.endswith((".gamma", "_gamma")) for name in body):
            layout = "plain ViT"
            notes.append(aside_sentence(aside))
    else:
        chunked = {re.sub(r"^blocks\.\d+\.(\d+\.)", r"blocks.\1", k): v for k, v in body.items()}
        training = any(name.startswith(TRAINING_PARTS) for name in aside)
        training = training or found.prefix.endswith("backbone.") or chunked.keys() != body.keys()
        layout = "official training checkpoint" if training else "official"
        body = chunked
    if "mask_token" not in body and "cls_token" in body:
        body["mask_token"] = torch.zeros_like(body["cls_token"]).reshape(1, -1)
        notes.append("There is no mask token in the file: zeros stand in for it.")
    return Converted(body, layout, aside, frozenset(heads), tuple(notes))


def aside_sentence(aside: Mapping[str, Tensor]) -> str:
    """What to say of a transformer without LayerScale: DINOv2's have it."""
    if any(re.search(r"head\.last_layer\.(weight_g|parametrizations)", name) for name in aside):
        return "By its head and without LayerScale this is a DINO (v1), not a DINOv2."
    return (
        "Without LayerScale and a mask token this is a plain vision transformer, as DINO (v1), "
        "MAE and supervised training leave it, not a DINOv2."
    )


def _rename(name: str) -> str:
    """A Hugging Face name -> the official one, or one of STACKS's parts."""
    for pattern, replacement in HUGGING_FACE:
        name = re.sub(pattern, replacement, name)
    return name


def _stack(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Query, key and value -> qkv; gate and up -> w12; in this order, along the outputs."""
    tensors = dict(tensors)
    for whole, parts in STACKS.items():
        for name in [name for name in tensors if f".{parts[0]}." in name]:
            pieces = [name.replace(f".{parts[0]}.", f".{part}.") for part in parts]
            if all(piece in tensors for piece in pieces):
                stacked = torch.cat([tensors.pop(piece) for piece in pieces])
                tensors[name.replace(f".{parts[0]}.", f".{whole}.")] = stacked
    return tensors


def _from_timm(tensors: Mapping[str, Tensor], notes: list[str]) -> dict[str, Tensor]:
    """timm's registers, packed SwiGLU and positions -> the official ones."""
    renamed = {}
    for name, tensor in tensors.items():
        if name == "reg_token":
            name = "register_tokens"
        elif name == "pos_embed" and "reg_token" in tensors:
            tensor = _with_class_position(tensor, notes)
        elif match := re.fullmatch(r"(blocks\.\d+\.mlp)\.fc([12])\.(weight|bias)", name):
            mlp, layer, kind = match.groups()
            if _is_gated(tensors, mlp):  # the gate comes first in both
                name = f"{mlp}.{'w12' if layer == '1' else 'w3'}.{kind}"
        renamed[name] = tensor
    return renamed


def _is_gated(tensors: Mapping[str, Tensor], mlp: str) -> bool:
    """A packed SwiGLU: the second map takes half of what the first one gives."""
    first, second = tensors.get(f"{mlp}.fc1.weight"), tensors.get(f"{mlp}.fc2.weight")
    return first is not None and second is not None and first.shape[0] == 2 * second.shape[1]


def _with_class_position(positions: Tensor, notes: list[str]) -> Tensor:
    """[1, h*w, D] -> [1, 1 + h*w, D]: timm's register models add the class token's position to
    the token itself, so that nothing is left to add."""
    count = positions.shape[1] if positions.ndim == 3 else 0
    has_one = math.isqrt(count) ** 2 != count and math.isqrt(max(count - 1, 0)) ** 2 == count - 1
    if count == 0 or has_one:
        return positions
    notes.append("The class token has no position in the file (timm adds it to the token): zeros.")
    return torch.cat([torch.zeros_like(positions[:, :1]), positions], dim=1)
