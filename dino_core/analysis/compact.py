"""All attention of a picture in few bytes: queries and keys as small integers.

Any row of attention follows from queries and keys, which are far smaller than the rows. In float32
they are 9.5 MB for ViT-S/14 at 224 px; as integers of 8 bits a quarter of that. What the softmax
does not see is used first, so that the integers spend their precision on what it does:

    q . (k - m) = q . k - q . m      the same for all keys: keys are moved to mean 0
    (q / s) . (s k) = q . k          channel by channel: queries and keys are made equally large
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dino_core.analysis.inspection import Inspection
from dino_core.vit import attention_weights


@dataclass(frozen=True)
class CompactAttention:
    """Queries and keys as integers of -levels to levels, with a scale for each token and head."""

    queries: np.ndarray  # int8 [T, A, N, d]
    keys: np.ndarray  # int8 [T, A, N, d]
    query_scales: np.ndarray  # float32 [T, A, N], value = integer * scale
    key_scales: np.ndarray  # float32 [T, A, N]
    levels: int
    error: float  # the largest difference of any weight, over all rows, 0 to 1


@torch.inference_mode()
def compact_attention(seen: Inspection, levels: int = 127) -> CompactAttention:
    """Queries and keys of all layers as integers, and how far off the attention is."""
    if not 1 <= levels <= 127:
        raise ValueError(f"Integers of 8 bits have 1 to 127 levels, not {levels}.")
    queries, keys = balanced(seen.queries.float().cpu(), seen.keys.float().cpu())
    small_q, scale_q = as_integers(queries, levels)
    small_k, scale_k = as_integers(keys, levels)
    error = 0.0
    for layer in range(seen.layers):  # one layer's maps in memory at a time
        got = attention_weights(
            small_q[layer] * scale_q[layer, ..., None], small_k[layer] * scale_k[layer, ..., None]
        )
        error = max(error, float((got - seen.attention(layer).float().cpu()).abs().max()))
    return CompactAttention(
        queries=small_q.numpy(),
        keys=small_k.numpy(),
        query_scales=scale_q.numpy(),
        key_scales=scale_k.numpy(),
        levels=levels,
        error=error,
    )


def balanced(queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """[T, A, N, d] each -> others with the same attention, which are easier to round."""
    keys = keys - keys.mean(-2, keepdim=True)
    large_q, large_k = (part.abs().amax(-2, keepdim=True) for part in (queries, keys))
    factor = (large_k / large_q.clamp_min(1e-12)).sqrt().clamp(1e-3, 1e3)
    return queries * factor, keys / factor


def as_integers(values: Tensor, levels: int) -> tuple[Tensor, Tensor]:
    """[..., d] -> int8 [..., d] and scales [...], the largest of each becomes `levels`."""
    scale = values.abs().amax(-1).clamp_min(1e-12) / levels
    return (values / scale[..., None]).round().to(torch.int8), scale
