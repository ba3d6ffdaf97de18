"""Screen 2: what iBOT hides from the student, block by block, and over a batch."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from dino_core.config import CropConfig, MaskConfig
from dino_core.crops import sample_crops
from dino_core.masks import sample_block_mask, sample_masks, sample_random_mask

BATCH = 8  # pictures in the batch that is shown, two global crops each
DRAWS = 400  # for the histogram of what is achieved


@dataclass(frozen=True)
class MasksScene:
    """One mask on the first global crop of the seed, plain random masking, and a batch."""

    seed: int
    ratio: float
    grid: tuple[int, int]
    target: int  # patches
    achieved: int
    rejected: int  # tries that found no place
    blocks: list[tuple[int, ...]]  # top, left, height, width, new patches
    pixels: np.ndarray  # uint8 [224, 224, 3], the crop
    mask: np.ndarray  # uint8 [h, w], 1 where hidden
    random_mask: np.ndarray  # uint8 [h, w], as many patches, each on its own
    batch: np.ndarray  # uint8 [2 * BATCH, h, w]
    batch_targets: list[int]  # 0: the crop is not masked at all
    histogram: np.ndarray  # int32 [target + 1], how often each count was achieved in DRAWS draws


def masks_scene(source: Image.Image, seed: int, ratio: float) -> MasksScene:
    """The masks that a seed gives, for a ratio of hidden patches in 0 to 0.5.

    The seed draws the crop as on the crops' screen, and the masks afresh.
    """
    if not 0 <= ratio <= 0.5:
        raise ValueError(f"The ratio of masked patches goes from 0 to 0.5, but is {ratio}.")
    crops, masks = CropConfig(), MaskConfig()
    crop = sample_crops(source, crops, torch.Generator().manual_seed(seed))[0]
    generator = torch.Generator().manual_seed(seed)
    side = crops.global_size // 14
    grid = (side, side)
    target = int(side * side * ratio)
    drawn = sample_block_mask(grid, target, masks, generator)
    scattered = sample_random_mask(grid, drawn.achieved, generator)
    batch = sample_masks(2 * BATCH, grid, masks, generator)
    counts = [sample_block_mask(grid, target, masks, generator).achieved for _ in range(DRAWS)]
    return MasksScene(
        seed=seed,
        ratio=ratio,
        grid=grid,
        target=target,
        achieved=drawn.achieved,
        rejected=drawn.rejected,
        blocks=[tuple(block) for block in drawn.blocks],
        pixels=crop.pixels,
        mask=drawn.mask.numpy().astype(np.uint8),
        random_mask=scattered.numpy().astype(np.uint8),
        batch=batch.masks.unflatten(1, grid).numpy().astype(np.uint8),
        batch_targets=[one.target for one in batch.block_masks],
        histogram=np.bincount(counts, minlength=target + 1).astype(np.int32),
    )
