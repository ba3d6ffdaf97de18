"""film: a picture through all layers, in colours that stay."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import (
    Option,
    Width,
    add_command,
    count,
    figure_option,
    one_for_a_figure,
    patch,
    positive,
    write_figure,
)
from dino_core.cli.files import (
    array,
    fit,
    leave_out_unreadable,
    look,
    model_options,
    report,
    save,
)
from dino_core.cli.outputs import OF_SEVERAL, output_files
from dino_core.cli.weights import load_weights
from dino_core.config import PCA_PRESETS

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from dino_core.analysis.alignment import Family
    from dino_core.analysis.inspection import Inspection
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
    option("images", nargs="+", metavar="IMAGE")
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
    option(
        "--output",
        required=True,
        metavar="FILE.webp|gif",
        help=f"{OF_SEVERAL}; in a folder they are WebP",
    )
    option("--arrays", metavar="FILE.npz", help=f"the layers as numbers; {OF_SEVERAL}")
    figure_option(option, "one picture and all its layers, for print")
    model_options(option)


def film(args: argparse.Namespace) -> None:
    """Plays through depth: all layers as a film, an animated WebP or GIF.

    PCA in colours that stay, or what one token attends to over the picture, each layer to its own
    largest value; smooth between the layers. --arrays writes an NPZ: of pca colours [T, h, w, 3],
    foreground [h, w], scores [T, h, w, 3], cosine [T], variance [T]; of attention [T, h, w].
    Of several pictures a film for each, in a folder and named after it.
    """
    one_for_a_figure(args)
    films = output_files(args.images, args.output, ".webp", ".gif")
    arrays_to = output_files(args.images, args.arrays, ".npz")
    leave_out_unreadable(args)
    backbone = load_weights(args)
    for path in args.images:
        fitted = fit(path, args, backbone)
        seen = look(backbone, fitted)
        depth = through_depth(seen, args)
        write_film(Path(films[path]), depth.known, fitted, args)
        if arrays_to:
            save(Path(arrays_to[path]), depth.arrays)
        write_figure(args, depth.draw)
        report(f"{seen.layers} layers -> {films[path]}", backbone, depth.note)


@dataclass(frozen=True)
class ThroughDepth:
    """All layers of one picture in one view."""

    known: "np.ndarray"  # colours [T, h, w, 3] or values [T, h, w], both in 0 to 1
    arrays: "dict[str, np.ndarray]"
    draw: "Callable[[Width], Figure]"
    note: str = ""


def through_depth(seen: "Inspection", args: argparse.Namespace) -> ThroughDepth:
    """What --view asks for."""
    from dino_core import figures
    from dino_core.analysis.depth import attention_by_layer, layers_in_colours

    if args.view == "pca":
        family = layers_in_colours(seen, pca_config(args), method=args.align, robust=args.robust)
        arrays = family_arrays(family)

        def colours(width: Width) -> "Figure":
            return figures.layers_in_colours(seen, family, width=width)

        return ThroughDepth(arrays["colours"], arrays, colours, family.note)
    values = array(attention_by_layer(seen, args.query, head=args.head))

    def attention(width: Width) -> "Figure":
        return figures.attention_by_layer(seen, args.query, head=args.head, width=width)

    known = values / values.max((1, 2), keepdims=True)
    return ThroughDepth(known, {"attention": values}, attention)


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
