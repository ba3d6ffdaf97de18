"""Checkpoints of any origin -> a DINOv2 backbone, strictly, and saying what was loaded.

    variants      which models there are, and which lie on this disk   (imports no torch)
    files         a file or folder -> its tensors, never running code from it; writing to the side
    zipped        a Hugging Face folder in a zip: its weights and its config.json, unpacked
    untold        what a checkpoint does not tell of itself            (imports no torch)
    foreign       other models, by the names of their tensors: what they are, in words
    candidates    where in a checkpoint a backbone lies, and which one of several
    layouts       official, training, Hugging Face and timm names -> the official names
    architecture  tensors -> ViTConfig -> VisionTransformer, with every mismatch named
    classifiers   a linear classifier beside a backbone: what it reads, how its classes are called
    fetch         one download, asked for, checked before it counts
    backbone      load_backbone: all of it in one call

    backbone = load_backbone("dinov2_vits14")
    backbone.vit(images), backbone.info.official

Each of the files imports only those above it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dino_core.weights.architecture import infer_config, load_state
    from dino_core.weights.backbone import Backbone, WeightsInfo, load_backbone
    from dino_core.weights.fetch import download
    from dino_core.weights.files import read_state_dict, save_backbone
    from dino_core.weights.layouts import Converted, convert
    from dino_core.weights.variants import Variant, catalogue, default_model, find_variant

_HOME = {
    "Variant": "variants",
    "catalogue": "variants",
    "default_model": "variants",
    "find_variant": "variants",
    "read_state_dict": "files",
    "save_backbone": "files",
    "Converted": "layouts",
    "convert": "layouts",
    "infer_config": "architecture",
    "load_state": "architecture",
    "download": "fetch",
    "Backbone": "backbone",
    "WeightsInfo": "backbone",
    "load_backbone": "backbone",
}

__all__ = [
    "Backbone",
    "Converted",
    "Variant",
    "WeightsInfo",
    "catalogue",
    "convert",
    "default_model",
    "download",
    "find_variant",
    "infer_config",
    "load_backbone",
    "load_state",
    "read_state_dict",
    "save_backbone",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"dino_core.weights has no public name {name!r}")
    return getattr(import_module(f"dino_core.weights.{_HOME[name]}"), name)
