"""The commands that look at pictures: features, attention, pca, crops, masks, losses.

    looking     features, attention, pca: what a model makes of pictures
    sampling    crops, masks: what training makes of them
    losses      what student and teacher say of one
    files       what they share: options, reading, writing

Nothing is computed here: every command reads, asks the library, and writes. Whatever takes time
to import, torch above all, is imported by the functions that need it: `--help` answers at once.
"""

import argparse
from typing import Any

from dino_core.cli import looking, losses, sampling
from dino_core.cli.command import add_command


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    for run, add_options in (
        (looking.features, looking.features_options),
        (looking.attention, looking.attention_options),
        (looking.pca, looking.pca_options),
        (sampling.crops, sampling.crops_options),
        (sampling.masks, sampling.masks_options),
        (losses.losses, losses.losses_options),
    ):
        add_command(commands, run, add_options, argparse.HelpFormatter)
