"""scenes/losses.py and pairs.py: the screen shows the dissection, where prototypes stand out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dino_core.images import open_picture
from dino_core.runs.folder import FORMAT, RunFolder, write_json
from dino_core.scenes.crops import crops_scene
from dino_core.scenes.losses import Chosen, losses_scene
from dino_core.scenes.masks import masks_scene
from dino_core.scenes.pairs import (
    ANSWERED,
    SAMPLES,
    OpenPair,
    ReferenceSample,
    newest_step,
    open_bundled,
    open_run,
    pair_outputs,
    reference_sheet,
    references_of,
)
from dino_core.step.loss_inspection import PictureLogits, break_down, reference_batch


@pytest.fixture(scope="module")
def opened() -> OpenPair:
    return open_bundled("cifar")  # small: 32 px


@pytest.fixture(scope="module")
def references(opened: OpenPair) -> tuple[ReferenceSample, ...]:
    return references_of(opened)


@pytest.fixture(scope="module")
def own(opened: OpenPair) -> PictureLogits:
    return pair_outputs(opened, open_picture(SAMPLES / "cat.jpg"), 3)


@pytest.mark.parametrize("targets", ["centering", "sinkhorn_knopp"])
def test_the_numbers_are_the_dissection_s(opened, references, own, targets) -> None:
    scene = losses_scene(opened, references, own, 3, chosen=Chosen(targets, 0.05, 0.2))
    loss = opened.config.loss.__class__(
        **vars(opened.config.loss) | {"centering": targets, "student_temperature": 0.2}
    )
    part = break_down(own, [one.answers for one in references], loss, 0.05)
    assert (scene.terms, scene.uniform) == (part.terms, part.uniform)
    np.testing.assert_array_equal(scene.dino, part.dino.numpy())
    np.testing.assert_array_equal(scene.ibot, part.ibot.numpy())
    np.testing.assert_array_equal(scene.teacher, part.teacher.numpy()[:, scene.columns])
    patches = part.student_patches.numpy()[:, scene.patch_columns]
    np.testing.assert_array_equal(scene.student_patches, patches)
    for rows, columns in ((part.teacher, scene.columns), (part.student, scene.columns)):
        assert set(rows.argmax(-1).tolist()) <= set(columns.tolist())
    entropy = -(part.teacher * part.teacher.log()).nansum(-1)
    np.testing.assert_allclose(scene.teacher_entropy, entropy.numpy(), rtol=1e-5)
    assert scene.mask.sum() == len(scene.ibot)
    assert scene.head == [192, 512, 512, 128, 512]


def test_no_reference_for_oneself(opened, references, own) -> None:
    scene = losses_scene(opened, references, own, 3, sample="cat.jpg")
    files = [one["file"] for one in scene.references]
    assert "cat.jpg" not in files
    assert len(files) == len(references) - 1
    at = [one.file for one in references].index("cat.jpg")
    assert at not in scene.examples[..., 0]
    assert at not in scene.patch_examples[..., 0]
    near = [one["distances"][0] for one in scene.references]
    assert near == sorted(near)


def test_examples_are_where_a_prototype_scores_highest(opened, references, own) -> None:
    scene = losses_scene(opened, references, own, 3)
    scores = torch.stack([one.answers.best_score for one in references])  # [n, K']
    for column, examples in zip(scene.patch_columns, scene.patch_examples, strict=True):
        order = scores[:, column].argsort(descending=True)[:3].tolist()
        assert examples[:, 0].tolist() == order
        for who, place in examples:
            assert place == references[who].answers.best_patch[column]


def test_the_sheet_has_a_column_for_each_reference(opened, references) -> None:
    sheet = np.asarray(reference_sheet(references))
    assert sheet.shape == (64, 32 * len(references), 3)
    np.testing.assert_array_equal(sheet[32:, 64:96], references[2].answers.crops[1].pixels)


@pytest.mark.slow
def test_the_preview_s_crops_and_mask_are_those_of_the_first_screens() -> None:
    opened = open_bundled("preview")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8))
    own = pair_outputs(opened, picture, 5)
    crops, masks = crops_scene(picture, 5), masks_scene(picture, 5)
    for crop, pixels in zip(own.crops, crops.pixels, strict=True):
        np.testing.assert_array_equal(crop.pixels, pixels)
    np.testing.assert_array_equal(own.mask.mask.numpy(), masks.mask)


@pytest.mark.slow
def test_what_was_stored_is_what_would_be_computed() -> None:
    opened = open_bundled("preview")
    stored = references_of(opened)[:2]
    pictures = [open_picture(SAMPLES / one.file) for one in stored]
    asked = reference_batch(opened.pair, opened.config, pictures, opened.crops)
    for one, other in zip(stored, asked, strict=True):
        for name in ANSWERED:
            if name != "best_patch":  # two patches may be as good as each other
                ours, theirs = getattr(one.answers, name), getattr(other, name)
                torch.testing.assert_close(ours, theirs, atol=2e-2, rtol=2e-3)
        assert torch.equal(one.answers.mask.mask, other.mask.mask)
        # Versions of Pillow round a colour to one level or the next, and the answers follow.
        levels = (one.answers.crops[1].pixels, other.crops[1].pixels.astype(int))
        np.testing.assert_allclose(*levels, atol=1)


def test_what_there_is_not_is_said(opened, references, own, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="preview, cifar"):
        open_bundled("giant")
    with pytest.raises(ValueError, match="centering, sinkhorn_knopp"):
        losses_scene(opened, references, own, 3, chosen=Chosen("luck"))
    with pytest.raises(ValueError, match="above 0"):
        losses_scene(opened, references, own, 3, chosen=Chosen(temperature=-1.0))
    assert newest_step(tmp_path) == 0
    write_json(RunFolder(tmp_path).config_file, {"format": FORMAT, "kind": "fine-tuning"})
    with pytest.raises(ValueError, match="without labels"):
        open_run(tmp_path)
