"""What attention maps say in numbers: rollout, entropy, mean distance.

All functions take rows of attention with the tokens in the model's order (class token, R registers,
P patches) and are told where the first patch stands, so that registers never count as places.
"""

import torch
from torch import Tensor

from dino_core.vit import attention_weights


def entropy(rows: Tensor) -> Tensor:
    """-sum p ln p of rows [..., N] that sum to 1 -> [...], in nats.

    0: all on one token. ln N: spread evenly.
    """
    return -torch.xlogy(rows, rows).sum(-1)


def mean_distance(
    attention: Tensor, grid: tuple[int, int], first_patch: int, patch_size: int
) -> Tensor:
    """How far a layer's heads look, in pixels: [A, N, N] -> [A].

    For every patch query the distances to all patches, weighted by its attention to them; the
    class token and the registers have no place and are left out on both sides, the rest is
    renormalised (Dosovitskiy et al. 2021, figure 7).
    """
    distances = patch_distances(grid, patch_size).to(attention)
    among = attention[:, first_patch:, first_patch:]  # [A, N, N] -> [A, P, P]
    among = among / among.sum(-1, keepdim=True).clamp_min(torch.finfo(among.dtype).tiny)
    return (among * distances).sum(-1).mean(-1)


def patch_distances(grid: tuple[int, int], patch_size: int) -> Tensor:
    """Distances between patch centres in pixels: [P, P]."""
    h, w = grid
    rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    places = torch.stack([rows, columns], -1).reshape(-1, 2).double() * patch_size  # [P, 2]
    return torch.cdist(places, places)


def rollout(queries: Tensor, keys: Tensor, token: int = 0) -> Tensor:
    """Attention followed through all blocks (Abnar and Zuidema 2020): [T, A, N, d] -> [N].

    Heads are averaged and the residual connection counts as half of every block:

        R = (A_L + I)/2 ... (A_2 + I)/2 (A_1 + I)/2,   of which the row of `token` is returned.

    Computed as a row vector going down through the blocks, one layer's map in memory at a time.
    The row sums to 1.
    """
    row = torch.zeros(keys.shape[2], dtype=keys.dtype, device=keys.device)
    row[token] = 1
    for q, k in zip(queries.flip(0), keys.flip(0), strict=True):
        row = (row @ attention_weights(q, k).mean(0) + row) / 2
    return row
