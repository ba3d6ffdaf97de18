"""Crops for training: one picture of 500 x 375 px -> 2 x 224 and 8 x 98 px, normalised."""

from collections.abc import Iterator

import torch
from PIL import Image

from benchmarks.others import torchvision_crops
from benchmarks.results import Result
from benchmarks.timing import race, threads
from dino_core.config import CropConfig
from dino_core.crops import sample_crops, stack_crops

PICTURES = 4  # a turn: chance decides how much work a picture is


def run(quick: bool) -> Iterator[Result]:
    config = CropConfig()
    picture = example()
    generator = torch.Generator().manual_seed(0)
    theirs = torchvision_crops(config)

    def ours() -> None:
        for _ in range(PICTURES):
            crops = sample_crops(picture, config, generator)
            stack_crops(crops[:2]), stack_crops(crops[2:])

    def peer() -> None:
        for _ in range(PICTURES):
            theirs(picture)

    with threads(1):
        times = race({"ours": ours, "torchvision": peer}, seconds=3 if quick else 40)
    yield Result(
        name=f"2 x {config.global_size} and {config.local_count} x {config.local_size} px",
        value=times.ratio("ours", "torchvision"),
        unit="of torchvision v1",
        at_most=0.9,
        note=f"{times.note('ours', 'torchvision')}, {PICTURES} pictures, one thread",
    )


def example() -> Image.Image:
    """Smooth colours with grain over them: neither flat nor noise alone."""
    generator = torch.Generator().manual_seed(0)
    smooth = torch.rand(1, 3, 12, 16, generator=generator)
    smooth = torch.nn.functional.interpolate(smooth, (375, 500), mode="bicubic")[0]
    grain = 0.05 * torch.randn(3, 375, 500, generator=generator)
    pixels = (255 * (smooth + grain).clamp(0, 1)).byte().permute(1, 2, 0)  # [3, H, W] -> [H, W, 3]
    return Image.fromarray(pixels.numpy())
