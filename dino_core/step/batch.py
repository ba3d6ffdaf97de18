"""What one training step is given: the crops of B pictures, and which patches are hidden."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from dino_core.config import GLOBAL_CROPS


@dataclass(frozen=True)
class Batch:
    """The crops of B pictures. Crops lie crop by crop: first crop of all pictures, then second.

    The official collate also pads the masked patches to a fixed number; the padding is thrown away
    behind the head and changes no number, so there is none here.
    """

    global_crops: Tensor  # [2B, C, H, W] normalised
    local_crops: Tensor  # [L B, C, H', W'], L may be 0
    masks: Tensor  # [2B, P] bool, True where the student sees the mask token
    mask_indices: Tensor  # [M] of the masked patches, counted through all 2B * P
    mask_weights: Tensor  # [M] 1 / number of masked patches of the same crop

    @classmethod
    def from_crops(cls, global_crops: Tensor, local_crops: Tensor, masks: Tensor) -> "Batch":
        """Works out the masks' indices and weights; masks bool [2B, P] or [2B, h, w]."""
        masks = masks.flatten(1)
        weights = 1 / masks.sum(dim=1, keepdim=True).clamp(min=1)  # [2B, 1]
        return cls(
            global_crops,
            local_crops,
            masks,
            mask_indices=masks.flatten().nonzero().flatten(),
            mask_weights=weights.expand(masks.shape)[masks].to(global_crops.dtype),
        )

    @property
    def pictures(self) -> int:
        """B."""
        return len(self.global_crops) // GLOBAL_CROPS

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "Batch":
        """On another device; crops and weights in another dtype if one is given."""
        moved = {f.name: getattr(self, f.name).to(device) for f in fields(self)}
        for name in ("global_crops", "local_crops", "mask_weights"):
            moved[name] = moved[name].to(dtype or moved[name].dtype)
        return Batch(**moved)
