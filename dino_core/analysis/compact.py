"""All attention of a picture in few bytes: queries and keys as small integers.

Any row of attention follows from queries and keys, which are far smaller than the rows. In float32
they are 9.5 MB for ViT-S/14 at 224 px; rounded here and packed they take a fifth of that. What the
softmax does not see is used first, so that the integers spend their precision on what it does:

    q . (k - m) = q . k - q . m      the same for all keys: keys are moved to mean 0
    (q R) . (k R^-T) = q . k         any basis will do: Q' = U sqrt(S) and K' = V sqrt(S), of the
                                     singular value decomposition Q K^T = U S V^T

In that basis queries are as large as keys, and nearly all that there is lies in a few channels: one
step for a whole head leaves integers that are small nearly everywhere, and 0 in most channels.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dino_core.analysis.inspection import Inspection
from dino_core.vit import attention_weights

LARGEST = 32767  # of an integer


class Balanced(NamedTuple):
    """Queries and keys with the same attention, which are easy to round: c = min(d, N) channels."""

    queries: Tensor  # float64 [T, A, N, c]
    keys: Tensor  # float64 [T, A, N, c]
    scale: float  # of q . k before the softmax, 1 / sqrt(d)


@dataclass(frozen=True)
class CompactAttention:
    """Queries and keys as integers, channel by channel, with a step for each head."""

    queries: np.ndarray  # int16 [T, A, c, N], value = integer * step
    keys: np.ndarray  # int16 [T, A, c, N]
    steps: np.ndarray  # float32 [T, A]
    scale: float  # of q . k before the softmax
    noise: float  # standard deviation that rounding was to bring about before the softmax


@torch.inference_mode()
def balanced(seen: Inspection) -> Balanced:
    """Queries and keys of all layers in the basis that is described above."""
    queries, keys = seen.queries.double().cpu(), seen.keys.double().cpu()
    keys = keys - keys.mean(-2, keepdim=True)
    own_q, mixed_q = torch.linalg.qr(queries)  # [T, A, N, c], [T, A, c, d]
    own_k, mixed_k = torch.linalg.qr(keys)
    U, S, Vh = torch.linalg.svd(mixed_q @ mixed_k.mT)
    root = S.sqrt()[..., None, :]
    return Balanced(own_q @ U * root, own_k @ Vh.mT * root, queries.shape[-1] ** -0.5)


def compact_attention(parts: Balanced, noise: float) -> CompactAttention:
    """Rounded so that q . k / sqrt(d) is off by `noise` on average (root mean square).

    A step s of a head has an error of s^2 / 12 in each number, and its scores one of
    s^2 / 12 * (mean |q|^2 + mean |k|^2) / d.
    """
    if noise <= 0:
        raise ValueError(f"Rounding leaves a noise above 0, not {noise}.")
    both = torch.stack([parts.queries, parts.keys])  # [2, T, A, N, c]
    lengths = both.square().sum(-1).mean(-1).sum(0).sqrt()  # [T, A]
    steps = noise * 12**0.5 / (parts.scale * lengths.clamp_min(1e-12))
    steps = torch.maximum(steps, both.abs().amax((0, 3, 4)) / LARGEST).float()
    whole = (both / steps[None, :, :, None, None]).round().to(torch.int16).mT.contiguous().numpy()
    return CompactAttention(whole[0], whole[1], steps.numpy(), parts.scale, noise)


@torch.inference_mode()
def largest_error(seen: Inspection, compact: CompactAttention) -> float:
    """How far any weight of any row is off, 0 to 1."""
    error = 0.0
    scale = compact.scale * compact.keys.shape[2] ** 0.5  # which `attention_weights` divides by
    for layer in range(seen.layers):  # one layer's maps in memory at a time
        step = torch.from_numpy(compact.steps[layer])[:, None, None]
        queries, keys = (
            torch.from_numpy(part[layer]).mT.float() * step
            for part in (compact.queries, compact.keys)
        )
        got = attention_weights(queries * scale, keys)
        error = max(error, float((got - seen.attention(layer).float().cpu()).abs().max()))
    return error
