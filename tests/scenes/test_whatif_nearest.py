"""The nearest pictures of a gallery, before and after, against a plain comparison with all."""

from pathlib import Path

import numpy as np
import pytest
from tiny_galleries import backbone, build_gallery, home, one_thread, weights  # noqa: F401
from tiny_runs import coloured, files

from dino_core.analysis.effects import effects
from dino_core.analysis.inspection import inspect
from dino_core.gallery.folder import GalleryFolder
from dino_core.images import fit_to_patches, open_picture, to_tensor
from dino_core.scenes.whatif_nearest import nearest_scene
from dino_core.vit import Edit
from dino_core.weights import Backbone


@pytest.fixture
def gallery(tmp_path: Path, weights: Path) -> Path:  # noqa: F811
    return build_gallery(files(tmp_path / "data", coloured(3)), tmp_path / "gallery", weights)


def test_nearest_before_and_after(
    gallery: Path,
    backbone: Backbone,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dino_core.analysis.approximate.ROWS", 4)  # in slices
    store = GalleryFolder(gallery)
    source = open_picture(tmp_path / "data" / store.listing().name(2))
    seen = inspect(backbone.vit, to_tensor(fit_to_patches(source, 14, 28).picture))
    found = effects(
        backbone.vit, seen, [Edit("mlp", 0.0, block=1), Edit("attention", 0.0, block=0)]
    )
    scene = nearest_scene(gallery, store.facts()["model"], found, itself=2, k=4)
    bank = np.array(store.features("cls", None))
    for when, one in enumerate((found.before, found.after)):
        query = one.normed[0].numpy()
        cosines = bank @ query / np.linalg.norm(bank, axis=1) / np.linalg.norm(query)
        order = [i for i in np.argsort(-cosines, kind="stable") if i != 2][:4]
        assert scene.indices[when].tolist() == order
        np.testing.assert_allclose(scene.similarities[when], cosines[order], atol=1e-5)
        assert scene.names[when] == [store.listing().name(i) for i in order]
    assert scene.pictures == len(bank) - 1
    whole = nearest_scene(gallery, store.facts()["model"], found, k=99)
    assert whole.indices.shape == (2, len(bank))


def test_pictures_of_another_model_are_refused(gallery: Path, backbone: Backbone) -> None:  # noqa: F811
    seen = inspect(
        backbone.vit,
        to_tensor(open_picture(next(gallery.parent.rglob("*.png")))).new_zeros(3, 28, 28),
    )
    with pytest.raises(ValueError, match=r"seen with .* and this one with other"):
        nearest_scene(gallery, "other", effects(backbone.vit, seen, []))
