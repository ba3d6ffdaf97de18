"""One forward of a batch -> what is kept of it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dino_core.vit import VisionTransformer


@dataclass(frozen=True)
class Features:
    """Everything after the final norm, float32 unless said otherwise, on the CPU."""

    cls: Tensor  # [B, D]
    mean_patch: Tensor  # [B, D]
    layers: Tensor | None  # float16 [B, L, 2, D]: class token and mean patch after each block
    patches: Tensor | None  # float16 [B, P, D]


@torch.inference_mode()
def features_of(
    vit: VisionTransformer, images: Tensor, layers: bool = False, patches: bool = False
) -> Features:
    """Normalised [B, 3, H, W] -> Features.

    Layers are traced, which holds queries, keys and tokens of all blocks until the end: 19 MB a
    picture for ViT-S at 224 px. Callers that want them take small batches (`LAYERS_AT_ONCE`).
    """
    depth = vit.config.depth
    out = vit(images, trace=range(depth) if layers else ())
    by_layer = None
    if layers:
        kept = []
        for index in range(depth):
            normed = vit.norm(out.traces[index].tokens)  # [B, N, D]
            kept.append(torch.stack([normed[:, 0], normed[:, out.first_patch :].mean(1)], 1))
        by_layer = torch.stack(kept, 1).half().cpu()  # L x [B, 2, D] -> [B, L, 2, D]
    return Features(
        cls=out.cls.float().cpu(),
        mean_patch=out.patches.float().mean(1).cpu(),
        layers=by_layer,
        patches=out.patches.half().cpu() if patches else None,
    )


LAYERS_AT_ONCE = 16  # pictures in one forward whose layers are wanted
