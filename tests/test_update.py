"""update.py against the official parameter groups and against arithmetic."""

import json
import re
from dataclasses import astuple
from pathlib import Path

import pytest
import torch
from torch import nn

from dino_core.config import HeadConfig, OptimConfig, ViTConfig
from dino_core.heads import ProjectionHead
from dino_core.schedules import StepValues
from dino_core.update import (
    ParameterRule,
    apply_schedule,
    build_optimiser,
    clip_gradients,
    parameter_groups,
    parameter_rule,
    update_teacher,
)
from dino_core.vit import VisionTransformer

GOLDEN = Path(__file__).parent / "golden"
STORED = json.loads((GOLDEN / "param_groups.json").read_text())
CONFIG = OptimConfig(
    layer_decay=STORED["args"]["layerwise_decay"],
    patch_embed_factor=STORED["args"]["patch_embed_lr_mult"],
)
DEPTH = 4
VALUES = StepValues(
    learning_rate=0.5,
    last_layer_learning_rate=0.25,
    weight_decay=0.1,
    momentum=0.9,
    teacher_temperature=0.05,
)


def vit(**kwargs):
    config = ViTConfig(dim=12, depth=DEPTH, heads=2, image_size=28, **kwargs)
    return VisionTransformer(config, device="meta")


MODELS = {
    "vit_depth4_chunks0_reg4": lambda: vit(registers=4),
    "vit_depth4_chunks2": vit,
    "vit_depth4_chunks0_swiglu": lambda: vit(ffn="swiglu"),
    "dino_head": lambda: ProjectionHead(8, HeadConfig(4, 6, 5), device="meta"),
}


def unchunked(name):
    """blocks.1.3.norm1.weight -> blocks.3.norm1.weight: ours are never chunked."""
    return re.sub(r"blocks\.\d+\.(?=\d)", "blocks.", name)


def rule_of(entry):
    return entry["lr_multiplier"], entry["wd_multiplier"], entry["is_last_layer"]


@pytest.mark.parametrize("model", STORED["models"])
def test_rules_and_groups_are_the_official_ones(model):
    module, stored = MODELS[model](), STORED["models"][model]
    depth = 0 if model == "dino_head" else DEPTH
    rename = unchunked if model == "vit_depth4_chunks2" else str
    names = {parameter: name for name, parameter in module.named_parameters()}

    groups = parameter_groups(module, CONFIG, depth)
    ours = {names[p]: group["rule"] for group in groups for p in group["params"]}
    official = {rename(entry["name"]): rule_of(entry) for entry in stored["per_parameter"]}
    assert set(ours) == set(official)
    for name, rule in official.items():
        assert isinstance(ours[name], ParameterRule)
        assert astuple(ours[name]) == pytest.approx(rule, abs=1e-12), name

    assert [{names[p] for p in group["params"]} for group in groups] == [
        {rename(name) for name in group["names"]} for group in stored["fused"]
    ]


def test_rules_read_the_chunked_names_of_official_files_too():
    for entry in STORED["models"]["vit_depth4_chunks2"]["per_parameter"]:
        rule = parameter_rule(entry["name"], DEPTH, CONFIG)
        assert astuple(rule) == pytest.approx(rule_of(entry), abs=1e-12)


def small_parts():
    backbone = VisionTransformer(ViTConfig(dim=12, depth=2, heads=2, image_size=28))
    return {"backbone": backbone, "dino_head": ProjectionHead(12, HeadConfig(8, 6, 5))}


def test_a_bias_does_not_decay_whoever_it_belongs_to():
    """Of a layer that stands by itself too, as a classifier's and the maps of a distillation."""
    rules = {name: parameter_rule(name, 0, CONFIG) for name in ("bias", "mlp.0.bias", "weight")}
    assert [rule.weight_decay for rule in rules.values()] == [0, 0, 1]


def test_schedule_reaches_every_parameter():
    parts = small_parts()
    optimiser = build_optimiser(parts, CONFIG)
    apply_schedule(optimiser, VALUES)
    now = {
        id(p): (group["lr"], group["weight_decay"])
        for group in optimiser.param_groups
        for p in group["params"]
    }
    backbone, head = parts["backbone"], parts["dino_head"]
    assert len(now) == sum(len(list(part.parameters())) for part in parts.values())
    expected = {
        backbone.patch_embed.proj.weight: (0.5 * 0.9**3 * 0.2, 0.1),
        backbone.pos_embed: (0.5 * 0.9**3, 0.1),
        backbone.blocks[0].attn.qkv.weight: (0.5 * 0.9**2, 0.1),
        backbone.blocks[1].ls1.gamma: (0.5 * 0.9, 0.0),
        backbone.norm.weight: (0.5, 0.0),
        head.mlp[0].weight: (0.5, 0.1),
        head.last_layer.weight_v: (0.25, 0.1),
    }
    for parameter, pair in expected.items():
        assert now[id(parameter)] == pytest.approx(pair)


def test_frozen_parameters_are_left_out():
    parts = small_parts()
    parts["backbone"].requires_grad_(False)
    optimiser = build_optimiser(parts, CONFIG)
    trained = {id(p) for group in optimiser.param_groups for p in group["params"]}
    assert trained == {id(p) for p in parts["dino_head"].parameters()}


def test_parts_are_clipped_one_by_one():
    parts = {"large": nn.Linear(3, 1, bias=False), "small": nn.Linear(3, 1, bias=False)}
    parts["large"].weight.grad = torch.tensor([[3.0, 4.0, 12.0]])  # norm 13
    parts["small"].weight.grad = torch.tensor([[0.3, 0.4, 1.2]])  # norm 1.3
    norms = clip_gradients(parts, 3.0)
    assert {name: norm.item() for name, norm in norms.items()} == pytest.approx(
        {"large": 13.0, "small": 1.3}
    )
    torch.testing.assert_close(
        parts["large"].weight.grad, torch.tensor([[3.0, 4.0, 12.0]]) * 3 / 13
    )
    assert torch.equal(parts["small"].weight.grad, torch.tensor([[0.3, 0.4, 1.2]]))
    clip_gradients(parts, None)
    assert parts["large"].weight.grad.norm().item() == pytest.approx(3.0)


def test_teacher_is_a_moving_average():
    student, teacher = nn.Linear(2, 2), nn.Linear(2, 2)
    expected = [
        0.9 * t + 0.1 * s for t, s in zip(teacher.parameters(), student.parameters(), strict=True)
    ]
    update_teacher(student, teacher, 0.9)
    for got, want in zip(teacher.parameters(), expected, strict=True):
        torch.testing.assert_close(got, want)
    before = [p.clone() for p in teacher.parameters()]
    update_teacher(student, teacher, 1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, teacher.parameters(), strict=True))


def test_a_frozen_parameter_is_the_same_in_the_teacher_to_the_bit():
    """m x + (1 - m) x is not x in floating point: over a run a frozen backbone would drift."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(50, 50, generator=generator)
    assert not torch.equal(x * 0.994 + x * (1 - 0.994), x), "a case that can fail"
    student, teacher = nn.Linear(50, 50), nn.Linear(50, 50)
    with torch.no_grad():
        for network in (student, teacher):
            network.weight.copy_(x)
        student.bias.fill_(1.0)
        teacher.bias.zero_()
    student.weight.requires_grad_(False)
    for _ in range(3):
        update_teacher(student, teacher, 0.994)
    assert torch.equal(teacher.weight, x)
    torch.testing.assert_close(teacher.bias, torch.full((50,), 1 - 0.994**3))
