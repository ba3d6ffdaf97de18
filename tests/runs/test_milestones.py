"""runs/milestones.py: what is looked at, and in which runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import TINY, tiny_vit
from tiny_runs import RUN, coloured, files, picture

from dino_core.datasets import find_pictures
from dino_core.evaluation.knn import LabelledSet, knn_accuracy
from dino_core.evaluation.patch_knn import patch_knn_accuracy
from dino_core.evaluation.patch_matching import dense_measures
from dino_core.evaluation.piece_knn import piece_knn, pixel_knn
from dino_core.runs.folder import RunFolder, read_metrics, read_state
from dino_core.runs.milestones import Milestones, milestone
from dino_core.runs.presets import PRESETS
from dino_core.runs.sample_pictures import probe, same_colours
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


def test_with_labels_everything_is_measured_and_said(tmp_path: Path) -> None:
    """The line, the log and the state of a look, each number by the function that measures it."""
    folder = files(tmp_path / "labelled", coloured(4, "train/") | coloured(2, "test/"))
    known = LabelledSet.of(find_pictures(folder), 4, 2)
    looked = watch(tmp_path, knn=known)
    looked.run.create({"kind": "pretraining"})
    vit = VisionTransformer(RUN.train.vit, generator=generator_for(0, "weights", 0))
    looked.look(vit, 4)
    (line,) = read_metrics(looked.run.path)
    some = [looked.pictures.picture(i) for i in (0, 1, 3)]
    scores, dense = knn_accuracy(vit, known, 16), dense_measures(vit, some, 16)
    patches = patch_knn_accuracy(vit, known.test, 16)
    assert line == {
        "step": 4,
        "steps": 8,
        "knn": scores,
        "patch_knn": pytest.approx(patches),
        "matching": pytest.approx(dense.found),
        "patch_cosine": pytest.approx(dense.cosine),
    }
    log = [line[20:] for line in (looked.run.path / "log.txt").read_text().splitlines()]
    words = ", ".join(f"{name} {score:.2f} %" for name, score in scores.items())
    assert log == [
        f"20-NN after step 4: {words}; of single patches, for the class of their picture, "
        f"{patches:.2f} %.",
        f"Patches found again after step 4: {dense.found:.2f} %; mean cosine between the patches "
        f"of a picture {dense.cosine:.3f}.",
    ]
    with looked.run.locked():
        state = read_state(looked.run.path)
    assert (state.state, state.words) == ("running", "Measuring k-NN accuracy.")
    assert (state.step, state.steps) == (4, 8)


class Heard:
    """Who hears of pictures."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, Any]] = []

    def line(self, line: Any) -> None: ...

    def pictures(self, arrays: Any, step: int) -> None:
        self.steps.append((step, arrays["pca"]))


def test_chosen_pictures_keep_the_colours_of_the_moment_before(tmp_path: Path) -> None:
    contents = {f"{i}.png": picture(i) for i in range(2)}
    pictures = labelled(find_pictures(files(tmp_path / "data", contents)))
    probes = [(name, pictures.picture(i)) for i, name in enumerate(contents)]
    run = RunFolder(tmp_path / "run")
    run.events = heard = Heard()
    looked = Milestones(run, RUN, World(), None, probes, pictures)
    vits = [VisionTransformer(RUN.train.vit, generator=generator_for(i, "w", 0)) for i in (0, 1)]
    for step in (8, 4, 0):  # what is later is not before
        looked.look(vits[step % 3 % 2], step)
        stored = np.load(run.probes / f"step-{step:08}.npz")
        plain = probe(vits[step % 3 % 2], probes, 16, RUN)
        assert stored["pca"] == pytest.approx(plain["pca"], abs=1e-5)
        assert (stored["masks"] == plain["masks"]).all()
    looked.look(vits[0], 6)
    now = np.load(run.probes / "step-00000006.npz")["pca"]
    before = np.load(run.probes / "step-00000004.npz")["pca"]
    wanted = same_colours(probe(vits[0], probes, 16, RUN)["pca"], before)
    assert now == pytest.approx(wanted, abs=1e-5)
    assert [step for step, _ in heard.steps] == [8, 4, 0, 6]
    assert not run.metrics_file.exists(), "nothing was measured"
    assert [milestone(path) for path in sorted(run.probes.iterdir())] == [0, 4, 6, 8]


def test_pieces_say_nothing_where_there_are_classes(tmp_path: Path) -> None:
    assert watch(tmp_path).over_pieces
    assert not watch(tmp_path, knn="labelled pictures").over_pieces
    by_class = labelled(watch(tmp_path).pictures)
    run = RunFolder(tmp_path / "run")
    assert not Milestones(run, RUN, World(), None, [], by_class).over_pieces


def test_pictures_that_cannot_be_read_are_not_measured(tmp_path: Path) -> None:
    assert len(watch(tmp_path)._some()) == 3
