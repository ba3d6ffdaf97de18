"""similar, match, clusters: views of several pictures that a page shows as well."""

import argparse
from dataclasses import dataclass
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
    from_end,
    layer_option,
    leave_out_unreadable,
    look,
    model_options,
    read,
    report,
    save,
    save_pictures,
    with_progress,
)
from dino_core.cli.outputs import output_folder, picture_names
from dino_core.cli.weights import load_weights
from dino_core.config import PCA_PRESETS

if TYPE_CHECKING:
    from dino_core.analysis.inspection import Inspection
    from dino_core.images import Fitted
    from dino_core.weights import Backbone

LINES = 40  # matches that are drawn


@dataclass(frozen=True)
class Looked:
    """A picture of the command line, seen once."""

    name: str  # of its results
    fitted: "Fitted"
    seen: "Inspection"


def look_at_all(args: argparse.Namespace) -> tuple["Backbone", list[Looked]]:
    """All pictures that can be read, in one model; the place for results is looked at before."""
    output_folder(args.output)
    picture_names(args.images)  # or says that two would have one name
    leave_out_unreadable(args)
    backbone, names = load_weights(args), picture_names(args.images)
    looked = []
    for name, path in with_progress(list(zip(names, args.images, strict=True))):
        fitted = fit(path, args, backbone)
        looked.append(Looked(name, fitted, look(backbone, fitted)))
    return backbone, looked


def common_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    option("--output", required=True, metavar="DIR")
    figure_option(option, "the pictures, and this view of them, for print")
    model_options(option)


# --- similar


def similar_options(option: Option) -> None:
    option(
        "--patch", type=patch, required=True, metavar="ROW,COL", help="of the first picture, 0,0 on"
    )
    layer_option(option, required=False)
    common_options(option)


def similar(args: argparse.Namespace) -> None:
    """How alike all patches are to one patch of the first picture, there and in the others.

    For each picture a PNG, blue for -1 and red for 1, and an NPZ of float32: similarity [h, w], the
    cosine with that patch; with them patch [2], its row and column, and layer.
    """
    import numpy as np

    from dino_core import figures
    from dino_core.analysis.similarity import cosine_similarity
    from dino_core.draw.pictures import heat_map, overlay

    read(args.images[0], args)  # without it there is nothing to ask
    backbone, looked = look_at_all(args)
    layer, first = from_end(args.layer, backbone), looked[0].seen
    one = first.patches(layer)[[first.token_at(*args.patch) - first.first_patch]]  # [1, D]
    for each in looked:
        found = cosine_similarity(one, each.seen.patches(layer)).unflatten(1, each.seen.grid)[0]
        values = array(found)
        arrays = {"similarity": values, "patch": np.array(args.patch), "layer": np.array(layer)}
        save(Path(args.output, f"{each.name}.npz"), arrays)
        mixed = overlay(np.asarray(each.fitted.picture), heat_map(values, -1, 1, "blue-red"))
        save_pictures(args.output, {each.name: mixed})
    others = [each.seen for each in looked[1:]]
    write_figure(
        args,
        lambda width: figures.similarity(
            first, args.patch, others=others, layer=layer, width=width
        ),
    )
    report(f"Similarity to patch {args.patch[0]},{args.patch[1]} -> {args.output}", backbone)


# --- match


def match_options(option: Option) -> None:
    option("images", nargs=2, metavar="IMAGE", help="two pictures")
    layer_option(option, required=False)
    option("--preset", choices=PCA_PRESETS, default="paper", help="of the foreground")
    option("--everywhere", action="store_true", help="lines from and to the background as well")
    option("--lines", type=positive, default=LINES, metavar="N", help=f"drawn; default: {LINES}")
    option("--output", required=True, metavar="DIR")
    figure_option(option, "both pictures and the lines between them, for print")
    model_options(option)


