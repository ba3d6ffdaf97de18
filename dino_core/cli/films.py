"""film: a picture through all layers, in colours that stay."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import (
    Option,
    add_command,
    count,
    figure_option,
    patch,
    positive,
    write_figure,
)
from dino_core.cli.files import (
    array,
    fit,
    look,
    model_options,
    report,
    save,
)
from dino_core.cli.outputs import output_file
from dino_core.cli.weights import load_weights
from dino_core.config import PCA_PRESETS

if TYPE_CHECKING:
    import numpy as np

    from dino_core.analysis.alignment import Family
    from dino_core.images import Fitted

METHODS = ("rotation", "order", "signs", "joint", "none")  # of `analysis.alignment`


def colour_options(option: Option) -> None:
    option("--preset", choices=PCA_PRESETS, default="paper", help="of the PCA; default: paper")
    option("--flip", action="store_true", help="the other side is the object")
    option(
        "--align",
        choices=METHODS,
        default="rotation",
        help="how the components of one map are brought to those of its neighbour; joint: one PCA "
        "for all (default: rotation)",
    )
    option(
        "--robust",
        action="store_true",
        help="patches whose length stands out (median + 4 * 1.4826 MAD) have no say",
    )


def pca_config(args: argparse.Namespace) -> Any:
    from dataclasses import replace

    return replace(PCA_PRESETS[args.preset], flip=args.flip)


# --- film


def film_options(option: Option) -> None:
    option("image", metavar="IMAGE")
    option("--view", choices=("pca", "attention"), default="pca", help="default: pca")
    option(
        "--query",
        type=patch,
        metavar="ROW,COL",
        help="of attention: a patch, from 0,0 (default: the class token)",
    )
    option(
        "--head", type=count, metavar="H", help="of attention, from 0 (default: the mean of all)"
    )
    colour_options(option)
    option("--steps", type=positive, default=8, help="frames from layer to layer, default: 8")
    option("--milliseconds", type=positive, default=40, help="a frame stays, default: 40")
    option("--output", required=True, metavar="FILE.webp|gif")
    option("--arrays", metavar="FILE.npz", help="the layers as numbers")
    figure_option(option, "the picture and all layers, for print")
    model_options(option)


def film(args: argparse.Namespace) -> None:
    """Plays through depth: all layers as a film, an animated WebP or GIF.

    PCA in colours that stay, or what one token attends to over the picture, each layer to its own
    largest value; smooth between the layers. --arrays writes an NPZ: of pca colours [T, h, w, 3],
    foreground [h, w], scores [T, h, w, 3], cosine [T], variance [T]; of attention [T, h, w].
    """
    from dino_core import figures
    from dino_core.analysis.depth import attention_by_layer, layers_in_colours

    output = output_file(args.output, ".webp", ".gif")
    arrays_to = output_file(args.arrays, ".npz") if args.arrays else None
    backbone = load_weights(args)
    fitted = fit(args.image, args, backbone)
    seen = look(backbone, fitted)
    if args.view == "pca":
        config = pca_config(args)
        family = layers_in_colours(seen, config, method=args.align, robust=args.robust)
        arrays = family_arrays(family)
        known, note = arrays["colours"], family.note
        draw = partial(figures.layers_in_colours, seen, family)
    else:
        values = array(attention_by_layer(seen, args.query, head=args.head))
        arrays, note = {"attention": values}, ""
        known = values / values.max((1, 2), keepdims=True)
        draw = partial(figures.attention_by_layer, seen, args.query, head=args.head)
    write_film(output, known, fitted, args)
    if arrays_to:
        save(arrays_to, arrays)
    write_figure(args, lambda width: draw(width=width))
    report(f"{seen.layers} layers -> {args.output}", backbone, note)


def family_arrays(family: "Family") -> dict[str, "np.ndarray"]:
    """What files hold of maps of one grid."""
    import numpy as np

    return {
        "colours": np.stack([array(view.colours) for view in family.maps]),
        "foreground": array(family.maps[-1].foreground),
        "scores": np.stack([array(view.scores) for view in family.maps]),
        "cosine": np.array([view.cosine for view in family.maps], np.float32),
        "variance": np.array([view.variance for view in family.maps], np.float32),
    }


def write_film(path: Path, known: "np.ndarray", fitted: "Fitted", args: argparse.Namespace) -> None:
    """Layers [T, h, w, 3] in colours, or [T, h, w] of 0 to 1 over the picture, as a film."""
    import numpy as np

    from dino_core.draw.film import film_bytes, layer_frames
    from dino_core.images import patch_box
    from dino_core.writing import replacing

    query: tuple[int, int] | None = args.query
    box = patch_box(*query, fitted.patch_size) if query else None
    frames = layer_frames(known, np.asarray(fitted.picture), args.steps, box)
    data = film_bytes(frames, path.suffix.lower()[1:], args.milliseconds)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial_file:
        partial_file.write_bytes(data)


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    add_command(commands, film, film_options, argparse.HelpFormatter)
