"""Crops against torchvision, step by step, and against the official pipeline's statistics."""

import json
import random
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dino_core.config import BLUR_AS_WRITTEN, CropConfig
from dino_core.crops import (
    DRAWS_PER_CROP,
    Draws,
    Operation,
    apply_decisions,
    apply_operation,
    draw_crops,
    overlap,
    sample_crops,
    stack_crops,
)

GOLDEN = Path(__file__).parent / "golden"
STATS = json.loads((GOLDEN / "augmentation_stats.json").read_text())
# The official code's names for the operations, as the golden rates list them.
OFFICIAL = {
    "adjust_brightness": "brightness",
    "adjust_contrast": "contrast",
    "adjust_saturation": "saturation",
    "adjust_hue": "hue",
    "rgb_to_grayscale": "grey",
    "gaussian_blur": "blur",
    "solarize": "solarize",
}
CONFIG = CropConfig(local_size=96)  # the golden numbers are those of patch 16
EVERYTHING = CropConfig(
    jitter_probability=1.0,
    grey_probability=0.3,
    blur_probability=(0.8, 0.8, 0.8),
    solarize_probability=(0.5, 0.5, 0.5),
)
KINDS = ["global1", "global2", "local"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def picture():
    return golden_picture()


@cache
def golden_picture():
    return Image.open(GOLDEN / STATS["image"]).convert("RGB")


def noise(width, height):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


# --- each recorded step is torchvision's


@pytest.mark.parametrize("source", ["golden", "noise"])
def test_recorded_decisions_replayed_by_torchvision(source):
    F = pytest.importorskip("torchvision.transforms.functional")
    picture = golden_picture() if source == "golden" else noise(150, 113)
    fired = Counter()
    for seed in range(3):
        for crop in sample_crops(picture, EVERYTHING, seeded(seed)):
            x0, y0, x1, y1 = crop.box
            now = F.resized_crop(
                picture, y0, x0, y1 - y0, x1 - x0, [crop.size] * 2, F.InterpolationMode.BICUBIC
            )
            if crop.flipped:
                now = F.hflip(now)
            for operation in crop.operations:
                theirs = by_torchvision(F, now, operation)
                now = apply_operation(now, operation)  # go on from one and the same picture
                compare(operation, np.asarray(now), np.asarray(theirs))
                fired[operation.name] += 1
            np.testing.assert_array_equal(np.asarray(now), crop.pixels)
            normalised = F.normalize(F.to_tensor(now), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
            torch.testing.assert_close(crop.tensor(), normalised, rtol=0, atol=2e-6)
    assert set(fired) == set(OFFICIAL.values())


def by_torchvision(F, picture, operation):
    values = list(operation.parameters.values())
    if operation.name == "grey":
        return F.to_grayscale(picture, 3)
    if operation.name == "blur":
        kernel, sigma = values
        return F.gaussian_blur(picture, [kernel, kernel], [sigma, sigma])
    name = operation.name if operation.name == "solarize" else f"adjust_{operation.name}"
    return getattr(F, name)(picture, *values)


def compare(operation, ours, theirs):
    if operation.name == "blur":
        # Two 1-D float32 sums against one of 81 terms: a value within 1e-4 of a half may round to
        # the other side, which happens to about 2 pixels in 100 000.
        difference = np.abs(ours.astype(int) - theirs)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 5e-4
    else:
        np.testing.assert_array_equal(ours, theirs, err_msg=str(operation))


@pytest.mark.parametrize("factor", [0.0, 0.6, 1.0, 1.4, 2.5])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_strong_and_neutral_jitter(name, factor):
    F = pytest.importorskip("torchvision.transforms.functional")
    picture, operation = noise(64, 48), Operation(name, {"factor": factor})
    compare(
        operation,
        np.asarray(apply_operation(picture, operation)),
        np.asarray(by_torchvision(F, picture, operation)),
    )


@pytest.mark.parametrize("size", [(2000, 3), (3, 2000), (500, 1), (1, 500)])
def test_no_box_fits_a_very_long_picture(size):
    T = pytest.importorskip("torchvision.transforms")
    width, height = size
    with torch.random.fork_rng():
        top, left, h, w = T.RandomResizedCrop.get_params(
            torch.empty(3, height, width), [0.32, 1.0], [3 / 4, 4 / 3]
        )
    for crop in draw_crops(width, height, CONFIG, seeded())[:2]:
        assert crop.box == (left, top, left + w, top + h)


# --- the official statistics


@cache
def decisions_by_kind(draws=5000):
    width, height = STATS["image_size_wh"]
    generator = seeded(11)
    drawn = [draw_crops(width, height, CONFIG, generator) for _ in range(draws)]
    return {
        "global1": [crops[0] for crops in drawn],
        "global2": [crops[1] for crops in drawn],
        "local": [crop for crops in drawn for crop in crops[2:]],
    }


def assert_same_mean(values, golden):
    error = golden["std"] * (1 / len(values) + 1 / golden["n"]) ** 0.5
    assert abs(np.mean(values) - golden["mean"]) <= 4.5 * error


def total_variation(values, golden):
    ours, _ = np.histogram(values, golden["edges"])
    theirs = np.array(golden["counts"])
    return np.abs(ours / ours.sum() - theirs / theirs.sum()).sum() / 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_boxes(kind):
    golden, crops = STATS["crops"][kind], decisions_by_kind()[kind]
    width, height = STATS["image_size_wh"]
    areas = [crop.area_fraction for crop in crops]
    aspects = np.log([crop.aspect for crop in crops])
    assert_same_mean(areas, golden["area_fraction"])
    assert_same_mean(aspects, golden["log_aspect_w_over_h"])
    assert_same_mean([(c.box[0] + c.box[2]) / 2 / width for c in crops], golden["center_x"])
    assert_same_mean([(c.box[1] + c.box[3]) / 2 / height for c in crops], golden["center_y"])
    # Noise of 2000 (16 000) draws in 14 bars is about 0.035 (0.012).
    limit = 0.03 if kind == "local" else 0.06
    assert total_variation(areas, golden["area_hist"]) < limit
    assert total_variation(aspects, golden["log_aspect_hist"]) < limit


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_rates(kind):
    golden, crops = STATS["crops"][kind]["op_rate"], decisions_by_kind()[kind]
    limit = 0.015 if kind == "local" else 0.04
    assert np.mean([crop.flipped for crop in crops]) == pytest.approx(golden["hflip"], abs=limit)
    names = Counter(operation.name for crop in crops for operation in crop.operations)
    for official, ours in OFFICIAL.items():
        assert names[ours] / len(crops) == pytest.approx(golden[official], abs=limit), ours


def test_strengths_and_their_order():
    operations = [o for c in decisions_by_kind()["local"] for o in c.operations]
    for name, low, high in [
        ("brightness", 0.6, 1.4),
        ("contrast", 0.6, 1.4),
        ("saturation", 0.8, 1.2),
        ("hue", -0.1, 0.1),
        ("blur", 0.1, 2.0),
    ]:
        values = np.array([[*o.parameters.values()][-1] for o in operations if o.name == name])
        assert values.min() >= low
        assert values.max() <= high
        shares, _ = np.histogram(values, 10, (low, high))
        np.testing.assert_allclose(shares / len(values), 0.1, atol=0.012)  # uniform
    orders = Counter(
        tuple(o.name for o in c.operations[:4])
        for c in decisions_by_kind()["local"]
        if len(c.operations) >= 4
    )
    assert len(orders) == 24
    np.testing.assert_allclose(np.array([*orders.values()]) / orders.total(), 1 / 24, atol=0.006)


def test_blur_as_written():
    config = replace(CONFIG, blur_probability=BLUR_AS_WRITTEN)
    generator = seeded()
    drawn = [draw_crops(352, 288, config, generator) for _ in range(1000)]
    blurred = np.array([[has_blur(c) for c in crops] for crops in drawn])
    rates = blurred[:, 0].mean(), blurred[:, 1].mean(), blurred[:, 2:].mean()
    assert rates == pytest.approx(BLUR_AS_WRITTEN, abs=0.04)


def has_blur(crop):
    return any(operation.name == "blur" for operation in crop.operations)


@pytest.mark.slow
def test_pixels(picture):
    generator = seeded(5)
    pixels = {kind: [] for kind in KINDS}  # mean and standard deviation of each crop's channels
    for _ in range(150):
        crops = sample_crops(picture, CONFIG, generator)
        for kind, batch in zip(KINDS, (crops[:1], crops[1:2], crops[2:]), strict=True):
            tensors = stack_crops(batch)
            pixels[kind].append(torch.stack([tensors.mean((2, 3)), tensors.std((2, 3))], dim=1))
    for kind in KINDS:
        golden = STATS["crops"][kind]
        values = torch.cat(pixels[kind]).numpy()  # [n, 2, 3]
        error = (1 / len(values) + 1 / golden["n"]) ** 0.5
        for i, what in enumerate(["pixel_mean_per_channel", "pixel_std_per_channel"]):
            mean, spread = np.array(golden[what]["mean"]), np.array(golden[what]["std"])
            difference = np.abs(values[:, i].mean(0) - mean)
            assert (difference <= 4.5 * spread * error).all(), (kind, what)


# --- odd pictures


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2), (2000, 5), (60, 40)])
def test_odd_pictures(size):
    source = noise(*size)
    width, height = size
    for crop in sample_crops(source, EVERYTHING, seeded()):
        x0, y0, x1, y1 = crop.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert crop.pixels.shape == (crop.size, crop.size, 3)
        assert crop.pixels.dtype == np.uint8


