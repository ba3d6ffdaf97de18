"""What tokens are made of and how they grow: filters, positions, norms and their outliers.

    filter_components   the patch embedding's filters -> their principal components
    position_tables     the learned positions, and what a grid of another size is given
    stream_norms        length of every token between all blocks
    ordinary_patches    those whose length does not stand out
    neighbour_cosines   how much every patch is like the four beside it
    token_parts         lengths, neighbours and registers of a picture, all together

Filters: Dosovitskiy et al. 2021, figure 7. Outliers: Darcet et al. 2024, "Vision Transformers Need
Registers", section 2, who look at the same three things: lengths, neighbours, registers.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.analysis.inspection import Inspection
from dino_core.analysis.outliers import find_outliers
from dino_core.analysis.pca import fit_pca
from dino_core.vit import VisionTransformer, interpolate_positions

# --- patches


@dataclass(frozen=True)
class FilterComponents:
    """Principal components of the filters, largest first, each in the shape of a filter."""

    filters: Tensor  # [k, C, p, p], orthonormal when flattened
    ratio: Tensor  # [k] share of the filters' variance, 0 to 1


def filter_components(weight: Tensor, count: int = 28) -> FilterComponents:
    """Filters [D, C, p, p] of the patch embedding -> their components.

    Every filter is one point of C * p * p numbers. 28 is what figure 7 of the ViT paper shows.
    """
    pca = fit_pca(weight.flatten(1), count)
    return FilterComponents(pca.components.unflatten(1, weight.shape[1:]), pca.ratio)


def patch_embeddings(vit: VisionTransformer, seen: Inspection) -> Tensor:
    """What the patch embedding alone made of each patch, before its position was added: [P, D].

    Taken back from what enters the first block, so exact up to the rounding of one addition.
    """
    _, positions = position_tables(vit, seen.grid)
    return seen.embedded[seen.first_patch :] - positions.flatten(0, 1).to(seen.embedded)


# --- positions


@torch.inference_mode()
def position_tables(vit: VisionTransformer, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """(learned [r, c, D], as a picture of this grid is given them [h, w, D])."""
    config = vit.config
    learned = config.position_grid
    given = interpolate_positions(
        vit.pos_embed,
        grid,
        offset=config.position_offset,
        antialias=config.position_antialias,
        learned=learned,
    )
    return vit.pos_embed[0, 1:].unflatten(0, learned), given[0, 1:].unflatten(0, grid)


@torch.inference_mode()
def offset_effect(vit: VisionTransformer, grid: tuple[int, int]) -> float:
    """How much the offset of the official scale factor changes the positions of a grid.

    mean over patches of |p - q| / |q|, where p are the positions as given and q those that the
    same interpolation gives for offset 0. 0 for models whose offset is 0, and on the learned grid.
    """
    _, given = position_tables(vit, grid)
    config = vit.config
    exact = interpolate_positions(
        vit.pos_embed,
        grid,
        offset=0.0,
        antialias=config.position_antialias,
        learned=config.position_grid,
    )
    exact = exact[0, 1:].unflatten(0, grid)
    length = exact.norm(dim=-1).clamp_min(torch.finfo(exact.dtype).tiny)
    return float(((given - exact).norm(dim=-1) / length).mean())


def sampling_places(count: int, side: int, offset: float) -> Tensor:
    """Where `count` patches of a picture look in a row of `side` learned positions: [count].

    place = (i + 1/2) side / (count + offset) - 1/2, in learned cells counted from 0. An offset
    shrinks the step: the further down or right, the further it falls behind.
    """
    return (torch.arange(count, dtype=torch.float64) + 0.5) * side / (count + offset) - 0.5


# --- norms


def stream_norms(seen: Inspection) -> Tensor:
    """|x| of every token: [T + 1, N]. Row 0 is what enters the first block, row l leaves block l-1.

    The residual stream itself, not what the final norm makes of it.
    """
    return torch.cat([seen.embedded[None], seen.tokens]).norm(dim=-1)


def ordinary_patches(seen: Inspection, layer: int) -> Tensor:
    """Which patches do not stand out by the length of what leaves a block: bool [P]."""
    norms = seen.tokens[layer, seen.first_patch :].float().norm(dim=-1)
    return ~find_outliers(norms).mask


def relative_updates(seen: Inspection) -> Tensor:
    """What attention and the MLP of each block add, as a share of what enters it: [T, 2, N].

    |update| / |x|, x the token that enters the block. 1: the update is as long as the token.
    """
    entering = stream_norms(seen)[:-1, None]  # [T, 1, N]
    return seen.update_norms / entering.clamp_min(torch.finfo(entering.dtype).tiny)


def neighbour_cosines(patches: Tensor, grid: tuple[int, int]) -> Tensor:
    """Cosine of each patch with those above, right, below, left: [..., P, D] -> [..., P, 4].

    NaN where the picture ends. Darcet et al. 2024 (figure 5a) measure it right after the patch
    embedding: patches that become outliers there hardly differ from their neighbours.
    """
    units = F.normalize(patches, dim=-1).unflatten(-2, grid)  # [..., h, w, D]
    below = (units[..., :-1, :, :] * units[..., 1:, :, :]).sum(-1)  # [..., h - 1, w]
    right = (units[..., :, :-1, :] * units[..., :, 1:, :]).sum(-1)  # [..., h, w - 1]
    cosines = units.new_full((*units.shape[:-1], 4), torch.nan)
    cosines[..., 1:, :, 0] = below
    cosines[..., :, :-1, 1] = right
    cosines[..., :-1, :, 2] = below
    cosines[..., :, 1:, 3] = right
    return cosines.flatten(-3, -2)  # [..., h, w, 4] -> [..., P, 4]


def register_cosines(seen: Inspection) -> Tensor:
    """Cosine of each register with the class token: [T + 1, R], rows as in `stream_norms`."""
    stream = torch.cat([seen.embedded[None], seen.tokens])  # [T + 1, N, D]
    return F.cosine_similarity(stream[:, 1 : seen.first_patch], stream[:, :1], dim=-1)


# --- all together


@dataclass(frozen=True)
class TokenParts:
    """What each patch becomes before the first block, and how alike neighbours are after each."""

    embedding_norms: Tensor  # [h, w] lengths of filters . pixels + bias
    position_norms: Tensor  # [h, w]
    token_norms: Tensor  # [h, w] of the sum of both, which enters the first block
    neighbours: Tensor  # [T + 1, h, w, 4], see `neighbour_cosines`
    register_cosines: Tensor  # [T + 1, R]


@torch.inference_mode()
def token_parts(vit: VisionTransformer, seen: Inspection) -> TokenParts:
    """The tokens of a picture that this model has seen."""
    stream = torch.cat([seen.embedded[None], seen.tokens])[:, seen.first_patch :]  # [T + 1, P, D]
    return TokenParts(
        embedding_norms=patch_embeddings(vit, seen).norm(dim=-1).unflatten(0, seen.grid),
        position_norms=position_tables(vit, seen.grid)[1].norm(dim=-1),
        token_norms=seen.on_grid(stream_norms(seen)[0]),
        neighbours=neighbour_cosines(stream, seen.grid).unflatten(1, seen.grid),
        register_cosines=register_cosines(seen),
    )
