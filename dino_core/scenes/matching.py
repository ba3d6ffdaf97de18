"""Screen 5, two pictures: which patches match, and which of the matches to draw."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dino_core.analysis.inspection import Inspection
from dino_core.analysis.side_by_side import matched
from dino_core.scenes.features import same_width, settings


@dataclass(frozen=True)
class MatchesScene:
    """Best matches by cosine similarity, both ways."""

    layer: int
    grid: tuple[int, int]
    second_grid: tuple[int, int]
    count: int  # mutual nearest neighbours
    radius: int  # patches, of the suppression
    foreground: bool  # whether lines start and end on the foreground only
    forward: np.ndarray  # int32 [P], the best patch of the second picture
    forward_similarity: np.ndarray  # float32 [P]
    backward: np.ndarray  # int32 [P'], the best patch of the first picture
    backward_similarity: np.ndarray  # float32 [P']
    mutual: np.ndarray  # uint8 [P], 1 where the best match of the best match is the patch itself
    lines: np.ndarray  # int32 [n], patches of the first picture to draw from, the best first


@torch.inference_mode()
def matches_scene(
    seen: Inspection,
    second: Inspection,
    layer: int,
    object_only: bool = True,
    preset: str = "paper",
    flip: bool = False,
    **changes: Any,
) -> MatchesScene:
    """With `object_only`, lines keep to what the joint PCA of these settings calls foreground."""
    features = same_width([picture.patches(layer).float() for picture in (seen, second)])
    config = settings(preset, flip, **changes) if object_only else None
    found = matched(features, [seen.grid, second.grid], config)
    matches = found.matches
    return MatchesScene(
        layer=layer,
        grid=seen.grid,
        second_grid=second.grid,
        count=int(matches.mutual.sum()),
        radius=found.radius,
        foreground=object_only,
        forward=matches.forward.cpu().numpy().astype(np.int32),
        forward_similarity=matches.forward_similarity.cpu().numpy(),
        backward=matches.backward.cpu().numpy().astype(np.int32),
        backward_similarity=matches.backward_similarity.cpu().numpy(),
        mutual=matches.mutual.cpu().numpy().astype(np.uint8),
        lines=found.lines.numpy().astype(np.int32),
    )
