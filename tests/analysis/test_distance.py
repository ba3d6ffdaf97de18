"""Teacher against student by layer, compared with the whole networks' own parameters."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_runs import TRAIN

from dino_core.analysis.distance import LayerDistance, place_of, teacher_distance
from dino_core.student_teacher import StudentTeacher


def test_distance_is_that_of_the_parameters(tmp_path: Path) -> None:
    pair = StudentTeacher(TRAIN, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in pair.teacher.parameters():
            parameter += 0.01 * torch.randn(parameter.shape, generator=generator)
    save_file(
        {name: tensor.contiguous() for name, tensor in pair.state_dict().items()},
        tmp_path / "step.safetensors",
    )
    layers = {layer.name: layer for layer in teacher_distance(tmp_path / "step.safetensors")}
    assert next(iter(layers)) == "patch embedding"
    assert list(layers)[-1] == "iBOT prototypes"
    assert {"block 0", "block 1", "final norm", "DINO head", "mask token"} <= set(layers)
    assert "other" not in layers
    total = sum(layer.parameters for layer in layers.values())
    assert total == sum(parameter.numel() for parameter in pair.student.parameters())
    parts = zip(
        pair.student.backbone.blocks[1].parameters(),
        pair.teacher.backbone.blocks[1].parameters(),
        strict=True,
    )
    ours = [
        torch.cat(one) for one in zip(*((s.flatten(), t.flatten()) for s, t in parts), strict=False)
    ]
    wanted = ((ours[1] - ours[0]).norm() / ours[0].norm()).item()
    assert layers["block 1"].relative == pytest.approx(wanted, rel=1e-5)


def test_what_is_no_training_checkpoint_is_said(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="no student"):
        teacher_distance(tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="cannot be read"):
        teacher_distance(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("backbone.patch_embed.proj.weight", (0, "patch embedding")),
        ("backbone.pos_embed", (1, "positions")),
        ("backbone.cls_token", (2, "class token")),
        ("backbone.register_tokens", (3, "registers")),
        ("backbone.mask_token", (4, "mask token")),
        ("backbone.blocks.0.norm1.weight", (100, "block 0")),
        ("backbone.blocks.11.mlp.fc1.bias", (111, "block 11")),
        ("backbone.norm.weight", (10_005, "final norm")),
        ("dino_head.mlp.0.weight", (10_006, "DINO head")),
        ("dino_head.last_layer.weight", (10_007, "DINO prototypes")),
        ("ibot_head.mlp.0.weight", (10_008, "iBOT head")),
        ("ibot_head.last_layer.weight", (10_009, "iBOT prototypes")),
        ("cls_map.weight", (10_010, "map of the class token")),
        ("patch_map.bias", (10_011, "map of patches")),
        ("something.else", (100_000, "other")),
        ("my.backbone.blocks.1.x", (100_000, "other")),
    ],
)
def test_layers_stand_in_the_order_of_the_data_s_way(name: str, place: tuple[int, str]) -> None:
    assert place_of(name) == place


def test_what_has_no_length_has_not_moved() -> None:
    assert LayerDistance("a", 3, 0.0, 0.5).relative == 0
    assert LayerDistance("a", 3, 2.0, 0.5).relative == 0.25
