"""The welcome: a picture's patches in the colours of their components, and how alike they are."""

from dataclasses import dataclass

import numpy as np
import torch

from dino_core.analysis.similarity import short_directions
from dino_core.scenes.features import features_scene
from dino_core.scenes.picture import OpenPicture

WIDTH = 64  # numbers of a short direction
SHORT_SIDE = 518  # px: the grid of the learned positions, 37 patches of 14 px


@dataclass(frozen=True)
class WelcomeScene:
    """The PCA of the last layer, and directions short enough to be sent with the document."""

    short_side: int  # px that the model was given
    grid: tuple[int, int]
    layer: int
    colours: np.ndarray  # uint8 [h, w, 3], background black
    foreground: np.ndarray  # uint8 [h, w], 1 where foreground
    codes: np.ndarray  # int8 [P, WIDTH]; times `scales`, the dot products are about the cosines
    scales: np.ndarray  # float32 [WIDTH]


@torch.inference_mode()
def welcome_scene(picture: OpenPicture) -> WelcomeScene:
    """The recipe of the paper, on the last layer."""
    seen = picture.seen
    layer = seen.layers - 1
    painted = features_scene(seen, layer)
    codes, scales = short_directions(seen.patches(layer), WIDTH)
    return WelcomeScene(
        short_side=picture.scene.short_side,
        grid=seen.grid,
        layer=layer,
        colours=painted.colours,
        foreground=painted.foreground,
        codes=codes.cpu().numpy(),
        scales=scales.cpu().numpy(),
    )
