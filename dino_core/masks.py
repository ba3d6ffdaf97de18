"""Block masking for iBOT: patch grid -> which patches are hidden, with the blocks as drawn.

The paper hides patches "randomly" (section 4); blocks are BEiT's (Bao et al. 2021), which came by
way of iBOT (Zhou et al. 2022) into the official `data/masking.py` and `data/collate.py`. Some of
the global crops of a batch lose 10 to 50 % of their patches before the student sees them; the
student must then guess what the teacher, who sees everything, finds there. That is how ViT-g was
trained; the released ViT-S, B and L were distilled from it without any masking (section 5).

One mask is made by

    until the target is reached:
        try up to 10 times:
            area   ~ uniform between 4 and the number of patches still wanted
            aspect ~ log-uniform between 0.3 and 1 / 0.3
            place a block of that shape anywhere in the grid
            keep it if it hides at least one new patch and no more than are still wanted
        stop if none was kept

Followed with numbers for 224 px / 14 = 16 x 16 = 256 patches: a target of 76 (30 %) takes 5 blocks
on average and is met exactly in 93 of 100 masks; the rest miss it by one or two patches.

A mask of the grid is a boolean tensor [h, w], true where the patch is hidden.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dino_core.config import MaskConfig

Row = tuple[float, float, float, float]  # uniform numbers of one try: area, aspect, top, left


class Block(NamedTuple):
    """One block that was kept, in patches."""

    top: int
    left: int
    height: int
    width: int
    new_patches: int  # those that no earlier block had hidden


@dataclass(frozen=True, eq=False)
class BlockMask:
    """A mask and how it came about."""

    mask: Tensor  # bool [h, w]
    blocks: tuple[Block, ...]  # in the order drawn, their union is the mask; none: scattered
    target: int  # patches wanted
    rejected: int  # tries that were not kept

    @property
    def achieved(self) -> int:
        """Patches hidden; at most the target."""
        return int(self.mask.sum())


@dataclass(frozen=True, eq=False)
class BatchMasks:
    """The masks of one batch of global crops, in the form the iBOT loss takes them."""

    masks: Tensor  # bool [G B, P]; rows of unmasked crops are all false
    block_masks: tuple[BlockMask, ...]  # one per global crop
    indices: Tensor  # int64 [M], the masked patches, counted through the flattened [G B * P]
    weights: Tensor  # float32 [M], 1 / number of masked patches in the same crop
    upperbound: int  # M can never be more than this, so that buffers can have one size


def sample_block_mask(
    grid: tuple[int, int], target: int, config: MaskConfig, generator: torch.Generator
) -> BlockMask:
    """Hide about `target` patches of a grid of (h, w) patches in blocks; never more."""
    _check(grid, target)
    return _draw_blocks(grid, target, config, _uniform_rows(generator, at_once=16))


def sample_block_masks(
    grid: tuple[int, int], targets: Sequence[int], config: MaskConfig, generator: torch.Generator
) -> list[BlockMask]:
    """One mask for each target, in two thirds of the time that drawing them singly takes."""
    for target in targets:
        _check(grid, target)
    rows = _uniform_rows(generator, at_once=min(16 * len(targets), 1024))
    return [_draw_blocks(grid, target, config, rows) for target in targets]


def _draw_blocks(
    grid: tuple[int, int], target: int, config: MaskConfig, rows: Iterator[Row]
) -> BlockMask:
    """The loop of the module's docstring; each try takes one row of four uniform numbers.

    The set of visible patches is one integer, bit `row * w + column` for each patch: how many
    patches of a block are new is then one `and` and one count of bits.
    """
    h, w = grid
    corner_blocks = _corner_blocks(h, w)
    min_block, tries = config.min_block, config.tries
    largest = int(config.max_fraction * h) * w  # rounded like this in the official train.py
    low, high = config.aspect_ratio
    log_low, log_span = log(low), log(high / low)

    everything = (1 << h * w) - 1
    visible, missing, rejected = everything, target, 0
    blocks: list[Block] = []
    while missing > 0:
        wanted = min(missing, largest)
        for u_area, u_aspect, u_top, u_left in islice(rows, tries):
            # When fewer than `min_block` are wanted the limits change places, officially too.
            side = sqrt(min_block + (wanted - min_block) * u_area)
            stretch = exp((log_low + log_span * u_aspect) / 2)  # the aspect ratio's square root
            height = round(side * stretch)
            width = round(side / stretch)
            if height < h and width < w:
                top = int((h - height + 1) * u_top)
                left = int((w - width + 1) * u_left)
                newly_hidden = visible & corner_blocks[height][width] << top * w + left
                new_patches = newly_hidden.bit_count()
                if 0 < new_patches <= wanted:
                    visible ^= newly_hidden
                    missing -= new_patches
                    blocks.append(Block(top, left, height, width, new_patches))
                    break
            rejected += 1
        else:
            break  # no try was kept: the mask is done, a little short of its target
    return BlockMask(_as_grid(everything ^ visible, h, w), tuple(blocks), target, rejected)


def _uniform_rows(generator: torch.Generator, at_once: int) -> Iterator[Row]:
    """Rows of four numbers in [0, 1), without end. Each call of torch costs as much as 20 rows."""

    def draw() -> Iterator[Iterator[Row]]:
        while True:
            numbers = iter(torch.rand(4 * at_once, generator=generator).tolist())
            yield zip(numbers, numbers, numbers, numbers, strict=True)

    return chain.from_iterable(draw())


@lru_cache(maxsize=16)
def _corner_blocks(h: int, w: int) -> list[list[int]]:
    """The block of each [height][width] in the top left corner of the grid, as bits.

    It has `width` ones in each of its rows, which lie w bits apart:
    (2^width - 1) * (1 + 2^w + 2^2w + ...), one term for each row. Placing it is a shift.
    """
    return [
        [((1 << width) - 1) * sum(1 << w * row for row in range(height)) for width in range(w)]
        for height in range(h)
    ]


def _as_grid(bits: int, h: int, w: int) -> Tensor:
    """Bit `row * w + column` of an integer -> bool [h, w]."""
    packed = np.frombuffer(bits.to_bytes((h * w + 7) // 8, "little"), np.uint8)
    flat = np.unpackbits(packed, count=h * w, bitorder="little")
    return torch.from_numpy(flat.reshape(h, w).view(np.bool_))


def sample_random_mask(grid: tuple[int, int], target: int, generator: torch.Generator) -> Tensor:
    """Hide exactly `target` patches, each as likely as any other. Returns bool [h, w]."""
    _check(grid, target)
    h, w = grid
    mask = torch.zeros(h * w, dtype=torch.bool)
    mask[torch.randperm(h * w, generator=generator)[:target]] = True
    return mask.view(h, w)


def sample_masks(
    count: int, grid: tuple[int, int], config: MaskConfig, generator: torch.Generator
) -> BatchMasks:
    """Masks for the `count` global crops of a batch (two for each picture).

    Not a coin for each crop: exactly `int(count * probability)` are masked, and their ratios are
    spread evenly. With 32 masked crops the range 10 to 50 % is cut into 32 equal parts, and each
    crop draws its ratio from a part of its own. Then all crops are shuffled.
    """
    h, w = grid
    P = h * w
    _check(grid, int(P * config.ratio[1]))
    n_masked = int(count * config.probability)
    edges = np.linspace(*config.ratio, n_masked + 1).tolist()
    shares = torch.rand(n_masked, generator=generator).tolist()
    targets = [
        int(P * (low + (high - low) * u))
        for low, high, u in zip(edges[:-1], edges[1:], shares, strict=True)
    ]
    targets += [0] * (count - n_masked)
    drawn = _draw_masks(grid, targets, config, generator)
    order = torch.randperm(count, generator=generator).tolist()
    block_masks = tuple(drawn[i] for i in order)

    masks = torch.stack([one.mask for one in block_masks]).view(count, P)
    per_crop = masks.sum(dim=1, keepdim=True).clamp(min=1)
    return BatchMasks(
        masks=masks,
        block_masks=block_masks,
        indices=masks.view(-1).nonzero().view(-1),
        weights=(1 / per_crop).expand_as(masks)[masks],
        upperbound=sum(int(P * edge) for edge in edges[1:]),
    )


def _draw_masks(
    grid: tuple[int, int], targets: Sequence[int], config: MaskConfig, generator: torch.Generator
) -> list[BlockMask]:
    """One mask for each target, of the shape that the configuration asks for."""
    if config.shape == "blocks":
        return sample_block_masks(grid, targets, config, generator)
    masks = [sample_random_mask(grid, target, generator) for target in targets]
    return [BlockMask(mask, (), n, 0) for mask, n in zip(masks, targets, strict=True)]


def _check(grid: tuple[int, int], target: int) -> None:
    h, w = grid
    if h < 1 or w < 1:
        raise ValueError(f"A mask needs a grid of at least 1 x 1 patches, but this is {h} x {w}.")
    if not 0 <= target <= h * w:
        raise ValueError(
            f"{target} patches cannot be hidden in a grid of {h} x {w} = {h * w}. "
            f"Choose a target from 0 to {h * w}."
        )