def test_boxes_reach_every_edge():
    """Rounding must not make the last row or column unreachable.

    Local boxes alone: a global one as wide as the picture reaches its edges wherever it lies.
    """
    generator = seeded()
    drawn = [draw_crops(20, 16, CONFIG, generator)[2:] for _ in range(200)]
    boxes = np.array([crop.box for crops in drawn for crop in crops])
    assert (boxes[:, 2] - boxes[:, 0]).max() < 20
    assert boxes.min(0)[:2].tolist() == [0, 0]
    assert boxes.max(0)[2:].tolist() == [20, 16]


def test_an_aspect_above_one_is_wider_than_high():
    config = replace(CONFIG, aspect_ratio=(2.0, 2.2), global_scale=(0.05, 0.2))
    for crop in draw_crops(300, 300, config, seeded()):
        x0, y0, x1, y1 = crop.box
        assert 1.8 < (x1 - x0) / (y1 - y0) < 2.4
        assert crop.aspect == (x1 - x0) / (y1 - y0)


@pytest.mark.parametrize(("probability", "flipped"), [(0.0, False), (1.0, True)])
def test_flips_follow_their_probability(probability, flipped):
    config = replace(CONFIG, flip_probability=probability)
    assert {crop.flipped for crop in draw_crops(60, 40, config, seeded())} == {flipped}


