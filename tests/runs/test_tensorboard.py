"""runs/tensorboard.py: event files, read by TensorBoard's own reader."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_runs import files, noise_folder, picture, setup

from dino_core.runs.folder import read_metrics
from dino_core.runs.pretraining import train
from dino_core.runs.tensorboard import scalars

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def opened(folder: Path) -> Any:
    """What TensorBoard itself makes of a run's event files, all of it."""
    everything = {"scalars": 0, "images": 0}
    found = accumulator.EventAccumulator(str(folder / "tensorboard"), size_guidance=everything)
    found.Reload()
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 8 steps that follows a picture, stopped after 4 and taken up again."""
    root = tmp_path_factory.mktemp("run")
    data = noise_folder(root / "pictures")
    cat = files(root, {"cat.png": picture(3)}) / "cat.png"
    folder = root / "run"
    (folder).mkdir()
    chosen = setup(data, tensorboard=True, probes=(str(cat),))
    folder.rmdir()
    train(folder, chosen)
    for path in (folder / "checkpoints").glob("step-00000008*"):
        path.unlink()
    train(folder, resume=True)  # from step 7: what was written of step 8 no longer holds
    return folder


def test_every_number_of_a_line_is_a_scalar(run: Path) -> None:
    found = opened(run)
    lines = [line for line in read_metrics(run) if "loss" in line]
    assert len(lines) == 8
    tags = found.Tags()["scalars"]
    assert {"loss", "terms/koleo", "logged/ibot_loss", "measured/teacher_entropy/dino"} <= {*tags}
    assert not {"step", "steps", "time", "seconds_left"} & {*tags}
    for tag in ("loss", "terms/koleo", "learning_rate"):
        events = found.Scalars(tag)
        assert [event.step for event in events] == list(range(1, 9)), "each step once"
        wanted = [dict(scalars(line))[tag] for line in lines]
        np.testing.assert_allclose([event.value for event in events], wanted, rtol=1e-6)


def test_the_pictures_of_each_milestone_are_there(run: Path) -> None:
    found = opened(run)
    assert set(found.Tags()["images"]) == {"cat/picture", "cat/attention", "cat/pca"}
    events = found.Images("cat/pca")
    assert [event.step for event in events] == [0, 4, 8]
    with np.load(run / "probes" / "step-00000008.npz") as kept:
        pca, seen = kept["pca"][0], kept["pictures"][0]
    image = np.asarray(Image.open(io.BytesIO(events[-1].encoded_image_string)))
    assert image.shape == (224, 224, 3)
    assert np.array_equal(image[28::56, 28::56], np.rint(255 * pca).astype(np.uint8))
    shown = Image.open(io.BytesIO(found.Images("cat/picture")[0].encoded_image_string))
    assert np.array_equal(np.asarray(shown)[::14, ::14], seen)


def test_names_are_paths_and_what_is_no_number_is_left_out() -> None:
    line = {"step": 3, "time": 1.0, "a": {"step": 2, "b": {"c": 0.5}}, "d": None, "e": True}
    assert dict(scalars(line | {"f": "x", "g": math.inf})) == {
        "a/step": 2.0,
        "a/b/c": 0.5,
        "g": math.inf,
    }


def test_without_the_package_it_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install"):
        train(tmp_path / "run", setup(noise_folder(tmp_path / "p"), tensorboard=True))
    assert not (tmp_path / "run").exists()
