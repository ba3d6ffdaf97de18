"""Panels for print, whole: places in mm, pictures, ranges, marks and words for a small input."""

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

from dino_core import figures
from dino_core.analysis.depth import layers_in_colours
from dino_core.analysis.effects import effects
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.analysis.side_by_side import compared
from dino_core.analysis.tray import fill_tray
from dino_core.analysis.tray_columns import column_of
from dino_core.config import PCA_PRESETS, CropConfig, MaskConfig
from dino_core.crops import sample_crops
from dino_core.figures.maps import colour_cell
from dino_core.figures.panels import Bar, Entry, grid
from dino_core.figures.show import show
from dino_core.images import to_tensor
from dino_core.masks import sample_block_mask
from dino_core.vit import Edit, VisionTransformer

FILE = Path(__file__).parent / "written" / "panels.json"
ALL = PCA_PRESETS["all-patches"]
PAIRS = [((0, 2), (1, 1), 0.875), ((1, 0), (2, 0), 0.5)]


def photo(height: int, width: int) -> Image.Image:
    """Noise, half of it bright."""
    pixels = np.random.default_rng(height).integers(0, 120, (height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] += 120
    return Image.fromarray(pixels)


@cache
def look(height: int = 28, width: int = 42, model: int = 0) -> Inspection:
    """A picture of 2 x 3 patches, or another size, in 2 layers of 3 heads."""
    return inspect(vit(model), to_tensor(photo(height, width)))


@cache
def vit(seed: int = 0) -> VisionTransformer:
    """What its blocks add is not small beside what enters them."""
    vit = tiny_vit(TINY, seed).requires_grad_(False)
    vit.patch_embed.proj.weight.mul_(0.04)
    return vit


def numbers(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape) ** 2 / 8


def changed(width: str, layer: int | None = None) -> Any:
    edits = [Edit("mlp", 0.0, block=0), Edit("head", 0.0, block=1, unit=2)]
    found = [effects(vit(), look(*size), edits) for size in ((42, 56), (56, 70))]
    return figures.before_and_after(found, "head:1.2=zero", head=1, layer=layer, width=width)


def drawn_crops(width: float) -> Any:
    config = CropConfig(global_size=4, local_size=2, local_count=3)
    picture = photo(24, 36)
    crops = sample_crops(picture, config, torch.Generator().manual_seed(0))
    return figures.crops(picture, crops, width=width)


def drawn_masks(picture: np.ndarray | None) -> Any:
    generator = torch.Generator().manual_seed(0)
    masks = [sample_block_mask((4, 6), 9, MaskConfig(min_block=1), generator) for _ in range(2)]
    return figures.masks(masks, picture)


def model_grid(*shape: int, **more: Any) -> Any:
    maps = [[numbers(*shape) / 40, numbers(*shape) / 50], [numbers(*shape) / 60]]
    cka = np.array([[0.125, 0.25], [1.0, 0.0]])
    names, layers = ["one", "two"], [[0, 1], [4]]
    return figures.model_grid(look(), maps, names, layers, cka=cka, header="Header", **more)


def tray(models: int, *words: str, **more: Any) -> Any:
    sizes = ((42, 56), (56, 42))
    columns = list(map(column_of, words))
    filled = fill_tray(2, lambda row: [look(*sizes[row], i) for i in range(models)], columns)
    return figures.tray(filled, ["one.png", "two.png"], models=["a", "b"][:models], **more)


def comparison() -> Any:
    seen = look(56, 70)
    found = compared(seen.patches(0), seen.patches(1), [seen.grid] * 2, ALL)
    return figures.comparison(seen, replace(found, note="A note"), ("layer 0", "layer 1"))


def family() -> Any:
    seen = look(56, 70)
    return figures.layers_in_colours(seen, replace(layers_in_colours(seen, ALL), note="A note"))


CASES: dict[str, Callable[[], Any]] = {
    "attention": lambda: figures.attention(look()),
    "attention of a patch": lambda: figures.attention(
        look(), (1, 2), layer=0, heads=[2, 0], shared=True, width="column"
    ),
    "attention of a head": lambda: figures.attention(look(), heads=[1], width=60),
    "similarity": lambda: figures.similarity(look(), (0, 2), layer=0),
    "similarity to others": lambda: figures.similarity(look(), (1, 0), others=[look(42, 28)]),
    "pca": lambda: figures.pca([look(56, 70)], layer=0),
    "pca of two": lambda: figures.pca([look(56, 70), look(42, 28)], config=ALL, width="column"),
    "attention by layer": lambda: figures.attention_by_layer(look(), (1, 1), head=2),
    "attention by layer, mean": lambda: figures.attention_by_layer(look(), width="column"),
    "layers in colours": family,
    "before and after": lambda: changed("page"),
    "before and after, narrow": lambda: changed("column", 0),
    "attention of pictures": lambda: figures.attention_of_pictures(
        [look(), look(42, 28), look()], (0, 1), layer=0, heads=[1]
    ),
    "attention of pictures, mean": lambda: figures.attention_of_pictures(
        [look()] * 5, width="column"
    ),
    "patch values": lambda: figures.patch_values([look()], [numbers(2, 3)], "Title", "unit"),
    "patch values of two": lambda: figures.patch_values([look()] * 2, [numbers(2, 3)] * 2, "T", ""),
    "norms": lambda: figures.norms(look(), numbers(3, 2, 3), numbers(3, 2, 3) > 30),
    "token parts": lambda: figures.token_parts(look(), {"a": numbers(2, 3), "b": numbers(2, 3)}),
    "clusters": lambda: figures.clusters([look()], [np.array([[0, 1, 1], [2, 0, 0]])]),
    "clusters of two": lambda: figures.clusters(
        [look()] * 2, [np.zeros((2, 3), int), np.ones((2, 3), int)], header="header", width=40
    ),
    "matches": lambda: figures.matches(look(), look(42, 28), PAIRS, header="header"),
    "no matches": lambda: figures.matches(look(42, 28), look(), []),
    "comparison": comparison,
    "grid of numbers": lambda: model_grid(2, 3, query=(1, 2)),
    "grid of signed numbers": lambda: model_grid(2, 3, colours="blue-red", width=60),
    "grid of colours": lambda: model_grid(2, 3, 3),
    "tray": lambda: tray(1, "input", "pca", "attention:1.2", "similar@1:1,0", "norms:0"),
    "tray of two models": lambda: tray(
        2, "input", "clusters:0/1", "pca:0/1", "attention:0@0:0,1/1", "difference", width=150.0
    ),
    "crops": lambda: drawn_crops(150),
    "crops below": lambda: drawn_crops(89),
    "masks": lambda: drawn_masks(None),
    "masks of a picture": lambda: drawn_masks(np.asarray(photo(28, 42))),
    "nine cells": lambda: figures.token_parts(look(), {str(i): numbers(2, 3) for i in range(8)}),
    "eight cells": lambda: figures.token_parts(look(), {str(i): numbers(2, 3) for i in range(7)}),
    "a grid with everything": lambda: grid(
        [[colour_cell("one", numbers(2, 3, 3) / 99)], [colour_cell("two", numbers(2, 1, 3) / 40)]],
        "Words " * 30,
        width="column",
        bar=Bar("low", "high", "title", "blue-red"),
        legend=[Entry((9 * i, 1, 2), f"entry {i}") for i in range(7)],
    ),
    "show clusters": lambda: show(look(56, 70), "clusters", k=3, layer=0, seed=1),
    "show clusters of few": lambda: show(look(), "clusters", width="column"),
    "show clusters of the last layer": lambda: show(look(56, 70), "clusters"),
    "show layers": lambda: show(
        look(56, 70), "layers", preset="all-patches", flip=True, method="signs", robust=True
    ),
    "show rollout": lambda: show(look(), "rollout", width="column"),
    "show norms": lambda: show(look(56, 70), "norms", width="column"),
    "show pca": lambda: show(look(56, 70), "pca", layer=0, flip=True, width="column"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_panel_draws_what_is_written_out(name: str) -> None:
    assert_written(FILE, name, CASES[name]())


def test_every_panel_that_is_written_out_is_drawn() -> None:
    assert list(read(FILE)) == list(CASES)


if __name__ == "__main__":
    write(FILE, CASES)
