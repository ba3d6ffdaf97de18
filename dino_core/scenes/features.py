"""Screen 5: patch features as colours."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from dino_core.analysis.inspection import Inspection
from dino_core.analysis.pca import colour_features
from dino_core.config import PCA_PRESETS
from dino_core.draw.pictures import to_bytes


@dataclass(frozen=True)
class FeaturesScene:
    """The PCA of one layer's patch features."""

    layer: int
    preset: str
    grid: tuple[int, int]
    colours: np.ndarray  # uint8 [h, w, 3], background black
    foreground: np.ndarray  # uint8 [h, w], 1 where foreground
    scores: np.ndarray  # float32 [h, w, 3], the projection on the components shown
    ratio: np.ndarray  # float32 [k], share of the variance that each component explains
    note: str


@dataclass(frozen=True)
class PatchesScene:
    """One layer's patch features of length 1: their dot products are cosine similarities."""

    layer: int
    grid: tuple[int, int]
    directions: np.ndarray  # float32 [P, D]


@torch.inference_mode()
def features_scene(
    seen: Inspection, layer: int, preset: str = "paper", flip: bool = False
) -> FeaturesScene:
    """ValueError for an unknown preset or layer."""
    if preset not in PCA_PRESETS:
        raise ValueError(f"A preset is one of {', '.join(PCA_PRESETS)}, but is {preset!r}.")
    config = replace(PCA_PRESETS[preset], flip=flip)
    result = colour_features([seen.patches(layer).float()], [seen.grid], config)
    view = result.pictures[0]
    return FeaturesScene(
        layer=layer,
        preset=preset,
        grid=seen.grid,
        colours=to_bytes(view.colours.cpu().numpy()),
        foreground=view.foreground.cpu().numpy().astype(np.uint8),
        scores=view.scores[..., list(config.components)].cpu().numpy(),
        ratio=result.pca.ratio.cpu().numpy(),
        note=result.note,
    )


@torch.inference_mode()
def patches_scene(seen: Inspection, layer: int) -> PatchesScene:
    patches = seen.patches(layer).float()  # [P, D]
    directions = torch.nn.functional.normalize(patches, dim=-1)
    return PatchesScene(layer=layer, grid=seen.grid, directions=directions.cpu().numpy())
