"""The names that others give to the same tensors -> the official names, which are ours.

    official           blocks.3.attn.qkv.weight
    official training  teacher.backbone.blocks.0.3.attn.qkv.weight      chunk 0, block 3
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

Layout = Literal["official", "official training checkpoint", "Hugging Face", "timm", "own"]
Branch = Literal["teacher", "student"]

# Put in front of every name by wrapper modules.
PREFIXES = ("module.", "_orig_mod.", "backbone.", "dinov2.", "dinov2_with_registers.")

# Not the backbone: the heads and loss centres of training, classifiers put on top.
TRAINING_PARTS = ("dino_head.", "ibot_head.", "dino_loss.", "ibot_patch_loss.")
OTHER_PARTS = (*TRAINING_PARTS, "head.", "classifier.")

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
    notes: tuple[str, ...] = ()


def convert(tensors: Mapping[str, Tensor], branch: Branch = "teacher") -> Converted:
    """Recognises the layout and gives the backbone its official names.

    `branch` chooses between the two networks of a training checkpoint. Names that are not
    understood are kept: the strict loading afterwards lists them. Raises ValueError when there is
    no vision transformer in any of the known layouts, or not the asked branch.
    """
    chosen = choose_branch(tensors, branch)
    names = {_strip(name): tensor for name, tensor in chosen.items()}
    aside = {name: tensor for name, tensor in names.items() if name.startswith(OTHER_PARTS)}
    body = {name: tensor for name, tensor in names.items() if name not in aside}
    notes = []
    if aside:
        parts = sorted({name.split(".")[0] for name in aside})
        notes.append(f"Left aside, not part of the backbone: {', '.join(parts)}.")

    layout: Layout
    if "embeddings.patch_embeddings.projection.weight" in body:
        layout = "Hugging Face"
        body = _stack({_rename(name): tensor for name, tensor in body.items()})
    elif "patch_embed.proj.weight" not in body:
        first = ", ".join(list(tensors)[:3])
        raise ValueError(
            f"No DINOv2 backbone was found among {len(tensors)} tensors (the first are {first}). "
            f"Understood are the official, Hugging Face and timm layouts."
        )
    elif "reg_token" in body or "mask_token" not in body:
        layout = "timm"
        body = _from_timm(body, notes)
    else:
        chunked = {re.sub(r"^blocks\.\d+\.(\d+\.)", r"blocks.\1", k): v for k, v in body.items()}
        wrapped = any(name.startswith(("backbone.", *TRAINING_PARTS)) for name in chosen)
        training = wrapped or chunked.keys() != body.keys()
        layout = "official training checkpoint" if training else "official"
        body = chunked
    if "mask_token" not in body and "cls_token" in body:
        body["mask_token"] = torch.zeros_like(body["cls_token"]).reshape(1, -1)
        notes.append("There is no mask token in the file: zeros stand in for it.")
    return Converted(body, layout, aside, tuple(notes))


def choose_branch(tensors: Mapping[str, Tensor], branch: Branch) -> dict[str, Tensor]:
    """Keeps one network of a training checkpoint, without `teacher.` or `student.` in its names.

    Tensors of neither network (loss centres) stay; a file without branches stays as it is.
    """
    names = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    present = {b for b in ("teacher", "student") if any(n.startswith(f"{b}.") for n in names)}
    if not present:
        return names
    if branch not in present:
        raise ValueError(f"This checkpoint has no {branch}, only a {min(present)}.")
    neither = {n: t for n, t in names.items() if not n.startswith(("teacher.", "student."))}
    own = f"{branch}."
    return neither | {n.removeprefix(own): t for n, t in names.items() if n.startswith(own)}


def _strip(name: str) -> str:
    """module.backbone.norm.bias -> norm.bias."""
    while name.startswith(PREFIXES):
        name = name.split(".", 1)[1]
    return name


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
        elif name == "pos_embed":
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
    """[1, S*S, D] -> [1, 1 + S*S, D]: timm's register models add the class token's position to
    the token itself, so that nothing is left to add."""
    count = positions.shape[1] if positions.ndim == 3 else 0
    if count == 0 or math.isqrt(count) ** 2 != count:
        return positions
    notes.append("The class token has no position in the file (timm adds it to the token): zeros.")
    return torch.cat([torch.zeros_like(positions[:, :1]), positions], dim=1)
