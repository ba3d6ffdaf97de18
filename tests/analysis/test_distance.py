"""Teacher against student by layer, compared with the whole networks' own parameters."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_runs import TRAIN

from dino_core.analysis.distance import teacher_distance
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
