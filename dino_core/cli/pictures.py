"""features, attention, pca: what a model makes of pictures."""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import (
    Option,
    Width,
    add_command,
    count,
    figure_option,
    patch,
    write_figure,
)
from dino_core.cli.files import (
    array,
    check_same_size,
    fit,
    from_end,
    layer_option,
    leave_out_unreadable,
    look,
    model_options,
    over_picture,
    report,
    save,
    save_pictures,
    stack,
    with_class_rows,
    with_progress,
)
from dino_core.cli.outputs import output_file, output_folder, output_folders, picture_names
from dino_core.cli.weights import load_weights
from dino_core.config import PCA_PRESETS, PCAConfig

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from torch import Tensor

    from dino_core.analysis.pca import FeatureColours
    from dino_core.images import Fitted

MOST = 24  # pictures in a figure


# --- features


def features_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    option(
        "--output",
        required=True,
        metavar="FILE.npz",
        help="one file for all pictures, which then must have one size; with {name} in it, a file "
        "for each picture, named after it; anything that does not end in .npz is a folder for such",
    )
    figure_option(option, f"the pictures, {MOST} at most, and the PCA of their patches, for print")
    model_options(option)


def features(args: argparse.Namespace) -> None:
    """Class token, registers, patches and attention as arrays.

    An NPZ of float32: cls [B, D], registers [B, R, D] and patches [B, h, w, D] after the final
    norm, and cls_attention [B, layers, heads, h, w], the class token's softmax row over all tokens,
    of which the patches are shown.
    """
    import numpy as np

    in_one = args.output.endswith(".npz") and "{name}" not in args.output
    if args.output.endswith(".npz"):
        output_file(args.output, ".npz")
    else:
        output_folder(args.output.partition("{name}")[0] or ".")
    if not in_one:
        picture_names(args.images)  # or says that two would have one name
    leave_out_unreadable(args)
    check_count(args)
    backbone = load_weights(args)
    shown: list[Shown] = []

    def arrays_of(path: str) -> dict[str, "np.ndarray"]:
        fitted = fit(path, args, backbone)
        out = with_class_rows(backbone, fitted)
        assert out.rows is not None
        if args.figure:
            shown.append(Shown(np.asarray(fitted.picture), out.patches[0], out.grid))
        return {
            "cls": array(out.cls[0]),
            "registers": array(out.register_tokens[0]),
            "patches": array(out.patches[0].unflatten(0, out.grid)),
            "cls_attention": array(out.rows[0, :, :, 0, out.first_patch :].unflatten(-1, out.grid)),
        }

    if in_one:
        check_same_size(args, backbone)
        Path(args.output).parent.mkdir(parents=True, exist_ok=True)  # before the long work
        save(Path(args.output), stack([arrays_of(path) for path in with_progress(args.images)]))
    else:
        pattern = args.output if "{name}" in args.output else f"{args.output}/{{name}}"
        named = list(zip(args.images, picture_names(args.images), strict=True))
        for path, name in with_progress(named):
            target = pattern.replace("{name}", name).removesuffix(".npz") + ".npz"
            save(Path(target), stack([arrays_of(path)]))
    config = PCA_PRESETS["paper"]
    write_figure(args, lambda width: pca_figure(shown, config, "last layer", width=width))
    report(f"Features -> {args.output}", backbone)


# --- attention


def attention_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    layer_option(option, required=True)
    option(
        "--query", type=patch, metavar="ROW,COL", help="a patch, from 0,0 (default: class token)"
    )
    option(
        "--head",
        type=count,
        nargs="+",
        metavar="H",
        help="those in the figure, from 0 (default: all of one picture; of several the mean)",
    )
    option("--output", required=True, metavar="DIR")
    figure_option(option, "the picture, heads and their mean, a row a picture, for print")
    model_options(option)


def attention(args: argparse.Namespace) -> None:
    """What one token attends to, in every head of a layer.

    Pictures of every head, each from 0 to its own largest value, and of their mean; and
    attention.npz of float32: rows [heads, tokens], which sum to 1, attention [heads, h, w], their
    patch part, and entropy [heads] in nats. Of several pictures in a folder for each.
    """
    from dino_core.analysis.inspection import attention_row
    from dino_core.images import to_tensor
    from dino_core.vit import check_range

    folders = output_folders(args.images, args.output)
    leave_out_unreadable(args)
    check_count(args)
    backbone = load_weights(args)
    layer = from_end(args.layer, backbone)
    check_range("head", args.head or (), backbone.vit.config.heads)
    shown = []
    for path in with_progress(args.images):
        fitted = fit(path, args, backbone)
        if args.figure:  # which asks for more than this row
            shown.append(look(backbone, fitted))
            token = shown[-1].token_at(*args.query) if args.query else 0
            rows = shown[-1].row(layer, token)
        else:
            rows = attention_row(backbone.vit, to_tensor(fitted.picture), layer, args.query)
        save_attention(folders[path], fitted, rows.float(), args.query)
    chosen: dict[str, Any] = {"query": args.query, "layer": layer, "heads": args.head}

    def draw(width: Width) -> "Figure":
        from dino_core import figures

        if len(folders) == 1:
            return figures.attention(shown[0], **chosen, width=width)
        return figures.attention_of_pictures(shown, **chosen, width=width)

    write_figure(args, draw)
    report(f"Layer {layer}, {backbone.vit.config.heads} heads -> {args.output}", backbone)


