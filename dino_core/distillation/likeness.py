"""The chosen pictures at each milestone, as the student says them, in the teacher's colours.

A PCA of the student's own features would choose its own colours at every milestone. Here the PCA is
the teacher's, fitted once, and what is shown is what the student says the teacher would answer: its
patch tokens through the linear map. The loss asks for their direction alone, so each is given the
length that the teacher's have on average, the root of their F channels. So the colours mean the
same from the first milestone to the last, and to the teacher, which is kept as a moment of its own,
`probes/teacher.npz`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from dino_core.analysis.pca import PCA, as_colours, colour_features
from dino_core.config import PCAConfig
from dino_core.distillation.student import Follower, Usual
from dino_core.embedding.preparation import middle_square
from dino_core.images import to_tensor
from dino_core.vit import VisionTransformer

ALL_PATCHES = PCAConfig(foreground=False)
Probes = Sequence[tuple[str, Image.Image]]


@dataclass(frozen=True)
class Palette:
    """The teacher's colours: its PCA over the chosen pictures, and its scores there."""

    pca: PCA
    scores: torch.Tensor  # [n, 3] of all its patches: their range is the range of colours


@torch.inference_mode()
def palette_of(teacher: VisionTransformer, probes: Probes, size: int) -> Palette:
    """From what the teacher makes of the pictures at its own size."""
    patch = teacher.config.patch_size
    images = torch.stack([to_tensor(middle_square(p, size, patch)) for _, p in probes])
    out = teacher(images.to(teacher.pos_embed))
    maps = list(out.patches.float().cpu())
    grid = teacher.patch_grid(images)
    found = colour_features(maps, [grid] * len(maps), ALL_PATCHES)
    return Palette(found.pca, torch.cat([one.scores.flatten(0, 1) for one in found.pictures]))


@torch.inference_mode()
def in_colours(palette: Palette, student: Follower, usual: Usual, inputs: np.ndarray) -> np.ndarray:
    """Pictures uint8 [n, H, W, 3] -> float32 [n, h, w, 3] in 0 to 1."""
    device = student.backbone.pos_embed.device
    images = torch.stack([to_tensor(Image.fromarray(one)) for one in inputs]).to(device)
    _, said = student(images)
    said = math.sqrt(said.shape[-1]) * F.normalize(said.float(), dim=-1)
    features = (said * usual.std[1] + usual.mean[1]).cpu()  # [n, P, F]
    scores = palette.pca.project(features.flatten(0, 1))[:, :3]
    both = torch.cat([palette.scores[:, :3], scores])
    asked = torch.arange(len(both)) < len(palette.scores)
    colours = as_colours(both, torch.ones(len(both), dtype=torch.bool), ALL_PATCHES, asked)
    grid = student.backbone.patch_grid(images)
    shown: np.ndarray = colours[len(palette.scores) :].view(len(inputs), *grid, 3).numpy()
    return shown
