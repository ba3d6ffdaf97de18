"""What screens refuse, and the last that they take: each limit from both sides, in a sentence."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.analysis.inspection import Inspection
from dino_core.analysis.tray import TraySettings, check_counts, check_models
from dino_core.analysis.tray_columns import column_of
from dino_core.scenes import (
    attention,
    comparison,
    crops,
    depth,
    features,
    for_programs,
    gallery,
    masks,
    packing,
    printing,
    prints,
    similarity,
    tray,
    update,
    whatif,
)
from dino_core.scenes.picture import look
from dino_core.whatif import Sources

PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))
CAT = printing.Source("cat.jpg")
COLUMN = column_of("input")


@cache
def seen() -> Inspection:
    """4 x 4 patches in 2 layers."""
    return look(tiny_vit(TINY), Image.new("RGB", (56, 56), (90, 9, 200)), 56).seen


def changed(*texts: str) -> Any:
    changes = whatif.parse_changes(texts)
    return whatif.changed(tiny_vit(TINY), seen(), changes, Sources()), changes


def print_one(view: str, **more: Any) -> Any:
    return prints.print_view(seen(), prints.Shown(view, **more), CAT)


def chosen_crops(**chosen: Any) -> Any:
    return crops.crop_config(chosen=chosen)


TAKEN: dict[str, Callable[[], Any]] = {
    "the first layer": lambda: attention.layer_scene(seen(), 0),
    "the last layer": lambda: attention.heads_scene(seen(), 1),
    "the last patch": lambda: attention.query_scene(seen(), 1, 3, 3),
    "the last layer from the end": lambda: for_programs.from_end(seen(), -1),
    "the first layer from the end": lambda: for_programs.from_end(seen(), -2),
    "one cell": lambda: for_programs.grid_values([seen()], [1], for_programs.view_of("attention")),
    "thresholds": lambda: [features.settings("paper", threshold=at) for at in (-5, 5)],
    "components": lambda: features.settings("paper", components=(0, 7, 7)),
    "sigmoid": lambda: features.settings("paper", colours="sigmoid"),
    "two clusters": lambda: features.clusters_scene(seen(), 0, 2, 0),
    "twelve clusters": lambda: features.clusters_scene(seen(), 0, 12, 0),
    "two clusters through depth": lambda: depth.depth_clusters_scene(seen(), 2, 0),
    "twelve clusters through depth": lambda: depth.depth_clusters_scene(seen(), 12, 0),
    "seeds": lambda: [crops.seeded(seed) for seed in (0, 2**31 - 1)],
    "no local crop": lambda: chosen_crops(local_count=0),
    "twelve local crops": lambda: chosen_crops(local_count=12),
    "one scale": lambda: chosen_crops(global_scale=(1.0, 1.0), local_scale=(0.01, 0.01)),
    "sides": lambda: chosen_crops(global_size=336, local_size=14),
    "ratios": lambda: [masks.masks_scene(PHOTO, 0, ratio, 56) for ratio in (0, 0.5)],
    "pictures": lambda: [gallery.checked(index, 3) for index in (0, 2)],
    "rows and columns": lambda: [
        check_counts(rows, [COLUMN] * columns, TraySettings(k=k))
        for rows, columns, k in ((1, 12, 2), (12, 1, 12))
    ],
    "models": lambda: [check_models(count) for count in (1, 12)],
}
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "layer": (lambda: attention.layer_scene(seen(), 2), "layers 0 to 1; there is no 2"),
    "layer below": (lambda: attention.heads_scene(seen(), -1), "there is no -1"),
    "patch": (lambda: attention.query_scene(seen(), 1, 4, 0), "no patch 4,0"),
    "half a patch": (lambda: attention.overview_scene(seen(), -1, 0), "no patch -1,0"),
    "similar": (lambda: similarity.similarity_scene(seen(), 0, 0, 4), "no patch 0,4"),
    "from end": (
        lambda: for_programs.from_end(seen(), 2),
        "or -1 to -2 from the end, but no layer 2",
    ),
    "from end below": (lambda: for_programs.from_end(seen(), -3), "no layer -3"),
    "method": (lambda: for_programs.view_of("pca", method="luck"), "A method is one of rotation"),
    "no cell": (
        lambda: for_programs.grid_values([seen()], [], for_programs.view_of("pca")),
        "1 to 48 cells, not 1 times 0",
    ),
    "49 cells": (
        lambda: for_programs.grid_values([seen()] * 7, [0] * 7, for_programs.view_of("pca")),
        "not 7 times 7",
    ),
    "preset": (lambda: features.settings("none"), "A preset is one of paper"),
    "colours": (lambda: features.settings("paper", colours="red"), "minmax or sigmoid"),
    "threshold": (lambda: features.settings("paper", threshold=5.1), "-5 to 5, but is 5.1"),
    "threshold below": (lambda: features.settings("paper", threshold=-5.1), "but is -5.1"),
    "component": (lambda: features.settings("paper", components=(0, 1, 8)), "components 0 to 7"),
    "component below": (lambda: features.settings("paper", components=(0, -1, 2)), "0 to 7"),
    "two components": (lambda: features.settings("paper", components=(0, 1)), "all three"),
    "one cluster": (lambda: features.clusters_scene(seen(), 0, 1, 0), "2 to 12, not 1"),
    "13 clusters": (lambda: features.clusters_scene(seen(), 0, 13, 0), "2 to 12, not 13"),
    "one through depth": (lambda: depth.depth_clusters_scene(seen(), 1, 0), "2 to 12, not 1"),
    "13 through depth": (lambda: depth.depth_clusters_scene(seen(), 13, 0), "2 to 12, not 13"),
    "head": (lambda: depth.depth_attention_scene(seen(), head=3), "head"),
    "comparison": (lambda: comparison.comparison_scene(seen(), 2, seen(), 0), "layer"),
    "seed": (lambda: crops.seeded(2**31), "from 0 to 2147483647, but is 2147483648"),
    "seed below": (lambda: crops.crop_draws_scene((9, 9), -1), "but is -1"),
    "blur": (lambda: crops.crop_config("never"), "as run, as written, but is 'never'"),
    "13 local crops": (lambda: chosen_crops(local_count=13), "0 to 12 local crops, but 13"),
    "fewer than none": (lambda: chosen_crops(local_count=-1), "but -1 were wanted"),
    "nothing of it": (lambda: chosen_crops(global_scale=(0, 1)), "global crop .* 0 to 1 is not"),
    "more than it": (lambda: chosen_crops(local_scale=(0.5, 1.1)), "local crop .* 0.5 to 1.1 is"),
    "turned round": (lambda: chosen_crops(local_scale=(0.5, 0.4)), "the smaller one first"),
    "side": (lambda: chosen_crops(global_size=350), "up to 336 px: 350 px is not"),
    "half a patch wide": (lambda: chosen_crops(local_size=15), "patches of 14 px wide"),
    "no patch wide": (lambda: chosen_crops(local_size=0), "0 px is not"),
    "ratio": (lambda: masks.masks_scene(PHOTO, 0, 0.51, 56), "0 to 0.5, but is 0.51"),
    "ratio below": (lambda: masks.masks_scene(PHOTO, 0, -0.01, 56), "but is -0.01"),
    "view": (lambda: print_one("maps"), "Printed are attention, .* not 'maps'"),
    "way of layers": (lambda: print_one("layers", method="luck"), "not 'luck'"),
    "similar to none": (lambda: print_one("similarity"), "similar to which one"),
    "one picture": (lambda: print_one("matches"), "Choose a second picture first"),
    "drawn": (
        lambda: prints.print_drawn(PHOTO, prints.Drawn("boxes"), CAT),
        "crops and masks, not 'boxes'",
    ),
    "kind": (lambda: print_one("rollout").file("gif"), "svg, pdf or png, not 'gif'"),
    "no change": (lambda: whatif.print_changed(*changed(), CAT), "after is before"),
    "layer of a change": (
        lambda: whatif.print_changed(*changed("mlp:0=zero"), CAT, layer=2),
        "there is no 2",
    ),
    "alignment": (lambda: tray.parse_tray(["input"], align="luck"), "not 'luck'"),
    "chart": (
        lambda: packing.packed(similarity.similarity_scene(seen(), 0, 0, 0), "chart"),
        "no chart of this",
    ),
    "picture": (lambda: gallery.checked(3, 3), "3 pictures, 0 to 2, and no picture 3"),
    "picture below": (lambda: gallery.checked(-1, 3), "no picture -1"),
    "no row": (lambda: check_counts(0, [COLUMN], TraySettings()), "1 to 12 pictures, not 0"),
    "13 rows": (lambda: check_counts(13, [COLUMN], TraySettings()), "not 13"),
    "no column": (lambda: check_counts(1, [], TraySettings()), "1 to 12 columns, not 0"),
    "13 columns": (lambda: check_counts(1, [COLUMN] * 13, TraySettings()), "not 13"),
    "clusters of a tray": (
        lambda: check_counts(1, [COLUMN], TraySettings(k=13)),
        "2 to 12, not 13",
    ),
    "one of a tray": (lambda: check_counts(1, [COLUMN], TraySettings(k=1)), "not 1"),
    "no model": (lambda: check_models(0), "1 to 12 models, not 0"),
    "13 models": (lambda: check_models(13), "not 13"),
    "no run": (lambda: update.distance_facts(Path("nowhere")), "holds no run"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_within_the_limits_is_taken(name: str) -> None:
    TAKEN[name]()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_beyond_them_is_refused_in_a_sentence(name: str) -> None:
    ask, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        ask()