def match(args: argparse.Namespace) -> None:
    """Which patches of two pictures are each other's nearest.

    matches.png, both pictures with lines, and matches.npz: forward [P], for each patch of the first
    picture the best of the second, counted row by row, forward_similarity [P], their cosine,
    backward [P'] and backward_similarity [P'] the other way round, mutual [P], true where the best
    match of the best match is the patch itself, and lines [n], those to draw, the best first.
    """
    from dino_core import figures
    from dino_core.analysis.side_by_side import drawn_pairs, matched
    from dino_core.figures.panels import panel_pixels

    for path in args.images:
        read(path, args)
    backbone, looked = look_at_all(args)
    layer = from_end(args.layer, backbone)
    first, second = (each.seen for each in looked)
    config = None if args.everywhere else PCA_PRESETS[args.preset]
    features = [each.seen.patches(layer).float() for each in looked]
    found = matched(features, [first.grid, second.grid], config)
    arrays = {name: array(value) for name, value in vars(found.matches).items()}
    save(Path(args.output, "matches.npz"), arrays | {"lines": array(found.lines)})
    pairs = drawn_pairs(found, [first.grid, second.grid], args.lines)
    words = f"layer {layer}, on the foreground" if config else f"layer {layer}"

    def draw(width: Any) -> Any:
        return figures.matches(first, second, pairs, header=words, width=width)

    save_pictures(args.output, {"matches": panel_pixels(draw("page"), 150)})
    write_figure(args, draw)
    mutual = int(found.matches.mutual.sum())
    report(f"{mutual} mutual matches, {len(pairs)} drawn -> {args.output}", backbone)


# --- clusters


def clusters_options(option: Option) -> None:
    option("--k", type=positive, required=True, metavar="K", help="how many clusters, 2 to 12")
    option("--seed", type=count, default=0, metavar="S", help="default: 0")
    layer_option(option, required=False)
    common_options(option)


def clusters(args: argparse.Namespace) -> None:
    """Patches in groups that are alike, in all pictures together.

    k-means of the features at length 1; cluster 0 is the largest. For each picture a PNG and an
    NPZ: labels [h, w], and what the pictures share: sizes [k], colours [k, 3] and explained, the
    share of the variance between clusters.
    """
    import numpy as np

    from dino_core import figures
    from dino_core.analysis.clustering import kmeans
    from dino_core.analysis.similarity import directions
    from dino_core.draw.colours import CLUSTER_COLOURS, cluster_colour
    from dino_core.draw.pictures import enlarge

    if not 2 <= args.k <= len(CLUSTER_COLOURS):
        raise ValueError(f"The clusters are 2 to {len(CLUSTER_COLOURS)}, not {args.k}.")
    backbone, looked = look_at_all(args)
    layer = from_end(args.layer, backbone)
    parts = [array(directions(each.seen.patches(layer))) for each in looked]
    points = np.concatenate(parts)
    found = kmeans(points, min(args.k, len(points)), args.seed)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    labels = [
        part.reshape(each.seen.grid)
        for part, each in zip(np.split(found.labels, ends), looked, strict=True)
    ]
    table = np.array([cluster_colour(i) for i in range(len(found.sizes))], np.uint8)
    shared = {"sizes": found.sizes, "colours": table, "explained": np.array(found.explained)}
    for each, one in zip(looked, labels, strict=True):
        save(Path(args.output, f"{each.name}.npz"), {"labels": one, **shared})
        save_pictures(args.output, {each.name: enlarge(table[one], each.seen.patch_size)})
    seen = [each.seen for each in looked]
    words = f"layer {layer}, seed {args.seed}, {100 * found.explained:.0f} % explained"
    write_figure(args, lambda width: figures.clusters(seen, labels, header=words, width=width))
    report(f"{len(found.sizes)} clusters -> {args.output}", backbone)


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    for run, options_of in (
        (similar, similar_options),
        (match, match_options),
        (clusters, clusters_options),
    ):
        add_command(commands, run, options_of, argparse.HelpFormatter)
