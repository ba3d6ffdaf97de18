"""Screen 3: how a picture becomes tokens, where they stand, and what the blocks do to them.

    patches_scene     the picture as cut, the filters that look at the patches, how it was fitted
    positions_scene   the learned positions, and those that a picture of this grid is given
    blocks_scene      shapes at each step, lengths of all tokens in all layers, outliers, registers

A page that holds the pixels and the filters can compute any number of any patch's embedding by
itself, e[k] = filter k . pixels + bias k, so these are what it is given.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_args

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from dino_core.analysis.inspection import Inspection
from dino_core.analysis.outliers import find_outliers
from dino_core.analysis.tokens import (
    filter_components,
    neighbour_cosines,
    offset_effect,
    patch_embeddings,
    position_tables,
    register_cosines,
    relative_updates,
    sampling_places,
    stream_norms,
)
from dino_core.figures.layers import block_updates, token_lengths
from dino_core.figures.theme import Theme
from dino_core.images import IMAGENET_MEAN, IMAGENET_STD, Fit, Fitted, fit_to_patches
from dino_core.scenes.facts import WalkFacts
from dino_core.scenes.picture import OpenPicture
from dino_core.vit import Block, Mlp, SwiGLU, VisionTransformer

if TYPE_CHECKING:
    import plotly.graph_objects as go

OUTLIER_SIGMAS = 4.0


@dataclass(frozen=True)
class FitFacts:
    """One way to bring the picture to whole patches. Sizes are (width, height), px."""

    how: Fit
    input_size: tuple[int, int] | None  # None: this way does not work for this picture
    grid: tuple[int, int] | None  # (h, w)
    scale: tuple[float, float]  # along x and y: input = source * scale + offset
    offset: tuple[float, float]
    words: str


@dataclass(frozen=True)
class PatchesScene:
    """The picture in patches, and the filters that make a vector of each."""

    grid: tuple[int, int]
    patch_size: int
    source_size: tuple[int, int]
    input_size: tuple[int, int]
    learned_grid: tuple[int, int]  # rows and columns of the learned positions
    fits: list[Annotated[dict[str, Any], FitFacts]]  # the first is the one in use
    mean: tuple[float, ...]  # of the normalisation (pixel / 255 - mean) / std
    std: tuple[float, ...]
    pixels: np.ndarray  # uint8 [H, W, 3] what the model is given, before normalisation
    filters: np.ndarray  # float32 [D, 3, p, p]
    bias: np.ndarray  # float32 [D]
    components: np.ndarray  # float32 [k, 3, p, p], orthonormal when flattened
    ratio: np.ndarray  # float32 [k], share of the filters' variance
    embedding_norms: np.ndarray  # float32 [P], of filters . pixels + bias
    position_norms: np.ndarray  # float32 [P]
    token_norms: np.ndarray  # float32 [P], of the sum of both, which enters the first block


@dataclass(frozen=True)
class PositionsScene:
    """Position embeddings of length 1: their dot products are cosine similarities."""

    learned_grid: tuple[int, int]  # rows and columns of the learned positions
    grid: tuple[int, int]
    untouched: bool  # the grid is the learned one: nothing was interpolated
    offset: float
    antialias: bool
    scale: tuple[float, float]  # down and across: (h + offset) / r, (w + offset) / c
    effect: float  # mean relative change of the positions by the offset
    rows: np.ndarray  # float32 [h], which learned row each row of patches looks at
    columns: np.ndarray  # float32 [w]
    learned: np.ndarray  # float32 [r * c, D]
    given: np.ndarray  # float32 [P, D]
    learned_norms: np.ndarray  # float32 [r * c]
    given_norms: np.ndarray  # float32 [P]


@dataclass(frozen=True)
class BlocksScene:
    """The walk through the blocks. Step 0 enters the first block, step l + 1 leaves block l."""

    grid: tuple[int, int]
    registers: int
    sigmas: float  # an outlier's norm is above median + sigmas * 1.4826 MAD
    steps: list[Annotated[dict[str, Any], WalkFacts]]
    norms: np.ndarray  # float32 [T + 1, N]
    updates: np.ndarray  # float32 [T, 2, N], attention's and the MLP's, relative to what enters
    median: np.ndarray  # float32 [T + 1], of the patches' norms
    sigma: np.ndarray  # float32 [T + 1]
    threshold: np.ndarray  # float32 [T + 1]
    neighbours: np.ndarray  # float32 [T + 1, P, 4], cosines above, right, below, left; NaN outside
    embedding_neighbours: np.ndarray  # float32 [P, 4], the same before positions were added
    register_cosines: np.ndarray  # float32 [T + 1, R], with the class token

    def charts(self, theme: Theme) -> "dict[str, go.Figure]":
        """How long the tokens are, and what each block adds; the curve of one patch is empty."""
        return {
            "lengths": token_lengths(self.norms, self.registers, theme=theme),
            "updates": block_updates(self.updates, self.registers, theme),
        }


@torch.inference_mode()
def patches_scene(vit: VisionTransformer, opened: OpenPicture) -> PatchesScene:
    seen, proj = opened.seen, vit.patch_embed.proj
    assert proj.bias is not None
    components = filter_components(proj.weight)
    _, positions = position_tables(vit, seen.grid)
    return PatchesScene(
        grid=seen.grid,
        patch_size=seen.patch_size,
        source_size=opened.source.size,
        input_size=opened.fitted.picture.size,
        learned_grid=vit.config.position_grid,
        fits=[
            asdict(fit_facts(opened.source, seen.patch_size, opened.scene.short_side, how))
            for how in get_args(Fit)
        ],
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        pixels=np.asarray(opened.fitted.picture),
        filters=numbers(proj.weight),
        bias=numbers(proj.bias),
        components=numbers(components.filters),
        ratio=numbers(components.ratio),
        embedding_norms=numbers(patch_embeddings(vit, seen).norm(dim=-1)),
        position_norms=numbers(positions.flatten(0, 1).norm(dim=-1)),
        token_norms=numbers(stream_norms(seen)[0, seen.first_patch :]),
    )


def fit_facts(source: Image.Image, patch_size: int, short_side: int, how: Fit) -> FitFacts:
    """What one way of fitting would do to this picture, in numbers and in a sentence."""
    blank = Image.new("1", source.size)  # where pixels go is asked, not which: quick to scale
    try:
        fitted = fit_to_patches(blank, patch_size, short_side, how)
    except ValueError as error:  # too narrow to be cropped
        return FitFacts(how, None, None, (1, 1), (0, 0), str(error))
    return FitFacts(
        how=how,
        input_size=fitted.picture.size,
        grid=fitted.grid,
        scale=fitted.scale,
        offset=fitted.offset,
        words=fit_sentence(fitted, how),
    )


def fit_sentence(fitted: Fitted, how: Fit) -> str:
    """What was lost or added: nothing, some shape, some room, or some of the picture."""
    H, W = fitted.source_size
    x0, y0, x1, y1 = fitted.source_box
    if how == "resize":
        stretch = max(fitted.scale) / min(fitted.scale) - 1
        return f"All is seen; shapes are stretched by {100 * stretch:.1f} %."
    if how == "pad":
        right = fitted.picture.width - round(W * fitted.scale[0])
        below = fitted.picture.height - round(H * fitted.scale[1])
        return f"All is seen; {right} px of grey on the right, {below} px below."
    share = (x1 - x0) * (y1 - y0) / (W * H)
    return f"{100 * share:.1f} % of the picture is seen, the middle of it."


@torch.inference_mode()
def positions_scene(vit: VisionTransformer, seen: Inspection) -> PositionsScene:
    config, (h, w) = vit.config, seen.grid
    learned, given = (table.flatten(0, 1) for table in position_tables(vit, seen.grid))
    (r, c), untouched = config.position_grid, seen.grid == config.position_grid
    offset = 0.0 if untouched else config.position_offset
    return PositionsScene(
        learned_grid=(r, c),
        grid=seen.grid,
        untouched=untouched,
        offset=config.position_offset,
        antialias=config.position_antialias,
        scale=((h + offset) / r, (w + offset) / c),
        effect=offset_effect(vit, seen.grid),
        rows=numbers(sampling_places(h, r, offset)),
        columns=numbers(sampling_places(w, c, offset)),
        learned=numbers(F.normalize(learned.float(), dim=-1)),
        given=numbers(F.normalize(given.float(), dim=-1)),
        learned_norms=numbers(learned.norm(dim=-1)),
        given_norms=numbers(given.norm(dim=-1)),
    )


@torch.inference_mode()
def blocks_scene(vit: VisionTransformer, seen: Inspection) -> BlocksScene:
    norms = stream_norms(seen).float()
    outliers = find_outliers(norms[:, seen.first_patch :], OUTLIER_SIGMAS)
    stream = torch.cat([seen.embedded[None], seen.tokens])[:, seen.first_patch :]  # [T + 1, P, D]
    return BlocksScene(
        grid=seen.grid,
        registers=seen.registers,
        sigmas=OUTLIER_SIGMAS,
        steps=walk(vit, seen),
        norms=numbers(norms),
        updates=numbers(relative_updates(seen)),
        median=numbers(outliers.median),
        sigma=numbers(outliers.sigma),
        threshold=numbers(outliers.threshold),
        neighbours=numbers(neighbour_cosines(stream, seen.grid)),
        embedding_neighbours=numbers(neighbour_cosines(patch_embeddings(vit, seen), seen.grid)),
        register_cosines=numbers(register_cosines(seen)),
    )


def walk(vit: VisionTransformer, seen: Inspection) -> list[dict[str, Any]]:
    """The shapes on the way. `part` says whether a step comes before, in or after the blocks."""
    (h, w), p, R = seen.grid, seen.patch_size, seen.registers
    P, D, A, d = h * w, vit.config.dim, seen.heads, vit.config.head_dim
    N = 1 + R + P
    steps: list[tuple[str, str, list[int]]] = [
        ("before", "picture", [vit.config.channels, h * p, w * p]),
        ("before", "patch embedding", [P, D]),
        ("before", "+ class token", [1 + P, D]),
        ("before", "+ positions", [1 + P, D]),
    ]
    if R:
        steps.append(("before", "+ registers", [N, D]))
    steps += [
        ("block", "queries, keys, values, each", [A, N, d]),
        ("block", "attention maps", [A, N, N]),
        ("block", "+ attention's update", [N, D]),
        ("block", "inside the MLP", [N, hidden_width(vit)]),
        ("block", "+ the MLP's update", [N, D]),
        ("after", "final norm", [N, D]),
        ("after", "class token", [D]),
        ("after", "patches, as a map", [h, w, D]),
    ]
    return [{"part": part, "name": name, "shape": shape} for part, name, shape in steps]


def hidden_width(vit: VisionTransformer) -> int:
    """Numbers of a token between the two maps of an MLP."""
    block = vit.blocks[0]
    assert isinstance(block, Block)
    if isinstance(block.mlp, SwiGLU):
        return block.mlp.w3.in_features
    assert isinstance(block.mlp, Mlp)
    return block.mlp.fc2.in_features


def numbers(tensor: Tensor) -> np.ndarray:
    """As float32, on the CPU."""
    return tensor.detach().float().cpu().numpy()
