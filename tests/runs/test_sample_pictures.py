"""runs/sample_pictures.py: what is kept of chosen pictures at each milestone."""

from pathlib import Path

import numpy as np
from tiny_models import TINY, tiny_vit
from tiny_runs import RUN, coloured

from dino_core.analysis.inspection import inspect
from dino_core.images import fit_to_patches, open_picture, to_tensor
from dino_core.runs.sample_pictures import in_colours_of, probe, same_colours, save_arrays


def test_probes_hold_what_the_model_sees(tmp_path: Path) -> None:
    contents = coloured(1)
    pictures = [(name, open_picture(data)) for name, data in contents.items()]
    vit = tiny_vit()
    arrays = probe(vit, pictures, 56, RUN)
    save_arrays(tmp_path / "probes" / "a.npz", arrays)
    stored = np.load(tmp_path / "probes" / "a.npz")
    assert stored["names"].tolist() == list(contents)
    assert {name: stored[name].shape for name in stored.files if name != "names"} == {
        "pictures": (3, 56, 56, 3),
        "attention": (3, TINY.heads, 4, 4),
        "pca": (3, 4, 4, 3),
        "foreground": (3, 4, 4),
        "features": (3, 4, 4, 32),
        "masks": (3, 4, 4),
    }
    picture = fit_to_patches(pictures[1][1], 14, (56, 56), "crop").picture
    seen = inspect(vit, to_tensor(picture))
    np.testing.assert_allclose(
        stored["attention"][1], seen.on_grid(seen.cls_rows()[-1]).numpy(), atol=1e-6
    )
    assert (stored["masks"] == probe(vit, pictures, 56, RUN)["masks"]).all()
    masks = stored["masks"]
    assert masks.any()
    assert (masks[0] != masks[1]).any(), "each picture has its own"
    assert masks.sum((1, 2)).max() <= 16 * sum(RUN.train.masks.ratio) / 2
    for training in (False, True):
        vit.train(training)
        probe(vit, pictures[:1], 56)
        assert vit.training == training, "it is left as it was"


def test_colours_do_not_flicker_from_one_milestone_to_the_next() -> None:
    before = np.random.default_rng(0).random((2, 4, 4, 3)).astype(np.float32)
    turned = before.copy()
    turned[..., 1] = 1 - turned[..., 1]
    np.testing.assert_allclose(same_colours(turned, before), before, atol=1e-6)
    assert same_colours(before, before[:1]) is before


def moment(features: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
    """What is kept of a milestone, as far as its colours go."""
    own = np.random.default_rng(9).random((*features.shape[:3], 3))
    return {"names": np.array(names), "features": features, "pca": own}


def test_colours_of_another_checkpoint_are_its_colours_also_where_the_basis_turned() -> None:
    """Three directions of like variance: a PCA of each chooses its own basis among them."""
    rng = np.random.default_rng(0)
    told = rng.standard_normal((3, 4, 4, 3))
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    noise = 0.01 * rng.standard_normal((2, 3, 4, 4, 5))
    home = moment(np.concatenate([told, noise[0]], -1), ["a", "b", "c"])
    turned = moment(np.concatenate([told @ turn, noise[1]], -1), ["a", "b", "c"])
    wanted, found = in_colours_of(home, home), in_colours_of(turned, home)
    assert wanted is not None
    assert found is not None
    np.testing.assert_allclose(found, wanted, atol=0.02)
    assert np.abs(turned["pca"] - wanted).mean() > 0.1, "left to itself it would have others"


def test_pictures_of_two_runs_are_told_by_their_names() -> None:
    features = np.random.default_rng(1).standard_normal((3, 4, 4, 6))
    home = moment(features, ["a", "b", "c"])
    other = moment(features[[2, 1, 0]], ["c", "b", "d"])  # two in common, in another order
    found = in_colours_of(other, home)
    assert found is not None
    wanted = in_colours_of(moment(features[1:], ["b", "c"]), home)
    assert wanted is not None
    np.testing.assert_allclose(found[[1, 0]], wanted, atol=1e-5)
    np.testing.assert_allclose(found[2], other["pca"][2])  # it has nothing to be turned onto
    assert in_colours_of(moment(features, ["x", "y", "z"]), home) is None
    before = {name: array for name, array in home.items() if name != "features"}
    assert in_colours_of(before, home) is None
    assert in_colours_of(home, before) is None


def test_maps_of_other_sizes_meet_on_one_grid() -> None:
    """Two presets cut the same picture into other patches."""
    coarse = np.random.default_rng(2).standard_normal((1, 4, 4, 6))
    fine = coarse.repeat(2, axis=1).repeat(2, axis=2)
    found = in_colours_of(moment(fine, ["a"]), moment(coarse, ["a"]))
    wanted = in_colours_of(moment(coarse, ["a"]), moment(coarse, ["a"]))
    assert found is not None
    assert wanted is not None
    np.testing.assert_allclose(found[:, ::2, ::2], wanted, atol=0.02)
