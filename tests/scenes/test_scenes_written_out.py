"""Scenes, whole: every array, number and word that a screen is given of a small picture."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit
from written_out import assert_written, read, write

from dino_core.analysis.inspection import Inspection
from dino_core.scenes import (
    attention,
    comparison,
    crops,
    depth,
    features,
    for_programs,
    masks,
    matching,
    packing,
    prints,
    similarity,
    strip,
    tokens,
    tray,
    update,
    welcome,
    whatif,
)
from dino_core.scenes.picture import OpenPicture, look
from dino_core.scenes.printing import Printed, Source
from dino_core.vit import VisionTransformer
from dino_core.whatif import Sources

FILE = Path(__file__).parent / "written" / "scenes.json"
CONFIG = replace(TINY, dim=12, depth=3, registers=2, image_size=42)
EDITS = ("mlp:0=zero", "head:1.2=zero")
CAT = Source("cat.jpg", "dinov2_vits14", size=28)
OWN = Source("a dog.jpg", weights="own.pth", size=42, said=("--heads", "3"))


@cache
def vit(seed: int = 0) -> VisionTransformer:
    """What its blocks add is not small beside what enters them."""
    vit = tiny_vit(CONFIG, seed).requires_grad_(False)
    vit.patch_embed.proj.weight.mul_(0.04)
    return vit


def photo(height: int = 60, width: int = 88) -> Image.Image:
    """Noise, a part of it bright."""
    pixels = np.random.default_rng(height).integers(0, 120, (height, width, 3), np.uint8)
    pixels[: height // 2, width // 3 :] += 120
    return Image.fromarray(pixels)


@cache
def opened(height: int = 60, width: int = 88, model: int = 0) -> OpenPicture:
    """5 x 7 patches, or so, in 3 layers of 3 heads."""
    return look(vit(model), photo(height, width), 70)


def seen() -> Inspection:
    return opened().seen


def turned() -> Inspection:
    """Another picture, of 7 x 5 patches."""
    return opened(88, 60).seen


def elsewhere() -> Inspection:
    """The first picture in another model."""
    return opened(model=1).seen


def fit(points: np.ndarray, start: np.ndarray, *chosen: float) -> np.ndarray:
    return start * np.float32(sum(chosen))


def looked(row: int) -> list[Any]:
    return [(seen(), turned())[row], opened(*((60, 88), (88, 60))[row], model=1).seen]


def cut() -> Any:
    """Of 12 filters no more than a few components are more than rounding."""
    scene = tokens.patches_scene(vit(), opened())
    return replace(scene, components=scene.components[:6], ratio=scene.ratio[:6])


def welcomed() -> Any:
    """Short directions have signs of their own: their dot products count."""
    scene = welcome.welcome_scene(opened())
    short = scene.codes * scene.scales
    return [replace(scene, codes=scene.codes[:0], scales=scene.scales[:4]), short @ short.T]


def changed() -> Any:
    changes = whatif.parse_changes(EDITS)
    return whatif.changed(vit(), seen(), changes, Sources()), changes


def described(printed: Printed) -> list[str]:
    return [printed.name, printed.caption("svg", "page"), printed.command("pdf", 120)]


def printed(
    view: str, second: prints.Second | None = None, source: Source = CAT, **more: Any
) -> Any:
    return described(prints.print_view(seen(), prints.Shown(view, **more), source, second))


def printed_change(**more: Any) -> list[str]:
    found, changes = changed()
    return described(whatif.print_changed(found, changes, CAT, **more))


def printed_tray(words: str, said: Any = ((), ()), models: int = 2, **chosen: Any) -> Any:
    known = ({"name": "dinov2_vits14"}, {"file": "own.pth"})[:models]
    source = tray.TraySource(("one/cat.jpg", "dog.jpg"), ("a", "b")[:models], known, 42, said)
    parsed = tray.parse_tray(words.split(), **chosen)
    return described(tray.print_tray(2, lambda row: looked(row)[:models], parsed, source))


CASES: dict[str, Callable[[], Any]] = {
    "picture": lambda: opened().scene,
    "a layer": lambda: attention.layer_scene(seen(), 1),
    "a query": lambda: attention.query_scene(seen(), 2, 1, 3),
    "the class token": lambda: attention.query_scene(seen(), 0),
    "overview": lambda: attention.overview_scene(seen(), 2, 0),
    "heads": lambda: attention.heads_scene(seen(), 1),
    "rollout": lambda: attention.rollout_scene(seen()),
    "comparison of layers": lambda: comparison.comparison_scene(
        seen(), 0, seen(), 2, "all-patches"
    ),
    "comparison of models": lambda: comparison.comparison_scene(
        seen(), 2, elsewhere(), 1, flip=True
    ),
    "likeness": lambda: comparison.likeness_scene(seen()),
    "likeness of models": lambda: comparison.likeness_scene(seen(), elsewhere()),
    "depth": lambda: depth.depth_scene(seen(), "all-patches", method="order", robust=True),
    "depth, flipped": lambda: depth.depth_scene(seen(), flip=True, threshold=0.25),
    "depth of clusters": lambda: depth.depth_clusters_scene(seen(), 3, 1),
    "depth of attention": lambda: depth.depth_attention_scene(seen(), 2, 3, 1),
    "depth of the class token": lambda: depth.depth_attention_scene(seen()),
    "features": lambda: features.features_scene(seen(), 1),
    "features of two": lambda: features.features_scene(
        seen(), 2, "all-patches", True, turned(), components=(2, 0, 1), colours="sigmoid"
    ),
    "patch directions": lambda: features.patches_scene(seen(), 0),
    "clusters": lambda: features.clusters_scene(seen(), 1, 4, 2),
    "map": lambda: features.map_scene(seen(), 1),
    "map of a fit": lambda: features.map_scene(seen(), 1, fit, 7, 0.5, 3),
    "matches": lambda: matching.matches_scene(seen(), turned(), 1),
    "matches everywhere": lambda: matching.matches_scene(seen(), turned(), 1, object_only=False),
    "similarity": lambda: similarity.similarity_scene(seen(), 1, 2, 3),
    "similarity to another": lambda: similarity.similarity_scene(seen(), 1, 2, 3, turned()),
    "strip": lambda: strip.strip_scene(seen(), photo(), 3),
    "masks": lambda: masks.masks_scene(photo(), 3, 0.4, 56),
    "crops": lambda: crops.crops_scene(
        photo(), 5, "as written", 14, {"local_count": 2, "global_size": 28, "local_size": None}
    ),
    "crops of official numbers": lambda: crops.crops_scene(photo(), 5, patch_size=16).config,
    "many draws": lambda: crops.crop_draws_scene((88, 60), 2**31 - 5, "as written"),
    "tokens as cut": cut,
    "tokens of a narrow picture": lambda: tokens.patches_scene(vit(), opened(12, 300)).fits,
    "positions": lambda: tokens.positions_scene(vit(), seen()),
    "positions as learned": lambda: tokens.positions_scene(vit(), opened(60, 60).seen),
    "blocks": lambda: tokens.blocks_scene(vit(), seen()),
    "tray": lambda: tray.tray_scene(
        2,
        looked,
        tray.parse_tray(
            [
                *("input", "pca:0", "pca/1", "attention:1.2@1:3,2/1", "similar:0@0:2,3"),
                *("clusters:1", "clusters/1", "norms:0", "difference:1", "attention:0"),
            ],
            "all-patches",
            robust=True,
            k=3,
            seed=1,
        ),
        ["a", "b"],
    ),
    "schedules": lambda: update.schedule_scene("tiny", 40),
    "welcome": welcomed,
    "what if": lambda: whatif.whatif_scene(*changed(), flip=True),
    "what if, a layer": lambda: whatif.whatif_scene(*changed(), layer=0, preset="all-patches"),
    "charts for a page": lambda: json.loads(
        packing.packed(features.features_scene(seen(), 1), "chart")[0]
    ),
    "plain values": lambda: packing.plain(
        similarity.similarity_scene(seen(), 0, 0, 0), ("similarity",)
    ),
    "compare values": lambda: {
        name: np.array(value, np.uint8) if "colours" in name else value
        for name, value in for_programs.compare_values(
            seen(), elsewhere(), (-1, 1), flip=True
        ).items()
    },
    "tray values": lambda: for_programs.tray_values(
        2, looked, ["input", "pca:1", "norms:2"], preset="all-patches", align="signs"
    ),
    "grid of pca": lambda: for_programs.grid_values(
        [seen(), elsewhere()],
        [0, -1],
        for_programs.view_of("pca", preset="all-patches", robust=True),
    ),
    "grid of attention": lambda: for_programs.grid_values(
        [seen(), elsewhere()], [1], for_programs.view_of("attention", row=1, column=2)
    ),
    "grid of similarity": lambda: for_programs.grid_values(
        [seen(), elsewhere()], [1, 2], for_programs.view_of("similar", row=2, column=0)
    ),
    "token values": lambda: for_programs.token_values(vit(), seen()),
    "print attention": lambda: printed("attention", layer=1, query=(1, 2), head=2),
    "print attention of a file": lambda: printed("attention", source=OWN),
    "print rollout": lambda: printed("rollout"),
    "print norms": lambda: printed("norms"),
    "print pca": lambda: printed("pca", layer=0, flip=True, preset="all-patches"),
    "print pca, changed": lambda: printed("pca", changes={"threshold": 0.5, "whiten": False}),
    "print layers": lambda: printed("layers", method="signs", robust=True, flip=True),
    "print clusters": lambda: printed("clusters", k=3, seed=4, layer=1),
    "print similarity": lambda: printed("similarity", query=(0, 1)),
    "print similarity to another": lambda: printed(
        "similarity", prints.Second(turned(), OWN), query=(2, 1), layer=0
    ),
    "print matches": lambda: printed("matches", prints.Second(turned(), OWN), flip=True),
    "print matches everywhere": lambda: printed(
        "matches", prints.Second(turned(), CAT), everywhere=True, layer=1, flip=True
    ),
    "print comparison": lambda: printed("comparison", layer=0, second_layer=2, flip=True),
    "print comparison of models": lambda: printed(
        "comparison", prints.Second(elsewhere(), CAT._replace(model="b")), changes={"whiten": True}
    ),
    "print comparison of two": lambda: printed("comparison", prints.Second(elsewhere(), OWN)),
    "print masks": lambda: described(
        prints.print_drawn(photo(), prints.Drawn("masks", 3, ratio=0.25), CAT, 56)
    ),
    "print crops": lambda: described(
        prints.print_drawn(photo(), prints.Drawn("crops", 3, "as written"), CAT)
    ),
    "print crops, chosen": lambda: described(
        prints.print_drawn(photo(), prints.Drawn("crops", 1, chosen={"global_size": 28}), CAT)
    ),
    "print what if": lambda: printed_change(head=1, seed=4, layer=1),
    "print what if of a gallery": lambda: printed_change(of_samples=False),
    "print tray": lambda: printed_tray("input pca:1 clusters", k=4, seed=2, flip=True),
    "print tray of a file": lambda: printed_tray(
        "pca/1",
        (("--heads", "3"), ("--heads", "2")),
        preset="all-patches",
        align="none",
        robust=True,
    ),
    "print tray of one model": lambda: printed_tray("norms", ((),), 1),
}


@pytest.mark.parametrize("name", CASES)
def test_a_scene_is_what_is_written_out(name: str) -> None:
    assert_written(FILE, name, CASES[name]())


def test_every_scene_that_is_written_out_is_made() -> None:
    assert list(read(FILE)) == list(CASES)


if __name__ == "__main__":
    torch.set_num_threads(1)
    write(FILE, CASES)
