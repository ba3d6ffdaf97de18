"""The open picture: decoded, fitted to whole patches, and seen once by the model."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from dino_core.analysis.inspection import Inspection, inspect
from dino_core.draw.encode import shrink
from dino_core.images import Fitted, fit_to_patches, notes_of, open_picture, to_tensor
from dino_core.vit import VisionTransformer
from dino_core.vit.between import between_blocks

__all__ = ["OpenPicture", "PictureScene", "between_blocks", "look", "read_picture", "thumbnail"]

MAX_BYTES = 25 * 2**20  # that a page takes


@dataclass(frozen=True)
class PictureScene:
    """What is known of the open picture. Sizes are (width, height) in pixels."""

    source_size: tuple[int, int]
    input_size: tuple[int, int]
    grid: tuple[int, int]  # (h, w) patches
    patch_size: int
    short_side: int  # px asked for; the sides are then rounded to whole patches
    layers: int
    heads: int
    registers: int
    dim: int
    note: str  # what was done otherwise than asked for; empty when nothing


@dataclass(frozen=True)
class OpenPicture:
    """A picture in a model: what the other screens look up. Stays on the server."""

    source: Image.Image
    fitted: Fitted
    seen: Inspection
    scene: PictureScene


def read_picture(path: str | Path | bytes) -> Image.Image:
    """A file of a person's, or its bytes, -> RGB picture. ValueError in a plain sentence."""
    return open_picture(path, max_bytes=MAX_BYTES)


def thumbnail(source: Image.Image, longest: int = 512) -> Image.Image:
    """A small copy of a picture for the rail."""
    return shrink(source, longest)


def look(vit: VisionTransformer, source: Image.Image, size: int) -> OpenPicture:
    """One forward of the picture with its short side scaled to about `size` px."""
    fitted = fit_to_patches(source, vit.config.patch_size, size, "resize")
    seen = inspect(vit, to_tensor(fitted.picture))
    scene = PictureScene(
        source_size=source.size,
        input_size=fitted.picture.size,
        grid=seen.grid,
        patch_size=seen.patch_size,
        short_side=size,
        layers=seen.layers,
        heads=seen.heads,
        registers=seen.registers,
        dim=vit.config.dim,
        note=" ".join([*notes_of(source), *([fitted.note] if fitted.note else [])]),
    )
    return OpenPicture(source, fitted, seen, scene)
