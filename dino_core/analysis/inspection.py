"""Expensive once, cheap often: one forward for a picture and a model, then look-ups.

    seen = inspect(vit, images)               # one forward, [1, 3, H, W]
    seen.cls_rows()                           # what the class token attends to, everywhere
    seen.rows(seen.token_at(3, 7))            # what the patch in row 3, column 7 attends to
    seen.patches(layer=8)                     # its features after block 8
    seen.show("pca", layer=8)                 # the same as a figure for print

Numbers for ViT-S/14 at 518 px, float32: 12 layers of 1370 tokens of width 384 are 25 MB; queries
and keys 25 MB each. Full attention maps would be 541 MB; any row of them follows from those.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dino_core.images import from_tensor
from dino_core.vit import (
    Block,
    Edit,
    VisionTransformer,
    ViTOutput,
    attention_rows,
    attention_weights,
    check_range,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Inspection:
    """What one picture leaves behind in one model."""

    tokens: Tensor  # [T, N, D] the residual stream that leaves each block
    normed: Tensor  # [N, D] after the final norm
    embedded: Tensor  # [N, D] what enters the first block
    queries: Tensor  # [T, A, N, d]
    keys: Tensor  # [T, A, N, d]
    update_norms: Tensor  # [T, 2, N] lengths of what attention and the MLP of a block added
    pixels: Tensor  # uint8 [H, W, 3] what the model was given, before normalisation
    norm: torch.nn.Module  # the final norm, a part of the model
    grid: tuple[int, int]  # (h, w)
    registers: int
    patch_size: int
    scores: Mapping[int, Sequence[Edit]] = field(default_factory=dict)  # by layer, where changed

    def __repr__(self) -> str:
        """In a line: what was looked at, and where its numbers are."""
        (h, w), p = self.grid, self.patch_size
        return (
            f"Inspection of {h * p} x {w * p} px: {h} x {w} patches of {p} px, {self.layers} layers"
            f" of {self.tokens.shape[1]} tokens of width {self.tokens.shape[2]}, {self.heads} heads"
        )

    @property
    def layers(self) -> int:
        return self.keys.shape[0]

    @property
    def heads(self) -> int:
        return self.keys.shape[1]

    @property
    def first_patch(self) -> int:
        """Index of the first patch token, 1 + R."""
        return 1 + self.registers

    @cached_property
    def digest(self) -> str:
        """Of the picture, as the model was given it: its size and its pixels."""
        told = f"{tuple(self.pixels.shape)}".encode() + self.pixels.numpy().tobytes()
        return hashlib.blake2b(told, digest_size=16).hexdigest()

    @property
    def nbytes(self) -> int:
        kept = [self.tokens, self.normed, self.embedded, self.queries, self.keys]
        kept += [self.update_norms, self.pixels]
        return sum(tensor.numel() * tensor.element_size() for tensor in kept)

    def token_at(self, row: int, column: int) -> int:
        """Index of a patch's token. ValueError outside the grid."""
        return token_of((row, column), self.grid, self.first_patch)

    def rows(self, token: int) -> Tensor:
        """What one token attends to in every layer and head: [T, A, N], sums to 1 over N."""
        check_range("token", [token], self.keys.shape[2])
        if not self.scores:
            return attention_weights(self.queries[:, :, [token]], self.keys)[:, :, 0]
        return torch.stack([self.row(layer, token) for layer in range(self.layers)])

    def row(self, layer: int, token: int) -> Tensor:
        """What one token attends to in one layer: [A, N], sums to 1 over N."""
        check_range("layer", [layer], self.layers)
        check_range("token", [token], self.keys.shape[2])
        q, k = self.queries[[layer]], self.keys[[layer]]
        return attention_rows(q, k, [token], self.scores.get(layer, ()))[0, :, 0]

    def cls_rows(self) -> Tensor:
        """The class token's rows: [T, A, N]."""
        return self.rows(0)

    def on_grid(self, rows: Tensor) -> Tensor:
        """The patch part of rows [..., N] as a picture: [..., h, w], not renormalised."""
        return rows[..., self.first_patch :].unflatten(-1, self.grid)

    def attention(self, layer: int) -> Tensor:
        """The full map of one layer: [A, N, N]."""
        check_range("layer", [layer], self.layers)
        edits = self.scores.get(layer, ())
        return attention_weights(self.queries[[layer]], self.keys[[layer]], edits)[0]

    @torch.inference_mode()
    def patches(self, layer: int | None = None, *, norm: bool = True) -> Tensor:
        """Patch features [P, D] after a block (None: the last), through the final norm or not."""
        layer = self.layers - 1 if layer is None else layer
        check_range("layer", [layer], self.layers)
        tokens = self.tokens[layer, self.first_patch :]
        return self.norm(tokens) if norm else tokens

    def show(self, view: str = "attention", **chosen: Any) -> "Figure":
        """A view as a figure for print, which a notebook shows by itself: attention, similarity,
        pca, clusters, layers, rollout or norms. `dino_core/figures/show.py` says what can be chosen
        for each, such as query=(6, 12), layer=8, width="column". ValueError for what is not there.
        """
        import dino_core  # figures stand above this room: they are found by their public name

        figure: Figure = dino_core.show(self, view, **chosen)
        return figure


