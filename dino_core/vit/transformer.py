"""The whole transformer: pictures in, tokens out, and whatever a reader asks to see."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dino_core.config import ViTConfig
from dino_core.initialisation import truncated_normal
from dino_core.vit.between import current_check
from dino_core.vit.block import Block, BlockRequest, BlockTrace, LayerScale
from dino_core.vit.edits import (
    UNEDITED,
    Edit,
    at_site,
    by_block,
    check_edits,
    check_range,
    edited,
    registers_out,
)


@dataclass(frozen=True)
class ViTOutput:
    """The tokens of a batch of pictures, in the order class token, registers, patches."""

    tokens: Tensor  # [B, N, D] the residual stream after the last block, not normalised
    normed: Tensor  # [B, N, D] after the final norm: what everybody uses
    embedded: Tensor  # [B, N, D] what enters the first block, before any edit there
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


def check_masks(masks: Tensor, count: int, grid: tuple[int, int]) -> None:
    """Raises ValueError unless there is a bool [P] or [h, w] for each of the pictures."""
    h, w = grid
    if masks.dtype != torch.bool or tuple(masks.shape) not in ((count, h * w), (count, h, w)):
        raise ValueError(
            f"Masks must be bool, one for each of {count} pictures of {h} x {w} patches, but are "
            f"{masks.dtype} of shape {list(masks.shape)}."
        )


def check_end(until: int, trace: Collection[int], edits: Sequence[Edit], depth: int) -> None:
    """Raises ValueError for a forward that ends at no block, or before what is asked for."""
    if not 0 <= until <= depth:
        raise ValueError(f"A forward ends before block 0 to {depth}, not before block {until}.")
    asked = [*trace, *(edit.block for edit in edits)]
    late = [block for block in asked if block is not None and block >= until]
    if late:
        raise ValueError(f"Block {late[0]} is not computed: this forward ends before {until}.")


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


@dataclass(frozen=True)
class _Asked:
    """What a walk over the blocks is asked for."""

    grid: tuple[int, int]
    registers: int
    trace: Collection[int]
    rows: Sequence[int]
    edits: Sequence[Edit]
    until: int | None = None  # blocks that are gone through; None: all


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

    def embed(
        self, images: Tensor, masks: Tensor | None = None, edits: Sequence[Edit] = ()
    ) -> Tensor:
        """Pictures [B, C, H, W], masks bool [B, P] or [B, h, w] -> tokens [B, N, D].

        The mask token takes the place of a patch's vector before the position is added: the model
        knows where the hole is. Of `edits` those of positions and registers hold here.
        """
        B = images.shape[0]
        grid = self.patch_grid(images)
        patches = self.patch_embed(images)  # [B, P, D]
        if masks is not None:
            check_masks(masks, B, grid)
            masked = masks.reshape(B, -1, 1)  # [B, h, w] -> [B, P, 1]
            patches = torch.where(masked, self.mask_token.to(patches.dtype), patches)
        tokens = torch.cat([self.cls_token.expand(B, -1, -1).to(patches.dtype), patches], dim=1)
        positions = self.positions(grid).to(tokens.dtype)  # [1, 1 + P, D]
        tokens = tokens + edited(positions, at_site(edits, "positions"))
        if self.register_tokens is None or registers_out(edits):
            return tokens
        extra = edited(self.register_tokens.to(tokens.dtype), at_site(edits, "registers"))
        return torch.cat([tokens[:, :1], extra.expand(B, -1, -1), tokens[:, 1:]], dim=1)

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """The position embedding of a picture of (h, w) patches: [1, 1 + P, D]."""
        config = self.config
        return interpolate_positions(
            self.pos_embed,
            grid,
            offset=config.position_offset,
            antialias=config.position_antialias,
            learned=config.position_grid,
        )

    def forward(
        self,
        images: Tensor,
        masks: Tensor | None = None,
        *,
        trace: Iterable[int] = (),
        rows: Sequence[int] = (),
        edits: Sequence[Edit] = (),
        until: int | None = None,
        generator: torch.Generator | None = None,
    ) -> ViTOutput:
        """Normalised pictures [B, C, H, W] (any multiple of the patch size) -> tokens.

        masks      bool [B, P] or [B, h, w], True where the mask token stands in
        trace      blocks to keep (from 0): their outgoing tokens, queries and keys
        rows       tokens (from 0) whose attention to keep in all blocks; without `trace` nothing
                   else is kept: 0.4 MB for the class token of ViT-S at 518 px, not 50 MB
        edits      what is to stand where, see `edits.py`
        until      the first block that is not computed, 0 to T; None: all are. The tokens are those
                   that enter it
        generator  draws the drop path in training mode

        Raises ValueError for a size that is no multiple of the patch size, for a block or head that
        does not exist, and for a trace, rows or edits of a model that drops paths.
        """
        grid, config = self.patch_grid(images), self.config
        stochastic = self.training and config.drop_path > 0
        trace = set(trace)
        check_edits(edits, config, grid)
        if until is not None:
            check_end(until, trace, edits, config.depth)
        if stochastic and (trace or rows or edits):
            raise ValueError(
                "In training mode this model leaves branches out at random, which hides what is "
                "looked for: call eval() first."
            )
        tokens = self.embed(images, masks, edits)
        registers = 0 if registers_out(edits) else config.registers
        asked = _Asked(grid, registers, trace, rows, edits, until)
        return self._walk(tokens, asked, generator=generator)

    def resume(
        self,
        tokens: Tensor,
        grid: tuple[int, int],
        *,
        first: int,
        trace: Iterable[int] = (),
        rows: Sequence[int] = (),
        edits: Sequence[Edit] = (),
    ) -> ViTOutput:
        """The forward from a block on: the stream [B, N, D] that enters block `first` -> tokens.

        The rest as in `forward`; the answer has nothing of the blocks before. ValueError for an
        edit or a trace of what lies before, and for a stream that is not of such a picture.
        """
        check_range("block", [first], self.config.depth)
        registers = tokens.shape[1] - 1 - grid[0] * grid[1]
        if registers not in (0, self.config.registers):
            raise ValueError(
                f"A stream of {tokens.shape[1]} tokens is none of {grid[0]} x {grid[1]} patches, a "
                f"class token and {self.config.registers} registers."
            )
        check_edits(edits, self.config, grid, registers)
        trace = set(trace)
        before = [f"block {block}" for block in trace if block < first]
        before += [edit.place for edit in edits if edit.block is None or edit.block < first]
        if before:
            raise ValueError(f"{before[0]} lies before block {first}, where this forward begins.")
        return self._walk(tokens, _Asked(grid, registers, trace, rows, edits), first=first)

    def _walk(
        self,
        tokens: Tensor,
        asked: _Asked,
        *,
        first: int = 0,
        generator: torch.Generator | None = None,
    ) -> ViTOutput:
        """The one walk over the blocks."""
        check_range("block", asked.trace, self.config.depth)
        check_range("token", asked.rows, tokens.shape[1])
        stochastic = self.training and self.config.drop_path > 0
        embedded, changes = tokens, by_block(asked.edits)
        traces: dict[int, BlockTrace] = {}
        attention: list[Tensor] = []
        check = current_check()
        for index, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            if index < first:
                continue
            if index == asked.until:
                break
            if check is not None:
                check()
            if stochastic:
                tokens = block.train_forward(tokens, generator)
                continue
            edits = changes.get(index, UNEDITED)
            out = block(tokens, BlockRequest(index in asked.trace, asked.rows, edits))
            tokens = out.tokens
            if out.trace is not None:
                traces[index] = out.trace
            if out.rows is not None:
                attention.append(out.rows)
        return ViTOutput(
            tokens=tokens,
            normed=self.norm(tokens),
            embedded=embedded,
            grid=asked.grid,
            registers=asked.registers,
            traces=traces,
            rows=torch.stack(attention, dim=1) if asked.rows else None,
        )
