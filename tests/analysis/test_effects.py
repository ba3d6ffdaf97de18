"""What follows from an edit: prefix reuse against the whole forward, cosines against a loop."""

import math
from dataclasses import fields, replace

import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit
from torch import Tensor

from dino_core.analysis.effects import effects, entry_block, inspect_again
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.images import to_tensor
from dino_core.vit import Edit, VisionTransformer

CONFIG = replace(TINY, depth=3, registers=2)


@pytest.fixture(scope="module")
def vit() -> VisionTransformer:
    return tiny_vit(CONFIG).requires_grad_(False)


@pytest.fixture(scope="module")
def image() -> Tensor:
    """A picture of whole pixel values, 3 x 4 patches."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (42, 56, 3), generator=generator, dtype=torch.uint8)
    return to_tensor(Image.fromarray(pixels.numpy()))


@pytest.fixture(scope="module")
def seen(vit: VisionTransformer, image: Tensor) -> Inspection:
    return inspect(vit, image)


EDITS = {
    "tokens": [Edit("tokens", 0.0, block=1, tokens=[0, 7])],
    "positions": [Edit("positions", 0.0, tokens=[5])],
    "scores": [Edit("scores", -math.inf, block=1, tokens=[0], keys=range(3, 15))],
    "head": [Edit("head", 0.0, block=2, unit=1)],
    "attention": [Edit("attention", 0.0, block=0)],
    "mlp": [Edit("mlp", 0.0, block=1)],
    "neuron": [Edit("neuron", 2.0, block=2, unit=5)],
    "registers": [Edit("registers", 0.0)],
    "registers out": [Edit("registers", None)],
    "two": [Edit("head", 0.0, block=1, unit=0), Edit("scores", lambda s: s / 2, block=2)],
}


@pytest.mark.parametrize("name", EDITS)
def test_what_lies_before_is_taken_over(
    name: str, vit: VisionTransformer, image: Tensor, seen: Inspection
) -> None:
    again, whole = inspect_again(vit, seen, EDITS[name]), inspect(vit, image, edits=EDITS[name])
    for field in fields(Inspection):
        ours, theirs = getattr(again, field.name), getattr(whole, field.name)
        if isinstance(ours, Tensor):
            assert torch.equal(ours, theirs), field.name
        elif field.name != "norm":
            assert ours == theirs, field.name
    assert torch.equal(again.cls_rows(), whole.cls_rows())
    close = torch.testing.assert_close
    close(again.cls_rows().sum(-1), torch.ones(3, 3))
    for layer in range(3):
        close(again.attention(layer)[:, 4], again.rows(4)[layer])


def cosine(a: Tensor, b: Tensor) -> float:
    a, b = a.double(), b.double()
    return float((a * b).sum() / (a.square().sum() * b.square().sum()).sqrt())


@pytest.mark.parametrize("name", EDITS)
def test_cosines_are_those_of_a_plain_loop(
    name: str, vit: VisionTransformer, image: Tensor, seen: Inspection
) -> None:
    found, whole = effects(vit, seen, EDITS[name]), inspect(vit, image, edits=EDITS[name])
    for layer in range(3):
        a, b = vit.norm(seen.tokens[layer]), vit.norm(whole.tokens[layer])
        theirs = [cosine(x, y) for x, y in zip(a[3:], b[whole.first_patch :], strict=True)]
        assert float(found.cls_cosine_by_layer[layer]) == pytest.approx(
            cosine(a[0], b[0]), abs=1e-6
        )
        mean = sum(theirs) / len(theirs)
        assert float(found.patch_cosine_by_layer[layer]) == pytest.approx(mean, abs=1e-6)
    assert found.patch_cosine.flatten().tolist() == pytest.approx(theirs, abs=1e-6)
    assert float(found.cls_cosine) == float(found.cls_cosine_by_layer[-1]) < 1
    assert found.patch_cosine.shape == (3, 4)
    assert (found.patch_cosine_by_layer[: found.entry] == 1).all()


def test_nothing_changes_without_an_edit(vit: VisionTransformer, seen: Inspection) -> None:
    found = effects(vit, seen, [])
    assert found.after is seen
    assert found.entry == 3
    own = effects(vit, seen, [Edit("mlp", lambda there: there, block=1)])
    assert own.entry == 1
    for one in (found, own):
        assert float(one.cls_cosine) == 1
        assert (one.patch_cosine == 1).all()
        assert (one.cls_cosine_by_layer == 1).all()
        assert torch.equal(one.after.normed, seen.normed)


def test_edits_at_the_input_take_pictures_that_are_no_pixels(vit: VisionTransformer) -> None:
    image = torch.randn(1, 3, 28, 28, generator=torch.Generator().manual_seed(3))
    edits = EDITS["positions"][:1]
    edits = [replace(edits[0], tokens=[2])]
    again = inspect_again(vit, inspect(vit, image), edits, images=image)
    assert torch.equal(again.tokens, inspect(vit, image, edits=edits).tokens)


def test_the_first_block_that_edits_reach() -> None:
    assert entry_block([], 12) == 12
    assert entry_block([Edit("mlp", 0.0, block=7), Edit("head", 0.0, block=4)], 12) == 4
    assert entry_block([Edit("mlp", 0.0, block=7), Edit("positions", 0.0)], 12) == 0


def test_what_is_not_there_is_refused(vit: VisionTransformer, seen: Inspection) -> None:
    with pytest.raises(ValueError, match=r"head:3: .*blocks 0 to 2"):
        effects(vit, seen, [Edit("head", 0.0, block=3)])
    with pytest.raises(ValueError, match="tokens 0 to 14"):
        effects(vit, seen, [Edit("registers", 0.0), Edit("tokens", 0.0, block=0, tokens=[15])])