def token_of(patch: tuple[int, int], grid: tuple[int, int], first_patch: int) -> int:
    """Index of a patch's token. ValueError outside the grid."""
    (row, column), (h, w) = patch, grid
    if not (0 <= row < h and 0 <= column < w):
        raise ValueError(
            f"The picture has {h} x {w} patches, rows 0 to {h - 1} and columns 0 to {w - 1}; "
            f"there is no patch {row},{column}."
        )
    return first_patch + row * w + column


@torch.inference_mode()
def inspect(
    vit: VisionTransformer,
    images: Tensor,
    *,
    masks: Tensor | None = None,
    edits: Sequence[Edit] = (),
) -> Inspection:
    """One forward of one normalised picture [1, 3, H, W] (or [3, H, W]) -> Inspection.

    ValueError when a side is no multiple of the patch size.
    """
    images = images if images.ndim == 4 else images[None]
    if images.shape[0] != 1:
        raise ValueError(f"One picture at a time, please: this is a batch of {images.shape[0]}.")
    pixels = torch.from_numpy(from_tensor(images[0]))
    images = images.to(vit.pos_embed.device, vit.pos_embed.dtype)
    out = vit(images, masks, trace=range(vit.config.depth), edits=edits)
    traces = [out.traces[layer] for layer in range(vit.config.depth)]
    return Inspection(
        tokens=torch.stack([trace.tokens[0] for trace in traces]),
        normed=out.normed[0],
        embedded=out.embedded[0],
        queries=torch.stack([trace.queries[0] for trace in traces]),
        keys=torch.stack([trace.keys[0] for trace in traces]),
        update_norms=torch.stack([trace.update_norms[0] for trace in traces]),
        pixels=pixels,
        norm=vit.norm,
        grid=out.grid,
        registers=out.registers,
        patch_size=vit.config.patch_size,
        scores=edited_scores(out),
    )


@torch.inference_mode()
def patch_features(vit: VisionTransformer, images: Tensor, layer: int) -> Tensor:
    """`inspect(vit, images).patches(layer)` [P, D] of one picture [3, H, W], with nothing else
    kept: in about half the time."""
    check_range("layer", [layer], vit.config.depth)
    return vit(images[None].to(vit.pos_embed), until=layer + 1).patches[0]


@torch.inference_mode()
def attention_row(
    vit: VisionTransformer, images: Tensor, layer: int, patch: tuple[int, int] | None = None
) -> Tensor:
    """What a patch (row, column), or the class token (None), of one picture [3, H, W] attends to in
    one layer: [A, N], sums to 1 over N.

    That of `inspect(vit, images).row(...)`, with nothing computed of what follows the queries and
    keys of this layer. ValueError outside the picture or the layers.
    """
    check_range("layer", [layer], vit.config.depth)
    out = vit(images[None].to(vit.pos_embed), until=layer)
    token = 0 if patch is None else token_of(patch, out.grid, out.first_patch)
    block = vit.blocks[layer]
    assert isinstance(block, Block)
    queries, keys = block.queries_and_keys(out.tokens)
    return attention_rows(queries, keys, [token])[0, :, 0]


def edited_scores(out: ViTOutput) -> dict[int, Sequence[Edit]]:
    """The layers whose attention scores were changed, and how."""
    return {layer: trace.scores for layer, trace in out.traces.items() if trace.scores}
