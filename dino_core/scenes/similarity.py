"""How alike all patches are to one patch, in its picture or in another one."""

from dataclasses import dataclass

import numpy as np
import torch

from dino_core.analysis.inspection import Inspection
from dino_core.analysis.similarity import cosine_similarity


@dataclass(frozen=True)
class SimilarityScene:
    """Cosines of one layer's patch features with those of one patch."""

    layer: int
    row: int  # of the patch that is asked about, in its own picture
    column: int
    grid: tuple[int, int]  # of the picture that is shown
    similarity: np.ndarray  # float32 [h, w], -1 to 1


@torch.inference_mode()
def similarity_scene(
    seen: Inspection, layer: int, row: int, column: int, shown: Inspection | None = None
) -> SimilarityScene:
    """A patch of `seen` against all patches of `shown` (None: of its own picture), same model."""
    shown = shown or seen
    place = seen.token_at(row, column) - seen.first_patch
    found = cosine_similarity(seen.patches(layer)[[place]], shown.patches(layer))
    similarity = found.unflatten(1, shown.grid)[0].cpu().numpy()
    return SimilarityScene(layer, row, column, shown.grid, similarity)
