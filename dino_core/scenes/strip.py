"""The strip: the data's way as small pictures of the user's own, for every screen at once."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from dino_core.analysis.inspection import Inspection
from dino_core.analysis.pca import colour_features
from dino_core.config import PCA_PRESETS
from dino_core.crops import draw_crops
from dino_core.draw.colours import crop_colour
from dino_core.draw.pictures import to_bytes
from dino_core.scenes.crops import crop_config, seeded
from dino_core.scenes.masks import FIRST_RATIO, first_crop, first_mask

THUMBNAIL = 96  # px


@dataclass(frozen=True)
class StripScene:
    """What the thumbnails show; the last layer where a layer is to be chosen."""

    picture_size: tuple[int, int]  # (width, height) of the source, px
    boxes: list[tuple[int, int, int, int]]  # of the crops, in source pixels
    colours: list[tuple[int, int, int]]  # of the crops
    crop: np.ndarray  # uint8 [THUMBNAIL, THUMBNAIL, 3], global crop 1
    mask: np.ndarray  # uint8 [16, 16], on that crop
    norms: np.ndarray  # float32 [h, w], lengths of the patch tokens that leave the last block
    attention: np.ndarray  # float32 [h, w], the class token's, mean over heads
    features: np.ndarray  # uint8 [h, w, 3]


@torch.inference_mode()
def strip_scene(seen: Inspection, source: Image.Image, seed: int) -> StripScene:
    """The same seed gives the same crops and mask as on their screens."""
    config = crop_config(patch_size=seen.patch_size)
    crops = draw_crops(*source.size, config, seeded(seed))
    pixels = first_crop(source, seed, seen.patch_size)
    side = config.global_size // seen.patch_size
    drawn = first_mask((side, side), FIRST_RATIO, seeded(seed))
    patches = seen.tokens[-1, seen.first_patch :].float()
    rows = seen.rows(0)[-1].float().mean(0)  # [A, N] -> [N]
    view = colour_features([seen.patches().float()], [seen.grid], PCA_PRESETS["paper"]).pictures[0]
    return StripScene(
        picture_size=source.size,
        boxes=[crop.box for crop in crops],
        colours=[crop_colour(crop.kind, crop.index) for crop in crops],
        crop=np.asarray(Image.fromarray(pixels).resize((THUMBNAIL, THUMBNAIL))),
        mask=drawn.mask.numpy().astype(np.uint8),
        norms=patches.norm(dim=-1).unflatten(0, seen.grid).cpu().numpy(),
        attention=seen.on_grid(rows).cpu().numpy(),
        features=to_bytes(view.colours.cpu().numpy()),
    )
