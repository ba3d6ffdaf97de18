import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dino_core.analysis.inspection import (
    Inspection,
    attention_row,
    inspect,
    patch_features,
)
from dino_core.config import ViTConfig
from dino_core.images import to_tensor
from dino_core.vit import Edit, VisionTransformer

CONFIG = ViTConfig(
    dim=24,
    depth=3,
    heads=3,
    image_size=56,
    registers=2,
    position_offset=0.0,
    position_antialias=True,
)


@pytest.fixture(scope="module")
def vit() -> VisionTransformer:
    model = VisionTransformer(CONFIG).requires_grad_(False).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model.double()


@pytest.fixture(scope="module")
def image() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(3, 28, 70, generator=generator, dtype=torch.float64)  # 2 x 5 patches


@pytest.fixture(scope="module")
def seen(vit: VisionTransformer, image: Tensor) -> Inspection:
    return inspect(vit, image)


def test_one_row_and_one_layer_alone_are_those_of_the_whole(
    vit: VisionTransformer, image: Tensor, seen: Inspection
) -> None:
    for layer in range(3):
        for patch, token in ((None, 0), ((1, 3), 11)):
            row = attention_row(vit, image, layer, patch)
            torch.testing.assert_close(row, seen.row(layer, token), rtol=0, atol=0)
        torch.testing.assert_close(
            patch_features(vit, image, layer), seen.patches(layer), rtol=0, atol=0
        )
    with pytest.raises(ValueError, match="no patch 2,0"):
        attention_row(vit, image, 0, (2, 0))
    with pytest.raises(ValueError, match="layer"):
        attention_row(vit, image, 3)


def test_a_forward_that_ends_early_computes_no_later_block(
    vit: VisionTransformer, image: Tensor, seen: Inspection
) -> None:
    out = vit(image[None], until=2, trace=[1])
    torch.testing.assert_close(out.tokens[0], seen.tokens[1], rtol=0, atol=0)
    torch.testing.assert_close(vit(image[None], until=0).tokens, out.embedded, rtol=0, atol=0)
    for wrong in (
        {"until": 4},
        {"until": 2, "trace": [2]},
        {"until": 1, "edits": [Edit("mlp", 0.0, block=1)]},
    ):
        with pytest.raises(ValueError, match=r"A forward ends|is not computed"):
            vit(image[None], **wrong)


def test_rows_and_maps_are_the_softmax_of_all_tokens(
    vit: VisionTransformer, image: Tensor, seen: Inspection
) -> None:
    incoming = [seen.embedded, *seen.tokens[:-1]]
    for layer, (block, x) in enumerate(zip(vit.blocks, incoming, strict=True)):
        qkv = block.attn.qkv(block.norm1(x)).reshape(13, 3, 3, 8)  # [N, qkv, A, d]
        scores = torch.einsum("nad,mad->anm", qkv[:, 0], qkv[:, 1]) / math.sqrt(8)
        full = scores.exp() / scores.exp().sum(-1, keepdim=True)
        torch.testing.assert_close(seen.attention(layer), full)
        for token in range(13):
            torch.testing.assert_close(seen.rows(token)[layer], full[:, token])
    torch.testing.assert_close(seen.cls_rows(), seen.rows(0))
    torch.testing.assert_close(seen.cls_rows().sum(-1), torch.ones(3, 3, dtype=torch.float64))


def test_one_forward_keeps_what_the_model_computed(
    vit: VisionTransformer, image: Tensor, seen: Inspection
) -> None:
    out = vit(image[None], trace=range(3))
    assert (seen.layers, seen.heads, seen.grid, seen.registers) == (3, 3, (2, 5), 2)
    assert torch.equal(seen.normed, out.normed[0])
    assert torch.equal(seen.patches(), out.patches[0])
    for layer in range(3):
        tokens = out.traces[layer].tokens
        assert torch.equal(seen.patches(layer, norm=False), tokens[0, 3:])
        assert torch.equal(seen.patches(layer), vit.norm(tokens)[0, 3:])
    kept = 13 * 24 * (3 + 1 + 1 + 3 + 3)  # tokens, normed, embedded, queries, keys
    kept += 3 * 2 * 13  # lengths of the updates
    assert seen.nbytes == 8 * kept + image.numel()  # and a byte for each number of the picture