def save_attention(
    folder: str, fitted: "Fitted", rows: "Tensor", query: tuple[int, int] | None
) -> None:
    """One picture's heads, rows [A, N] over its tokens, as PNG and NPZ."""
    from dino_core.analysis.attention import entropy
    from dino_core.draw.pictures import contact_sheet

    h, w = fitted.grid
    maps = array(rows[:, -h * w :].unflatten(-1, (h, w)))  # patches are the last tokens
    heads = [over_picture(values, fitted, query) for values in maps]
    pictures = {f"head_{head:02}": picture for head, picture in enumerate(heads)}
    pictures["heads"] = contact_sheet(heads, columns=math.isqrt(len(heads) - 1) + 1)
    pictures["mean"] = over_picture(maps.mean(0), fitted, query)
    save_pictures(folder, pictures)
    arrays = {"rows": array(rows), "attention": maps, "entropy": array(entropy(rows))}
    save(Path(folder, "attention.npz"), arrays)


# --- pca


def pca_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    layer_option(option, required=False)
    option("--preset", choices=PCA_PRESETS, default="paper", help="default: paper")
    option(
        "--flip", action="store_true", help="the other side of the first component is the object"
    )
    option("--output", required=True, metavar="DIR")
    figure_option(option, f"the pictures, {MOST} at most, and their colours, for print")
    model_options(option)


def pca(args: argparse.Namespace) -> None:
    """Patch features as colours, with one PCA for all pictures.

    For each picture a PNG and an NPZ: colours [h, w, 3] in 0 to 1, foreground [h, w], scores
    [h, w, k] on the components and first [h, w], the foreground score; with them the PCA that the
    pictures share: mean [D], components [k, D], variance [k], ratio [k].
    """
    import numpy as np

    from dino_core.analysis.inspection import patch_features
    from dino_core.analysis.pca import colour_features
    from dino_core.draw.pictures import enlarge, to_bytes
    from dino_core.images import to_tensor

    output_folder(args.output)
    picture_names(args.images)  # or says that two would have one name
    leave_out_unreadable(args)
    check_count(args)
    config = replace(PCA_PRESETS[args.preset], flip=args.flip)
    args.size = args.size or config.short_side
    names = picture_names(args.images)
    backbone = load_weights(args)
    layer = from_end(args.layer, backbone)
    shown, side = [], backbone.vit.config.patch_size
    for path in with_progress(args.images):
        fitted = fit(path, args, backbone)
        features = patch_features(backbone.vit, to_tensor(fitted.picture), layer)
        shown.append(Shown(np.asarray(fitted.picture), features, fitted.grid))
    patches, grids = [one.patches for one in shown], [one.grid for one in shown]
    result = colour_features(patches, grids, config)

    shared = {name: array(value) for name, value in vars(result.pca).items()}
    for name, view in zip(names, result.pictures, strict=True):
        arrays = {name: array(value) for name, value in vars(view).items()}
        save(Path(args.output, f"{name}.npz"), arrays | shared)
        colours = to_bytes(arrays["colours"])
        save_pictures(args.output, {name: enlarge(colours, side)})

    def draw(width: Width) -> "Figure":
        from dino_core.figures.maps import words_of_layer

        words = words_of_layer(layer, backbone.vit.config.depth, shown[0].grid, side)
        return pca_figure(shown, config, words, result, width=width)

    write_figure(args, draw)
    report(f"Layer {layer} in colours -> {args.output}", backbone, result.note)


# --- PCA figures


@dataclass(frozen=True)
class Shown:
    """What a figure needs of a picture."""

    picture: "np.ndarray"  # uint8 [H, W, 3], as the model was given it
    patches: "Tensor"  # [P, D]
    grid: tuple[int, int]


def check_count(args: argparse.Namespace) -> None:
    """ValueError, before the long work, for more pictures than a figure has room for."""
    if args.figure and len(args.images) > MOST:
        raise ValueError(
            f"A figure has room for {MOST} pictures, and these are {len(args.images)}: give fewer, "
            f"or leave --figure out."
        )


def pca_figure(
    shown: "Sequence[Shown]",
    config: PCAConfig,
    layer: str,
    result: "FeatureColours | None" = None,
    *,
    width: Width = "page",
) -> "Figure":
    """Pictures above their colours; the PCA is computed unless it is there."""
    from dino_core.analysis.pca import colour_features
    from dino_core.figures.maps import pca_panel

    if result is None:
        patches, grids = [one.patches for one in shown], [one.grid for one in shown]
        result = colour_features(patches, grids, config)
    return pca_panel([one.picture for one in shown], result, config, header=layer, width=width)


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    for run, options_of in (
        (features, features_options),
        (attention, attention_options),
        (pca, pca_options),
    ):
        add_command(commands, run, options_of, argparse.HelpFormatter)
