"""Block masks of the 16 x 16 grid for a batch of the official training on one GPU: 64 of them."""

import random
from collections.abc import Iterator

import torch

from benchmarks.others import cell_by_cell_mask
from benchmarks.results import Result
from benchmarks.timing import race, threads
from dino_core.config import MaskConfig
from dino_core.masks import sample_block_mask, sample_block_masks

GRID = (16, 16)
TARGETS = [round(256 * (0.1 + 0.4 * (i + 0.5) / 64)) for i in range(64)]  # 10 to 50 %, evenly
OFFICIAL = 7100  # masks a second: the official generator on a 2-core server of 190 GFLOP/s


def run(quick: bool) -> Iterator[Result]:
    config = MaskConfig()
    generator = torch.Generator().manual_seed(0)
    rng = random.Random(0)
    with threads(1):
        times = race(
            {
                "a batch": lambda: sample_block_masks(GRID, TARGETS, config, generator),
                "singly": lambda: [sample_block_mask(GRID, t, config, generator) for t in TARGETS],
                "cell by cell": lambda: [cell_by_cell_mask(GRID, t, config, rng) for t in TARGETS],
            },
            seconds=1 if quick else 15,
        )
    rounds = f"{len(times.at_full_speed)} of {len(times.rounds)} rounds"
    rates = {name: len(TARGETS) / times.best_seconds(name) for name in times.rounds[0].seconds}
    usual = len(TARGETS) / times.seconds("a batch")
    for way in ("a batch", "singly"):
        yield Result(
            name=f"speed, masks of 16 x 16 patches, {way}",
            value=times.ratio("cell by cell", way),
            unit="x cell by cell",
            at_least=5,
            note=f"{rates[way]:.0f} and {rates['cell by cell']:.0f} a second",
        )
    yield Result(
        name="masks a second, drawn as in training",
        value=rates["a batch"],
        unit="a second",
        at_least=5 * OFFICIAL,
        note=f"in {rounds} at the processor's full speed, {usual:.0f} in the quieter half; the "
        f"official generator makes {OFFICIAL} on a machine of 190 GFLOP/s",
    )