def test_numbers_of_a_crop_have_their_names():
    """In the order of the draw, which recorded seeds depend on."""
    draws = Draws.of(range(DRAWS_PER_CROP))
    assert DRAWS_PER_CROP == 33
    assert (draws.areas[:2], draws.aspects[:2]) == (range(0, 4, 2), range(1, 5, 2))
    assert (draws.left, draws.top, draws.flip, draws.jitter, draws.jitter_order) == tuple(
        range(20, 25)
    )
    assert (draws.brightness, draws.contrast, draws.saturation, draws.hue) == tuple(range(25, 29))
    assert (draws.grey, draws.blur, draws.blur_sigma, draws.solarize) == tuple(range(29, 33))


def test_other_pictures_are_refused(picture):
    crop = draw_crops(*picture.size, CONFIG, seeded())[0]
    with pytest.raises(ValueError, match="RGB picture, but this one is 'RGBA'"):
        apply_decisions(picture.convert("RGBA"), crop)
    with pytest.raises(ValueError, match=r"\(352, 288\) px, but this one has \(100, 80\)"):
        apply_decisions(picture.resize((100, 80)), crop)


# --- decisions


def test_one_seed_one_set_of_crops(picture):
    first, again = (sample_crops(picture, CONFIG, seeded(3)) for _ in range(2))
    other = sample_crops(picture, CONFIG, seeded(4))
    for a, b in zip(first, again, strict=True):
        assert a.as_dict() == b.as_dict()
        np.testing.assert_array_equal(a.pixels, b.pixels)
    assert [c.box for c in first] != [c.box for c in other]


def test_kinds_and_sizes(picture):
    crops = sample_crops(picture, CropConfig(local_count=3), seeded())
    assert [(c.kind, c.index, c.size) for c in crops] == [
        ("global", 0, 224),
        ("global", 1, 224),
        ("local", 0, 98),
        ("local", 1, 98),
        ("local", 2, 98),
    ]
    assert stack_crops(crops[2:]).shape == (3, 3, 98, 98)


def test_one_knob_moves_one_decision():
    def without_blur(config):
        return [
            (c.box, c.flipped, [o for o in c.operations if o.name != "blur"])
            for c in draw_crops(352, 288, config, seeded())
        ]

    written = replace(CONFIG, blur_probability=BLUR_AS_WRITTEN)
    assert without_blur(written) == without_blur(CONFIG)
    assert without_blur(replace(CONFIG, local_count=2)) == without_blur(CONFIG)[:4]


def test_no_strength_no_operation():
    config = replace(CONFIG, jitter_probability=1.0, hue=0.0, saturation=0.0)
    names = {o.name for c in draw_crops(352, 288, config, seeded()) for o in c.operations}
    assert {"brightness", "contrast"} <= names
    assert not {"hue", "saturation"} & names


def test_decisions_are_plain_values(picture):
    crop = sample_crops(picture, EVERYTHING, seeded())[1]
    plain = json.loads(json.dumps(crop.as_dict()))
    assert plain["box"] == list(crop.box)
    assert plain["operations"][0] == {
        "name": crop.operations[0].name,
        **crop.operations[0].parameters,
    }


def test_global_randomness_is_untouched(picture):
    def state():
        return torch.get_rng_state().tolist(), random.getstate(), str(np.random.get_state())

    before = state()
    sample_crops(picture, EVERYTHING, seeded())
    assert state() == before


@pytest.mark.parametrize(
    "second",
    [
        (2, 1, 9, 7),
        (0, 0, 4, 3),
        (5, 4, 12, 9),
        (10, 8, 12, 9),
        (3, 2, 5, 4),
        (10, 2, 13, 6),  # apart in x alone
        (3, 8, 8, 10),  # apart in y alone
    ],
)
def test_overlap_counts_pixels(second):
    first = (2, 1, 9, 7)
    covered = np.zeros((2, 10, 14), dtype=bool)
    for mask, (x0, y0, x1, y1) in zip(covered, (first, second), strict=True):
        mask[y0:y1, x0:x1] = True
    shared, union = covered.all(0).sum(), covered.any(0).sum()
    result = overlap(first, second)
    assert result.of_smaller == pytest.approx(100 * shared / covered.sum((1, 2)).min())
    assert result.iou == pytest.approx(100 * shared / union)
