"""Block masks against scattered ones: how much is left beside a hidden patch to guess it from."""

import torch
from torch import Tensor


def visible_neighbours(mask: Tensor) -> float:
    """Mean number of visible neighbours of a hidden patch, 0 to 4; 0 when nothing is hidden.

    Neighbours are the patches above, below, left and right. A grid bool [h, w], true where hidden.
    """
    h, w = mask.shape
    visible = torch.zeros(h + 2, w + 2)  # nothing is to be seen outside the grid
    visible[1:-1, 1:-1] = (~mask).float()
    around = visible[:-2, 1:-1] + visible[2:, 1:-1] + visible[1:-1, :-2] + visible[1:-1, 2:]
    return around[mask].mean().item() if mask.any() else 0.0
