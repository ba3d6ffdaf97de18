"""Scenes as they are sent: their charts are drawn from their own numbers."""

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dino_core.scenes.crops import crop_draws_scene, crops_scene
from dino_core.scenes.gallery_probes import Probe
from dino_core.scenes.masks import masks_scene
from dino_core.scenes.packing import packed
from dino_core.scenes.update import schedule_scene

PICTURE = Image.new("RGB", (60, 48), (90, 120, 150))


def charts_of(scene: Any) -> dict[str, Any]:
    data, kind = packed(scene, "chart")
    assert kind == "application/json"
    return json.loads(data)


def test_draws_of_crops() -> None:
    scene = crop_draws_scene((60, 48), seed=3)
    charts = charts_of(scene)
    assert list(charts) == ["area", "aspect"]
    counts = charts["aspect"]["data"][1]["customdata"]
    assert counts == scene.aspect_local.tolist()


def test_draws_of_masks() -> None:
    scene = masks_scene(PICTURE, seed=1, ratio=0.2)
    charts = charts_of(scene)
    assert list(charts) == ["counts", "blocks"]
    assert charts["blocks"]["data"][0]["customdata"] == scene.block_histogram.tolist()
    assert f"the target {scene.target} met in" in charts["counts"]["layout"]["meta"]["note"]


def test_schedules_with_the_cursor_where_the_warm_up_ends() -> None:
    scene = schedule_scene("official-short")
    charts = charts_of(scene)
    assert {chart["layout"]["shapes"][0]["x0"] for chart in charts.values()} == {12_500}
    drawn = charts["learning_rate"]["data"][0]
    at = drawn["x"].index(12_500)
    assert drawn["y"][at] == pytest.approx(max(drawn["y"]))


def test_probes_of_both_classifiers() -> None:
    shares = np.linspace(0, 1, 2 * 3 * 2, dtype=np.float32).reshape(2, 3, 2)
    charts = charts_of(Probe(shares, shares, shares, 0.5, 20, True, "words"))
    assert list(charts) == ["knn", "logistic"]
    cls = charts["logistic"]["data"][0]
    assert cls["y"] == pytest.approx((100 * shares[:, 0, 1]).tolist(), abs=1e-3)


def test_a_scene_without_charts_says_so() -> None:
    with pytest.raises(ValueError, match="There is no chart of this"):
        packed(crops_scene(PICTURE, seed=0), "chart-dark")
