"""Checkpoints of other models, by the names of their tensors: what they are, in words.

A strict loader would list three hundred names that do not fit. What a person wants to hear is that
the file is a CLIP, and that this is a tool for DINOv2.
"""

import re
from collections.abc import Collection, Iterable

# (what it is, patterns of which one names a tensor that nothing else has). The first match counts.
SIGNATURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "DINOv3",
        (
            r"(^|\.)rope_embed\.periods$",
            r"(^|\.)storage_tokens$",
            r"(^|\.)embeddings\.patch_embeddings\.weight$",  # as Hugging Face stores it
        ),
    ),
    ("a SigLIP", (r"(^|\.)vision_model\.head\.probe$", r"(^|\.)logit_bias$")),
    (
        "a CLIP",
        (
            r"(^|\.)visual\.(conv1\.weight|class_embedding|proj)$",
            r"(^|\.)(visual\.)?transformer\.resblocks\.",
            r"(^|\.)(vision_model|embeddings)\.(embeddings\.)?class_embedding$",
            r"(^|\.)text_(model|projection)\b",
            r"(^|\.)visual_projection\.weight$",
        ),
    ),
    (
        "a masked autoencoder (MAE)",
        (r"(^|\.)decoder_(pos_embed|blocks|embed|pred)\b", r"(^|\.)decoder\.decoder_layers\."),
    ),
    ("a V-JEPA or I-JEPA", (r"(^|\.)predictor\.predictor_(embed|blocks|pos_embed)",)),
    ("a Segment Anything model", (r"(^|\.)image_encoder\..*rel_pos_h$", r"(^|\.)mask_decoder\.")),
    ("a BEiT or EVA", (r"(^|\.)blocks\.\d+\.gamma_1$", r"(^|\.)rel_pos_bias\.", r"\.lambda_1$")),
    ("a Swin transformer", (r"(^|\.)layers\.\d+\.blocks\.\d+\.", r"relative_position_bias_table$")),
    ("a DeiT with a distillation token", (r"(^|\.)(dist_token|distillation_token)$",)),
    ("a ConvNeXt", (r"(^|\.)(stages\.\d+|downsample_layers)\.\d+\.",)),
    ("a ResNet", (r"(^|\.)layer[1-4]\.\d+\.(conv|bn)\d\.", r"(^|\.)stage\d\.\d+\.conv")),
    (
        "a plain vision transformer as Hugging Face stores it (ViT; DINO v1 is stored so, too)",
        (r"(^|\.)encoder\.layer\.\d+\.layernorm_before\.",),
    ),
)

# `model_type` of a Hugging Face config.json.
MODEL_TYPES = {
    "dinov3_vit": "DINOv3",
    "dinov3_convnext": "DINOv3",
    "clip": "a CLIP",
    "clip_vision_model": "a CLIP",
    "siglip": "a SigLIP",
    "siglip_vision_model": "a SigLIP",
    "vit_mae": "a masked autoencoder (MAE)",
    "vit": "a plain vision transformer (ViT; DINO v1 is stored so, too)",
    "beit": "a BEiT or EVA",
    "deit": "a DeiT",
    "swin": "a Swin transformer",
    "convnext": "a ConvNeXt",
    "resnet": "a ResNet",
    "sam": "a Segment Anything model",
    "ijepa": "an I-JEPA",
    "vjepa2": "a V-JEPA",
}


def foreign_model(names: Collection[str]) -> str | None:
    """What a checkpoint with these tensor names is, None when nothing says that it is foreign."""
    for model, patterns in SIGNATURES:
        if _any_matches(patterns, names):
            return model
    return None


def refusal(model: str) -> str:
    """The sentence for a person who brought another model."""
    return (
        f"This is {model}, not a DINOv2 backbone. Wanted are DINOv2 weights: official, Hugging "
        f"Face, timm, or a training checkpoint."
    )


def _any_matches(patterns: Iterable[str], names: Collection[str]) -> bool:
    found = re.compile("|".join(patterns))
    return any(found.search(name) for name in names)
