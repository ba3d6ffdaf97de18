"""DINOv2, computed exactly and easy to see into.

The data's way, one file a step:

    images    file or bytes -> RGB picture <-> normalised [C, H, W]
    crops     picture -> 2 global and L local crops, with the decisions that made them
    masks     patch grid -> block masks, with the blocks in the order drawn
    vit       crops (+ masks) -> tokens, through patch embedding, positions and blocks
    heads     class tokens and masked patch tokens -> logits, one for each prototype
    targets   teacher's logits -> target distributions
    losses    DINO, iBOT and KoLeo
    schedules step -> learning rate, weight decay, momentum, teacher temperature

How they come together is on one page, `step/train_step.py`.

The alphabet of shapes, one meaning a letter, the same in every file:

    B  batch, in pictures       N  tokens, 1 + R + P (class token, registers, patches)
    C  channels                 D  width of a token
    H, W  pixels                A  attention heads
    h, w  patch grid            d  width of a head, D / A
    P  patches, h * w           T  transformer blocks (depth)
    R  registers                K  prototypes
    M  masked patches           G, L  global and local crops
    Y  classes                  r, c  grid of learned positions
    p  side of a patch, px      F  width of a feature vector, of D or several of them

    n, m  as many as are spoken of      k  a chosen few: components, neighbours, prototypes
    H', K', D' ...  the same of another kind: a local crop, the iBOT head, a second model

Everything is counted from 0, as the model does, wherever a person reads a number: blocks 0 to
T - 1, heads 0 to A - 1, rows and columns of patches from the top left, crops, prototypes, principal
components. "Layer 3" is what leaves block 3. Only words count otherwise ("the first block" is block
0), and "7 of 12" says how many there are.

Followed with numbers for ViT-S/14 at 224 px: a picture [3, 224, 224] is cut into a grid of
16 x 16 patches of 14 px, P = 256; with the class token N = 257 tokens of width D = 384, seen by
A = 6 heads of width d = 64 in each of T = 12 blocks. With R = 4 registers N is 261.

The floors: a file imports lower floors only, and files on one floor do not know each other.

    8  scenes  cli                                         one file per screen; the command line
    7  finetuning  distillation                            labels; a student under a teacher
    6  runs  gallery                                       a run, many pictures, as a folder
    5  evaluation  whatif  slow_motion                     how good? what if? a step line by line
    4  step  embedding  figures                            one step; pictures -> features; charts
    3  datasets  jobs                                      files of pictures; processes
    2  student_teacher  update  weights  analysis
    1  crops  masks  vit  heads  targets  losses  schedules  draw  writing
    0  config  images  assets  initialisation

The public names below are imported when they are first used, so that `import dino_core` is instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dino_core.analysis.inspection import Inspection, inspect
    from dino_core.crops import sample_crops
    from dino_core.figures.show import show
    from dino_core.images import fit_to_patches, open_picture, to_tensor
    from dino_core.masks import sample_block_mask, sample_block_masks, sample_masks
    from dino_core.vit import Edit, VisionTransformer, ViTOutput
    from dino_core.weights import load_backbone

_HOME = {
    "fit_to_patches": "images",
    "open_picture": "images",
    "to_tensor": "images",
    "sample_crops": "crops",
    "sample_block_mask": "masks",
    "sample_block_masks": "masks",
    "sample_masks": "masks",
    "Edit": "vit",
    "ViTOutput": "vit",
    "VisionTransformer": "vit",
    "load_backbone": "weights",
    "Inspection": "analysis.inspection",
    "inspect": "analysis.inspection",
    "show": "figures.show",
}

__all__ = [
    "Edit",
    "Inspection",
    "ViTOutput",
    "VisionTransformer",
    "fit_to_patches",
    "inspect",
    "load_backbone",
    "open_picture",
    "sample_block_mask",
    "sample_block_masks",
    "sample_crops",
    "sample_masks",
    "show",
    "to_tensor",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"dino_core has no public name {name!r}")
    return getattr(import_module(f"dino_core.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
