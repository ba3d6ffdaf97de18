"""runs/progress.py: what a run begins with."""

import torch
from tiny_runs import TRAIN, setup

from dino_core.runs.progress import begin
from dino_core.vit import VisionTransformer
from dino_core.weights import save_backbone


def test_from_given_weights_student_and_teacher_begin_alike(tmp_path):
    """The weights are the seed's for neither of them, and the same for both."""
    given = VisionTransformer(TRAIN.vit, generator=torch.Generator().manual_seed(99))
    save_backbone(given, tmp_path / "given.safetensors")
    drawn = begin(setup(tmp_path), torch.device("cpu")).pair
    pair = begin(setup(tmp_path, weights=str(tmp_path / "given.safetensors")), "cpu").pair
    for network in (pair.student, pair.teacher):
        for name, tensor in given.state_dict().items():
            torch.testing.assert_close(network.backbone.state_dict()[name], tensor)
    student, teacher = pair.student.state_dict(), pair.teacher.state_dict()
    assert all(torch.equal(student[name], teacher[name]) for name in teacher)
    seeds = drawn.student.state_dict()
    heads = [name for name in student if not name.startswith("backbone.")]
    assert all(torch.equal(student[name], seeds[name]) for name in heads), "these are the seed's"
