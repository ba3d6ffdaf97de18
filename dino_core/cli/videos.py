"""video: the frames of a film with one basis, and things tracked through them."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import Option, add_command, patch, positive, ratio
from dino_core.cli.files import (
    array,
    from_end,
    layer_option,
    model_options,
    read,
    report,
    save,
    with_progress,
)
from dino_core.cli.outputs import output_file
from dino_core.cli.weights import load_weights
from dino_core.config import PCA_PRESETS, PropagationConfig

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from dino_core.images import Fitted
    from dino_core.weights import Backbone

SHORT_SIDE = 224  # px
MOST_LABELS = 12
TRACKED = 0.55  # of the colour over what is tracked


def video_options(option: Option) -> None:
    option("film", metavar="FILE_OR_FRAMES", help="a film (PyAV reads it), or a folder of frames")
    option("--every", type=positive, default=1, metavar="N", help="each N-th frame (default: 1)")
    option("--most", type=positive, default=120, metavar="N", help="frames (default: 120)")
    layer_option(option, required=False)
    option("--preset", choices=PCA_PRESETS, default="paper", help="of the PCA; default: paper")
    option("--flip", action="store_true", help="the other side is the object")
    option(
        "--patch",
        type=patch,
        nargs="+",
        metavar="ROW,COL",
        help="tracks what lies at these patches of the first frame, from 0,0, each for itself",
    )
    option(
        "--alike",
        type=ratio,
        default=0.7,
        metavar="COSINE",
        help="what hangs together with a --patch and is so alike to it is tracked (default: 0.7)",
    )
    option(
        "--mask",
        metavar="FILE.png",
        help="tracks these instead: an indexed or grey picture of the first frame, 0 for nothing",
    )
    defaults = PropagationConfig()
    words = "frames before each that are asked, beside the first"
    for name, what in (
        ("neighbours", "patches that have a say"),
        ("radius", "rows and columns within which they lie"),
        ("queue", words),
    ):
        value = getattr(defaults, name)
        option(f"--{name}", type=positive, default=value, help=f"{what} (default: {value})")
    option("--milliseconds", type=positive, default=80, help="a frame stays, default: 80")
    option("--output", required=True, metavar="FILE.webp|gif")
    option("--arrays", metavar="FILE.npz", help="the frames as numbers")
    model_options(option)


def video(args: argparse.Namespace) -> None:
    """Frames of a film in the colours of one PCA, or with what is tracked through them.

    A WebP or GIF. Tracking carries labels from the first frame on by likeness of patches, as DINO
    is evaluated on DAVIS: the 5 most alike within 12 rows and columns, of the first frame and the
    last 7. --arrays writes an NPZ: colours [frames, h, w, 3], foreground [frames, h, w], ratio
    [k]; of tracking labels [frames, k, h, w], shares with 0 for what is not tracked, and masks
    [frames, H, W], the strongest at each pixel; seconds [frames] where they are known.
    """
    import numpy as np

    from dino_core.images.frames import read_frames

    output = output_file(args.output, ".webp", ".gif")
    arrays_to = output_file(args.arrays, ".npz") if args.arrays else None
    args.size = args.size or SHORT_SIDE
    found = read_frames(args.film, every=args.every, most=args.most)
    for note in found.notes:
        print(f"{args.film}: {note}", file=sys.stderr)
    backbone = load_weights(args)
    layer = from_end(args.layer, backbone)
    fitted, features = look_at_frames(found.pictures, layer, args, backbone)
    if args.patch or args.mask:
        arrays, frames = tracked(fitted, features, args)
        words = f"{arrays['labels'].shape[1] - 1} tracked"
    else:
        arrays, frames = in_colours(fitted, features, args)
        words = "one PCA"
    if found.seconds is not None:
        arrays["seconds"] = np.array(found.seconds, np.float32)
    write_frames(output, frames, found.names, args.milliseconds)
    if arrays_to:
        save(arrays_to, arrays)
    report(f"{len(frames)} frames, {words} -> {args.output}", backbone)


def look_at_frames(
    pictures: Any, layer: int, args: argparse.Namespace, backbone: "Backbone"
) -> "tuple[list[Fitted], list[Tensor]]":
    """Each frame in whole patches, and its patch features [P, D] after one layer."""
    import torch

    from dino_core.images import fit_to_patches, to_tensor

    if args.size == "native":
        args.size = (pictures[0].height, pictures[0].width)
    side, vit = backbone.vit.config.patch_size, backbone.vit
    fitted = [fit_to_patches(picture, side, args.size, args.fit) for picture in pictures]
    features = []
    with torch.inference_mode():
        for one in with_progress(fitted):
            images = to_tensor(one.picture)[None].to(vit.pos_embed)
            out = vit(images, trace=[layer])
            features.append(vit.norm(out.traces[layer].tokens[0, out.first_patch :]).float().cpu())
    return fitted, features


def in_colours(
    fitted: "list[Fitted]", features: "list[Tensor]", args: argparse.Namespace
) -> "tuple[dict[str, np.ndarray], list[np.ndarray]]":
    """One PCA over all frames -> arrays, and frames uint8 [H, W, 3]."""
    from dataclasses import replace

    import numpy as np

    from dino_core.analysis.pca import colour_features
    from dino_core.draw.pictures import enlarge, to_bytes

    config = replace(PCA_PRESETS[args.preset], flip=args.flip)
    result = colour_features(features, [one.grid for one in fitted], config)
    colours = np.stack([array(view.colours) for view in result.pictures])
    arrays = {
        "colours": colours,
        "foreground": np.stack([array(view.foreground) for view in result.pictures]),
        "ratio": array(result.pca.ratio),
    }
    return arrays, [enlarge(to_bytes(one), fitted[0].patch_size) for one in colours]


def tracked(
    fitted: "list[Fitted]", features: "list[Tensor]", args: argparse.Namespace
) -> "tuple[dict[str, np.ndarray], list[np.ndarray]]":
    """Labels carried from the first frame -> arrays, and frames uint8 [H, W, 3]."""
    import numpy as np
    import torch

    from dino_core.analysis.propagation import propagate, to_masks
    from dino_core.draw.colours import cluster_colour

    grid, (width, height) = fitted[0].grid, fitted[0].picture.size
    config = PropagationConfig(args.neighbours, args.radius, args.queue)
    first = first_labels(fitted[0], features[0], args)
    labels = list(propagate(features, first, grid, config))
    masks = [to_masks(one, grid, (height, width)).numpy() for one in labels]
    table = np.array([cluster_colour(i) for i in range(first.shape[1] - 1)], np.float32)
    frames = []
    for one, mask in zip(fitted, masks, strict=True):
        pixels = np.asarray(one.picture, np.float32).copy()
        inside = mask > 0
        colours = table[mask[inside] - 1]
        pixels[inside] = (1 - TRACKED) * pixels[inside] + TRACKED * colours
        frames.append(np.rint(pixels).astype(np.uint8))
    shares = torch.stack(labels).transpose(1, 2).unflatten(2, grid)  # [n, P, k] -> [n, k, h, w]
    return {"labels": array(shares), "masks": np.stack(masks).astype(np.uint8)}, frames


def first_labels(fitted: "Fitted", features: "Tensor", args: argparse.Namespace) -> "Tensor":
    """Labels [P, k] of the first frame from --mask or --patch; label 0 is what is not tracked."""
    import torch

    from dino_core.analysis.propagation import grown

    grid = fitted.grid
    if args.mask:
        read(args.mask, args)  # or says what is wrong with it
        places = mask_on_grid(args.mask, fitted)
    else:
        places = torch.zeros(grid[0] * grid[1], dtype=torch.int64)
        for number, place in enumerate(args.patch, 1):
            places[grown(features, grid, place, args.alike)] = number
        for number, (row, column) in enumerate(args.patch, 1):  # one that another has grown over
            places[row * grid[1] + column] = number
    count = int(places.max()) + 1
    if not 2 <= count <= MOST_LABELS + 1:
        raise ValueError(f"1 to {MOST_LABELS} things are tracked, but here are {count - 1}.")
    return torch.nn.functional.one_hot(places, count).float()


def mask_on_grid(path: str, fitted: "Fitted") -> "Tensor":
    """An indexed or grey picture of labels -> the label in the middle of each patch, int64 [P]."""
    import numpy as np
    import torch
    from PIL import Image

    with Image.open(path) as picture:
        if picture.mode not in ("P", "L", "1"):
            raise ValueError(f"{path} should be an indexed or grey picture, but is {picture.mode}.")
        values = np.array(picture).astype(np.int64)
    if values.shape != fitted.source_size:
        tall, wide = fitted.source_size
        raise ValueError(
            f"{path} has {values.shape[1]} x {values.shape[0]} px, but the frames have "
            f"{wide} x {tall}."
        )
    (h, w), side = fitted.grid, fitted.patch_size
    labels = torch.zeros(h, w, dtype=torch.int64)
    for row in range(h):
        for column in range(w):
            x, y = fitted.to_source((column + 0.5) * side, (row + 0.5) * side)
            if 0 <= x < values.shape[1] and 0 <= y < values.shape[0]:  # padding holds nothing
                labels[row, column] = int(values[int(y), int(x)])
    return labels.flatten()


def write_frames(path: Path, frames: "list[np.ndarray]", names: Any, milliseconds: int) -> None:
    from dino_core.draw.film import film_bytes, with_caption
    from dino_core.writing import replacing

    named = [with_caption(frame, name) for frame, name in zip(frames, names, strict=True)]
    data = film_bytes(named, path.suffix.lower()[1:], milliseconds)  # type: ignore[arg-type]
    with replacing(path) as partial:
        partial.write_bytes(data)


def add_parsers(commands: Any) -> None:
    """Adds the command to `argparse`'s subparsers."""
    add_command(commands, video, video_options, argparse.HelpFormatter)
