"""scenes/probes.py: what a run made of its pictures, in the colours of another moment."""

from pathlib import Path

import numpy as np
import pytest
from tiny_runs import kept_moment

from dino_core.runs.sample_pictures import in_colours_of
from dino_core.scenes.probes import milestones, probe_scene


def test_a_moment_has_the_colours_of_the_one_that_is_asked_for(tmp_path: Path) -> None:
    first = kept_moment(tmp_path / "a", "step-00000000", 0)
    last = kept_moment(tmp_path / "b", "step-00000040", 1)
    scene = probe_scene(tmp_path / "a", "step-00000000", (tmp_path / "b", "step-00000040"))
    wanted = in_colours_of(first, last)
    assert wanted is not None
    assert np.array_equal(scene.pca, (255 * wanted).round().astype(np.uint8))
    assert (scene.home, scene.moment) == ("step-00000040", "step-00000000")
    assert (scene.names, scene.grid, scene.heads) == (["cat", "dog"], (4, 4), 3)
    own = probe_scene(tmp_path / "a", "step-00000000")
    assert np.array_equal(own.pca, (255 * first["pca"]).round().astype(np.uint8))
    assert own.home == ""


def test_what_cannot_be_aligned_keeps_its_colours_and_says_so(tmp_path: Path) -> None:
    kept_moment(tmp_path, "step-00000000", 0)
    kept_moment(tmp_path, "step-00000040", 1, names=np.array(["x", "y"]))
    scene = probe_scene(tmp_path, "step-00000000", (tmp_path, "step-00000040"))
    assert scene.home == ""


def test_moments_that_are_not_there_or_damaged_are_said(tmp_path: Path) -> None:
    kept_moment(tmp_path, "step-00000000", 0)
    assert milestones(tmp_path) == ["step-00000000"]
    here = (tmp_path, "step-00000000")
    for moment, home in (("step-1", here), ("step-00000000", (tmp_path, "../step-00000000"))):
        with pytest.raises(ValueError, match="nothing to show for that moment"):
            probe_scene(tmp_path, moment, home)
    (tmp_path / "probes" / "step-00000040.npz").write_bytes(b"PK nothing")
    kept_moment(tmp_path, "step-00000080", 0, pca=np.zeros((2, 4)))
    kept_moment(tmp_path, "step-00000120", 0, features=np.zeros((2, 4, 6), np.float16))
    for damaged in ("step-00000040", "step-00000080", "step-00000120"):
        with pytest.raises(ValueError, match="is damaged"):
            probe_scene(*here, (tmp_path, damaged))


@pytest.mark.parametrize("name", ["attention", "pca", "pictures", "names"])
def test_a_moment_that_lacks_one_of_its_arrays_is_damaged(tmp_path: Path, name: str) -> None:
    kept = kept_moment(tmp_path, "step-00000000", 0)
    file = tmp_path / "probes" / "step-00000000.npz"
    arrays = {key: value for key, value in kept.items() if key != "features"}
    for damaged in (
        {key: value for key, value in arrays.items() if key != name},
        arrays | {name: arrays[name][..., None]},
    ):
        np.savez(file, **damaged)
        with pytest.raises(ValueError, match="is damaged"):
            probe_scene(tmp_path, "step-00000000")
    np.savez(file, **arrays)
    assert probe_scene(tmp_path, "step-00000000").names == ["cat", "dog"]


def test_of_a_run_that_ended_before_and_after_are_its_moments(tmp_path: Path) -> None:
    assert milestones(tmp_path) == []
    for moment in ("step-00000040", "step-00000000"):
        kept_moment(tmp_path, moment, 0)
    assert milestones(tmp_path) == ["step-00000000", "step-00000040"]
    kept_moment(tmp_path, "after", 0)
    assert milestones(tmp_path) == ["after"]
    kept_moment(tmp_path, "before", 0)
    assert milestones(tmp_path) == ["before", "after"]
