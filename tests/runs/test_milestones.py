"""runs/milestones.py: what is looked at, and in which runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_models import TINY, tiny_vit
from tiny_runs import RUN, files, picture

from dino_core.datasets import find_pictures
from dino_core.evaluation.piece_knn import piece_knn, pixel_knn
from dino_core.runs.folder import RunFolder, read_metrics
from dino_core.runs.milestones import Milestones
from dino_core.runs.presets import PRESETS
from dino_core.step.distributed import World
from dino_core.step.loader import generator_for
from dino_core.vit import VisionTransformer

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


def labelled(pictures: Any) -> Any:
    return replace(pictures, labels=tuple(range(len(pictures))), classes=pictures.names)


def test_pictures_without_classes_are_recognised_by_their_pieces(tmp_path: Path) -> None:
    looked = watch(tmp_path)
    looked.run.path.mkdir()
    vit = VisionTransformer(RUN.train.vit, generator=generator_for(0, "weights", 0))
    looked.teacher = tiny_vit(replace(TINY, image_size=28)), 28
    looked.look(vit, 0)
    (line,) = read_metrics(looked.run.path)
    found = line["piece_knn"]
    assert (found["pictures"], found["chance"]) == (3, pytest.approx(100 / 3)), "one is broken"
    shares = piece_knn(vit, looked.pictures, 16).shares
    assert {name: found[name] for name in shares} == pytest.approx(shares)
    teacher, size = looked.teacher
    assert found["teacher"] == piece_knn(teacher, looked.pictures, size).shares["cls"]
    assert found["pixels"] == pixel_knn(looked.pictures)
    assert not {"knn", "patch_knn"} & line.keys(), "no accuracy for classes that there are not"


def test_pieces_say_nothing_where_there_are_classes(tmp_path: Path) -> None:
    assert watch(tmp_path).over_pieces
    assert not watch(tmp_path, knn="labelled pictures").over_pieces
    by_class = labelled(watch(tmp_path).pictures)
    run = RunFolder(tmp_path / "run")
    assert not Milestones(run, RUN, World(), None, [], by_class).over_pieces


def test_pictures_that_cannot_be_read_are_not_measured(tmp_path: Path) -> None:
    assert len(watch(tmp_path)._some()) == 3
