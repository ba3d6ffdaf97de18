"""The same random weights in timm and transformers, at 518 px, where all agree on positions.

The peers are imported where they are used: collecting the tests does not wait for them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from dino_core.config import ViTConfig
from dino_core.vit import VisionTransformer

PLAIN = ViTConfig(dim=48, depth=2, heads=3)
REGISTERS = replace(PLAIN, registers=4, position_offset=0.0, position_antialias=True)
SWIGLU = replace(PLAIN, ffn="swiglu")


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(1, 3, 518, 518, generator=torch.Generator().manual_seed(0))


def random_vit(config: ViTConfig) -> VisionTransformer:
    vit = VisionTransformer(config).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(1)
    for parameter in vit.parameters():
        parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    return vit


def as_timm(vit: VisionTransformer) -> Callable[[Tensor], Tensor]:
    """timm has no mask token; with registers the class token carries its position itself."""
    import timm

    state = vit.state_dict()
    del state["mask_token"]
    name = "vit_small_patch14_dinov2"
    if vit.config.registers:
        name = "vit_small_patch14_reg4_dinov2"
        positions = state.pop("pos_embed")
        state["reg_token"] = state.pop("register_tokens")
        state["cls_token"] = state["cls_token"] + positions[:, :1]
        state["pos_embed"] = positions[:, 1:]
    peer = timm.create_model(
        name, embed_dim=vit.config.dim, depth=vit.config.depth, num_heads=vit.config.heads
    )
    peer.load_state_dict(state)
    return peer.eval().forward_features


def as_transformers(vit: VisionTransformer) -> Any:
    import transformers

    config = vit.config
    settings = {
        "hidden_size": config.dim,
        "num_hidden_layers": config.depth,
        "num_attention_heads": config.heads,
        "image_size": config.image_size,
        "patch_size": config.patch_size,
        "use_swiglu_ffn": config.ffn == "swiglu",
        "attn_implementation": "eager",
    }
    if config.registers:
        peer = transformers.Dinov2WithRegistersModel(
            transformers.Dinov2WithRegistersConfig(num_register_tokens=config.registers, **settings)
        )
    else:
        peer = transformers.Dinov2Model(transformers.Dinov2Config(**settings))
    peer.load_state_dict(dict(transformers_names(vit)))
    return peer.eval()


def transformers_names(vit: VisionTransformer):
    renamed = {
        "pos_embed": "embeddings.position_embeddings",
        "patch_embed.proj": "embeddings.patch_embeddings.projection",
        "attn.proj": "attention.o_proj",
        "ls1.gamma": "layer_scale1.lambda1",
        "ls2.gamma": "layer_scale2.lambda1",
        "mlp.w3": "mlp.down_proj",
        "blocks": "encoder.layer",
    }
    for name, tensor in vit.state_dict().items():
        if name.endswith(("_token", "_tokens")):
            name = f"embeddings.{name}"
        if name.startswith("norm."):
            name = f"layer{name}"
        for ours, theirs in renamed.items():
            name = name.replace(ours, theirs)
        if "attn.qkv" in name:
            for part, piece in zip("qkv", tensor.chunk(3), strict=True):
                yield name.replace("attn.qkv", f"attention.{part}_proj"), piece
        elif "mlp.w12" in name:
            for part, piece in zip(("gate", "up"), tensor.chunk(2), strict=True):
                yield name.replace("w12", f"{part}_proj"), piece
        else:
            yield name, tensor


@torch.inference_mode()
@pytest.mark.parametrize("config", [PLAIN, REGISTERS])
def test_timm(config: ViTConfig, images: Tensor) -> None:
    vit = random_vit(config)
    theirs, ours = as_timm(vit)(images), vit(images).normed
    assert ours.abs().max() > 0.5
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("config", [PLAIN, REGISTERS, SWIGLU])
@pytest.mark.slow
def test_transformers(config: ViTConfig, images: Tensor) -> None:
    vit = random_vit(config)
    theirs = as_transformers(vit)(images, output_attentions=True, output_hidden_states=True)
    ours = vit(images, trace=range(config.depth))
    assert ours.normed.abs().max() > 0.5
    torch.testing.assert_close(ours.normed, theirs.last_hidden_state, rtol=0, atol=1e-4)
    torch.testing.assert_close(ours.embedded, theirs.hidden_states[0], rtol=0, atol=1e-4)
    for layer, trace in ours.traces.items():
        torch.testing.assert_close(trace.attention, theirs.attentions[layer], rtol=1e-3, atol=1e-6)
