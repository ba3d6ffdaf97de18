"""Screen 2: what iBOT hides from the student, block by block, and over a batch."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
from PIL import Image

from dino_core.analysis.masking import visible_neighbours
from dino_core.config import MaskConfig
from dino_core.crops import apply_decisions, draw_crops
from dino_core.figures.histograms import mask_blocks, mask_counts
from dino_core.figures.theme import Theme
from dino_core.masks import (
    BlockMask,
    sample_block_mask,
    sample_block_masks,
    sample_masks,
    sample_random_mask,
)
from dino_core.scenes.crops import crop_config, seeded
from dino_core.scenes.facts import MaskFacts
from dino_core.scenes.help_texts import field_comments

if TYPE_CHECKING:
    import plotly.graph_objects as go

BATCH = 8  # pictures in the batch that is shown, two global crops each
DRAWS = 400  # for the histograms
FIRST_RATIO = 0.3  # what the screen begins with, and the strip shows


@dataclass(frozen=True)
class MasksScene:
    """One mask on the first global crop of the seed, plain random masking, and a batch."""

    seed: int
    ratio: float
    grid: tuple[int, int]
    patch_size: int
    config: Annotated[dict[str, Any], MaskConfig]  # every number of the MaskConfig
    help: dict[str, str]  # what its fields mean
    target: int  # patches
    achieved: int
    rejected: int  # tries that were not kept
    blocks: list[tuple[int, ...]]  # top, left, height, width, new patches; in the order drawn
    pixels: np.ndarray  # uint8 [224, 224, 3], the crop
    mask: np.ndarray  # uint8 [h, w], 1 where hidden
    random_mask: np.ndarray  # uint8 [h, w], as many patches, each on its own
    neighbours: tuple[float, float]  # visible ones of a hidden patch, block and random: mean of 0-4
    draws: int  # behind the next three
    histogram: np.ndarray  # int32 [target + 1], how often each number of patches was achieved
    block_histogram: np.ndarray  # int32 [most blocks + 1], how often it took so many blocks
    hidden_share: np.ndarray  # float32 [h, w], how often each patch was hidden
    batch: np.ndarray  # uint8 [2 * BATCH, h, w]
    batch_random: np.ndarray  # uint8 [2 * BATCH, h, w], as many patches each
    # The first crop of all pictures, then the second.
    batch_masks: list[Annotated[dict[str, Any], MaskFacts]]

    def charts(self, theme: Theme) -> "dict[str, go.Figure]":
        """How many patches were hidden, and how many blocks it took, over many draws."""
        return {
            "counts": mask_counts(self.histogram.tolist(), theme),
            "blocks": mask_blocks(self.block_histogram.tolist(), theme),
        }


def masks_scene(
    source: Image.Image, seed: int, ratio: float = FIRST_RATIO, patch_size: int = 14
) -> MasksScene:
    """The masks that a seed gives, for a ratio of hidden patches in 0 to 0.5.

    The seed draws the crop as on the crops' screen, and the masks afresh.
    """
    config, generator = MaskConfig(), seeded(seed)
    crop = first_crop(source, seed, patch_size)
    grid = crop.shape[0] // patch_size, crop.shape[1] // patch_size
    drawn = first_mask(grid, ratio, generator)
    scattered = sample_random_mask(grid, drawn.achieved, generator)
    batch = sample_masks(2 * BATCH, grid, config, generator).block_masks
    random_masks = [sample_random_mask(grid, one.achieved, generator) for one in batch]
    many = sample_block_masks(grid, [drawn.target] * DRAWS, config, generator)
    return MasksScene(
        seed=seed,
        ratio=ratio,
        grid=grid,
        patch_size=patch_size,
        config=asdict(config),
        help=field_comments(MaskConfig),
        **_facts(drawn, scattered),
        pixels=crop,
        mask=_bytes(drawn.mask),
        random_mask=_bytes(scattered),
        draws=DRAWS,
        histogram=_count([one.achieved for one in many], drawn.target + 1),
        block_histogram=_count([len(one.blocks) for one in many]),
        hidden_share=torch.stack([one.mask for one in many]).float().mean(0).numpy(),
        batch=_bytes(torch.stack([one.mask for one in batch])),
        batch_random=_bytes(torch.stack(random_masks)),
        batch_masks=[_facts(*pair) for pair in zip(batch, random_masks, strict=True)],
    )


def first_crop(source: Image.Image, seed: int, patch_size: int = 14) -> np.ndarray:
    """Global crop 1 of a seed, uint8 [224, 224, 3]: the same as on the crops' screen."""
    decisions = draw_crops(*source.size, crop_config(patch_size=patch_size), seeded(seed))
    return apply_decisions(source, decisions[0])


def first_mask(grid: tuple[int, int], ratio: float, generator: torch.Generator) -> BlockMask:
    """The mask that a fresh generator gives. ValueError for a ratio outside 0 to 0.5."""
    if not 0 <= ratio <= 0.5:
        raise ValueError(f"The ratio of masked patches goes from 0 to 0.5, but is {ratio}.")
    h, w = grid
    return sample_block_mask(grid, int(h * w * ratio), MaskConfig(), generator)


def _facts(drawn: BlockMask, scattered: torch.Tensor) -> dict[str, Any]:
    """How a mask came about, as plain values; and a random mask of as many patches beside it."""
    return {
        "target": drawn.target,
        "achieved": drawn.achieved,
        "rejected": drawn.rejected,
        "blocks": [tuple(block) for block in drawn.blocks],
        "neighbours": (visible_neighbours(drawn.mask), visible_neighbours(scattered)),
    }


def _bytes(mask: torch.Tensor) -> np.ndarray:
    return mask.numpy().astype(np.uint8)


def _count(values: list[int], length: int = 0) -> np.ndarray:
    return np.bincount(values, minlength=length).astype(np.int32)
