"""The backbone against the official numbers and against itself, taken apart."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from golden.adapter import Adapter, vit_config
from safetensors.torch import load_file
from torch import Tensor

from dino_core.config import ViTConfig
from dino_core.vit import Edit, VisionTransformer, drop_path, interpolate_positions
from dino_core.vit.block import ACTIVATIONS

GOLDEN = Path(__file__).parent / "golden"
META = json.loads((GOLDEN / "vit_meta.json").read_text())
INPUTS = [
    (case, name) for case in META for name in META[case]["inputs"] if name != "native518"
]  # native518 has no picture of its own; check_vit knows how it is made

TINY = ViTConfig(dim=32, depth=3, heads=2, image_size=56)
REGISTERS = replace(TINY, registers=3, position_offset=0.0, position_antialias=True)
SWIGLU = replace(TINY, ffn="swiglu", layer_scale_init=None)


def random_vit(config: ViTConfig, seed: int = 0) -> VisionTransformer:
    """Every parameter random and of size one half, so that each of them matters."""
    vit = VisionTransformer(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in vit.parameters():
            scale = 0.5 / math.sqrt(parameter.shape[-1]) if parameter.ndim == 2 else 0.5
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    return vit.double().eval().requires_grad_(False)


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def close(a: Tensor, b: Tensor, atol: float = 1e-10) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=atol)


# --- the official numbers


@pytest.mark.parametrize(("case", "name"), INPUTS)
def test_golden_positions(case: str, name: str) -> None:
    stored = load_file(GOLDEN / f"vit_{case}_io.safetensors")
    learned = load_file(GOLDEN / f"vit_{case}.safetensors")["pos_embed"]
    config = vit_config(META[case]["constructor"])
    _, H, W = META[case]["inputs"][name]
    ours = interpolate_positions(
        learned,
        (H // 14, W // 14),
        offset=config.position_offset,
        antialias=config.position_antialias,
    )
    close(ours, stored[f"{name}/pos_embed"], 1e-6)


@pytest.mark.parametrize(("case", "name"), INPUTS)
def test_golden_linear_logits(case: str, name: str) -> None:
    """Class tokens of the last 1 or 4 blocks with the mean patch of the last one, all normed."""
    stored = load_file(GOLDEN / f"vit_{case}_io.safetensors")
    weights = load_file(GOLDEN / f"vit_{case}.safetensors")
    vit = Adapter().build_vit(META[case]["constructor"], weights)
    depth = vit.config.depth
    out = vit(stored[f"{name}/image"].double(), trace=range(depth))
    close(out.cls, stored[f"{name}/forward"], 1e-5)
    for layers in (1, 4):
        if f"{name}/logits_linear{layers}" not in stored:
            continue
        classes = [vit.norm(out.traces[i].tokens)[:, 0] for i in range(depth - layers, depth)]
        features = torch.cat([*classes, out.patches.mean(1)], dim=1)
        head = [stored[f"linear_head{layers}.{part}"].double() for part in ("weight", "bias")]
        close(F.linear(features, *head), stored[f"{name}/logits_linear{layers}"], 1e-4)


# --- the forward, taken apart


def embed_by_hand(vit: VisionTransformer, images: Tensor, masks: Tensor | None) -> Tensor:
    """Patch by patch; only for the learned grid, where positions are not interpolated."""
    weight, bias = vit.patch_embed.proj.weight, vit.patch_embed.proj.bias
    tokens = []
    for b, image in enumerate(images):
        row = [vit.cls_token[0, 0] + vit.pos_embed[0, 0]]
        row += list(vit.register_tokens[0]) if vit.register_tokens is not None else []
        for p in range(16):
            y, x = p // 4 * 14, p % 4 * 14
            patch = weight.flatten(1) @ image[:, y : y + 14, x : x + 14].flatten() + bias
            if masks is not None and masks[b, p]:
                patch = vit.mask_token[0]
            row.append(patch + vit.pos_embed[0, 1 + p])
        tokens.append(torch.stack(row))
    return torch.stack(tokens)


def block_by_hand(vit: VisionTransformer, index: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """One block from its weights, head by head -> its output and its attention [B, A, N, N]."""
    w = dict(vit.blocks[index].named_parameters())
    D, d = vit.config.dim, vit.config.head_dim

    def linear(name: str, y: Tensor) -> Tensor:
        return y @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    y = F.layer_norm(x, (D,), w["norm1.weight"], w["norm1.bias"], 1e-6)
    q, k, v = linear("attn.qkv", y).split(D, dim=-1)
    maps, mixed = [], []
    for head in range(vit.config.heads):
        part = slice(head * d, (head + 1) * d)
        scores = (q[..., part] @ k[..., part].mT / math.sqrt(d)).exp()
        maps.append(scores / scores.sum(-1, keepdim=True))
        mixed.append(maps[-1] @ v[..., part])
    x = x + linear("attn.proj", torch.cat(mixed, -1)) * w.get("ls1.gamma", 1.0)
    y = F.layer_norm(x, (D,), w["norm2.weight"], w["norm2.bias"], 1e-6)
    if vit.config.ffn == "swiglu":
        gate, value = linear("mlp.w12", y).chunk(2, -1)
        y = linear("mlp.w3", gate * gate.sigmoid() * value)
    else:
        y = linear("mlp.fc1", y)
        y = linear("mlp.fc2", y * (1 + torch.erf(y / math.sqrt(2))) / 2)
    return x + y * w.get("ls2.gamma", 1.0), torch.stack(maps, 1)


def run_from(vit: VisionTransformer, x: Tensor, first: int) -> Tensor:
    for index in range(first, vit.config.depth):
        x, _ = block_by_hand(vit, index, x)
    return x


@pytest.mark.parametrize("config", [TINY, REGISTERS, SWIGLU])
@pytest.mark.parametrize("fused", [True, False])
def test_every_step_by_hand(config: ViTConfig, fused: bool) -> None:
    vit = random_vit(replace(config, fused_attention=fused))
    images, masks = noise(2, 3, 56, 56), noise(2, 16, seed=2) > 0.5
    out = vit(images, masks, trace=range(3), rows=[0, 5])
    assert out.rows is not None
    x = embed_by_hand(vit, images, masks)
    close(out.embedded, x)
    for index in range(3):
        x, attention = block_by_hand(vit, index, x)
        close(out.traces[index].tokens, x)
        close(out.traces[index].attention, attention)
        close(out.traces[index].rows([0, 5]), attention[:, :, [0, 5]])
        close(out.rows[:, index], attention[:, :, [0, 5]])
        close(out.traces[index].attention.sum(-1), torch.ones_like(attention[..., 0]))
    close(out.tokens, x)
    close(out.normed, F.layer_norm(x, (32,), vit.norm.weight, vit.norm.bias, 1e-6))


def test_output_parts_and_grid() -> None:
    vit = random_vit(REGISTERS)
    out = vit(noise(2, 3, 28, 70), trace=[2])
    assert out.grid == (2, 5)  # height first
    assert list(out.traces) == [2]
    assert out.first_patch == 4
    parts = [out.cls[:, None], out.register_tokens, out.patches]
    assert [part.shape[1] for part in parts] == [1, 3, 10]
    close(torch.cat(parts, 1), out.normed)


def test_rows_alone_keep_nothing_else() -> None:
    vit = random_vit(REGISTERS)
    images = noise(2, 3, 28, 70)
    plain, out = vit(images), vit(images, rows=[4])
    assert plain.rows is None
    assert not out.traces
    assert out.rows is not None
    assert out.rows.shape == (2, 3, vit.config.heads, 1, 14)
    close(out.normed, plain.normed)
    with pytest.raises(ValueError, match="tokens 0 to 13"):
        vit(images, rows=[14])


def test_masks_of_both_shapes_and_nothing_else() -> None:
    vit = random_vit(TINY)
    images, masks = noise(2, 3, 28, 70), noise(2, 2, 5, seed=3) > 0
    close(vit(images, masks).tokens, vit(images, masks.flatten(1)).tokens)
    shapes = (masks.mT, masks[:1], masks[:, :, :1], masks.flatten(1)[:, :1])
    for wrong in (*shapes, masks.double(), masks.to(torch.uint8)):
        with pytest.raises(ValueError, match="2 x 5 patches"):
            vit(images, wrong)


@pytest.mark.parametrize(("height", "width"), [(28, 30), (27, 28), (0, 28), (13, 14)])
def test_size_that_is_no_multiple(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=rf"patch size 14.*{width} x {height}"):
        random_vit(TINY)(torch.zeros(1, 3, height, width))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"trace": [3]}, "blocks 0 to 2; there is no block 3"),
        ({"trace": [-1]}, "there is no block -1"),
    ],
)
def test_block_head_or_token_that_does_not_exist(asked: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_vit(TINY)(noise(1, 3, 56, 56), **asked)


# --- training


def test_drop_path_up_to_a_tenth_tosses_a_coin_for_every_picture() -> None:
    x, generator = noise(2000, 1, 2), torch.Generator().manual_seed(0)
    update = drop_path(x, lambda y: 3 * y, 0.1, generator) - x
    kept = (update != 0).all(-1)[:, 0]
    close(update[kept], 3 * x[kept] / 0.9)
    close(update[~kept], torch.zeros_like(x[~kept]))
    assert abs(kept.double().mean() - 0.9) < 0.03  # 4.5 standard errors


@pytest.mark.parametrize(("B", "p", "kept"), [(6, 0.5, 3), (5, 0.3, 3), (2, 0.4, 1), (1, 0.9, 1)])
def test_drop_path_above_a_tenth_computes_a_subset(B: int, p: float, kept: int) -> None:
    x, seen, total = noise(B, 4, 2), [], torch.zeros(B, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)

    def branch(y: Tensor) -> Tensor:
        seen.append(len(y))
        return 3 * y

    for _ in range(300):
        update = drop_path(x, branch, p, generator) - x
        chosen = (update != 0).flatten(1).any(1)
        assert chosen.sum() == kept
        close(update[chosen], 3 * x[chosen] * B / kept)
        total += chosen / kept * B / 300
    assert set(seen) == {kept}
    assert (total - 1).abs().max() < 0.35  # every picture as often as any other: mean preserved


def test_training_draws_from_its_generator_alone() -> None:
    vit = random_vit(replace(TINY, drop_path=0.4)).train()
    images, state = noise(5, 3, 28, 28), torch.get_rng_state()
    runs = [vit(images, generator=torch.Generator().manual_seed(seed)).tokens for seed in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert torch.equal(torch.get_rng_state(), state)
    close(vit.eval()(images).tokens, random_vit(TINY)(images).tokens)


def test_training_forward_is_the_same_when_nothing_is_dropped() -> None:
    vit, images = random_vit(replace(REGISTERS, drop_path=1e-14)), noise(2, 3, 28, 28)
    close(vit.train()(images).normed, vit.eval()(images).normed)


@pytest.mark.parametrize(
    "asked", [{"trace": [0]}, {"rows": [0]}, {"edits": [Edit("mlp", 0.0, block=1)]}], ids=" ".join
)
def test_nothing_can_be_looked_for_while_paths_are_dropped(asked: dict) -> None:
    vit, images = random_vit(replace(TINY, drop_path=0.4)).train(), noise(2, 3, 28, 28)
    with pytest.raises(ValueError, match="leaves branches out at random"):
        vit(images, **asked)
    vit.eval()(images, **asked)
    random_vit(TINY).train()(images, **asked)  # nothing is dropped


def test_initial_weights() -> None:
    state = torch.get_rng_state()
    config = ViTConfig(dim=192, depth=2, heads=3, image_size=224, registers=4, layer_scale_init=0.1)
    vit = VisionTransformer(config, generator=torch.Generator().manual_seed(3)).requires_grad_(
        False
    )
    again = VisionTransformer(config, generator=torch.Generator().manual_seed(3))
    other = VisionTransformer(config, generator=torch.Generator().manual_seed(4))
    unseeded = VisionTransformer(config), VisionTransformer(config)
    assert torch.equal(unseeded[0].pos_embed, unseeded[1].pos_embed)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(vit.parameters(), again.parameters(), strict=True))
    assert not torch.equal(vit.pos_embed, other.pos_embed)

    bound = 1 / math.sqrt(3 * 14 * 14)
    for name, weight in vit.named_parameters():
        if name.startswith("patch_embed"):  # uniform within the bound
            assert bound * 0.95 < weight.abs().max() <= bound
            assert weight.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)
        elif name in ("cls_token", "register_tokens"):
            assert weight.std() == pytest.approx(1e-6, rel=0.2)
        elif weight.ndim == 1 or name == "mask_token":
            gain = 0.1 if "gamma" in name else float("norm" in name and "weight" in name)
            assert torch.equal(weight, torch.full_like(weight, gain)), name
        else:
            assert weight.std() == pytest.approx(0.02, rel=0.05), name
            assert abs(weight.mean()) < 0.001, name


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("offset", [0.0, 0.1])
def test_positions_in_half_precision_are_interpolated_in_float32(
    dtype: torch.dtype, offset: float
) -> None:
    positions = noise(1, 1 + 16, 8).to(dtype)
    got = interpolate_positions(positions, (7, 3), offset=offset, antialias=not offset)
    exact = interpolate_positions(positions.float(), (7, 3), offset=offset, antialias=not offset)
    assert got.dtype == dtype
    assert torch.equal(got, exact.to(dtype))


def test_bfloat16_stays_near() -> None:
    vit, images = random_vit(replace(TINY, registers=2)), noise(1, 3, 56, 56)
    exact, rough = vit(images).normed, vit.bfloat16()(images.bfloat16(), trace=[0])
    assert rough.normed.dtype == torch.bfloat16
    assert rough.traces[0].attention.dtype == torch.bfloat16
    assert (rough.normed - exact).abs().max() < 0.15


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("gelu", lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
        (
            "gelu_tanh",
            lambda x: x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
        ),
        ("quick_gelu", lambda x: x / (1 + math.exp(-1.702 * x))),
        ("relu", lambda x: max(x, 0.0)),
        ("silu", lambda x: x / (1 + math.exp(-x))),
    ],
)
def test_activations_are_their_formulas(name, by_hand):
    values = torch.linspace(-4, 4, 17)
    expected = [by_hand(x) for x in values.tolist()]
    assert ACTIVATIONS[name](values).tolist() == pytest.approx(expected, abs=1e-6)
