"""The command `heads`: what the heads of a pair are worth, and making new ones."""

import argparse
import json
from dataclasses import asdict, replace
from typing import Any

from dino_core.cli.command import Option, add_command, positive
from dino_core.cli.outputs import output_file


def heads_options(option: Option) -> None:
    option("model", metavar="RUN", help="a run's folder, a file of --save, or a model for --train")
    option("--data", required=True, metavar="DATA", help="pictures that were not trained on")
    option("--train", metavar="DATA", help="first trains new heads on these for the named model")
    option("--steps", type=positive, default=300, metavar="N", help="of --train (default: 300)")
    option("--seed", type=int, default=0, metavar="S", help="default: 0")
    option("--output", metavar="FILE.json", help="write the figures there too")
    option("--save", metavar="FILE", help="heads and mask token as a small safetensors file")


def heads(args: argparse.Namespace) -> None:
    """What the heads of a trained pair are worth on pictures they have not seen.

    With --train they are made first: new heads and the mask token, for a backbone that stands
    still. Its features are computed once for many steps, which is several times faster than a run
    of the preset heads and does nearly the same; `runs/head_training.py` names the differences.
    """
    from dino_core.datasets import find_pictures
    from dino_core.evaluation.held_out import evaluate_heads
    from dino_core.runs.pretrained_heads import save_heads
    from dino_core.runs.progress import open_pair

    report = output_file(args.output, ".json") if args.output else None
    target = output_file(args.save, ".safetensors") if args.save else None
    held_out = find_pictures(args.data)
    if args.train:
        pair, config = new_heads(args)
        backbone = args.model
    else:
        pair, config, backbone = open_pair(args.model)
    text = json.dumps(asdict(evaluate_heads(pair, held_out, config, args.seed)), indent=2)
    print(text)
    if report:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(text + "\n", encoding="utf-8")
    if target:
        save_heads(pair, config, backbone, target)


def new_heads(args: argparse.Namespace) -> Any:
    """(pair, its TrainConfig), with a bar that tells the losses."""
    from tqdm import tqdm

    from dino_core.datasets import find_pictures
    from dino_core.runs.head_training import heads_config, train_heads
    from dino_core.weights import load_backbone

    config = heads_config(args.steps, args.seed)
    with tqdm(total=args.steps, desc="heads", unit="step") as bar:

        def report(line: dict[str, float]) -> None:
            bar.set_postfix(dino=f"{line['dino']:.2f}", ibot=f"{line['ibot']:.2f}")
            bar.update()

        vit = load_backbone(args.model).vit
        pair = train_heads(vit, find_pictures(args.train), config, report=report)
    return pair, replace(config.train, vit=vit.config)


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    add_command(commands, heads, heads_options)
