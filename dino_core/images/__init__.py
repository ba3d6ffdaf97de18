"""Files and uploads -> RGB pictures <-> normalised tensors, and where each pixel's patch is.

Three steps, in the order a picture takes them, here for ViT-S/14 at 224 px:

    open_picture    a file of 640 x 427 px, of any usual kind -> an RGB picture, decoded with care
    fit_to_patches  -> [224, 336] px, a multiple of 14 on both sides: a grid of 16 x 24 patches
    to_tensor       -> float32 [3, 224, 336], ImageNet mean 0 and standard deviation 1

Sizes are (height, width), as in a tensor; points are (x, y) in pixels from the upper left corner,
with pixel 0 reaching from 0 to 1; patches are (row, col). Colour profiles are not applied: the
official data loading (`datasets/decoders.py`) ignores them too.

formats  what a file is, by its first bytes
decode   file -> picture
deep     more than 8 bits: what is black and what is white
tiff     what the tags of a TIFF say; previews in raw files
frames   a film or a folder of frames -> pictures with their times
patches  picture -> whole patches, and the way back to its pixels
tensors  picture <-> normalised tensor
"""

from dino_core.images.decode import MAX_BYTES, MAX_PIXELS, notes_of, open_picture
from dino_core.images.patches import (
    LONGEST_ASPECT,
    Fit,
    Fitted,
    fit_to_patches,
    limited_short_side,
    patch_at,
    patch_box,
    patch_grid,
)
from dino_core.images.tensors import IMAGENET_MEAN, IMAGENET_STD, from_tensor, to_tensor

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "LONGEST_ASPECT",
    "MAX_BYTES",
    "MAX_PIXELS",
    "Fit",
    "Fitted",
    "fit_to_patches",
    "from_tensor",
    "limited_short_side",
    "notes_of",
    "open_picture",
    "patch_at",
    "patch_box",
    "patch_grid",
    "to_tensor",
]
