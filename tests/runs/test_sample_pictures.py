"""runs/sample_pictures.py: what is kept of chosen pictures at each milestone."""

from pathlib import Path

import numpy as np
from tiny_models import TINY, tiny_vit
from tiny_runs import RUN, coloured

from dino_core.analysis.inspection import inspect
from dino_core.images import fit_to_patches, open_picture, to_tensor
from dino_core.runs.sample_pictures import probe, same_colours, save_arrays


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
        "masks": (3, 4, 4),
    }
    picture = fit_to_patches(pictures[1][1], 14, (56, 56), "crop").picture
    seen = inspect(vit, to_tensor(picture))
    np.testing.assert_allclose(
        stored["attention"][1], seen.on_grid(seen.cls_rows()[-1]).numpy(), atol=1e-6
    )
    assert (stored["masks"] == probe(vit, pictures, 56, RUN)["masks"]).all()
    assert stored["masks"].any()


def test_colours_do_not_flicker_from_one_milestone_to_the_next() -> None:
    before = np.random.default_rng(0).random((2, 4, 4, 3)).astype(np.float32)
    turned = before.copy()
    turned[..., 1] = 1 - turned[..., 1]
    np.testing.assert_allclose(same_colours(turned, before), before, atol=1e-6)
    assert same_colours(before, before[:1]) is before
