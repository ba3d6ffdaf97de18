"""Every site of an edit against a plain loop, which walks the model head by head."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny_models import shake
from torch import Tensor

from dino_core.config import ViTConfig
from dino_core.vit import Edit, VisionTransformer

PLAIN = ViTConfig(dim=24, depth=3, heads=3, image_size=56)
REGISTERS = replace(PLAIN, registers=2, position_offset=0.0, position_antialias=True)
SWIGLU = replace(REGISTERS, ffn="swiglu", layer_scale_init=None)
CONFIGS = pytest.mark.parametrize(
    "config", [PLAIN, REGISTERS, SWIGLU], ids=["plain", "registers", "swiglu"]
)
# site, block (None: at the input), head, what is there -> what is to be there instead
Change = Callable[[str, int | None, int | None, Tensor], Tensor]


def random_vit(config: ViTConfig) -> VisionTransformer:
    vit = VisionTransformer(config).double().eval().requires_grad_(False)
    shake(vit)
    return vit


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def close(a: Tensor, b: Tensor, atol: float = 1e-10) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=atol)


def by_hand(
    vit: VisionTransformer, image: Tensor, change: Change, registers: bool = True
) -> tuple[Tensor, list[list[Tensor]]]:
    """One picture [3, 56, 56], whose grid is the learned one -> the stream [N, D] that leaves the
    last block, and the attention [N, N] of every block and head."""
    config = vit.config
    D, d = config.dim, config.head_dim
    patches = vit.patch_embed.proj(image[None])[0].flatten(1).T  # [P, D]
    table = change("positions", None, None, vit.pos_embed[0])
    x = torch.cat([vit.cls_token[0], patches]) + table
    if registers and vit.register_tokens is not None:
        extra = change("registers", None, None, vit.register_tokens[0])
        x = torch.cat([x[:1], extra, x[1:]])
    attention = []
    for index in range(config.depth):
        w = dict(vit.blocks[index].named_parameters())
        x = change("tokens", index, None, x)
        y = F.layer_norm(x, (D,), w["norm1.weight"], w["norm1.bias"], 1e-6)
        q, k, v = (y @ w["attn.qkv.weight"].T + w["attn.qkv.bias"]).split(D, dim=-1)
        mixed, maps = [], []
        for head in range(config.heads):
            part = slice(head * d, (head + 1) * d)
            scores = change("scores", index, head, q[:, part] @ k[:, part].T / math.sqrt(d))
            weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
            maps.append(weights)
            mixed.append(change("head", index, head, weights @ v[:, part]))
        update = torch.cat(mixed, -1) @ w["attn.proj.weight"].T + w["attn.proj.bias"]
        x = x + change("attention", index, None, update * w.get("ls1.gamma", 1.0))
        y = F.layer_norm(x, (D,), w["norm2.weight"], w["norm2.bias"], 1e-6)
        if config.ffn == "swiglu":
            gate, value = (y @ w["mlp.w12.weight"].T + w["mlp.w12.bias"]).chunk(2, -1)
            hidden, last = gate * gate.sigmoid() * value, "w3"
        else:
            hidden = y @ w["mlp.fc1.weight"].T + w["mlp.fc1.bias"]
            hidden, last = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2, "fc2"
        hidden = change("neuron", index, None, hidden)
        update = hidden @ w[f"mlp.{last}.weight"].T + w[f"mlp.{last}.bias"]
        x = x + change("mlp", index, None, update * w.get("ls2.gamma", 1.0))
        attention.append(maps)
    return x, attention


def at(site: str, block: int | None, head: int | None, new: Callable[[Tensor], Tensor]) -> Change:
    """A change of one place, on a copy of what is there."""

    def change(where: str, index: int | None, unit: int | None, there: Tensor) -> Tensor:
        right = where == site and index == block and (head is None or unit == head)
        return new(there.clone()) if right else there

    return change


def filled(value: Tensor | float, rows: list[int] | slice = slice(None), column: int | None = None):
    def new(there: Tensor) -> Tensor:
        if column is None:
            there[rows] = value
        else:
            there[rows, column] = value
        return there

    return new


# Token 5 is a patch in every one of the models, and the value differs from row to row.
ROWS, TWO = [0, 5], noise(2, 24, seed=4)
CASES: dict[str, tuple[Edit, Change]] = {
    "tokens": (
        Edit("tokens", TWO, block=1, tokens=ROWS),
        at("tokens", 1, None, filled(TWO, ROWS)),
    ),
    "all tokens": (
        Edit("tokens", TWO[0], block=2),
        at("tokens", 2, None, filled(TWO[0])),
    ),
    "positions": (
        Edit("positions", TWO, tokens=[0, 3]),
        at("positions", None, None, filled(TWO, [0, 3])),
    ),
    "head": (
        Edit("head", TWO[0, :8], block=1, unit=2),
        at("head", 1, 2, filled(TWO[0, :8])),
    ),
    "head of two tokens": (
        Edit("head", TWO[:, :8], block=0, unit=1, tokens=ROWS),
        at("head", 0, 1, filled(TWO[:, :8], ROWS)),
    ),
    "all heads": (
        Edit("head", 0.5, block=2, tokens=ROWS),
        at("head", 2, None, filled(0.5, ROWS)),
    ),
    "temperature": (
        Edit("scores", lambda scores: scores / 0.5, block=1, unit=0),
        at("scores", 1, 0, lambda scores: scores / 0.5),
    ),
    "temperature of two queries": (
        Edit("scores", lambda scores: scores / 3, block=1, tokens=ROWS),
        at("scores", 1, None, lambda s: torch.where(noise_rows(s, ROWS), s / 3, s)),
    ),
    "knockout": (
        Edit("scores", -math.inf, block=0, unit=1, tokens=ROWS, keys=[3, 5, 6]),
        at("scores", 0, 1, lambda s: blocked(s, ROWS, [3, 5, 6])),
    ),
    "knockout in all heads, of all queries": (
        Edit("scores", -math.inf, block=2, keys=[0]),
        at("scores", 2, None, lambda s: blocked(s, range(len(s)), [0])),
    ),
    "attention": (Edit("attention", 0.0, block=1), at("attention", 1, None, filled(0.0))),
    "attention of two tokens": (
        Edit("attention", TWO, block=0, tokens=ROWS),
        at("attention", 0, None, filled(TWO, ROWS)),
    ),
    "mlp": (Edit("mlp", TWO[1], block=2), at("mlp", 2, None, filled(TWO[1]))),
    "neuron": (
        Edit("neuron", 1.5, block=1, unit=7),
        at("neuron", 1, None, filled(1.5, slice(None), 7)),
    ),
    "neuron of two tokens": (
        Edit("neuron", torch.tensor([2.0, -1.0]), block=0, unit=3, tokens=ROWS),
        at("neuron", 0, None, filled(torch.tensor([2.0, -1.0]).double(), ROWS, 3)),
    ),
}


def noise_rows(scores: Tensor, rows: list[int]) -> Tensor:
    chosen = torch.zeros_like(scores, dtype=torch.bool)
    chosen[rows] = True
    return chosen


def blocked(scores: Tensor, queries, keys: list[int]) -> Tensor:
    for query in queries:
        for key in keys:
            scores[query, key] = -math.inf
    return scores


@CONFIGS
@pytest.mark.parametrize("name", CASES)
def test_every_site_is_the_plain_loop(config: ViTConfig, name: str) -> None:
    vit, images = random_vit(config), noise(2, 3, 56, 56)
    edit, change = CASES[name]
    out = vit(images, trace=range(3), rows=[0, 5], edits=[edit])
    plain = vit(images)
    for b, image in enumerate(images):
        x, attention = by_hand(vit, image, change)
        close(out.tokens[b], x)
        assert (out.tokens[b] - plain.tokens[b]).abs().max() > 1e-4
        for block in range(3):
            theirs = torch.stack(attention[block])
            close(out.traces[block].attention[b], theirs)
            close(out.traces[block].rows([0, 5])[b], theirs[:, [0, 5]])
            close(out.rows[b, block], theirs[:, [0, 5]])
            close(out.traces[block].attention[b].sum(-1), torch.ones_like(theirs[..., 0]))


@CONFIGS
def test_the_loop_without_a_change_is_the_forward(config: ViTConfig) -> None:
    vit, images = random_vit(config), noise(1, 3, 56, 56)
    close(vit(images).tokens[0], by_hand(vit, images[0], lambda *place: place[-1])[0])


@pytest.mark.parametrize("config", [REGISTERS, SWIGLU])
def test_registers_with_other_values_and_without_any(config: ViTConfig) -> None:
    vit, images, values = random_vit(config), noise(1, 3, 56, 56), noise(2, 24, seed=4)
    other = vit(images, edits=[Edit("registers", values)])
    close(other.tokens[0], by_hand(vit, images[0], at("registers", None, None, filled(values)))[0])
    out = vit(images, edits=[Edit("registers", None)])
    close(out.tokens[0], by_hand(vit, images[0], lambda *place: place[-1], registers=False)[0])
    assert (out.registers, out.register_tokens.shape[1], out.patches.shape[1]) == (0, 0, 16)


@CONFIGS
def test_own_and_no_edit_are_the_forward_to_the_last_bit(config: ViTConfig) -> None:
    vit, images = random_vit(config).float(), noise(2, 3, 56, 56).float()
    plain = vit(images).tokens
    assert torch.equal(vit(images, edits=[]).tokens, plain)
    for site in ("tokens", "head", "attention", "mlp", "neuron"):
        for own in (lambda there: there, lambda there: there.clone()):
            edits = [Edit(site, own, block=block) for block in range(3)]
            assert torch.equal(vit(images, edits=edits).tokens, plain)
        one = Edit(site, lambda there: there, block=1, tokens=[0, 5])
        assert torch.equal(vit(images, edits=[one]).tokens, plain)


def test_edits_of_one_place_hold_in_the_order_given() -> None:
    vit, images = random_vit(PLAIN), noise(1, 3, 56, 56)
    double = Edit("attention", lambda there: 2 * there, block=1)
    more = Edit("attention", lambda there: there + 1, block=1)
    for edits, new in (
        ([double, more], lambda there: 2 * there + 1),
        ([more, double], lambda there: 2 * (there + 1)),
    ):
        theirs, _ = by_hand(vit, images[0], at("attention", 1, None, new))
        close(vit(images, edits=edits).tokens[0], theirs)


def test_what_is_there_is_not_written_to() -> None:
    vit, images = random_vit(PLAIN), noise(1, 3, 56, 56)
    plain = vit(images, trace=range(3))
    edits = [Edit("tokens", 0.0, block=1, tokens=[3]), Edit("positions", 0.0)]
    before = vit.pos_embed.clone()
    vit.resume(plain.traces[0].tokens, plain.grid, first=1, edits=edits[:1])
    vit(images, edits=edits)
    assert torch.equal(vit.pos_embed, before)
    assert torch.equal(plain.traces[0].tokens, vit(images, trace=[0]).traces[0].tokens)


@CONFIGS
def test_the_forward_resumes_where_it_was(config: ViTConfig) -> None:
    vit, images = random_vit(config).float(), noise(2, 3, 56, 56).float()
    plain = vit(images, trace=range(3))
    edit = Edit("head", 0.0, block=2, unit=1)
    whole = vit(images, trace=[2], rows=[0], edits=[edit])
    for first in range(3):
        stream = plain.traces[first - 1].tokens if first else plain.embedded
        out = vit.resume(stream, plain.grid, first=first, trace=[2], rows=[0], edits=[edit])
        assert torch.equal(out.normed, whole.normed)
        assert torch.equal(out.traces[2].tokens, whole.traces[2].tokens)
        assert torch.equal(out.rows, whole.rows[:, first:])
        assert (out.grid, out.registers) == (whole.grid, whole.registers)


def test_a_function_may_answer_for_more_pictures_than_it_was_given() -> None:
    """Several heads are switched off side by side, and what they share is computed once."""
    vit, images = random_vit(REGISTERS), noise(1, 3, 56, 56)

    def each_off(there: Tensor) -> Tensor:
        many = there.repeat(3, 1, 1, 1)
        for head in range(3):
            many[head, head] = 0
        return many

    out = vit(images, trace=[1, 2], edits=[Edit("head", each_off, block=1)])
    assert out.tokens.shape[0] == 3
    for head in range(3):
        one = vit(images, edits=[Edit("head", 0.0, block=1, unit=head)])
        close(out.tokens[head], one.tokens[0])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Edit("head", 0.0, block=14), "head:14: This model has blocks 0 to 2; there is no block"),
        (Edit("tokens", 0.0, block=-1), "tokens:-1: .*there is no block -1"),
        (Edit("head", 0.0, block=1, unit=3), r"head:1\.3: .*heads 0 to 2; there is no head 3"),
        (Edit("scores", 0.0, block=1, unit=3), "heads 0 to 2"),
        (Edit("neuron", 0.0, block=1, unit=96), "units 0 to 95; there is no unit 96"),
        (Edit("mlp", 0.0, block=1, unit=0), "mlp has no units: only scores, head, neuron have"),
        (Edit("mlp", 0.0), r"Which block\? This model has blocks 0 to 2"),
        (Edit("positions", 0.0, block=0), "before any block"),
        (Edit("tokens", 0.0, block=0, tokens=[17]), "tokens 0 to 16; there is no token 17"),
        (Edit("positions", 0.0, tokens=[17]), "tokens 0 to 16"),
        (Edit("scores", 0.0, block=0, keys=[-1]), "there is no token -1"),
        (Edit("head", 0.0, block=0, keys=[1]), "head has no keys: only scores have"),
        (Edit("registers", None), "This model has no registers"),
        (Edit("mlp", None, block=0), "Only the registers, all of them, can be left out"),
        (Edit("tokens", noise(3, 24), block=0, tokens=[1, 2]), r"\[3, 24\].*has \[2, 24\]"),
        (Edit("head", noise(9), block=0), r"shape \[9\], but what is there has \[3, 17, 8\]"),
        (Edit("neuron", noise(96), block=0, unit=5), r"\[96\], but what is there has \[17\]"),
        (Edit("mlp", math.nan, block=0), "no finite number"),
        (Edit("mlp", -math.inf, block=0), "no finite number"),
        (Edit("heads", 0.0, block=0), "no site 'heads': they are tokens, positions, .* and reg"),
    ],
)
def test_what_is_not_there_is_said_before_the_forward(edit: Edit, message: str) -> None:
    vit = random_vit(PLAIN)
    vit.blocks = None  # nothing may be computed
    with pytest.raises(ValueError, match=message):
        vit(noise(1, 3, 56, 56), edits=[edit])


def test_with_registers_left_out_there_are_fewer_tokens() -> None:
    vit, images = random_vit(REGISTERS), noise(1, 3, 56, 56)
    edits = [Edit("registers", None), Edit("tokens", 0.0, block=1, tokens=[17])]
    with pytest.raises(ValueError, match="tokens 0 to 16"):
        vit(images, edits=edits)
    vit(images, edits=edits[1:])
    with pytest.raises(ValueError, match="can be left out"):
        vit(images, edits=[Edit("registers", None, tokens=[0])])


def test_nobody_is_left_without_a_token_to_see() -> None:
    vit, images = random_vit(PLAIN), noise(1, 3, 56, 56)
    edits = [
        Edit("scores", -math.inf, block=1, tokens=[4], keys=range(9)),
        Edit("scores", -math.inf, block=1, tokens=[4], keys=range(9, 17)),
    ]
    vit(images, edits=edits[:1])
    with pytest.raises(ValueError, match="scores:1: token 4 is left no token to see"):
        vit(images, edits=edits)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"first": 3}, "blocks 0 to 2; there is no block 3"),
        ({"first": 2, "edits": [Edit("mlp", 0.0, block=1)]}, "mlp:1 lies before block 2"),
        ({"first": 0, "edits": [Edit("positions", 0.0)]}, "positions lies before block 0"),
        ({"first": 2, "trace": [0]}, "block 0 lies before block 2"),
        ({"first": 0, "grid": (4, 5)}, "17 tokens is none of 4 x 5 patches"),
    ],
)
def test_a_forward_cannot_resume_with_what_lies_before(asked: dict, message: str) -> None:
    vit = random_vit(PLAIN)
    with pytest.raises(ValueError, match=message):
        vit.resume(noise(1, 17, 24), asked.pop("grid", (4, 4)), **asked)
