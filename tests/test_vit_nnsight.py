"""Every site of an edit against nnsight, which edits timm's model of the same weights at 518 px."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_models import shake
from torch import Tensor

from dino_core.config import ViTConfig
from dino_core.vit import Edit, VisionTransformer
from dino_core.weights.peers import timm_model, timm_state

pytestmark = pytest.mark.slow

PLAIN = ViTConfig(dim=48, depth=2, heads=3)
SWIGLU = replace(PLAIN, ffn="swiglu", registers=4, position_offset=0.0, position_antialias=True)
TOKENS = [0, 7, 700]  # of both models the class token and two others that are no two alike


@pytest.fixture(scope="module")
def images() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, 3, 518, 518, generator=generator, dtype=torch.float64)


@pytest.fixture(scope="module")
def nnsight(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Asked not to give every object of the process a method `save`, which others stumble over."""
    config = tmp_path_factory.mktemp("nnsight") / "config.yaml"
    config.write_text("APP: {PYMOUNT: false}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNSIGHT_CONFIG", str(config))
        module = pytest.importorskip("nnsight", reason="pip install -r requirements-dev.txt")
    assert not hasattr(object, "save")
    return module


@pytest.fixture(scope="module", params=[PLAIN, SWIGLU], ids=["plain", "swiglu with registers"])
def models(request: pytest.FixtureRequest, nnsight: Any) -> tuple[VisionTransformer, Any]:
    import timm

    vit = VisionTransformer(request.param).double().eval().requires_grad_(False)
    shake(vit)
    name, arguments = timm_model(vit)
    peer = timm.create_model(name, **arguments).double().eval()
    peer.load_state_dict(timm_state(vit))
    for block in peer.blocks:
        block.attn.fused_attn = False  # or there are no scores to edit
    return vit, nnsight.NNsight(peer)


def values(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


def set_tokens(peer: Any) -> None:
    peer.blocks[1].input[:, TOKENS] = values(3, 48)


def set_head(peer: Any) -> None:
    peer.blocks[1].attn.proj.input[:, :, 16:32] = values(16)


def set_head_of_tokens(peer: Any) -> None:
    peer.blocks[0].attn.proj.input[:, TOKENS, 32:] = values(3, 16)


def set_attention(peer: Any) -> None:
    peer.blocks[0].ls1.output[:] = 0


def set_mlp(peer: Any) -> None:
    peer.blocks[0].ls2.output[:, TOKENS] = values(3, 48)


def set_neuron(peer: Any) -> None:
    peer.blocks[1].mlp.fc2.input[:, :, 5] = 2.0


def heat(peer: Any) -> None:
    peer.blocks[1].attn.source.maybe_add_mask_0.output[:, 2] /= 0.5


def blind(peer: Any) -> None:
    peer.blocks[0].attn.source.maybe_add_mask_0.output[:, :, 0, 5:] = -math.inf


def blind_one_head(peer: Any) -> None:
    peer.blocks[1].attn.source.maybe_add_mask_0.output[:, 1, 7:9, :900] = -math.inf


def zero_position(peer: Any) -> None:
    patches = peer.patch_embed.output.flatten(1, 2).clone()  # [B, h, w, D] -> [B, P, D]
    first = peer.pos_drop.output.shape[1] - patches.shape[1]
    peer.pos_drop.output[:, first + 9] = patches[:, 9]


CASES: dict[str, tuple[Edit, Callable[[Any], None]]] = {
    "tokens": (Edit("tokens", values(3, 48), block=1, tokens=TOKENS), set_tokens),
    "positions": (Edit("positions", 0.0, tokens=[1 + 9]), zero_position),
    "temperature": (Edit("scores", lambda s: s / 0.5, block=1, unit=2), heat),
    "knockout": (
        Edit("scores", -math.inf, block=0, tokens=[0], keys=range(5, 1370)),
        blind,
    ),
    "knockout in a head": (
        Edit("scores", -math.inf, block=1, unit=1, tokens=[7, 8], keys=range(900)),
        blind_one_head,
    ),
    "head": (Edit("head", values(16), block=1, unit=1), set_head),
    "head of tokens": (
        Edit("head", values(3, 16), block=0, unit=2, tokens=TOKENS),
        set_head_of_tokens,
    ),
    "attention": (Edit("attention", 0.0, block=0), set_attention),
    "mlp": (Edit("mlp", values(3, 48), block=0, tokens=TOKENS), set_mlp),
    "neuron": (Edit("neuron", 2.0, block=1, unit=5), set_neuron),
}


@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_every_site(
    name: str, models: tuple[VisionTransformer, Any], images: Tensor, nnsight: Any
) -> None:
    vit, peer = models
    edit, change = CASES[name]
    if name == "knockout":  # all that comes after the first five
        count = 1 + vit.config.registers + 37 * 37
        edit = replace(edit, keys=range(5, count))
    with peer.trace(images):
        change(peer)
        theirs = nnsight.save(peer.norm.output)
    ours = vit(images, edits=[edit]).normed
    assert (ours - vit(images).normed).abs().max() > 1e-6
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@torch.no_grad()
def test_registers(models: tuple[VisionTransformer, Any], images: Tensor, nnsight: Any) -> None:
    vit, peer = models
    if not vit.config.registers:
        with pytest.raises(ValueError, match="no registers"):
            vit(images, edits=[Edit("registers", None)])
        return
    with peer.trace(images):
        peer.pos_drop.output[:, 1:5] = values(4, 48)
        theirs = nnsight.save(peer.norm.output)
    ours = vit(images, edits=[Edit("registers", values(4, 48))]).normed
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
    with peer.trace(images):
        tokens = peer.pos_drop.output
        peer.pos_drop.output = torch.cat([tokens[:, :1], tokens[:, 5:]], dim=1)
        theirs = nnsight.save(peer.norm.output)
    ours = vit(images, edits=[Edit("registers", None)]).normed
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
