"""The whole transformer: pictures in, tokens out, and whatever a reader asks to see."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dino_core.config import ViTConfig
from dino_core.initialisation import truncated_normal
from dino_core.vit.block import Block, BlockRequest, BlockTrace, LayerScale


@dataclass(frozen=True)
class Edits:
    """Interventions on one forward. Blocks and heads count from 0; negative counts are refused.

    `replace_tokens` maps a block to (token indices [n], values [n, D] or [B, n, D]): these tokens
    are overwritten in the residual stream that enters the block.
    """

    heads_off: Mapping[int, Collection[int]] = field(default_factory=dict)
    attention_off: Collection[int] = ()
    mlp_off: Collection[int] = ()
    registers_off: bool = False
    replace_tokens: Mapping[int, tuple[Sequence[int], Tensor]] = field(default_factory=dict)

    def check(self, config: ViTConfig) -> None:
        """Raises ValueError when a block or head does not exist in such a model."""
        blocks = {*self.heads_off, *self.attention_off, *self.mlp_off, *self.replace_tokens}
        check_range("block", blocks, config.depth)
        for heads in self.heads_off.values():
            check_range("head", heads, config.heads)

    def of_block(self, index: int, *, traced: bool, rows: Sequence[int]) -> BlockRequest:
        """What this asks of one block; its tokens are replaced before they enter it."""
        return BlockRequest(
            traced=traced,
            rows=rows,
            heads_off=self.heads_off.get(index, ()),
            attention_off=index in self.attention_off,
            mlp_off=index in self.mlp_off,
        )


NO_EDITS = Edits()


@dataclass(frozen=True)
class ViTOutput:
    """The tokens of a batch of pictures, in the order class token, registers, patches."""

    tokens: Tensor  # [B, N, D] the residual stream after the last block, not normalised
    normed: Tensor  # [B, N, D] after the final norm: what everybody uses
    embedded: Tensor  # [B, N, D] what enters the first block
    grid: tuple[int, int]  # (h, w) patches
    registers: int
    traces: dict[int, BlockTrace]
    rows: Tensor | None = None  # [B, T, A, n, N] what n chosen tokens attend to in all T blocks

    @property
    def first_patch(self) -> int:
        """Index of the first patch token, 1 + R."""
        return 1 + self.registers

    @property
    def cls(self) -> Tensor:
        """[B, D] the class token after the final norm."""
        return self.normed[:, 0]

    @property
    def register_tokens(self) -> Tensor:
        """[B, R, D] the registers after the final norm."""
        return self.normed[:, 1 : self.first_patch]

    @property
    def patches(self) -> Tensor:
        """[B, P, D] the patch tokens after the final norm, row by row."""
        return self.normed[:, self.first_patch :]


def check_range(what: str, indices: Iterable[int], count: int) -> None:
    """Raises ValueError unless every index lies in 0 .. count - 1."""
    wrong = sorted(i for i in set(indices) if not 0 <= i < count)
    if wrong:
        raise ValueError(f"This model has {what}s 0 to {count - 1}; there is no {what} {wrong[0]}.")


def check_masks(masks: Tensor, count: int, grid: tuple[int, int]) -> None:
    """Raises ValueError unless there is a bool [P] or [h, w] for each of the pictures."""
    h, w = grid
    if masks.dtype != torch.bool or tuple(masks.shape) not in ((count, h * w), (count, h, w)):
        raise ValueError(
            f"Masks must be bool, one for each of {count} pictures of {h} x {w} patches, but are "
            f"{masks.dtype} of shape {list(masks.shape)}."
        )


def interpolate_positions(
    positions: Tensor,
    grid: tuple[int, int],
    *,
    offset: float,
    antialias: bool,
    learned: tuple[int, int] | None = None,
) -> Tensor:
    """Position embedding [1, 1 + r*c, D] of a learned grid r x c -> [1, 1 + h*w, D], bicubic.

    `learned` is (r, c); None is a square grid. Always in float32, as the official code does. A grid
    of the learned size is handed back untouched. With an offset the sampling points follow from the
    scale (h + offset) / r, which is not h / r: the released models without registers were made with
    0.1, and it shows in the numbers. The class token's position is never interpolated.
    """
    side = math.isqrt(positions.shape[1] - 1)
    r, c = learned or (side, side)
    h, w = grid
    if (h, w) == (r, c):
        return positions
    table = positions[:, 1:].float().reshape(1, r, c, -1).permute(0, 3, 1, 2)  # [1, D, r, c]
    if offset:
        scale = ((h + offset) / r, (w + offset) / c)
        table = F.interpolate(table, scale_factor=scale, mode="bicubic", antialias=antialias)
    else:
        table = F.interpolate(table, size=(h, w), mode="bicubic", antialias=antialias)
    assert table.shape[-2:] == (h, w)
    table = table.flatten(2).transpose(1, 2).to(positions.dtype)  # [1, D, h, w] -> [1, h*w, D]
    return torch.cat([positions[:, :1], table], dim=1)


class PatchEmbed(nn.Module):
    """Every patch through the same linear map, written as a convolution that does not overlap."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        size = config.patch_size
        self.proj = nn.Conv2d(config.channels, config.dim, kernel_size=size, stride=size)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, P, D]."""
        return self.proj(images).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """DINOv2's backbone.

    `generator` draws the initial weights (official init: truncated normal 0.02 for linear maps and
    positions, normal 1e-6 for class token and registers, zeros for mask token and biases).
    `device="meta"` allocates nothing and is meant for weights that are about to be loaded.
    """

    def __init__(
        self,
        config: ViTConfig,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.config = config
        # Built without memory first: PyTorch's own initialisation would draw from the global
        # generator and cost seconds for the large models.
        with torch.device("meta"):
            positions = 1 + math.prod(config.position_grid)
            self.cls_token = nn.Parameter(torch.empty(1, 1, config.dim))
            self.pos_embed = nn.Parameter(torch.empty(1, positions, config.dim))
            self.register_tokens = (
                nn.Parameter(torch.empty(1, config.registers, config.dim))
                if config.registers
                else None
            )
            self.mask_token = nn.Parameter(torch.empty(1, config.dim))
            self.patch_embed = PatchEmbed(config)
            self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
            self.norm = nn.LayerNorm(config.dim, eps=config.norm_eps)
        if torch.device(device).type != "meta":
            self.to_empty(device=device)
            self.init_weights(generator)

    @torch.no_grad()
    def init_weights(self, generator: torch.Generator | None = None) -> None:
        """Draws every parameter anew, from the given generator alone."""
        generator = generator or torch.Generator().manual_seed(0)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                truncated_normal(module.weight, 0.02, generator)
                module.bias.zero_()
            elif isinstance(module, nn.Conv2d):  # PyTorch's default, which the official code keeps
                bound = 1 / math.sqrt(module.weight[0].numel())
                for parameter in (module.weight, module.bias):
                    assert parameter is not None
                    draw = torch.rand(parameter.shape, generator=generator)
                    parameter.copy_((2 * draw - 1) * bound)
            elif isinstance(module, nn.LayerNorm):
                module.weight.fill_(1)
                module.bias.zero_()
            elif isinstance(module, LayerScale):
                assert self.config.layer_scale_init is not None
                module.gamma.fill_(self.config.layer_scale_init)
        truncated_normal(self.pos_embed, 0.02, generator)
        self.mask_token.zero_()
        for token in (self.cls_token, self.register_tokens):
            if token is not None:
                token.copy_(1e-6 * torch.randn(token.shape, generator=generator))

    def patch_grid(self, images: Tensor) -> tuple[int, int]:
        """(h, w) of a batch [B, C, H, W]. ValueError when a side is no multiple of the patch."""
        size = self.config.patch_size
        H, W = images.shape[-2:]
        if H % size or W % size or not (H and W):
            raise ValueError(
                f"Both sides must be multiples of the patch size {size}, the picture is {W} x {H} "
                f"pixels. Resize, pad or crop it first."
            )
        return H // size, W // size

    def embed(self, images: Tensor, masks: Tensor | None = None, registers: bool = True) -> Tensor:
        """Pictures [B, C, H, W], masks bool [B, P] or [B, h, w] -> tokens [B, N, D].

        The mask token takes the place of a patch's vector before the position is added: the model
        knows where the hole is.
        """
        B = images.shape[0]
        grid = self.patch_grid(images)
        patches = self.patch_embed(images)  # [B, P, D]
        if masks is not None:
            check_masks(masks, B, grid)
            masked = masks.reshape(B, -1, 1)  # [B, h, w] -> [B, P, 1]
            patches = torch.where(masked, self.mask_token.to(patches.dtype), patches)
        tokens = torch.cat([self.cls_token.expand(B, -1, -1).to(patches.dtype), patches], dim=1)
        config = self.config
        tokens = tokens + interpolate_positions(
            self.pos_embed,
            grid,
            offset=config.position_offset,
            antialias=config.position_antialias,
            learned=config.position_grid,
        ).to(tokens.dtype)
        if self.register_tokens is None or not registers:
            return tokens
        extra = self.register_tokens.expand(B, -1, -1).to(tokens.dtype)
        return torch.cat([tokens[:, :1], extra, tokens[:, 1:]], dim=1)

    def forward(
        self,
        images: Tensor,
        masks: Tensor | None = None,
        *,
        trace: Iterable[int] = (),
        rows: Sequence[int] = (),
        edits: Edits = NO_EDITS,
        generator: torch.Generator | None = None,
    ) -> ViTOutput:
        """Normalised pictures [B, C, H, W] (any multiple of the patch size) -> tokens.

        masks      bool [B, P] or [B, h, w], True where the mask token stands in
        trace      blocks to keep (from 0): their outgoing tokens, queries and keys
        rows       tokens (from 0) whose attention to keep in all blocks; without `trace` nothing
                   else is kept: 0.4 MB for the class token of ViT-S at 518 px, not 50 MB
        edits      interventions
        generator  draws the drop path in training mode

        Raises ValueError for a size that is no multiple of the patch size, for a block or head that
        does not exist, and for a trace, rows or edits of a model that drops paths.
        """
        traced = set(trace)
        check_range("block", traced, self.config.depth)
        edits.check(self.config)
        stochastic = self.training and self.config.drop_path > 0
        looking = bool(traced or rows or edits is not NO_EDITS)
        if stochastic and looking:
            raise ValueError(
                "In training mode this model leaves branches out at random, which hides what is "
                "looked for: call eval() first."
            )

        tokens = embedded = self.embed(images, masks, registers=not edits.registers_off)
        check_range("token", rows, tokens.shape[1])
        traces: dict[int, BlockTrace] = {}
        attention: list[Tensor] = []
        for index, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            if stochastic:
                tokens = block.train_forward(tokens, generator)
                continue
            if index in edits.replace_tokens:
                tokens = replace(tokens, *edits.replace_tokens[index])
            out = block(tokens, edits.of_block(index, traced=index in traced, rows=rows))
            tokens = out.tokens
            if out.trace is not None:
                traces[index] = out.trace
            if out.rows is not None:
                attention.append(out.rows)
        return ViTOutput(
            tokens=tokens,
            normed=self.norm(tokens),
            embedded=embedded,
            grid=self.patch_grid(images),
            registers=0 if edits.registers_off else self.config.registers,
            traces=traces,
            rows=torch.stack(attention, dim=1) if rows else None,
        )


def replace(tokens: Tensor, indices: Sequence[int], values: Tensor) -> Tensor:
    """A copy of tokens [B, N, D] with the named ones overwritten by values [(B,) n, D]."""
    check_range("token", indices, tokens.shape[1])
    tokens = tokens.clone()
    tokens[:, list(indices)] = values.to(tokens.dtype)
    return tokens
