"""webpage: a picture as one interactive HTML file."""

import argparse
from pathlib import Path
from typing import Any

from dino_core.cli.command import Option, add_command
from dino_core.cli.files import fit, leave_out_unreadable, look, model_options, report
from dino_core.cli.films import colour_options, pca_config
from dino_core.cli.outputs import OF_SEVERAL, output_files
from dino_core.cli.weights import load_weights

SHORT_SIDE = 224  # px: a page of at most 4 MB


def webpage_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    colour_options(option)
    option("--title", metavar="WORDS", help="default: the name of the file")
    option("--output", required=True, metavar="FILE.html", help=OF_SEVERAL)
    model_options(option)


def webpage(args: argparse.Namespace) -> None:
    """A picture as one HTML file: attention under the pointer, PCA layer by layer.

    It opens from the disk, without a server, and loads nothing from elsewhere: for a talk or a
    supplement. At most 4 MB for ViT-S/14 at 224 px, the default size, whatever the aspect of the
    picture; attention is computed in it from rounded queries and keys, as little as that allows,
    and how far off any weight is stands on the page. Larger models and sizes take more rather than
    be rounded beyond what can be shown. Of several pictures a file for each, in a folder and named
    after it.
    """
    from dino_core.analysis.depth import layers_in_colours
    from dino_core.figures.offline_page import offline_page
    from dino_core.jobs import write_text

    pages = output_files(args.images, args.output, ".html")
    leave_out_unreadable(args)
    args.size = args.size or SHORT_SIDE
    backbone = load_weights(args)
    for path in args.images:
        seen = look(backbone, fit(path, args, backbone))
        family = layers_in_colours(seen, pca_config(args), method=args.align, robust=args.robust)
        h, w = seen.grid
        words = f"{backbone.info.title}, {h} × {w} patches of {seen.patch_size} px."
        text = offline_page(seen, family, title=args.title or Path(path).name, words=words)
        Path(pages[path]).parent.mkdir(parents=True, exist_ok=True)
        write_text(Path(pages[path]), text)
        done = f"A page of {len(text.encode()) / 1e6:.1f} MB -> {pages[path]}"
        report(done, backbone, family.note)


def add_parsers(commands: Any) -> None:
    """Adds the command to `argparse`'s subparsers."""
    add_command(commands, webpage, webpage_options, argparse.HelpFormatter)
