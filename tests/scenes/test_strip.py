"""The thumbnails show what the screens show, for the same seed."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import tiny_vit

from dino_core.scenes.crops import crops_scene
from dino_core.scenes.features import features_scene
from dino_core.scenes.masks import masks_scene
from dino_core.scenes.picture import OpenPicture, look
from dino_core.scenes.strip import THUMBNAIL, strip_scene


@pytest.fixture(scope="module")
def opened() -> OpenPicture:
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    return look(tiny_vit(), Image.fromarray(noise), 56)


@pytest.mark.parametrize("seed", [0, 1, 2024])
def test_crops_and_mask_are_those_of_their_screens(opened: OpenPicture, seed: int) -> None:
    strip = strip_scene(opened.seen, opened.source, seed)
    crops, masks = crops_scene(opened.source, seed), masks_scene(opened.source, seed)
    assert strip.boxes == [tuple(crop["box"]) for crop in crops.crops]
    assert strip.colours == crops.colours
    assert strip.picture_size == crops.picture_size == (90, 60)
    np.testing.assert_array_equal(strip.mask, masks.mask)
    small = Image.fromarray(crops.pixels[0]).resize((THUMBNAIL, THUMBNAIL))
    np.testing.assert_array_equal(strip.crop, np.asarray(small))


def test_maps_are_those_of_the_last_layer(opened: OpenPicture) -> None:
    strip, seen = strip_scene(opened.seen, opened.source, 0), opened.seen
    full = seen.attention(seen.layers - 1)  # [A, N, N]
    wanted = full[:, 0, 1:].mean(0).reshape(seen.grid)
    torch.testing.assert_close(torch.from_numpy(strip.attention), wanted)
    norms = seen.tokens[-1, 1:].square().sum(-1).sqrt().reshape(seen.grid)
    torch.testing.assert_close(torch.from_numpy(strip.norms), norms)
    wanted_colours = features_scene(seen, seen.layers - 1).colours
    np.testing.assert_array_equal(strip.features, wanted_colours)


def test_a_negative_seed_is_refused_in_words(opened: OpenPicture) -> None:
    with pytest.raises(ValueError, match="A seed is a whole number"):
        strip_scene(opened.seen, opened.source, -5)
