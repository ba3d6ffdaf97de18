"""scenes/update.py: the schedules of a run are its own, not those of its preset."""

from pathlib import Path

import numpy as np
import pytest
from tiny_runs import noted_run

from dino_core.config import ScheduleConfig
from dino_core.scenes.update import run_schedule_scene
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
