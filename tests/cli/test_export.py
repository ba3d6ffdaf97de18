"""cli/export.py: a model by name, a file or a run, for another library."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.__main__ import main
from dino_core.weights import load_backbone, save_backbone
from dino_core.weights.files import read_state_dict


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save_backbone(tiny_vit(), tmp_path / "own.safetensors")


def test_a_file_becomes_an_official_one_and_the_check_is_told(file, tmp_path, capsys):
    target = tmp_path / "out" / "official.pth"
    assert main(["export", str(file), "--to", "official", "--output", str(target)]) == 0
    told = capsys.readouterr().out
    assert "224 x 224 px: equal to 0.0e+00" in told
    assert "252 x 182 px: equal to 0.0e+00" in told, "wider than high, and said so"
    assert f"official -> {target}" in told
    tensors, _ = read_state_dict(target)
    assert all(torch.equal(tensors[n], t) for n, t in tiny_vit().state_dict().items())


@pytest.mark.parametrize("finished", [True, False])
def test_the_folder_of_a_run_gives_its_weights_or_its_newest_checkpoint(tmp_path, finished):
    run = tmp_path / "run"
    save_backbone(tiny_vit(seed=1), run / "checkpoints" / "step-00000010.safetensors")
    save_backbone(tiny_vit(seed=2), run / "checkpoints" / "step-00000020.safetensors")
    for step in (20, 30):  # the memory of the optimiser is written first
        (run / "checkpoints" / f"step-{step:08}.optimiser.safetensors").write_bytes(b"")
    if finished:
        save_backbone(tiny_vit(seed=3), run / "backbone.safetensors")
    target = tmp_path / "official.safetensors"
    assert main(["export", str(run), "--to", "official", "--output", str(target)]) == 0
    vit = load_backbone(weights=target, heads=TINY.heads).vit
    assert torch.equal(vit.norm.bias, tiny_vit(seed=3 if finished else 2).norm.bias)


@pytest.mark.parametrize(
    ("source", "arguments", "words"),
    [
        ("none.pth", ["--to", "official", "--output", "a.pth"], "There is no file"),
        ("", ["--to", "official", "--output", "a.txt"], "should end with"),
        ("run", ["--to", "official", "--output", "a.pth"], "has no weights yet"),
    ],
)
def test_mistakes_are_one_sentence(file, tmp_path, capsys, monkeypatch, source, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    assert main(["export", source or str(file), *arguments]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.err.count("\n") == 1


def test_a_command_is_told_which_network_and_which_grid(tmp_path, capsys):
    """What a checkpoint does not tell, or tells twice, is chosen on the command line and said."""
    from dataclasses import replace

    import numpy as np
    from safetensors.torch import save_file

    wide = replace(TINY, image_size=(28, 56))
    student, teacher = tiny_vit(wide, seed=1), tiny_vit(wide, seed=2)
    both = {f"student.{name}": tensor for name, tensor in student.state_dict().items()}
    both |= {f"teacher.{name}": tensor for name, tensor in teacher.state_dict().items()}
    save_file(both, tmp_path / "both.safetensors")
    Image.new("RGB", (56, 28), "teal").save(tmp_path / "picture.png")
    command = ["features", str(tmp_path / "picture.png"), "--size", "native", "--heads", "3"]
    command += ["--weights", str(tmp_path / "both.safetensors")]
    command += ["--output", str(tmp_path / "out.npz")]
    assert main(command) == 2
    assert "Say its rows and columns" in capsys.readouterr().err
    command += ["--position-grid", "2x4"]
    found = {}
    for branch in ("teacher", "student"):
        assert main([*command, "--branch", branch]) == 0
        assert f"'{branch}'" in capsys.readouterr().err
        found[branch] = np.load(tmp_path / "out.npz")["cls"]
    assert not np.allclose(found["teacher"], found["student"])
