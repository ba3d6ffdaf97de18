"""How a command is given a model: a name, or a checkpoint and what it does not tell itself."""

import argparse
import sys
from typing import TYPE_CHECKING

from dino_core.cli.command import Option, grid, positive

if TYPE_CHECKING:
    from dino_core.weights import Backbone


def weights_options(option: Option) -> None:
    option("--model", metavar="NAME", help="see the command models (default: the one on this disk)")
    option(
        "--weights",
        metavar="FILE",
        help="a checkpoint of your own, or the folder of one from Hugging Face",
    )
    checkpoint_options(option)


def checkpoint_options(option: Option) -> None:
    """What a checkpoint does not tell of itself."""
    option("--heads", type=positive, metavar="A", help="of a checkpoint that does not tell")
    option(
        "--branch",
        metavar="NAME",
        help="which of several networks in a checkpoint: teacher (the moving average, and what is "
        "taken without this), student, or a prefix as the checkpoint has it",
    )
    option(
        "--position-grid",
        type=grid,
        metavar="RxC",
        help="rows and columns of the learned positions, where they are no square",
    )


def load_named(name: str, args: argparse.Namespace) -> "Backbone":
    """A model of the command `models`, or a checkpoint's file or folder."""
    from pathlib import Path

    import torch

    from dino_core.weights import load_backbone

    model, weights = (None, name) if Path(name).exists() else (name, None)
    return load_backbone(model, weights, device=args.device, dtype=getattr(torch, args.dtype))


def load_weights(args: argparse.Namespace, *, quiet: bool = False) -> "Backbone":
    """What was asked for, in the asked precision; notes on a file of one's own are printed."""
    import torch

    from dino_core.weights import load_backbone

    backbone = load_backbone(
        args.model,
        args.weights,
        device=args.device,
        dtype=getattr(torch, args.dtype),
        heads=args.heads,
        grid=args.position_grid,
        branch=args.branch,
    )
    if args.weights and not quiet:
        for note in backbone.info.notes:
            print(f"{args.weights}: {note}", file=sys.stderr)
    return backbone
