"""scenes/update.py: the schedules of a run are its own, not those of its preset."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_runs import noted_run

from dino_core.config import ScheduleConfig
from dino_core.runs.checkpoints import model_file
from dino_core.runs.folder import FORMAT, RunFolder, write_json
from dino_core.scenes.update import distance_facts, run_schedule_scene
from dino_core.schedules import values_at


def test_a_run_s_schedules_are_its_own(tmp_path: Path) -> None:
    schedule = {"batch_size": 12, "epochs": 4, "warmup_epochs": 1, "base_learning_rate": 2e-3}
    folder = noted_run(tmp_path / "run", "tiny", 12, train={"schedule": schedule})
    scene, config = run_schedule_scene(folder), ScheduleConfig(**schedule)
    assert (scene.preset, scene.batch, scene.total) == ("tiny", 12, config.steps)
    assert f"preset tiny, {config.steps} steps of 12 pictures" in scene.words
    for at in (0, len(scene.steps) // 2, -1):
        wanted = values_at(int(scene.steps[at]), config)
        assert scene.learning_rate[at] == np.float32(wanted.learning_rate)
        assert scene.momentum[at] == np.float32(wanted.momentum)


def test_what_has_no_schedules_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Only a run without labels"):
        run_schedule_scene(noted_run(tmp_path / "tuned", "tiny", 12, kind="fine-tuning"))
    damaged = noted_run(tmp_path / "damaged", "tiny", 12)
    (damaged / "config.json").write_text('{"format": 1, "kind": "pretraining", "setup": []}')
    with pytest.raises(ValueError, match="damaged"):
        run_schedule_scene(damaged)


def test_distances_are_of_the_newest_checkpoint(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_json(run.config_file, {"format": FORMAT, "kind": "pretraining"})
    with pytest.raises(ValueError, match="no checkpoint yet"):
        distance_facts(tmp_path)
    run.checkpoints.mkdir()
    for step, moved in ((40, 0.5), (200, 0.25)):
        student = torch.full((2, 2), 3.0)
        tensors = {
            "student.backbone.pos_embed": student,
            "teacher.backbone.pos_embed": student + moved,
            "student.backbone.blocks.1.x": torch.zeros(3),
            "teacher.backbone.blocks.1.x": torch.ones(3),
        }
        path = model_file(run.checkpoints, step)
        path.parent.mkdir(exist_ok=True)
        save_file(tensors, path)
    found = distance_facts(tmp_path)
    assert found["step"] == 200
    assert [list(layer.values())[:2] for layer in found["layers"]] == [
        ["positions", 4],
        ["block 1", 3],
    ]
    numbers = [
        [layer[n] for n in ("student", "difference", "relative")] for layer in found["layers"]
    ]
    assert numbers[0] == pytest.approx([6, 0.5, 0.5 / 6])
    assert numbers[1] == pytest.approx([0, 3**0.5, 0])
    write_json(run.config_file, {"format": FORMAT, "kind": "fine-tuning"})
    with pytest.raises(ValueError, match="Neither in fine-tuning nor in distillation"):
        distance_facts(tmp_path)
