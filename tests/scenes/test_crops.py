"""The crops' screen shows what the library decided, and refuses odd choices in words."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load

from dino_core.config import BLUR_AS_RUN, BLUR_AS_WRITTEN, CropConfig
from dino_core.crops import Decisions, apply_decisions, draw_crops, sample_crops
from dino_core.draw.colours import crop_colour
from dino_core.draw.encode import pack
from dino_core.scenes.crops import (
    DRAWS,
    LARGEST_SEED,
    OPERATIONS,
    CropsScene,
    crop_config,
    crop_draws_scene,
    crops_scene,
)
from dino_core.scenes.help_texts import field_comments


def picture(width: int = 90, height: int = 60) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(noise)


def library(seed: int, config: CropConfig) -> tuple[Decisions, ...]:
    return sample_crops(picture(), config, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("blur", "probability"), [("as run", (0.0, 0.9, 0.5)), ("as written", (1.0, 0.1, 0.5))]
)
@pytest.mark.parametrize("seed", [0, 7, LARGEST_SEED])
def test_the_scene_is_what_the_sampler_decided(
    blur: str, probability: tuple[float, ...], seed: int
) -> None:
    scene = crops_scene(picture(), seed, blur)
    crops = library(seed, CropConfig(blur_probability=probability))
    assert (scene.seed, scene.blur, scene.picture_size) == (seed, blur, (90, 60))
    assert [one["kind"] for one in scene.crops] == ["global"] * 2 + ["local"] * 8
    for shown, pixels, crop in zip(scene.crops, scene.pixels, crops, strict=True):
        assert shown == crop.as_dict()
        np.testing.assert_array_equal(pixels, apply_decisions(picture(), crop))
    assert scene.probabilities["blur"] == probability
    assert scene.blurs == {"as run": BLUR_AS_RUN, "as written": BLUR_AS_WRITTEN}
    assert scene.colours[1] == crop_colour("global", 1)
    assert len(set(scene.colours)) == 10


def test_overlaps_against_painted_boxes() -> None:
    scene = crops_scene(picture(), 3)
    painted = np.zeros((10, 60, 90), bool)
    for one, (x0, y0, x1, y1) in zip(painted, [crop["box"] for crop in scene.crops], strict=True):
        one[y0:y1, x0:x1] = True
    for a in range(10):
        for b in range(10):
            shared = (painted[a] & painted[b]).sum()
            smaller = min(painted[a].sum(), painted[b].sum())
            union = (painted[a] | painted[b]).sum()
            assert scene.overlaps[a, b] == pytest.approx(100 * shared / smaller, rel=1e-5)
            assert scene.ious[a, b] == pytest.approx(100 * shared / union, rel=1e-5)


def recount(scene: CropsScene, name: str) -> tuple[int, ...]:
    """In how many crops an operation fired, read off what each crop says of itself."""
    jitter = {"brightness", "contrast", "saturation", "hue"}
    fired = []
    for crop in scene.crops:
        names = {operation["name"] for operation in crop["operations"]}
        wanted = jitter if name == "jitter" else {name}
        fired.append(crop["flipped"] if name == "flip" else bool(names & wanted))
    return fired[0], fired[1], sum(fired[2:])


def test_what_fired_is_counted_by_kind() -> None:
    seen = {name: np.zeros(3, int) for name in OPERATIONS}
    for seed in range(12):
        scene = crops_scene(picture(20, 15), seed, chosen={"global_size": 14, "local_size": 14})
        assert scene.kinds == (1, 1, 8)
        for name in OPERATIONS:
            assert scene.fired[name] == recount(scene, name)
            seen[name] += scene.fired[name]
    assert seen["blur"][0] == 0, "global crop 1 is never blurred as it runs"
    assert seen["solarize"][0] == seen["solarize"][2] == 0
    assert all(counts[2] for name, counts in seen.items() if name != "solarize")


def test_the_two_blurs_share_boxes_flips_and_colours() -> None:
    run, written = (crops_scene(picture(), 5, blur) for blur in ("as run", "as written"))
    for one, other in zip(run.crops, written.crops, strict=True):
        for crop in (one, other):
            crop["operations"] = [o for o in crop["operations"] if o["name"] != "blur"]
        assert one == other
    assert run.fired["blur"] != written.fired["blur"]


def test_what_is_chosen_is_used_and_the_rest_is_official() -> None:
    chosen = {
        "global_scale": (0.5, 0.6),
        "local_scale": None,
        "local_count": 3,
        "global_size": 42,
        "local_size": 28,
    }
    scene = crops_scene(picture(), 1, chosen=chosen)
    assert [pixels.shape[0] for pixels in scene.pixels] == [42, 42, 28, 28, 28]
    assert all(0.49 < crop["area_fraction"] < 0.61 for crop in scene.crops[:2])
    assert scene.config["local_scale"] == scene.official["local_scale"] == (0.05, 0.32)
    assert (scene.config["local_count"], scene.official["local_count"]) == (3, 8)
    assert crop_config() == CropConfig(), "nothing chosen, and patches of 14 px: the library's own"
    assert crops_scene(picture(), 1, chosen={"local_count": 0}).overlaps.shape == (2, 2)


def test_crops_are_whole_patches_of_the_model() -> None:
    assert (crop_config(patch_size=14).global_size, crop_config(patch_size=14).local_size) == (
        224,
        98,
    )
    assert (crop_config(patch_size=16).global_size, crop_config(patch_size=16).local_size) == (
        224,
        96,
    )


@pytest.mark.parametrize(
    ("seed", "blur", "chosen", "words"),
    [
        (-1, "as run", {}, "whole number from 0"),
        (LARGEST_SEED + 1, "as run", {}, "whole number from 0"),
        (0, "strong", {}, "Blur is one of as run, as written"),
        (0, "as run", {"global_scale": (0.6, 0.5)}, "global crop is drawn between two shares"),
        (0, "as run", {"local_scale": (0.0, 0.5)}, "local crop is drawn between two shares"),
        (0, "as run", {"local_scale": (0.1, 1.1)}, "0.1 to 1.1 is not"),
        (0, "as run", {"global_scale": (float("nan"), 1.0)}, "nan to 1 is not"),
        (0, "as run", {"local_count": 13}, "0 to 12 local crops, but 13"),
        (0, "as run", {"local_count": -1}, "0 to 12 local crops"),
        (0, "as run", {"local_size": 100}, "Choose a multiple of 14"),
        (0, "as run", {"global_size": 0}, "Choose a multiple of 14"),
        (0, "as run", {"global_size": 350}, "up to 336 px: 350 px is not"),
    ],
)
def test_odd_choices_are_refused_in_words(seed: int, blur: str, chosen: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        crops_scene(picture(), seed, blur, chosen=chosen)
    with pytest.raises(ValueError, match=words):
        crop_draws_scene((90, 60), seed, blur, chosen=chosen)


def test_many_draws_are_the_seeds_from_this_one_on() -> None:
    scene = crop_draws_scene((90, 60), 5, "as written", chosen={"local_count": 2})
    config = replace(CropConfig(), blur_probability=BLUR_AS_WRITTEN, local_count=2)
    every = [
        crop
        for seed in range(5, 5 + DRAWS)
        for crop in draw_crops(90, 60, config, torch.Generator().manual_seed(seed))
    ]
    kinds = [every[0::4], every[1::4], every[2::4] + every[3::4]]
    for name, of in {
        "flip": lambda crop: crop.flipped,
        "blur": lambda crop: any(o.name == "blur" for o in crop.operations),
        "jitter": lambda crop: any(o.name == "hue" for o in crop.operations),
    }.items():
        rates = [np.mean([of(crop) for crop in crops]) for crops in kinds]
        assert scene.rates[name] == pytest.approx(rates)
    assert scene.rates["blur"][0] == 1
    edges = np.linspace(0, 1, len(scene.area_edges))
    np.testing.assert_allclose(scene.area_edges, edges, atol=1e-7)
    for crops, counts in ((kinds[0] + kinds[1], scene.area_global), (kinds[2], scene.area_local)):
        areas = np.array([crop.area_fraction for crop in crops])
        for i, count in enumerate(counts):
            last = i == len(counts) - 1
            inside = (areas >= edges[i]) & ((areas <= 1) if last else (areas < edges[i + 1]))
            assert count == inside.sum()
    assert scene.aspect_global.sum() == scene.area_global.sum() == 2 * DRAWS
    assert scene.aspect_local.sum() == scene.area_local.sum() == 2 * DRAWS
    np.testing.assert_allclose(scene.aspect_edges[[0, 5, -1]], [3 / 4, 1, 4 / 3], rtol=1e-6)
    # Beyond the last seed it goes on with the first.
    assert crop_draws_scene((9, 6), LARGEST_SEED).area_local.sum() == 8 * DRAWS


def test_no_local_crops_and_long_pictures_can_be_counted() -> None:
    scene = crop_draws_scene((2000, 3), 0, chosen={"local_count": 0})
    assert scene.area_local.sum() == 0
    assert scene.rates["flip"][2] == 0
    assert scene.aspect_global.sum() == 2 * DRAWS, "none is lost beyond the last bar"


def test_a_scene_travels_as_numbers_and_json() -> None:
    scene = crops_scene(picture(), 0)
    assert set(load(pack(scene))) == {"overlaps", "ious", *(f"pixels.{i}" for i in range(10))}
    json.dumps(
        [scene.crops, scene.config, scene.official, scene.fired, scene.help], allow_nan=False
    )


def test_help_is_the_comment_beside_the_field() -> None:
    comments = field_comments(CropConfig)
    assert comments["hue"] == "shift drawn from [-0.1, 0.1] of the colour circle"
    assert "patch 16" in comments["local_size"]
    assert set(comments) <= set(CropConfig.__dataclass_fields__)
