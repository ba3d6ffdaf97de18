"""grid, compare: a picture in several layers and models, in colours that stay."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import (
    Option,
    add_command,
    figure_option,
    one_for_a_figure,
    patch,
    write_figure,
)
from dino_core.cli.files import (
    array,
    fit,
    from_end,
    input_options,
    leave_out_unreadable,
    look,
    report,
    save,
    save_pictures,
    with_progress,
)
from dino_core.cli.films import colour_options, pca_config
from dino_core.cli.outputs import output_folder, picture_names
from dino_core.cli.weights import load_named
from dino_core.config import PCA_PRESETS

if TYPE_CHECKING:
    import numpy as np

    from dino_core.analysis.inspection import Inspection
    from dino_core.analysis.model_grid import ModelGrid
    from dino_core.analysis.side_by_side import Compared
    from dino_core.weights import Backbone

# --- grid


def grid_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    option(
        "--models",
        nargs="+",
        required=True,
        metavar="NAME",
        help="names as in the command models, or checkpoints",
    )
    option(
        "--layers",
        nargs="+",
        type=int,
        default=[-1],
        metavar="LAYER",
        help="counted from 0, or from the end: -1 is the last (default)",
    )
    option("--view", choices=("pca", "attention", "similar"), default="pca", help="default: pca")
    option(
        "--query",
        type=patch,
        metavar="ROW,COL",
        help="a patch of the first model's grid, from 0,0; of attention (default: the class token) "
        "and similar",
    )
    colour_options(option)
    option("--output", required=True, metavar="DIR")
    figure_option(option, "models below each other, layers side by side, for print")
    input_options(option)


def grid(args: argparse.Namespace) -> None:
    """Models x layers of one view, with one basis for all cells.

    For each picture a PNG and an NPZ: cka [models, layers], unbiased, of each cell with the last;
    and for model M and layer number L, from 0 on, map_M_L: colours [h, w, 3] of pca, [h, w] of
    attention (the mean of all heads) and similar; of pca cosine_M_L, with the cell before.
    """
    from dino_core.analysis.model_grid import View, models_by_layers
    from dino_core.figures import model_grid
    from dino_core.figures.panels import panel_pixels

    if args.view == "similar" and args.query is None:
        raise ValueError("The view similar wants --query ROW,COL: similar to which patch?")
    output_folder(args.output)
    picture_names(args.images)
    leave_out_unreadable(args)
    one_for_a_figure(args)
    backbones = [load_named(name, args) for name in args.models]
    layers = [[from_end(layer, backbone) for layer in args.layers] for backbone in backbones]
    names = [Path(name).stem for name in args.models]
    view = View(args.view, args.query, pca_config(args), args.align, args.robust)
    for name, path in with_progress(
        list(zip(picture_names(args.images), args.images, strict=True))
    ):
        seen = [look(backbone, fit(path, args, backbone)) for backbone in backbones]
        arrays = grid_arrays(models_by_layers(seen, layers, view))
        save(Path(args.output, f"{name}.npz"), arrays)
        maps = [[arrays[f"map_{i}_{j}"] for j in range(len(row))] for i, row in enumerate(layers)]
        draw = partial(
            model_grid,
            seen[0],
            maps,
            names,
            layers,
            cka=arrays["cka"],
            header=f"{args.view}, models by layers",
            query=args.query,
            colours="blue-red" if args.view == "similar" else "magma",
        )
        save_pictures(args.output, {name: panel_pixels(draw(), 150)})
    write_figure(args, lambda width: draw(width=width))
    report(f"{len(backbones)} models, {len(args.layers)} layers each -> {args.output}")


def grid_arrays(found: "ModelGrid") -> dict[str, "np.ndarray"]:
    """What `grid` writes of a picture in several models."""
    import numpy as np

    arrays = {"cka": array(found.cka)}
    for i, row in enumerate(found.maps):
        arrays |= {f"map_{i}_{j}": array(values) for j, values in enumerate(row)}
    for i, cosines in enumerate(found.cosine):
        arrays |= {f"cosine_{i}_{j}": np.array(one, np.float32) for j, one in enumerate(cosines)}
    return arrays


# --- compare


def compare_options(option: Option) -> None:
    option("first", metavar="A", help="a model as in the command models, or a checkpoint")
    option("second", metavar="B", help="another, or the same")
    option("images", nargs="+", metavar="IMAGE")
    option(
        "--layers",
        nargs=2,
        type=int,
        default=(-1, -1),
        metavar=("LAYER", "LAYER"),
        help="of A and of B, counted from 0, or from the end (default: the last of each)",
    )
    option("--preset", choices=PCA_PRESETS, default="paper", help="default: paper")
    option("--flip", action="store_true", help="the other side is the object")
    option("--output", required=True, metavar="DIR")
    figure_option(option, "the picture and both PCAs, for print")
    input_options(option)


def compare(args: argparse.Namespace) -> None:
    """A picture in two models, or in two layers of one: how alike, and in colours that go together.

    For each picture a PNG of both PCAs, and an NPZ: cka and cka_biased; order [3], signs [3] and
    correlation [3], which components of B stand for A's red, green and blue, and how well; colours,
    second_colours [h, w, 3] in 0 to 1, scores, second_scores [h, w, 3]; and layers [T, T'], the
    unbiased CKA of every layer of A with every layer of B.
    """
    from dino_core.analysis.side_by_side import compared
    from dino_core.figures import comparison
    from dino_core.figures.panels import panel_pixels

    output_folder(args.output)
    picture_names(args.images)
    leave_out_unreadable(args)
    one_for_a_figure(args)
    both: list[Backbone] = [load_named(args.first, args)]
    both.append(both[0] if args.second == args.first else load_named(args.second, args))
    layers = [from_end(layer, one) for layer, one in zip(args.layers, both, strict=True)]
    chosen = zip((args.first, args.second), layers, strict=True)
    names = [f"{Path(name).stem}, layer {layer}" for name, layer in chosen]
    for name, path in with_progress(
        list(zip(picture_names(args.images), args.images, strict=True))
    ):
        seen, second = (look(one, fit(path, args, one)) for one in both)
        parts = [one.patches(layer) for one, layer in zip((seen, second), layers, strict=True)]
        grids = [seen.grid, second.grid]
        found = compared(parts[0], parts[1], grids, pca_config(args))
        arrays = compare_arrays(seen, second, found)
        save(Path(args.output, f"{name}.npz"), arrays)
        draw = partial(comparison, seen, found, names)
        save_pictures(args.output, {name: panel_pixels(draw(), 150)})
        print(f"{path}: CKA {found.cka:.3f}")
    write_figure(args, lambda width: draw(width=width))
    report(f"{names[0]} and {names[1]} -> {args.output}")


def compare_arrays(
    seen: "Inspection", second: "Inspection", found: "Compared"
) -> dict[str, "np.ndarray"]:
    """What `compare` writes of a picture."""
    import numpy as np

    from dino_core.analysis.comparison import cka_matrix, to_grid

    own = [seen.patches(layer).float() for layer in range(seen.layers)]
    theirs = [
        to_grid(second.patches(layer).float(), second.grid, seen.grid)
        for layer in range(second.layers)
    ]
    maps = ("colours", "scores", "second_colours", "second_scores")
    return {
        "cka": np.array(found.cka),
        "cka_biased": np.array(found.cka_biased),
        **{name: array(value) for name, value in vars(found.alignment).items()},
        **{name: array(getattr(found, name)) for name in maps},
        "layers": array(cka_matrix(own, theirs)),
    }


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    for run, options_of in ((grid, grid_options), (compare, compare_options)):
        add_command(commands, run, options_of, argparse.HelpFormatter)