def test_update_norms_are_the_lengths_of_what_each_branch_added(
    vit: VisionTransformer, image: Tensor, seen: Inspection
) -> None:
    incoming = [seen.embedded, *seen.tokens[:-1]]
    for layer, (block, x) in enumerate(zip(vit.blocks, incoming, strict=True)):
        attended = block.ls1(block.attn(block.norm1(x)[None])[0][0])
        middle = x + attended
        thought = block.ls2(block.mlp(block.norm2(middle)))
        for token in range(13):
            for branch, update in enumerate((attended, thought)):
                length = math.sqrt(sum(float(value) ** 2 for value in update[token]))
                assert seen.update_norms[layer, branch, token].item() == pytest.approx(length)
        torch.testing.assert_close(middle + thought, seen.tokens[layer])


def test_a_branch_that_is_left_out_adds_nothing(vit: VisionTransformer, image: Tensor) -> None:
    edited = inspect(vit, image, edits=[Edit("attention", 0.0, block=0), Edit("mlp", 0.0, block=1)])
    assert (edited.update_norms == 0).all(-1).tolist() == [
        [True, False],
        [False, True],
        [False, False],
    ]
    x = edited.tokens[0]
    block = vit.blocks[1]
    torch.testing.assert_close(
        edited.tokens[1], x + block.ls1(block.attn(block.norm1(x[None]))[0][0])
    )


def test_token_at_is_the_token_of_those_pixels(
    vit: VisionTransformer, image: Tensor, seen: Inspection
) -> None:
    for row in range(2):
        for column in range(5):
            other = image.clone()
            other[:, row * 14 : (row + 1) * 14, column * 14 : (column + 1) * 14] += 1
            changed = (inspect(vit, other).embedded != seen.embedded).any(1).nonzero().flatten()
            assert changed.tolist() == [seen.token_at(row, column)]
            place = torch.zeros(13)
            place[seen.token_at(row, column)] = 1
            assert seen.on_grid(place).nonzero().tolist() == [[row, column]]


@pytest.mark.parametrize("place", [(2, 0), (0, 5), (-1, 0), (0, -1)])
def test_no_patch_outside_the_grid(seen: Inspection, place: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"2 x 5 patches.*no patch"):
        seen.token_at(*place)


def test_what_does_not_exist_is_refused(
    vit: VisionTransformer, image: Tensor, seen: Inspection
) -> None:
    for ask in (seen.attention, seen.patches):
        for layer in (3, -1):
            with pytest.raises(ValueError, match="layers 0 to 2"):
                ask(layer)
    for token in (13, -1):
        with pytest.raises(ValueError, match="tokens 0 to 12"):
            seen.rows(token)
    with pytest.raises(ValueError, match="batch of 2"):
        inspect(vit, image.expand(2, -1, -1, -1))
    with pytest.raises(ValueError, match="multiples of the patch size 14"):
        inspect(vit, image[:, :27])


def test_masks_and_edits_reach_the_model(vit: VisionTransformer, image: Tensor) -> None:
    masks = torch.zeros(1, 2, 5, dtype=torch.bool)
    masks[0, 1, 2:4] = True
    edits = [Edit("registers", None), *(Edit("head", 0.0, block=1, unit=unit) for unit in (0, 2))]
    seen = inspect(vit, image[None], masks=masks, edits=edits)
    out = vit(image[None], masks, edits=edits)
    assert (seen.registers, seen.first_patch, seen.token_at(1, 0)) == (0, 1, 6)
    assert torch.equal(seen.normed, out.normed[0])


def test_a_picture_takes_the_model_s_precision(image: Tensor) -> None:
    config = replace(CONFIG, registers=0)
    rough = inspect(VisionTransformer(config).bfloat16().eval(), image.float())
    assert rough.patches().dtype == torch.bfloat16
    assert rough.queries.is_inference()  # nothing of the graph is kept


def test_the_picture_is_kept_as_the_model_was_given_it(vit: VisionTransformer) -> None:
    size = vit.config.patch_size
    pixels = np.random.default_rng(0).integers(0, 256, (2 * size, 3 * size, 3), np.uint8)
    seen = inspect(vit, to_tensor(Image.fromarray(pixels)))
    assert np.array_equal(seen.pixels, pixels)
