"""A backbone as an ONNX graph with free batch, height and width.

Positions are interpolated inside the graph. ONNX has no bicubic Resize that follows the official
one at every size, so it is written out as what it is, a matrix for rows and one for columns:

    positions[i, j] = sum over r, c of  rows[i, r] * columns[j, c] * learned[r, c]
"""

import math
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from dino_core.vit import VisionTransformer

OPSET = 18


class ExportableBackbone(nn.Module):
    """images [B, C, H, W] -> cls [B, D], patches [B, D, h, w], and attention where it is asked for.

    `attention` [B, blocks, A, N] is the row of the class token in every block. Nothing is checked
    in a graph: both sides must be multiples of the patch size.
    """

    def __init__(self, vit: VisionTransformer, attention: bool = False) -> None:
        super().__init__()
        self.vit = _OfAnySize(vit.config, device="meta")
        self.vit.load_state_dict(vit.state_dict(), assign=True)
        self.vit.requires_grad_(False).eval()
        self.attention = attention

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        out = self.vit(images, rows=[0] if self.attention else [])
        h, w = out.grid
        patches = out.patches.transpose(1, 2).reshape(images.shape[0], -1, h, w)
        if out.rows is None:
            return out.cls, patches
        return out.cls, patches, out.rows[:, :, :, 0]  # [B, blocks, A, 1, N] -> [B, blocks, A, N]


class _OfAnySize(VisionTransformer):
    """The same model, its positions interpolated by matrices that a graph can hold."""

    def patch_grid(self, images: Tensor) -> tuple[int, int]:
        size = self.config.patch_size
        return images.shape[-2] // size, images.shape[-1] // size

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """[1, 1 + h*w, D], as `vit.interpolate_positions` gives them."""
        config, (h, w) = self.config, grid
        r, c = config.position_grid
        learned = self.pos_embed[0, 1:].reshape(r, c, -1)
        rows, columns = torch.arange(h), torch.arange(w)
        count = torch.stack([rows.shape[0] + 0 * rows.sum(), columns.shape[0] + 0 * columns.sum()])
        learned_already = (count == torch.tensor([r, c])).all()  # then they are handed back as is
        offset = torch.where(learned_already, 0.0, config.position_offset)
        matrix = antialiased_matrix if config.position_antialias else bicubic_matrix
        R = matrix(rows, r, count[0] + offset)
        C = matrix(columns, c, count[1] + offset)
        table = torch.einsum("ir,jc,rcd->ijd", R, C, learned)
        return torch.cat([self.pos_embed[:, :1], table.reshape(1, h * w, -1)], dim=1)


def bicubic_matrix(places: Tensor, learned: int, length: Tensor) -> Tensor:
    """Weights [n, learned] of `learned` cells for n places, PyTorch's bicubic (a = -0.75).

    `length` is what the cells are stretched to, n plus the offset. Beyond the edge the outermost
    cell is repeated.
    """
    source = (places + 0.5) * learned / length - 0.5  # [n]
    first = source.floor()
    taps = first[:, None] + torch.arange(-1, 3)  # [n, 4]
    weights = cubic((source[:, None] - taps).abs(), -0.75)  # [n, 4]
    cells = taps.clamp(0, learned - 1)
    hit = cells[:, :, None] == torch.arange(learned)  # [n, 4, learned]
    return (weights[:, :, None] * hit).sum(dim=1)


def antialiased_matrix(places: Tensor, learned: int, length: Tensor) -> Tensor:
    """The same with antialiasing (a = -0.5): the kernel widens where cells are pressed together."""
    scale = learned / length
    wide = scale.clamp(min=1.0)
    center = (places[:, None] + 0.5) * scale  # [n, 1]
    cells = torch.arange(learned)
    low = (center - 2 * wide + 0.5).trunc().clamp(min=0)
    high = (center + 2 * wide + 0.5).trunc().clamp(max=learned)
    weights = cubic(((cells + 0.5 - center) / wide).abs(), -0.5)
    weights = torch.where((cells >= low) & (cells < high), weights, 0.0)
    return weights / weights.sum(dim=1, keepdim=True)


def cubic(x: Tensor, a: float) -> Tensor:
    """Keys' cubic convolution kernel at distances x >= 0; 0 from 2 on."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return torch.where(x <= 1, near, torch.where(x < 2, far, 0.0))


def write_onnx(vit: VisionTransformer, path: Path, attention: bool = False) -> None:
    """Writes the graph, weights inside where 2 GB are enough for them, else beside it."""
    config = vit.config
    side = config.patch_size * 2
    example = torch.zeros(2, config.channels, side, side + config.patch_size)
    sides = {name: torch.export.Dim(name, min=1, max=256) for name in ("rows", "columns")}
    shapes = {
        0: torch.export.Dim("batch", min=1, max=65536),
        2: config.patch_size * sides["rows"],
        3: config.patch_size * sides["columns"],
    }
    names = ["cls", "patches", "attention"][: 3 if attention else 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            ExportableBackbone(vit, attention),
            (example,),
            dynamo=True,
            dynamic_shapes=(shapes,),
            input_names=["images"],
            output_names=names,
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    size = sum(parameter.numel() * 4 for parameter in vit.parameters())
    program.save(str(path), external_data=size > math.pow(2, 31) - 2**26)
