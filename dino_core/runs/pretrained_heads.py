"""A pair in one small file: heads and mask token, beside a backbone that is there anyway; or all.

Released backbones come without heads: what a teacher says about prototypes cannot be seen in them.
A file holds what a run or `train_heads` trained, in float16, under the official names:

    student.dino_head.*   student.ibot_head.*   teacher.dino_head.*   teacher.ibot_head.*
    mask_token [1, D]     of both backbones, where those are not in the file themselves
    student.backbone.*    teacher.backbone.*    of a pair that was trained from scratch
    metadata "train"      the TrainConfig as JSON; "backbone" the model it belongs to, or "own"
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from dino_core.config import TrainConfig
from dino_core.runs.presets import from_plain
from dino_core.student_teacher import StudentTeacher
from dino_core.weights import load_backbone
from dino_core.weights.files import read_state_dict
from dino_core.weights.variants import BUNDLED
from dino_core.writing import replacing

OWN = "own"  # a pair that brings its backbones along
PREVIEW_HEADS = BUNDLED / "vits14_preview_heads.fp16.safetensors"
CIFAR_PAIR = BUNDLED / "cifar_pair.fp16.safetensors"  # small, trained from scratch


def save_heads(pair: StudentTeacher, config: TrainConfig, backbone: str, path: Path) -> None:
    """A pair without its backbone, which must be that of the named model; OWN: with it."""
    tensors: dict[str, Tensor] = {
        name: tensor.half().contiguous()
        for name, tensor in pair.state_dict().items()
        if backbone == OWN or ".backbone." not in f".{name}"
    }
    if backbone != OWN:
        tensors["mask_token"] = pair.student.backbone.mask_token.detach().half()
    metadata = {"train": json.dumps(asdict(config)), "backbone": backbone}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata=metadata)


def load_heads(path: str | Path = PREVIEW_HEADS) -> tuple[StudentTeacher, TrainConfig]:
    """The pair, ready to be asked or trained on: the backbone is loaded from where it lives.

    ValueError when the file is damaged, of another kind, or its backbone is not on disk.
    """
    tensors, metadata = read_state_dict(path)
    if not {"train", "backbone"} <= metadata.keys():
        raise ValueError(f"{path} has no heads of this project: train some by the preset heads.")
    config = from_plain(TrainConfig, json.loads(metadata["train"]))
    weights = {name: tensor.float() for name, tensor in tensors.items()}
    if metadata["backbone"] != OWN:
        vit = load_backbone(metadata["backbone"]).vit
        config = replace(config, vit=vit.config)
        mask_token = weights.pop("mask_token", vit.mask_token)
        for side in ("student", "teacher"):
            for name, tensor in vit.state_dict().items():
                weights[f"{side}.backbone.{name}"] = tensor
            weights[f"{side}.backbone.mask_token"] = mask_token
    pair = StudentTeacher(config)
    try:
        pair.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit {metadata['backbone']}: {error}") from None
    return pair, config


def heads_for(model: str | None) -> bool:
    """Whether heads come with the project for the backbone of this name."""
    return PREVIEW_HEADS.is_file() and read_state_dict(PREVIEW_HEADS)[1]["backbone"] == model


def fitting_heads(path: str | Path, config: TrainConfig) -> StudentTeacher:
    """The pair of a file. ValueError when its heads have other sizes than those of `config`."""
    found, stored = load_heads(path)
    wanted = (config.dino_head, config.ibot_head, config.vit.dim)
    if (stored.dino_head, stored.ibot_head, stored.vit.dim) != wanted:
        raise ValueError(f"{path} has heads of another size than this run's.")
    return found


@torch.no_grad()
def copy_heads(found: StudentTeacher, pair: StudentTeacher) -> None:
    """Heads and mask token from one pair into another, whose backbones stay as they are."""
    for old, new in ((found.student, pair.student), (found.teacher, pair.teacher)):
        new.backbone.mask_token.copy_(old.backbone.mask_token)
        for name, part in new.named_children():
            if name != "backbone":
                part.load_state_dict(getattr(old, name).state_dict())
