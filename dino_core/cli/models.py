"""models: which there are, and whose weights are here."""

import argparse
from pathlib import Path
from typing import Any

from dino_core.cli.command import Option, add_command


def models_options(option: Option) -> None:
    option("--download", metavar="NAME", help="fetch the weights of this model from its publisher")


def models(args: argparse.Namespace) -> None:
    """The models known by name, and whose weights are on this disk."""
    from dino_core.weights import catalogue, default_model

    if args.download:
        print(f"{args.download} is at {download_with_progress(args.download)}")
        return
    default = default_model()
    for variant in catalogue():
        where = variant.path or f"not here: {variant.megabytes} MB from {variant.url}"
        chosen = " (default)" if variant.name == default else ""
        print(f"{variant.name}{chosen}: {variant.title}, {variant.parameters:,} parameters")
        print(f"    weights: {where}")
        print(f"    source: {variant.source}; licence: {variant.licence}")


def download_with_progress(name: str) -> Path:
    from tqdm import tqdm

    from dino_core.weights import download

    with tqdm(desc=name, unit="B", unit_scale=True, delay=0.5) as bar:

        def progress(received: int, total: int | None) -> None:
            bar.total = total
            bar.update(received - bar.n)

        return download(name, progress=progress)


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    add_command(commands, models, models_options, argparse.HelpFormatter)
