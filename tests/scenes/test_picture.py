"""The open picture: fitted to whole patches, seen once, described in plain values."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import tiny_vit

from dino_core.analysis.inspection import inspect
from dino_core.images import fit_to_patches, to_tensor
from dino_core.scenes.picture import look, read_picture, thumbnail


def picture(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(noise)


@pytest.mark.parametrize(
    ("size", "grid"), [((90, 60), (4, 6)), ((60, 90), (6, 4)), ((33, 33), (4, 4))]
)
def test_the_scene_says_what_was_seen(size: tuple[int, int], grid: tuple[int, int]) -> None:
    vit, source = tiny_vit(), picture(*size)
    opened = look(vit, source, 56)
    scene = opened.scene
    assert scene.source_size == size
    assert scene.grid == opened.seen.grid == grid
    assert scene.input_size == (14 * grid[1], 14 * grid[0]) == opened.fitted.picture.size
    assert (scene.layers, scene.heads, scene.registers, scene.dim) == (2, 3, 0, 48)
    assert (scene.short_side, scene.note) == (56, "")
    json.dumps(asdict(scene))
    seen = inspect(vit, to_tensor(fit_to_patches(source, 14, 56, "resize").picture))
    torch.testing.assert_close(opened.seen.normed, seen.normed)


def test_a_long_picture_keeps_its_aspect_but_not_its_short_side() -> None:
    opened = look(tiny_vit(), picture(160, 20), 56)
    assert opened.scene.grid == (2, 16)
    assert "short side is 28 px instead of 56" in opened.scene.note
    # What the page prints as Python, and what the tokens screen fits again, starts from 56.
    assert fit_to_patches(opened.source, 14, opened.scene.short_side).grid == (2, 16)


def test_a_thumbnail_is_small_and_leaves_the_picture_alone() -> None:
    source = picture(900, 600)
    assert thumbnail(source, 90).size == (90, 60)
    assert source.size == (900, 600)
    assert thumbnail(picture(30, 20)).size == (30, 20)


def test_files_are_read_or_refused_in_words(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    picture(9, 6).save(good)
    bad.write_bytes(b"\x89PNG\r\n\x1a\n")
    np.testing.assert_array_equal(np.asarray(read_picture(good)), np.asarray(picture(9, 6)))
    for file in (bad, tmp_path / "none.png"):
        with pytest.raises(ValueError, match=r"^[A-Z].*[.]$"):
            read_picture(str(file))
