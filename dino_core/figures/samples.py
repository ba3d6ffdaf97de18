"""What training makes of pictures, in panels for print: crops and masks.

    drawn = sample_crops(picture, CropConfig(), generator)
    figures.crops(picture, drawn)
    figures.masks([sample_block_mask((16, 16), 76, MaskConfig(), generator)], drawn[0].pixels)

Each returns a `matplotlib.figure.Figure`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dino_core.draw.colours import crop_colour
from dino_core.draw.pictures import cover
from dino_core.figures.maps import picture_cell
from dino_core.figures.panels import (
    EDGE,
    GAP,
    LARGE,
    SMALL,
    TITLE,
    Cell,
    Width,
    grid,
    in_rows,
    millimetres,
    new_figure,
    place,
    show_patches,
    wrapped,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL import Image

    from dino_core.crops import Crop
    from dino_core.masks import BlockMask

COLUMNS = 4  # of crops
WIDE = 150.0  # mm from which the crops stand beside the picture, not below it


def crops(
    picture: "Image.Image", drawn: Sequence["Crop"], *, width: Width | float = "page"
) -> "Figure":
    """The picture with the boxes of its crops, and the crops, each framed in its own colour.

    The colours are those of the page, two for the global crops and eight for the local ones; the
    titles are the legend: kind, number, share of the picture.
    """
    if not drawn:
        raise ValueError("There are no crops to show: draw some first.")
    total = millimetres(width)
    side_by_side = total >= WIDE
    large = (total - 2 * EDGE - GAP) / 2 if side_by_side else total - 2 * EDGE
    left = EDGE + large + GAP if side_by_side else EDGE
    cell = (total - EDGE - left - (COLUMNS - 1) * GAP) / COLUMNS
    counts = [sum(crop.kind == kind for crop in drawn) for kind in ("global", "local")]
    words, top = wrapped(
        f"{counts[0]} global and {counts[1]} local crops of {picture.width} × {picture.height} px",
        total,
    )
    tall = large * picture.height / picture.width
    first = top if side_by_side else top + TITLE + tall + GAP
    rows = -(-len(drawn) // COLUMNS)
    figure = new_figure(
        total, EDGE + max(top + TITLE + tall, first + rows * (TITLE + cell + GAP) - GAP)
    )
    write(figure, words, EDGE, EDGE, LARGE)
    write(figure, "picture, with the boxes", EDGE, top, SMALL)
    _boxes(place(figure, EDGE, top + TITLE, large, tall), picture, drawn)
    for i, crop in enumerate(drawn):
        row, column = divmod(i, COLUMNS)
        at = left + column * (cell + GAP), first + row * (TITLE + cell + GAP)
        title = f"{crop.kind} {crop.index}, {100 * crop.area_fraction:.0f} %"
        write(figure, title, *at, SMALL, _colour(crop))
        _framed(place(figure, at[0], at[1] + TITLE, cell, cell), crop)
    return figure


def masks(
    drawn: Sequence["BlockMask"],
    picture: np.ndarray | None = None,
    *,
    width: Width | float = "page",
) -> "Figure":
    """Block masks: what each hides, of a picture uint8 [H, W, 3] that stands first, or of nothing.

    Above each stand the patches hidden, of all, and the blocks that it took.
    """
    if not drawn:
        raise ValueError("There are no masks to show: draw some first.")
    h, w = drawn[0].mask.shape
    cells = [] if picture is None else [picture_cell("picture", picture, (h, w))]
    for one in drawn:
        title = f"{one.achieved} of {h * w}, {len(one.blocks)} blocks"
        mask = one.mask.cpu().numpy()
        if picture is None:
            cells.append(_plain_mask(title, mask))
        else:
            cells.append(picture_cell(title, cover(picture, mask), (h, w)))
    header = f"Masks of {drawn[0].target} among {h} × {w} patches; hidden is grey"
    return grid(in_rows(cells, width), header, width=width)


def _plain_mask(title: str, mask: np.ndarray) -> Cell:
    """bool [h, w]: hidden patches grey, the others white, with an edge around."""
    colours = np.where(mask[..., None], np.uint8(128), np.uint8(255)).repeat(3, axis=2)

    def draw(axes: "Axes") -> None:
        show_patches(axes, colours)
        for spine in axes.spines.values():
            spine.set(visible=True, color="black", linewidth=0.4)

    return Cell(title, mask.shape[0] / mask.shape[1], draw)


def _boxes(axes: "Axes", picture: "Image.Image", drawn: Sequence["Crop"]) -> None:
    """The picture, one unit a pixel, and the box of every crop."""
    from matplotlib.patches import Rectangle

    extent = (0, picture.width, picture.height, 0)
    axes.imshow(np.asarray(picture), extent=extent, aspect="auto", interpolation="antialiased")
    for crop in drawn:
        x0, y0, x1, y1 = crop.box
        line = 1.4 if crop.kind == "global" else 0.9
        box = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=_colour(crop))
        box.set(linewidth=line, gid=f"{crop.kind}-{crop.index}")
        axes.add_patch(box)


def _framed(axes: "Axes", crop: "Crop") -> None:
    """The finished crop in a frame of its colour."""
    axes.imshow(crop.pixels, extent=(0, 1, 1, 0), aspect="auto", interpolation="antialiased")
    for spine in axes.spines.values():
        spine.set(visible=True, color=_colour(crop), linewidth=1.0)


def _colour(crop: "Crop") -> str:
    return "#{:02x}{:02x}{:02x}".format(*crop_colour(crop.kind, crop.index))
