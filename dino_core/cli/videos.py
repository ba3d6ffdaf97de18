"""video: the frames of a film with one basis, and things tracked through them."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import Option, add_command, patch, positive, ratio
from dino_core.cli.files import (
    array,
    from_end,
    layer_option,
    model_options,
    report,
    save,
    with_progress,
)
from dino_core.cli.outputs import output_file
from dino_core.cli.weights import load_weights
from dino_core.config import PCA_PRESETS, PropagationConfig

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image
    from torch import Tensor

    from dino_core.images import Fitted
    from dino_core.images.frames import Film
    from dino_core.weights import Backbone

SHORT_SIDE = 224  # px


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

    from dino_core.analysis.videos import frame_features
    from dino_core.images.frames import keep_frames

    output = output_file(args.output, ".webp", ".gif")
    arrays_to = output_file(args.arrays, ".npz") if args.arrays else None
    backbone = load_weights(args)
    layer = from_end(args.layer, backbone)
    film = keep_frames(args.film, fitting(args, backbone), every=args.every, most=args.most)
    for note in film.notes:
        print(f"{args.film}: {note}", file=sys.stderr)
    features = list(frame_features(backbone.vit, with_progress(film.pictures), layer))
    show = tracked if args.patch or args.mask else in_colours
    arrays, frames = show(film, features, args)
    words = f"{arrays['labels'].shape[1] - 1} tracked" if "labels" in arrays else "one PCA"
    if film.seconds is not None:
        arrays["seconds"] = np.array(film.seconds, np.float32)
    write_frames(output, frames, args.milliseconds)
    if arrays_to:
        save(arrays_to, arrays)
    report(f"{len(frames)} frames, {words} -> {args.output}", backbone)


def fitting(args: argparse.Namespace, backbone: "Backbone") -> "Callable[[Image], Fitted]":
    """How each frame is brought to whole patches."""
    from dino_core.images import fit_to_patches

    def fit(picture: "Image") -> "Fitted":
        native = (picture.height, picture.width)
        size = native if args.size == "native" else args.size or SHORT_SIDE
        return fit_to_patches(picture, backbone.vit.config.patch_size, size, args.fit)

    return fit


Shown = tuple[dict[str, "np.ndarray"], list["np.ndarray"]]  # arrays; frames uint8 [H, W, 3]


def in_colours(film: "Film[Fitted]", features: "list[Tensor]", args: argparse.Namespace) -> Shown:
    """One PCA over all frames."""
    from dataclasses import replace

    from dino_core.analysis.videos import in_one_basis
    from dino_core.draw.film import patch_frames

    config = replace(PCA_PRESETS[args.preset], flip=args.flip)
    found = in_one_basis(features, film.pictures, config)
    arrays = {name: array(value) for name, value in vars(found).items()}
    side = film.pictures[0].patch_size
    return arrays, patch_frames(arrays["colours"], film.names, side)


def tracked(film: "Film[Fitted]", features: "list[Tensor]", args: argparse.Namespace) -> Shown:
    """Labels carried from the first frame on."""
    import numpy as np

    from dino_core.analysis.videos import track
    from dino_core.draw.film import tinted

    first = film.pictures[0]
    config = PropagationConfig(args.neighbours, args.radius, args.queue)
    found = track(features, first_labels(first, features[0], args), first, config)
    arrays = {name: array(value) for name, value in vars(found).items()}
    pixels = [np.asarray(one.picture) for one in film.pictures]
    return arrays, tinted(pixels, arrays["masks"], film.names)


def first_labels(fitted: "Fitted", features: "Tensor", args: argparse.Namespace) -> "Tensor":
    """Labels [P, k] of the first frame from --mask or --patch."""
    import torch

    from dino_core.analysis.videos import labels_from_patches, one_hot
    from dino_core.images.labels import labels_on_grid, read_labels

    if not args.mask:
        return labels_from_patches(features, fitted.grid, args.patch, args.alike)
    places = labels_on_grid(read_labels(args.mask), fitted)
    return one_hot(torch.from_numpy(places).flatten())


def write_frames(path: Path, frames: "list[np.ndarray]", milliseconds: int) -> None:
    from dino_core.draw.film import film_bytes
    from dino_core.writing import replacing

    data = film_bytes(frames, path.suffix.lower()[1:], milliseconds)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_bytes(data)


def add_parsers(commands: Any) -> None:
    """Adds the command to `argparse`'s subparsers."""
    add_command(commands, video, video_options, argparse.HelpFormatter)
