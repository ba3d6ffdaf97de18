"""Attention: the class token's rows of all layers, and any other token's rows after one forward."""

from collections.abc import Iterator
from itertools import count

import torch
from torch import Tensor

from benchmarks.others import timm_vit, timm_with_all_maps
from benchmarks.results import Result
from benchmarks.timing import disturbance, race
from dino_core.analysis.inspection import inspect
from dino_core.config import VIT_SMALL
from dino_core.vit import VisionTransformer

CLICK_BAR = {224: 5, 518: 15}  # ms


def run(quick: bool) -> Iterator[Result]:
    vit = VisionTransformer(VIT_SMALL).eval()
    for size in (224,) if quick else (224, 518):
        images = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
        yield from class_token_rows(vit, images, quick)
        yield clicked_rows(vit, images, quick)


@torch.inference_mode()
def class_token_rows(vit: VisionTransformer, images: Tensor, quick: bool) -> list[Result]:
    """The class token's rows in all layers; and with everything that the views look up later."""
    size = images.shape[-1]
    all_maps = timm_with_all_maps(timm_vit(vit, size))
    rows = vit(images, rows=[0]).rows
    assert rows is not None
    for ours, theirs in zip(rows[0, :, :, 0], all_maps(images), strict=True):
        torch.testing.assert_close(ours, theirs[0, :, 0], rtol=1e-3, atol=1e-6)

    times = race(
        {
            "rows": lambda: vit(images, rows=[0]),
            "everything": lambda: inspect(vit, images).cls_rows(),
            "plain": lambda: vit(images),
            "hooks": lambda: all_maps(images),
        },
        seconds=3 if quick else 50,
    )
    bars = (("plain", "of our plain forward", 1.05), ("hooks", "of timm with hooks", 0.65))
    names = {"rows": "class token's rows, all layers", "everything": "and all that is looked up"}
    return [
        Result(
            name=f"{name}, {size} px",
            value=times.ratio(ours, peer),
            unit=unit,
            at_most=bar if size == 518 and ours == "rows" else None,
            note=times.note(ours, peer),
        )
        for ours, name in names.items()
        for peer, unit, bar in bars
    ]


@torch.inference_mode()
def clicked_rows(vit: VisionTransformer, images: Tensor, quick: bool) -> Result:
    """Another token's rows in all layers, after that one forward."""
    size = images.shape[-1]
    seen = inspect(vit, images)
    clicks = count()
    times = race(
        {"rows": lambda: seen.rows(next(clicks) % seen.keys.shape[2])}, seconds=1 if quick else 5
    )
    return Result(
        name=f"clicked patch's rows, all layers, {size} px",
        value=1000 * times.seconds("rows"),
        unit="ms",
        at_most=CLICK_BAR[size],
        note=disturbance(times.others).removeprefix(", "),
    )
