"""losses: what student and teacher say of a picture, and what it costs."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dino_core.cli.command import Option, add_command
from dino_core.cli.files import (
    array,
    leave_out_unreadable,
    pair_options,
    read_with_others,
    report,
    save,
    stretch_option,
)
from dino_core.cli.outputs import OF_SEVERAL, output_files

ARRAYS = (
    *("dino", "teacher", "student", "ibot", "teacher_patches", "student_patches"),
    *("koleo", "distances"),
)


def losses_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    pair_options(
        option,
        pair=", with crops as it was trained on (default: the bundled heads of the preview "
        "backbone, with the official crops)",
        seed="of the picture's crops and mask (default: 0); the references' seed is always 0",
    )
    stretch_option(option)
    option(
        "--output",
        metavar="FILE.npz",
        help=f"write every term and distribution there; {OF_SEVERAL}",
    )


def losses(args: argparse.Namespace) -> None:
    """What student and teacher say of a picture's crops and masked patches, and what it costs.

    Prints the terms of the loss and what uniform output would pay. The NPZ holds, in float32 and
    nats: dino [2 + L, 2] (student crop, teacher view), ibot [M], koleo [2], the distances [2, n]
    to the others' class tokens, and the distributions teacher [2, K], student [2 + L, K],
    teacher_patches and student_patches [M, K']. Of several pictures each is looked at by itself,
    among the references.
    """
    from dataclasses import replace

    from dino_core.config import CropConfig
    from dino_core.runs.pretrained_heads import PREVIEW_HEADS
    from dino_core.runs.progress import open_pair
    from dino_core.step.loss_inspection import break_down, picture_logits, reference_batch

    targets = output_files(args.images, args.output, ".npz")
    several = len(args.images) > 1
    leave_out_unreadable(args)
    leave_out_unreadable(args, "references")
    pair, config, _ = open_pair(args.pair or PREVIEW_HEADS)
    crops = config.crops if args.pair else CropConfig()
    trained = config.schedule.teacher_temperature
    for path in args.images:
        picture, others = read_with_others(path, args)
        found = break_down(
            picture_logits(pair, config, picture, args.seed, crops=crops),
            reference_batch(pair, config, others, crops),
            replace(config.loss, centering=args.targets),
            trained if args.temperature is None else args.temperature,
        )
        lines = as_table(found.terms, found.uniform)
        print("\n".join([path, *lines] if several else lines))
        if targets:
            save(Path(targets[path]), {name: array(getattr(found, name)) for name in ARRAYS})
            report(f"Losses -> {targets[path]}")


def as_table(terms: Mapping[str, float], uniform: Mapping[str, float]) -> list[str]:
    """Lines for a person: each term, what uniform output would pay, and the sum."""
    rows = [(name, value, uniform.get(name)) for name, value in terms.items()]
    rows.append(("loss", sum(terms.values()), sum(uniform.values())))
    lines = [f"{'':12}{'here':>9}{'uniform':>9}"]
    for name, value, flat in rows:
        lines.append(f"{name:12}{value:9.3f}{'-' if flat is None else format(flat, '.3f'):>9}")
    return lines


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    add_command(commands, losses, losses_options, argparse.HelpFormatter)
