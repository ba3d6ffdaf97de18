"""Block masks of the 16 x 16 grid, targets as they occur in training, in equal parts."""

import random
from collections.abc import Iterator

import torch

from benchmarks.peers import cell_by_cell_mask
from benchmarks.results import Result
from benchmarks.timing import race, threads
from dino_core.config import MaskConfig
from dino_core.masks import sample_block_mask

GRID = (16, 16)
TARGETS = (25, 51, 76, 102, 128)
OFFICIAL = 7100  # masks a second: the official generator on a 2-core server of 190 GFLOP/s


def run(quick: bool) -> Iterator[Result]:
    config = MaskConfig()
    generator = torch.Generator().manual_seed(0)
    rng = random.Random(0)
    with threads(1):
        times = race(
            {
                "ours": lambda: [sample_block_mask(GRID, t, config, generator) for t in TARGETS],
                "cell by cell": lambda: [cell_by_cell_mask(GRID, t, config, rng) for t in TARGETS],
            },
            seconds=1 if quick else 15,
        )
    rates = {name: len(TARGETS) / times.best_seconds(name) for name in ("ours", "cell by cell")}
    usual = len(TARGETS) / times.seconds("ours")
    rounds = f"{len(times.at_full_speed)} of {len(times.rounds)} rounds"
    yield Result(
        name="speed, masks of 16 x 16 patches",
        value=times.ratio("cell by cell", "ours"),
        unit="x cell by cell",
        at_least=5,
        note=f"{rates['ours']:.0f} and {rates['cell by cell']:.0f} a second",
    )
    yield Result(
        name="masks a second",
        value=rates["ours"],
        unit="a second",
        at_least=5 * OFFICIAL,
        note=f"in {rounds} at the processor's full speed, {usual:.0f} in the quieter half; the "
        f"official generator makes {OFFICIAL} on a machine of 190 GFLOP/s",
    )
