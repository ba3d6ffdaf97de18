"""A pair of student and teacher out of a training checkpoint of any origin, official ones too.

Both sides with their backbones and heads must be there, as `train/train.py` of the official code
and every run here write them. The sizes of the heads follow from the shapes of their tensors:

    dino_head.mlp.0.weight          [hidden, D]          the first of several maps; one: mlp.weight
    dino_head.last_layer.weight_v   [K, bottleneck]

Crops, temperatures and the like are not in a checkpoint: they are the official ones here.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from dino_core.config import HeadConfig, TrainConfig, ViTConfig
from dino_core.student_teacher import StudentTeacher
from dino_core.weights.architecture import check_values, config_from_metadata, infer_config
from dino_core.weights.files import read_state_dict
from dino_core.weights.layouts import convert

SIDES = ("student", "teacher")
NONE = "this checkpoint has no pair of student and teacher with their heads"


def open_checkpoint_pair(path: str | Path) -> tuple[StudentTeacher, TrainConfig]:
    """The pair in evaluation mode. ValueError in a sentence when there is none, or it is spoilt."""
    tensors, metadata = read_state_dict(path)
    weights: dict[str, Tensor] = {}
    configs = []
    for side in SIDES:
        converted = convert(tensors, side)
        heads = {n: t for n, t in converted.aside.items() if re.match(r"(dino|ibot)_head\.", n)}
        vit = config_from_metadata(metadata) or infer_config(converted.tensors)
        dino, ibot = (head_config(heads, f"{name}_head.") for name in ("dino", "ibot"))
        if dino is None:
            raise ValueError(f"{path}: {NONE}.")
        configs.append((vit, dino, ibot))
        backbone = {f"backbone.{name}": tensor for name, tensor in converted.tensors.items()}
        weights |= {f"{side}.{name}": tensor for name, tensor in (backbone | heads).items()}
    if configs[0] != configs[1]:
        raise ValueError(f"{path}: student and teacher are of different sizes.")
    return _loaded(path, weights, configs[0])


def _loaded(
    path: str | Path,
    weights: Mapping[str, Tensor],
    sizes: tuple[ViTConfig, HeadConfig, HeadConfig | None],
) -> tuple[StudentTeacher, TrainConfig]:
    vit, dino, ibot = sizes
    config = TrainConfig(vit=vit, dino_head=dino, ibot_head=ibot)
    check_values(weights)
    pair = StudentTeacher(config, device="meta")
    ready = {name: tensor.to(torch.float32, copy=True) for name, tensor in weights.items()}
    try:
        pair.load_state_dict(ready, assign=True)
    except RuntimeError:
        raise ValueError(f"{path}: the heads of this pair are not those of DINOv2.") from None
    return pair.requires_grad_(False).eval(), config


def head_config(tensors: Mapping[str, Tensor], prefix: str) -> HeadConfig | None:
    """The sizes of a head, None where there is none under this name. ValueError for odd shapes."""
    own = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    prototypes = own.get("last_layer.weight_v")
    maps = sorted(n for n in own if re.fullmatch(r"mlp\.(\d+\.)?weight", n))
    if prototypes is None or not maps:
        return None
    first = own["mlp.0.weight"] if len(maps) > 1 and "mlp.0.weight" in own else own[maps[0]]
    if prototypes.ndim != 2 or first.ndim != 2:
        raise ValueError(f"{prefix}last_layer has {prototypes.ndim} dimensions; wanted are 2.")
    K, bottleneck = prototypes.shape
    return HeadConfig(
        prototypes=K,
        hidden=first.shape[0],
        bottleneck=bottleneck,
        layers=len(maps),
        mlp_bias=any(name.endswith(".bias") for name in own),
    )


def holds_pair(path: str | Path) -> bool:
    """Whether a checkpoint that can be read has heads on both sides, by the names in it."""
    names = read_state_dict(path)[0].keys()
    return all(any(re.search(rf"\b{side}\..*dino_head\.", n) for n in names) for side in SIDES)
