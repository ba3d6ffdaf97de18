"""weights/architecture.py: what shapes do not tell is asked for, with all that it can be."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_models import TINY, tiny_vit

from dino_core.config import ViTConfig
from dino_core.vit import VisionTransformer
from dino_core.weights.architecture import (
    check_fit,
    check_values,
    config_from_hugging_face,
    config_from_metadata,
    infer_config,
    load_state,
    stated_grid,
)
from dino_core.weights.untold import Untold


def tensors_of(**changes: Any) -> dict[str, torch.Tensor]:
    config = replace(TINY, heads=1, **changes)
    return dict(VisionTransformer(config, device="meta").state_dict())


def asked(**changes: Any) -> Untold:
    with pytest.raises(Untold) as caught:
        infer_config(tensors_of(**changes))
    return caught.value


def test_heads_are_asked_for_where_no_official_model_has_the_width() -> None:
    assert asked(dim=20).choices == ("1", "2", "4", "5", "10", "20")
    assert (asked(dim=20).field, str(asked(dim=20))) == (
        "heads",
        "The number of heads cannot be read off weights of width 20. Say it: heads=...",
    )
    for dim, heads in ((64, 1), (128, 2), (384, 6), (768, 12), (1024, 16), (1536, 24)):
        assert infer_config(tensors_of(dim=dim, depth=1)).heads == heads


def test_a_grid_is_asked_for_where_it_is_no_square() -> None:
    found = asked(dim=64, image_size=(28, 84))  # 2 x 6 patches
    assert (found.field, found.choices) == ("grid", ("3x4", "4x3", "2x6", "6x2"))
    assert str(found) == (
        "The position embedding has 13 rows: one for the class token and 12 for a grid that is no "
        "square. Say its rows and columns, grid=... (possible: 2x6 or 6x2, 3x4 or 4x3)."
    )
    tensors = tensors_of(dim=64, image_size=(28, 84))
    assert infer_config(tensors, grid=(2, 6)).image_size == (28, 84)
    with pytest.raises(ValueError, match="a grid that is not 5x3"):
        infer_config(tensors, grid=(5, 3))
    with pytest.raises(ValueError, match="possible: none"):
        infer_config(tensors_of(dim=64, image_size=(14, 7 * 14)))


@pytest.mark.parametrize(
    "config",
    [
        TINY,
        replace(TINY, dim=64, heads=1, layer_scale_init=None, mlp_ratio=2.5, channels=4),
        replace(TINY, dim=64, heads=2, registers=3, position_offset=0.0, position_antialias=True),
        replace(TINY, dim=128, heads=2, ffn="swiglu"),
        replace(TINY, dim=128, heads=2, ffn="swiglu", mlp_ratio=3.0, patch_size=7),
    ],
)
def test_everything_else_is_read_off_the_shapes(config: ViTConfig) -> None:
    tensors = dict(VisionTransformer(config, device="meta").state_dict())
    found = infer_config(tensors, heads=config.heads)
    scale = None if config.layer_scale_init is None else 1.0
    assert found == replace(config, layer_scale_init=scale)


@pytest.mark.parametrize(
    ("text", "grid"),
    [
        ('{"image_size": 42}', (3, 3)),
        ('{"image_size": [42, 70]}', (3, 5)),
        ('{"image_size": 50}', (3, 3)),
        ('{"image_size": "x"}', None),
        ("{}", None),
        ("[]", None),
        ("{", None),
        (None, None),
    ],
)
def test_a_grid_that_a_config_states(text: str | None, grid: tuple[int, int] | None) -> None:
    assert stated_grid(text, 14) == grid


def test_what_a_config_of_hugging_face_says() -> None:
    plain = replace(TINY, heads=1)
    said = '"hidden_size": 48, "num_attention_heads": 4'
    assert config_from_hugging_face(f"{{{said}}}", plain) == replace(TINY, heads=4)
    more = f'{{{said}, "layer_norm_eps": 1e-4, "hidden_act": "gelu_new"}}'
    changed = replace(TINY, heads=4, norm_eps=1e-4, activation="gelu_tanh")
    assert config_from_hugging_face(more, plain) == changed
    assert config_from_hugging_face(f'{{"backbone_config": {more}}}', plain) == changed
    for nothing in ("{", "[]", "{}", '{"hidden_size": 48}', more.replace("48", "64")):
        assert config_from_hugging_face(nothing, plain) == plain, nothing
    with pytest.raises(ValueError, match="names the activation 'tanh'"):
        config_from_hugging_face(more.replace("gelu_new", "tanh"), plain)
    swiglu = replace(plain, ffn="swiglu")
    assert config_from_hugging_face(more.replace("gelu_new", "tanh"), swiglu).heads == 4
    with pytest.raises(ValueError, match="does not fit these weights"):
        config_from_hugging_face(f"{{{said}}}".replace("4}", "5}"), plain)


def test_what_is_stored_with_one_of_ours() -> None:
    assert config_from_metadata({}) is None
    assert config_from_metadata({"config": '{"dim": 48, "heads": 3}'}) == ViTConfig(48, heads=3)
    for wrong in ("{", '{"depht": 3}'):
        with pytest.raises(ValueError, match="is not one of this version"):
            config_from_metadata({"config": wrong})


def test_every_tensor_that_does_not_fit_is_listed() -> None:
    vit = tiny_vit()
    tensors = vit.state_dict()
    check_fit(vit, tensors)
    spoilt = {**tensors, "norm.bias": torch.zeros(3), "extra": torch.zeros(1)}
    del spoilt["cls_token"]
    with pytest.raises(ValueError) as caught:
        check_fit(vit, spoilt)
    assert str(caught.value) == (
        "The weights do not fit a model of width 48 with 2 blocks, patch 14, 0 registers, mlp. 1 "
        "missing: cls_token; 1 unexpected: extra; 1 of another shape: norm.bias is [3], wanted "
        "[48]."
    )
    many = {**tensors, **{f"x{i:02}": torch.zeros(1) for i in range(12)}}
    with pytest.raises(ValueError, match=r"12 unexpected: x00, .*, x09 and 2 more\."):
        check_fit(vit, many)
    ten = {**tensors, **{f"x{i:02}": torch.zeros(1) for i in range(10)}}
    with pytest.raises(ValueError, match=r"10 unexpected: x00, .*, x09\."):
        check_fit(vit, ten)


def test_weights_are_finite_floating_point_numbers() -> None:
    check_values({"a": torch.full((3,), 3e38), "b": torch.ones(1).half()})  # whose sum overflows
    with pytest.raises(ValueError, match=r"1 of 2 tensors hold values .* the first is b[.] The tr"):
        check_values({"a": torch.ones(1), "b": torch.tensor([1.0, math.inf])})
    with pytest.raises(ValueError, match="a holds int8 numbers: quantised"):
        check_values({"a": torch.ones(1, dtype=torch.int8)})
    with pytest.raises(ValueError, match="a has a shape but no values"):
        check_values({"a": torch.ones(1, device="meta")})


def test_weights_are_copied_and_ready_to_be_asked() -> None:
    tensors = {name: tensor.double() for name, tensor in tiny_vit().state_dict().items()}
    vit = load_state(TINY, tensors)
    assert not vit.training
    assert not any(p.requires_grad for p in vit.parameters())
    assert {tensor.dtype for tensor in vit.state_dict().values()} == {torch.float32}
    before = vit.norm.bias.clone()
    tensors["norm.bias"] += 1
    assert vit.norm.bias.equal(before)
    assert all(p.requires_grad for p in load_state(TINY, tensors, trainable=True).parameters())
    half = load_state(TINY, tensors, dtype=torch.bfloat16)
    assert half.norm.bias.dtype == torch.bfloat16
