"""weights/peers.py: what other libraries are told of a model, in full."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_models import TINY, tiny_vit

from dino_core.config import VIT_BASE, VIT_GIANT, VIT_LARGE, VIT_SMALL, ViTConfig
from dino_core.vit import VisionTransformer
from dino_core.weights.peers import (
    hugging_face_config,
    hugging_face_processor,
    timm_model,
    timm_state,
)

PLAIN: dict[str, Any] = {"num_classes": 0, "dynamic_img_size": True}
OWN = {"embed_dim": 48, "depth": 2, "num_heads": 3, "img_size": (56, 56)}


@pytest.mark.parametrize(
    ("config", "size", "more"),
    [
        (VIT_SMALL, "small_patch14", {}),
        (VIT_BASE, "base_patch14", {}),
        (VIT_LARGE, "large_patch14", {}),
        (VIT_GIANT, "giant_patch14", {}),
        (replace(VIT_SMALL, registers=4), "small_patch14_reg4", {}),
        (replace(VIT_SMALL, registers=3), "small_patch14_reg4", {"reg_tokens": 3}),
        (replace(VIT_BASE, depth=3), "base_patch14", {"embed_dim": 768, "depth": 3,
                                                      "num_heads": 12}),
        (TINY, "small_patch14", OWN),
        (replace(TINY, image_size=(28, 42), channels=4), "small_patch14",
         OWN | {"img_size": (28, 42), "in_chans": 4}),
        (replace(TINY, patch_size=7), "small_patch14", OWN | {"patch_size": 7}),
        (replace(TINY, layer_scale_init=None), "small_patch14", OWN | {"init_values": None}),
        (replace(TINY, mlp_ratio=2.0), "small_patch14", OWN | {"mlp_ratio": 96.5 / 48}),
        (replace(TINY, ffn="swiglu"), "giant_patch14", OWN),
        (replace(TINY, ffn="swiglu", mlp_ratio=3.0), "giant_patch14",
         OWN | {"mlp_ratio": 192.5 / 48}),
    ],
)  # fmt: skip
def test_what_timm_is_given(config: ViTConfig, size: str, more: dict[str, Any]) -> None:
    vit = VisionTransformer(config, device="meta")
    assert timm_model(vit) == (f"vit_{size}_dinov2", PLAIN | more)


def test_what_timm_has_no_place_for() -> None:
    for changes, words in (
        ({"activation": "relu"}, "has GELU, this model relu"),
        ({"norm_eps": 1e-5}, "norms with 1e-6, this model 1e-05"),
    ):
        vit = VisionTransformer(replace(TINY, **changes), device="meta")
        with pytest.raises(ValueError, match=words):
            timm_model(vit)
    swiglu = replace(TINY, ffn="swiglu", activation="relu")  # which it does not use
    assert timm_model(VisionTransformer(swiglu, device="meta"))[0] == "vit_giant_patch14_dinov2"


def test_names_and_positions_as_timm_has_them() -> None:
    plain, state = tiny_vit(), timm_state(tiny_vit())
    own = plain.state_dict()
    assert set(state) == set(own) - {"mask_token"}
    assert all(tensor.equal(own[name]) for name, tensor in state.items())
    vit = tiny_vit(replace(TINY, registers=2, ffn="swiglu"))
    state, own = timm_state(vit), vit.state_dict()
    assert state["cls_token"].equal(own["cls_token"] + own["pos_embed"][:, :1])
    assert state["pos_embed"].equal(own["pos_embed"][:, 1:])
    assert state["reg_token"].equal(own["register_tokens"])
    assert state["blocks.1.mlp.fc1.weight"].equal(own["blocks.1.mlp.w12.weight"])
    assert state["blocks.1.mlp.fc2.bias"].equal(own["blocks.1.mlp.w3.bias"])
    assert len(state) == len(own) - 1


def test_what_transformers_is_told() -> None:
    expected = {
        "architectures": ["Dinov2Model"],
        "model_type": "dinov2",
        "hidden_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "mlp_ratio": 4,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-6,
        "image_size": 56,
        "patch_size": 14,
        "num_channels": 3,
        "qkv_bias": True,
        "layerscale_value": 1.0,
        "use_swiglu_ffn": False,
        "torch_dtype": "float32",
    }
    assert hugging_face_config(TINY) == expected
    assert type(hugging_face_config(TINY)["mlp_ratio"]) is int
    changed = replace(
        TINY, registers=2, ffn="swiglu", mlp_ratio=2.5, activation="gelu_tanh", norm_eps=1e-5
    )
    found = hugging_face_config(changed)
    assert found == expected | {
        "architectures": ["Dinov2WithRegistersModel"],
        "model_type": "dinov2_with_registers",
        "num_register_tokens": 2,
        "mlp_ratio": 2.5,
        "layer_norm_eps": 1e-5,
        "use_swiglu_ffn": True,
        "hidden_act": found["hidden_act"],
    }
    for changes, words in (
        ({"image_size": (28, 56)}, "on a square grid only; this model's are on 2 x 4"),
        ({"layer_scale_init": None}, "without LayerScale"),
    ):
        with pytest.raises(ValueError, match=words):
            hugging_face_config(replace(TINY, **changes))


@pytest.mark.parametrize(("patch", "crop"), [(14, 224), (16, 224), (13, 221)])
def test_how_transformers_prepares_a_picture(patch: int, crop: int) -> None:
    assert hugging_face_processor(ViTConfig(patch_size=patch, image_size=2 * patch)) == {
        "image_processor_type": "BitImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": 256},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": crop, "width": crop},
        "do_rescale": True,
        "rescale_factor": pytest.approx(1 / 255),
        "do_normalize": True,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }


def test_a_stored_state_has_no_gradient() -> None:
    vit = tiny_vit(replace(TINY, registers=2)).requires_grad_(True)
    assert not any(tensor.requires_grad for tensor in timm_state(vit).values())
    assert isinstance(timm_state(vit)["cls_token"], torch.Tensor)
