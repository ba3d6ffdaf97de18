"""Frames of a film in one layer: the colours of one PCA, or what is tracked through them.

fitted = [fit_to_patches(picture, 14, 224) for picture in film.pictures]
features = list(frame_features(vit, fitted, layer=11))         # [P, D] each
in_one_basis(features, fitted, config).colours                 # [n, h, w, 3]
first = labels_from_patches(features[0], fitted[0].grid, [(6, 12)])
track(features, first, fitted[0]).masks                        # [n, H, W]
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.analysis.inspection import patch_features
from dino_core.analysis.pca import colour_features
from dino_core.analysis.propagation import grown, propagate, to_masks
from dino_core.config import PCAConfig, PropagationConfig
from dino_core.images import Fitted, to_tensor
from dino_core.vit import VisionTransformer
from dino_core.vit.between import current_check

MOST_LABELS = 12  # things that are tracked at once
DEFAULT = PropagationConfig()


@dataclass(frozen=True)
class FrameColours:
    """n frames in the basis of one PCA."""

    colours: Tensor  # float32 [n, h, w, 3], 0 to 1
    foreground: Tensor  # bool [n, h, w]
    ratio: Tensor  # float32 [k], share of the variance of each component


@dataclass(frozen=True)
class Tracked:
    """What was carried from the first frame on; label 0 is what is not tracked."""

    labels: Tensor  # float32 [n, k, h, w], shares of each label
    masks: Tensor  # uint8 [n, H, W], the strongest label at each pixel of the input


def frame_features(
    vit: VisionTransformer, fitted: Iterable[Fitted], layer: int
) -> Iterator[Tensor]:
    """Patch features [P, D] of each frame after one layer (from 0), through the final norm."""
    for one in fitted:
        yield patch_features(vit, to_tensor(one.picture), layer).float().cpu()


def in_one_basis(
    features: Sequence[Tensor], fitted: Sequence[Fitted], config: PCAConfig
) -> FrameColours:
    """One PCA over the patches of all frames. ValueError when there are too few of them."""
    found = colour_features(list(features), [one.grid for one in fitted], config)
    return FrameColours(
        torch.stack([view.colours.cpu() for view in found.pictures]),
        torch.stack([view.foreground.cpu() for view in found.pictures]),
        found.pca.ratio.cpu(),
    )


def labels_from_patches(
    features: Tensor,
    grid: tuple[int, int],
    patches: Sequence[tuple[int, int]],
    alike: float = 0.7,
) -> Tensor:
    """What hangs together with each of the patches and has a cosine of at least `alike` to it.

    Features [P, D] of the first frame -> labels [P, 1 + patches], one of which is 1. A patch that
    was named is of its own label, also where another has grown over it. ValueError for a patch that
    is not there, and for none or too many.
    """
    places = torch.zeros(grid[0] * grid[1], dtype=torch.int64)
    for number, place in enumerate(patches, 1):
        places[grown(features, grid, place, alike)] = number
    for number, (row, column) in enumerate(patches, 1):
        places[row * grid[1] + column] = number
    return one_hot(places)


def one_hot(places: Tensor) -> Tensor:
    """The number of a label for each patch, int64 [P], 0 for nothing -> labels [P, k].

    ValueError unless 1 to 12 things are tracked.
    """
    count = int(places.max()) + 1
    if not 2 <= count <= MOST_LABELS + 1:
        raise ValueError(f"1 to {MOST_LABELS} things are tracked, but here are {count - 1}.")
    return F.one_hot(places, count).float()


@torch.inference_mode()
def track(
    features: Sequence[Tensor],
    first: Tensor,
    fitted: Fitted,
    config: PropagationConfig = DEFAULT,
) -> Tracked:
    """Labels [P, k] of the first frame, carried to all: see `propagation`."""
    grid, size = fitted.grid, (fitted.picture.height, fitted.picture.width)
    check = current_check()
    labels = []
    for one in propagate(features, first, grid, config):
        labels.append(one)
        if check:
            check()
    masks = [to_masks(one, grid, size).to(torch.uint8) for one in labels]
    shares = torch.stack(labels).transpose(1, 2).unflatten(2, grid)  # [n, P, k] -> [n, k, h, w]
    return Tracked(shares, torch.stack(masks))
