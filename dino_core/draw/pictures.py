"""Heat maps, overlays, boxes and contact sheets, as RGB arrays uint8 [H, W, 3]."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from dino_core.draw.colours import colour_table


def heat_map(values: np.ndarray, low: float, high: float, colours: str = "magma") -> np.ndarray:
    """Values [h, w], mapped from [low, high] and clipped -> colours [h, w, 3]; NaN as low."""
    share = (np.asarray(values, dtype=float) - low) / max(high - low, 1e-12)
    share = np.nan_to_num(np.clip(share, 0, 1), nan=0.0)
    return colour_table(colours)[np.rint(share * 255).astype(int)]


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Colours in 0 to 1 -> uint8."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def enlarge(patches: np.ndarray, factor: int) -> np.ndarray:
    """Every patch becomes a sharp square: [h, w, 3] -> [h * factor, w * factor, 3]."""
    return patches.repeat(factor, axis=0).repeat(factor, axis=1)


def overlay(picture: np.ndarray, colours: np.ndarray, strength: float = 0.6) -> np.ndarray:
    """Patch colours [h, w, 3] over a picture [H, W, 3] whose sides they divide."""
    factor = picture.shape[0] // colours.shape[0]
    mixed = picture * (1 - strength) + enlarge(colours, factor) * strength
    return np.rint(mixed).astype(np.uint8)


def map_over(
    values: np.ndarray, picture: np.ndarray, box: tuple[float, float, float, float] | None = None
) -> np.ndarray:
    """A map [h, w] over a picture [H, W, 3], from 0 to its largest value, with a box framed."""
    mixed = overlay(picture, heat_map(values, 0, values.max()))
    return mixed if box is None else draw_boxes(Image.fromarray(mixed), [box], [(255, 255, 255)])


def cover(picture: np.ndarray, mask: np.ndarray, grey: int = 128) -> np.ndarray:
    """The picture [H, W, 3] with the masked patches (bool [h, w]) painted grey."""
    factor = picture.shape[0] // mask.shape[0]
    hidden = mask.repeat(factor, axis=0).repeat(factor, axis=1)
    return np.where(hidden[..., None], np.uint8(grey), picture)


def draw_boxes(
    picture: Image.Image,
    boxes: Sequence[tuple[float, float, float, float]],
    colours: Sequence[tuple[int, int, int]],
) -> np.ndarray:
    """Outlines (x0, y0, x1, y1) in pixels on a copy of the picture."""
    canvas = picture.copy()
    pen = ImageDraw.Draw(canvas)
    width = max(2, round(max(canvas.size) / 300))
    for (x0, y0, x1, y1), colour in zip(boxes, colours, strict=True):
        pen.rectangle((x0, y0, x1 - 1, y1 - 1), outline=colour, width=width)
    return np.asarray(canvas)


def contact_sheet(pictures: Sequence[np.ndarray], columns: int, gap: int = 8) -> np.ndarray:
    """Pictures of one size [H, W, 3] side by side on white, row by row."""
    H, W, _ = pictures[0].shape
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    shape = (rows * (H + gap) - gap, columns * (W + gap) - gap, 3)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (H + gap), i % columns * (W + gap)
        sheet[top : top + H, left : left + W] = picture
    return sheet
