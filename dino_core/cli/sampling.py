"""crops, masks: what training makes of pictures."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from dino_core.cli.command import Option, count, grid, ratio
from dino_core.cli.files import array, read, report, save, save_pictures
from dino_core.config import BLUR_AS_RUN, BLUR_AS_WRITTEN, CropConfig, MaskConfig

if TYPE_CHECKING:
    pass

BLUR = {"as-run": BLUR_AS_RUN, "as-written": BLUR_AS_WRITTEN}


# --- crops


def crops_options(option: Option) -> None:
    option("image", metavar="IMAGE")
    option("--seed", type=count, default=0, metavar="S", help="default: 0")
    option("--locals", type=count, default=CropConfig.local_count, metavar="L", help="default: 8")
    option("--blur", choices=BLUR, default="as-run", help="in the official code; default: as-run")
    option("--output", required=True, metavar="DIR")


def crops(args: argparse.Namespace) -> None:
    """The two global and the local crops of a picture.

    Pictures of every crop and of the boxes; and crops.json, where the list "crops" holds for each
    its kind, box [x0, y0, x1, y1] in pixels of the source, flip and colour operations in order.
    """
    import torch

    from dino_core.crops import sample_crops
    from dino_core.draw.colours import crop_colour
    from dino_core.draw.pictures import draw_boxes

    picture = read(args.image)
    config = CropConfig(local_count=args.locals, blur_probability=BLUR[args.blur])
    drawn = sample_crops(picture, config, torch.Generator().manual_seed(args.seed))
    pictures = {f"{crop.kind}_{crop.index}": crop.pixels for crop in drawn}
    facts = []
    for crop, name in zip(drawn, pictures, strict=True):
        fact = crop.as_dict()
        facts.append({"file": f"{name}.png", **fact, "flip": fact.pop("flipped")})
    colours = [crop_colour(crop.kind, crop.index) for crop in drawn]
    pictures["boxes"] = draw_boxes(picture, [crop.box for crop in drawn], colours)
    save_pictures(args.output, pictures)
    answer = {"picture": args.image, "seed": args.seed, "blur": args.blur, "crops": facts}
    text = json.dumps(answer, indent=1, ensure_ascii=False)
    Path(args.output, "crops.json").write_text(text + "\n", encoding="utf-8")
    report(f"{len(drawn)} crops -> {args.output}")


# --- masks


def masks_options(option: Option) -> None:
    option("--grid", type=grid, default=(16, 16), metavar="HxW", help="patches, default: 16x16")
    option("--ratio", type=ratio, default=0.3, help="share of hidden patches, default: 0.3")
    option("--count", type=count, default=1, metavar="N", help="default: 1")
    option("--seed", type=count, default=0, metavar="S", help="default: 0")
    option("--output", required=True, metavar="FILE.npz")


def masks(args: argparse.Namespace) -> None:
    """Block masks for iBOT.

    An NPZ with masks [N, h, w], bool, true where hidden: int(h * w * ratio) patches, or a few less
    where no block would fit any more.
    """
    import torch

    from dino_core.masks import sample_block_mask

    h, w = args.grid
    target = int(h * w * args.ratio)
    config, generator = MaskConfig(), torch.Generator().manual_seed(args.seed)
    hidden = torch.zeros(args.count, h, w, dtype=torch.bool)
    for mask in hidden:
        mask.copy_(sample_block_mask(args.grid, target, config, generator).mask)
    save(Path(args.output), {"masks": array(hidden)})
    report(f"{args.count} masks of {target} among {h * w} patches -> {args.output}")
