"""What follows from a change inside the model: before and after, of one picture.

    seen = inspect(vit, images)                                    # one forward
    found = effects(vit, seen, [Edit("head", 0.0, block=8, unit=3)])  # a third of one
    found.cls_cosine, found.patch_cosine                           # 1: nothing has changed

The blocks before the first edit are not computed again: their streams are in the Inspection. Layer
features are those of the whole project: the stream after a block, through the final norm.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from dino_core.analysis.inspection import Inspection, edited_scores
from dino_core.analysis.similarity import directions
from dino_core.images import to_tensor
from dino_core.vit import Edit, VisionTransformer, check_edits


@dataclass(frozen=True)
class Effects:
    """One picture before and after. Cosines are of features through the final norm, float32."""

    before: Inspection
    after: Inspection
    entry: int  # the first block that was computed again; T where there was no edit
    cls_cosine: Tensor  # [] of the class token
    patch_cosine: Tensor  # [h, w]
    cls_cosine_by_layer: Tensor  # [T] of the class token after each block
    patch_cosine_by_layer: Tensor  # [T] mean over the patches


@torch.inference_mode()
def effects(
    vit: VisionTransformer,
    seen: Inspection,
    edits: Sequence[Edit],
    *,
    images: Tensor | None = None,
) -> Effects:
    """What the edits change of a picture that was looked at, without masks and without edits.

    `images` [1, 3, H, W] is what `seen` was made of: needed for edits at the input alone, and there
    only if it was no picture of whole pixel values. ValueError for an edit of what is not there.
    """
    entry = entry_block(edits, seen.layers)
    after = inspect_again(vit, seen, edits, images=images) if edits else seen
    cosines = torch.ones(seen.layers, 1 + seen.grid[0] * seen.grid[1], device=seen.normed.device)
    for layer in range(entry, seen.layers):
        pair = [vit.norm(_class_and_patches(one.tokens[layer], one)) for one in (seen, after)]
        cosines[layer] = 1 - cosine_distances(*pair)
    return Effects(
        before=seen,
        after=after,
        entry=entry,
        cls_cosine=cosines[-1, 0],
        patch_cosine=cosines[-1, 1:].unflatten(0, seen.grid),
        cls_cosine_by_layer=cosines[:, 0],
        patch_cosine_by_layer=cosines[:, 1:].mean(1),
    )


def entry_block(edits: Sequence[Edit], depth: int) -> int:
    """The first block that edits reach: 0 for those at the input, `depth` for none at all."""
    return min((0 if edit.block is None else edit.block for edit in edits), default=depth)


def _class_and_patches(tokens: Tensor, seen: Inspection) -> Tensor:
    """[N, D] -> [1 + P, D]: registers may have been left out on one side."""
    return torch.cat([tokens[:1], tokens[seen.first_patch :]]) if seen.registers else tokens


def cosine_distances(before: Tensor, after: Tensor) -> Tensor:
    """1 - cosine: [..., D], [..., D] -> [...], float32.

    As |u - v|^2 / 2 of the directions u and v: small changes keep their digits, and equal features
    have exactly 0.
    """
    difference = directions(before) - directions(after)
    return torch.linalg.vecdot(difference, difference) / 2


@torch.inference_mode()
def inspect_again(
    vit: VisionTransformer,
    seen: Inspection,
    edits: Sequence[Edit],
    *,
    images: Tensor | None = None,
) -> Inspection:
    """The Inspection of the edited forward; what lies before the first edit is taken over.

    It equals `inspect(vit, images, edits=edits)`, number by number.
    """
    check_edits(edits, vit.config, seen.grid)
    first = entry_block(edits, seen.layers - 1)
    inside = [edit for edit in edits if edit.block is not None]
    stream = (seen.tokens[first - 1] if first else seen.embedded)[None]
    if len(inside) < len(edits):
        if images is None:
            images = to_tensor(Image.fromarray(seen.pixels.numpy()))[None]
        stream = vit.embed(images.to(vit.pos_embed), edits=edits)
    out = vit.resume(stream, seen.grid, first=first, trace=range(first, seen.layers), edits=inside)
    traces = [out.traces[layer] for layer in range(first, seen.layers)]

    def joined(before: Tensor, name: str) -> Tensor:
        new = torch.stack([getattr(trace, name)[0] for trace in traces])
        return torch.cat([before[:first], new]) if first else new

    return replace(
        seen,
        tokens=joined(seen.tokens, "tokens"),
        normed=out.normed[0],
        embedded=stream[0] if first == 0 else seen.embedded,
        queries=joined(seen.queries, "queries"),
        keys=joined(seen.keys, "keys"),
        update_norms=joined(seen.update_norms, "update_norms"),
        registers=out.registers,
        scores=edited_scores(out),
    )
