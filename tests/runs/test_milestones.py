"""runs/milestones.py: what is looked at, and in which runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import RUN, files, picture

from dino_core.datasets import find_pictures
from dino_core.runs.folder import RunFolder
from dino_core.runs.milestones import Milestones
from dino_core.runs.presets import PRESETS
from dino_core.step.distributed import World

WITH_WEIGHTS = next(one for one in PRESETS.values() if one.needs_weights)


def watch(tmp_path: Path, config: Any = RUN, knn: Any = None) -> Milestones:
    contents: dict[str, bytes] = {f"{i}.png": picture(i) for i in range(4)}
    data = files(tmp_path / "data", contents | {"2.png": b"\x89PNG\r\n\x1a\n broken"})
    run = RunFolder(tmp_path / "run")
    return Milestones(run, config, World(), knn, [], find_pictures(data))


@pytest.mark.parametrize(
    ("config", "knn", "dense"),
    [(RUN, None, False), (RUN, "labelled pictures", True), (WITH_WEIGHTS, None, True)],
)
def test_dense_features_are_measured_where_there_are_weights_or_labels(
    tmp_path: Path, config: Any, knn: Any, dense: bool
) -> None:
    assert watch(tmp_path, replace(config), knn).dense == dense


def test_pictures_that_cannot_be_read_are_not_measured(tmp_path: Path) -> None:
    assert len(watch(tmp_path)._some()) == 3
