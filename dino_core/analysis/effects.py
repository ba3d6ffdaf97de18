"""What follows from a change inside the model: before and after, of one picture.

    seen = inspect(vit, images)                                    # one forward
    found = effects(vit, seen, [Edit("head", 0.0, block=8, unit=3)])  # a third of one
    found.cls_cosine, found.patch_cosine                           # 1: nothing has changed

The blocks before the first edit are not computed again: their streams are in the Inspection. Layer
features are those of the whole project: the stream after a block, through the final norm.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from PIL import Image
from torch import Tensor

from dino_core.analysis.inspection import Inspection, edited_scores
from dino_core.images import to_tensor
from dino_core.vit import Edit, VisionTransformer, ViTOutput, check_edits


@dataclass(frozen=True)
class Again:
    """The part of a forward that was computed again."""

    first: int  # block
    stream: Tensor  # [1, N, D] what entered it
    out: ViTOutput  # with a trace of every block from there on


@dataclass(frozen=True)
class Effects:
    """One picture before and after. Cosines are of features through the final norm, float32."""

    before: Inspection
    again: Again | None  # None where there was no edit
    cls_cosine: Tensor  # [] of the class token
    patch_cosine: Tensor  # [h, w]
    cls_cosine_by_layer: Tensor  # [T] of the class token after each block
    patch_cosine_by_layer: Tensor  # [T] mean over the patches

    @property
    def entry(self) -> int:
        """The first block that was computed again; T where there was no edit."""
        return self.before.layers if self.again is None else self.again.first

    @cached_property
    def after(self) -> Inspection:
        """What the edited forward leaves behind, put together when it is first asked for."""
        return self.before if self.again is None else _joined(self.before, self.again)


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
    again = _compute_again(vit, seen, edits, images) if edits else None
    cosines = torch.ones(seen.layers, 1 + seen.grid[0] * seen.grid[1], device=seen.normed.device)
    for layer, trace in () if again is None else again.out.traces.items():
        before = vit.norm(_class_and_patches(seen.tokens[layer], seen.grid))
        after = vit.norm(_class_and_patches(trace.tokens[0], seen.grid))
        cosines[layer] = 1 - cosine_distances(before, after)
    return Effects(
        before=seen,
        again=again,
        cls_cosine=cosines[-1, 0],
        patch_cosine=cosines[-1, 1:].unflatten(0, seen.grid),
        cls_cosine_by_layer=cosines[:, 0],
        patch_cosine_by_layer=cosines[:, 1:].mean(1),
    )


def entry_block(edits: Sequence[Edit], depth: int) -> int:
    """The first block that edits reach: 0 for those at the input, `depth` for none at all."""
    return min((0 if edit.block is None else edit.block for edit in edits), default=depth)


def _class_and_patches(tokens: Tensor, grid: tuple[int, int]) -> Tensor:
    """[N, D] -> [1 + P, D]: registers may have been left out on one side."""
    patches = grid[0] * grid[1]
    if len(tokens) == 1 + patches:
        return tokens
    return torch.cat([tokens[:1], tokens[-patches:]])


def cosine_distances(before: Tensor, after: Tensor) -> Tensor:
    """1 - cosine: [..., D], [..., D] -> [...], float32.

    With |a - b|^2 = (|a| - |b|)^2 + 2 |a| |b| (1 - cos): small changes keep their digits, and equal
    features have exactly 0.
    """
    a, b = before.float(), after.float()
    difference = a - b
    squares = torch.linalg.vecdot(difference, difference)
    lengths = torch.linalg.vecdot(a, a).sqrt(), torch.linalg.vecdot(b, b).sqrt()
    both = (2 * lengths[0] * lengths[1]).clamp_min(torch.finfo(torch.float32).tiny)
    return (squares - (lengths[0] - lengths[1]).square()) / both


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
    return _joined(seen, _compute_again(vit, seen, edits, images))


@torch.inference_mode()
def _compute_again(
    vit: VisionTransformer, seen: Inspection, edits: Sequence[Edit], images: Tensor | None
) -> Again:
    """The forward from the first edited block on."""
    check_edits(edits, vit.config, seen.grid)
    first = entry_block(edits, seen.layers - 1)
    inside = [edit for edit in edits if edit.block is not None]
    stream = (seen.tokens[first - 1] if first else seen.embedded)[None]
    if len(inside) < len(edits):
        if images is None:
            images = to_tensor(Image.fromarray(seen.pixels.numpy()))[None]
        stream = vit.embed(images.to(vit.pos_embed), edits=edits)
    blocks = range(first, seen.layers)
    return Again(
        first, stream, vit.resume(stream, seen.grid, first=first, trace=blocks, edits=inside)
    )


@torch.inference_mode()
def _joined(seen: Inspection, again: Again) -> Inspection:
    """What is before the first edited block, and after it what was computed again."""
    first, out = again.first, again.out

    def joined(before: Tensor, name: str) -> Tensor:
        new = torch.stack([getattr(trace, name)[0] for trace in out.traces.values()])
        return torch.cat([before[:first], new]) if first else new

    return replace(
        seen,
        tokens=joined(seen.tokens, "tokens"),
        normed=out.normed[0],
        embedded=again.stream[0] if first == 0 else seen.embedded,
        queries=joined(seen.queries, "queries"),
        keys=joined(seen.keys, "keys"),
        update_norms=joined(seen.update_norms, "update_norms"),
        registers=out.registers,
        scores=edited_scores(out),
    )
