"""tray: several pictures as rows, several views as columns, one basis and one scale a column."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import (
    Option,
    add_command,
    count,
    figure_option,
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
    save_pictures,
)
from dino_core.cli.films import colour_options, pca_config
from dino_core.cli.outputs import output_folder
from dino_core.cli.weights import load_named, load_weights

if TYPE_CHECKING:
    import numpy as np

    from dino_core.analysis.inspection import Inspection
    from dino_core.analysis.tray import Tray
    from dino_core.analysis.tray_columns import Column

COLUMNS = ("input", "pca", "attention")


def tray_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    option(
        "--columns",
        nargs="+",
        type=column,
        default=[column(word) for word in COLUMNS],
        metavar="COLUMN",
        help="VIEW[:LAYER[.HEAD]][@[PICTURE:]ROW,COL][/MODEL], a view being input, pca, attention, "
        "similar, clusters, norms or difference: attention:11.3, similar:8@0:6,12, pca/1 (default: "
        f"{' '.join(COLUMNS)})",
    )
    option(
        "--second",
        nargs="+",
        default=[],
        metavar="MODEL",
        help="model 1, and 2, 3, ..., by name or a checkpoint; --model is model 0",
    )
    option("--k", type=positive, default=6, metavar="K", help="clusters, 2 to 12 (default: 6)")
    option("--seed", type=count, default=0, metavar="S", help="of the clusters (default: 0)")
    colour_options(option)
    option("--output", required=True, metavar="DIR")
    figure_option(option, "pictures below each other, columns side by side, for print")
    model_options(option)


def column(word: str) -> "Column":
    from dino_core.analysis.tray_columns import column_of

    try:
        return column_of(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def tray(args: argparse.Namespace) -> None:
    """Up to twelve pictures as rows, chosen views of them as columns.

    PCA and clusters are made of all pictures together, PCA of several layers or models in colours
    that stay; a scale is the same in all rows. tray.png is all of it, and tray.npz has for column C
    and row R, from 0 on, map_C_R: colours [h, w, 3] of pca, labels [h, w] of clusters, else
    [h, w]; numbers_C [rows], which stand for a row; columns, names, models and limits [columns, 2].
    """
    from dino_core import figures
    from dino_core.analysis.tray import TraySettings, check_counts, check_models, fill_tray
    from dino_core.figures.panels import panel_pixels

    output_folder(args.output)
    config = pca_config(args)
    settings = TraySettings(config, args.align, args.robust, args.k, args.seed)
    check_counts(len(args.images), args.columns, settings)
    check_models(1 + len(args.second))
    leave_out_unreadable(args)
    backbones = [load_weights(args), *(load_named(name, args) for name in args.second)]

    def seen(row: int) -> "list[Inspection]":
        return [look(backbone, fit(args.images[row], args, backbone)) for backbone in backbones]

    filled = fill_tray(len(args.images), seen, args.columns, settings)
    names = [Path(path).name for path in args.images]
    models = [backbone.name for backbone in backbones]
    save(Path(args.output, "tray.npz"), tray_arrays(filled, names, models))

    def draw(width: Any) -> Any:
        return figures.tray(filled, names, width=width, models=models)

    wide = max(183.0, 24.0 * len(args.columns))  # mm: as many columns as there are have room
    save_pictures(args.output, {"tray": panel_pixels(draw(wide), 150)})
    write_figure(args, draw)
    done = f"{len(names)} pictures, {len(args.columns)} columns -> {args.output}"
    report(done, backbones[0])


def tray_arrays(
    filled: "Tray", names: Sequence[str], models: Sequence[str]
) -> dict[str, "np.ndarray"]:
    """What `tray` writes."""
    import numpy as np

    limits = [one.limits or (np.nan, np.nan) for one in filled.columns]
    arrays: dict[str, np.ndarray] = {
        "columns": np.array([one.column.word for one in filled.columns]),
        "names": np.array(names),
        "models": np.array(models),
        "limits": np.array(limits, np.float32),
    }
    for number, one in enumerate(filled.columns):
        if one.column.view == "input":
            continue
        arrays |= {f"map_{number}_{row}": array(values) for row, values in enumerate(one.maps)}
        arrays[f"numbers_{number}"] = np.array(one.numbers, np.float32)
    return arrays


def add_parsers(commands: Any) -> None:
    """Adds the command to `argparse`'s subparsers."""
    add_command(commands, tray, tray_options, argparse.HelpFormatter)
