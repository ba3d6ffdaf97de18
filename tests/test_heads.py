"""heads.py against the official head."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dino_core.config import HeadConfig
from dino_core.heads import ProjectionHead

GOLDEN = Path(__file__).parent / "golden"
SMALL = HeadConfig(prototypes=40, hidden=24, bottleneck=16)


@pytest.mark.parametrize("variant", ["n1", "n2", "n3", "n3_nobias"])
def test_output_and_gradients_are_the_official_ones(variant):
    stored = load_file(GOLDEN / "heads_losses.safetensors")
    meta = json.loads((GOLDEN / "heads_losses_meta.json").read_text())["head"][variant]
    head = ProjectionHead(
        meta["in_dim"],
        HeadConfig(
            prototypes=meta["out_dim"],
            hidden=meta["hidden_dim"],
            bottleneck=meta["bottleneck_dim"],
            layers=meta["nlayers"],
            mlp_bias=meta.get("mlp_bias", True),
        ),
    )
    prefix = f"head/{variant}/state/"
    head.load_state_dict(
        {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)}
    )
    head.double()
    tokens = stored["head/input"].double().requires_grad_()
    scores = head(tokens)
    probe = torch.linspace(-1, 1, scores.numel(), dtype=torch.float64).view_as(scores)
    (scores * probe).sum().backward()

    torch.testing.assert_close(scores, stored[f"head/{variant}/output"], rtol=1e-8, atol=1e-9)
    torch.testing.assert_close(
        tokens.grad, stored[f"head/{variant}/grad_input"], rtol=1e-7, atol=1e-9
    )
    norms = {name: p.grad.norm().item() for name, p in head.named_parameters()}
    assert norms == pytest.approx(meta["param_grad_norms"], rel=1e-8)


def test_parameter_names_and_shapes_are_the_official_ones():
    layout = json.loads((GOLDEN / "checkpoint_layouts.json").read_text())["dino_head"]
    head = ProjectionHead(384, HeadConfig(prototypes=1000), device="meta")
    assert {name: list(p.shape) for name, p in head.named_parameters()} == layout
    assert all(p.is_meta for p in head.parameters())


def test_scores_are_cosines_with_the_prototypes():
    head = ProjectionHead(12, SMALL)
    tokens = torch.randn(5, 12, generator=torch.Generator().manual_seed(1))
    expected = torch.nn.functional.cosine_similarity(
        head.mlp(tokens)[:, None], head.last_layer.weight_v[None], dim=-1
    )
    torch.testing.assert_close(head(tokens), expected, rtol=1e-5, atol=1e-6)


def test_a_token_of_length_zero_scores_zero():
    head = ProjectionHead(12, SMALL)
    assert torch.equal(head(torch.zeros(2, 12)), torch.zeros(2, 40))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_token_of_length_zero_is_no_nan_in_half_precision(dtype):
    """1e-12 is 0 in float16, and would be divided by."""
    head = ProjectionHead(12, SMALL).to(dtype)
    assert torch.equal(head(torch.zeros(2, 12, dtype=dtype)), torch.zeros(2, 40, dtype=dtype))


def test_initial_weights_follow_the_generator_alone():
    before = torch.random.get_rng_state()
    first = ProjectionHead(12, SMALL, generator=torch.Generator().manual_seed(3))
    second = ProjectionHead(12, SMALL, generator=torch.Generator().manual_seed(3))
    third = ProjectionHead(12, SMALL, generator=torch.Generator().manual_seed(4))
    assert torch.equal(before, torch.random.get_rng_state())
    for name, parameter in first.state_dict().items():
        assert torch.equal(parameter, second.state_dict()[name])
    assert not torch.equal(first.last_layer.weight_v, third.last_layer.weight_v)


def test_initial_weights_have_the_official_spread():
    head = ProjectionHead(64, HeadConfig(prototypes=512, hidden=256, bottleneck=100))
    assert head.mlp[2].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert not head.mlp[2].bias.any()
    assert (head.last_layer.weight_g == 1).all()
    v = head.last_layer.weight_v
    assert v.abs().max().item() == pytest.approx(0.1, rel=0.01)
    assert v.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.02)


def test_initial_spread_can_be_chosen_for_narrow_heads():
    config = HeadConfig(512, 256, 100, linear_std=None, prototype_std=0.3)
    head = ProjectionHead(64, config)
    assert head.mlp[0].weight.std().item() == pytest.approx(1 / 8, rel=0.02)
    assert head.last_layer.weight_v.std().item() == pytest.approx(0.3, rel=0.02)


def test_a_head_without_layers_is_refused():
    with pytest.raises(ValueError, match="at least 1 layer"):
        ProjectionHead(12, HeadConfig(layers=0))
