"""crops, masks: what training makes of pictures."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import (
    PRINT,
    Option,
    Width,
    add_command,
    count,
    figure_option,
    grid,
    one_for_a_figure,
    ratio,
    write_figure,
)
from dino_core.cli.files import (
    array,
    leave_out_unreadable,
    read,
    report,
    save,
    save_pictures,
    stretch_option,
)
from dino_core.cli.outputs import output_file, output_folders
from dino_core.config import BLUR_AS_RUN, BLUR_AS_WRITTEN, CropConfig, MaskConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from dino_core.masks import BlockMask

MOST = 24  # masks in a figure

BLUR = {"as-run": BLUR_AS_RUN, "as-written": BLUR_AS_WRITTEN}


# --- crops


def crops_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    option("--seed", type=count, default=0, metavar="S", help="default: 0")
    option("--locals", type=count, default=CropConfig.local_count, metavar="L", help="default: 8")
    option("--blur", choices=BLUR, default="as-run", help="in the official code; default: as-run")
    stretch_option(option)
    option("--output", required=True, metavar="DIR")
    figure_option(option, "one picture with the boxes, and its crops, for print")


def crops(args: argparse.Namespace) -> None:
    """The two global and the local crops of a picture.

    Pictures of every crop and of the boxes; and crops.json, where the list "crops" holds for each
    its kind, box [x0, y0, x1, y1] in pixels of the source, flip and colour operations in order. Of
    several pictures in a folder for each, every one with the crops that it has alone.
    """
    one_for_a_figure(args)
    folders = output_folders(args.images, args.output)
    leave_out_unreadable(args)
    for path in args.images:
        crops_of(path, folders[path], args)


def crops_of(path: str, folder: str, args: argparse.Namespace) -> None:
    """Draws and writes the crops of one picture."""
    import torch

    from dino_core import figures
    from dino_core.crops import sample_crops
    from dino_core.draw.colours import crop_colour
    from dino_core.draw.pictures import draw_boxes

    picture = read(path, args)
    config = CropConfig(local_count=args.locals, blur_probability=BLUR[args.blur])
    drawn = sample_crops(picture, config, torch.Generator().manual_seed(args.seed))
    pictures = {f"{crop.kind}_{crop.index}": crop.pixels for crop in drawn}
    facts = []
    for crop, name in zip(drawn, pictures, strict=True):
        fact = crop.as_dict()
        facts.append({"file": f"{name}.png", **fact, "flip": fact.pop("flipped")})
    colours = [crop_colour(crop.kind, crop.index) for crop in drawn]
    pictures["boxes"] = draw_boxes(picture, [crop.box for crop in drawn], colours)
    save_pictures(folder, pictures)
    answer = {"picture": path, "seed": args.seed, "blur": args.blur, "crops": facts}
    text = json.dumps(answer, indent=1, ensure_ascii=False)
    Path(folder, "crops.json").write_text(text + "\n", encoding="utf-8")
    write_figure(args, lambda width: figures.crops(picture, drawn, width=width))
    report(f"{len(drawn)} crops -> {folder}")


# --- masks


def masks_options(option: Option) -> None:
    option("--grid", type=grid, default=(16, 16), metavar="HxW", help="patches, default: 16x16")
    option("--ratio", type=ratio, default=0.3, help="share of hidden patches, default: 0.3")
    option("--count", type=count, default=1, metavar="N", help="default: 1")
    option("--seed", type=count, default=0, metavar="S", help="default: 0")
    option("--output", required=True, metavar="FILE.npz")
    figure_option(
        option,
        f"the first {MOST} masks, for print; or, as html, how many patches and blocks all have",
        PRINT,
    )


def masks(args: argparse.Namespace) -> None:
    """Block masks for iBOT.

    An NPZ with masks [N, h, w], bool, true where hidden: int(h * w * ratio) patches, or a few less
    where no block would fit any more.
    """
    import torch

    from dino_core.masks import sample_block_mask

    output = output_file(args.output, ".npz")
    h, w = args.grid
    target = int(h * w * args.ratio)
    config, generator = MaskConfig(), torch.Generator().manual_seed(args.seed)
    drawn = [sample_block_mask(args.grid, target, config, generator) for _ in range(args.count)]
    hidden = torch.zeros(args.count, h, w, dtype=torch.bool)
    for mask, one in zip(hidden, drawn, strict=True):
        mask.copy_(one.mask)
    save(output, {"masks": array(hidden)})
    write_figure(args, lambda width: masks_figure(drawn, args.figure, width))
    report(f"{args.count} masks of {target} among {h * w} patches -> {args.output}")


def masks_figure(
    drawn: "Sequence[BlockMask]", path: Path, width: Width
) -> "Figure | dict[str, Any]":
    """Charts of all masks for FILE.html, else a panel of the first."""
    import numpy as np

    from dino_core import figures

    if path.suffix.lower() != ".html":
        return figures.masks(drawn[:MOST], width=width)
    if not drawn:
        raise ValueError("There are no masks to count: give --count.")
    achieved = np.bincount([one.achieved for one in drawn], minlength=drawn[0].target + 1)
    blocks = np.bincount([len(one.blocks) for one in drawn])
    return {
        "counts": figures.mask_counts(achieved.tolist()),
        "blocks": figures.mask_blocks(blocks.tolist()),
    }


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    for run, options_of in (
        (crops, crops_options),
        (masks, masks_options),
    ):
        add_command(commands, run, options_of, argparse.HelpFormatter)
