"""The commands of training: train, finetune, predict, heads, runs.

    python -m dino_core train --data pictures.zip --preset tiny --steps 400 --run runs/first
    python -m dino_core train --run runs/first --resume
    python -m dino_core finetune --data labelled.zip --model preview_vits14 --run runs/classes
    python -m dino_core predict cat.jpg --model runs/classes
    python -m dino_core heads runs/heads --data held_out.zip
    python -m dino_core runs

Exit codes: 0 done, or stopped as asked (`runs --ask stop`, the first Ctrl-C, SIGTERM); 2 a mistake,
said in a sentence; 3 a loss or gradient that is not finite; 4 no room on the disk; 130 interrupted
in the middle of a step (the second Ctrl-C).

Nothing here imports torch before a command runs.
"""

import argparse
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from dino_core.cli.command import (
    CHART,
    Option,
    add_command,
    figure_option,
    positive,
    write_figure,
)
from dino_core.cli.heads import heads, heads_options
from dino_core.runs.presets import (
    PRESET_WORDS,
    PRESETS,
    RunConfig,
    find_preset,
    with_batch,
    with_steps,
)

KOLEO = (
    "With several processes (torchrun) KoLeo looks for neighbours among the pictures of one "
    "process, as the official code does."
)


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers, each with `run` as its default."""
    for run, add_options in (
        (train, train_options),
        (finetune, finetune_options),
        (predict, predict_options),
        (heads, heads_options),
        (runs, runs_options),
    ):
        command = add_command(commands, run, add_options)
        if run is train:
            command.epilog = presets_in_words()


def presets_in_words() -> str:
    lines = ["presets:"]
    for name, words in PRESET_WORDS.items():
        lines += textwrap.wrap(
            words, 88, initial_indent=f"  {name:15} ", subsequent_indent=" " * 18
        )
    return "\n".join([*lines, "", *textwrap.wrap(KOLEO, 88)])


# --- train


def train_options(option: Option) -> None:
    option(
        "--data",
        metavar="DATA",
        help="a folder or zip of pictures; samples: those that come with the project; cifar10: "
        "torchvision's copy, see --download",
    )
    option("--preset", choices=PRESETS, default="tiny", help="see below (default: tiny)")
    option("--steps", type=positive, metavar="N", help="default: as the preset says")
    option("--batch", type=positive, metavar="B", help="pictures a step, all processes together")
    option("--accumulate", type=positive, metavar="P", help="parts in which a batch is computed")
    option(
        "--shard",
        action=argparse.BooleanOptionalAction,
        help="under torchrun: each of N processes keeps an N-th of model, gradients and optimiser "
        "memory (FSDP2), for ViT-g on 24 or 40 GB. Numbers and files are the same as without, so "
        "that either may --resume the other (default: each keeps the whole model)",
    )
    run_options(option)
    start_options(option)
    option(
        "--heads",
        metavar="FILE",
        help="start from these heads (see the command heads); bundled: those that come with the "
        "preview backbone; new: drawn from the seed (default: for the preset continue those that "
        "come with the backbone, where there are any; new otherwise)",
    )
    option("--knn", metavar="DATA", help="labelled pictures: k-NN accuracy at each milestone")
    option(
        "--knn-pictures",
        type=positive,
        nargs=2,
        default=(100, 50),
        metavar=("TRAIN", "TEST"),
        help="of each class (default: 100 50)",
    )
    option("--download", action="store_true", help="fetch CIFAR-10 (170 MB) if it is not here")


def train(args: argparse.Namespace) -> None:
    """Trains a DINOv2 model on pictures without labels.

    Everything is written into the folder of the run: config.json, state.json, metrics.jsonl,
    log.txt, checkpoints/, probes/ and, at the end, backbone.safetensors. Ctrl-C stops after the
    step with a checkpoint; --resume goes on, with the same numbers as if nothing had happened.
    """
    from dino_core.runs.exit_codes import ended_well

    ended_well(lambda: _train(args))


def _train(args: argparse.Namespace) -> str:
    from dino_core.runs import pretraining
    from dino_core.runs.setup import Setup

    if args.resume:
        check_untouched(
            args, ("steps", "batch", "accumulate", "model", "weights", "heads", "dtype")
        )
        return pretraining.train(
            needed(args.run_folder, "--run"), resume=True, changes=changes_of(args, "shard")
        )
    setup = Setup(
        run=run_config(args),
        data=needed(args.data, "--data"),
        model=args.model,
        weights=args.weights,
        heads=args.heads,
        probes=tuple(args.probe),
        knn=args.knn,
        knn_per_class=tuple(args.knn_pictures),
        device=args.device or "cpu",
        threads=args.threads or 0,
        workers=args.workers or 0,
        download=args.download,
        shard=bool(args.shard),
    )
    return pretraining.train(args.run_folder or default_folder(args.preset), setup)


def run_config(args: argparse.Namespace) -> RunConfig:
    """The preset with what was asked for instead."""
    config = find_preset(args.preset)
    batch, parts = args.batch or config.batch_size, args.accumulate or config.accumulate
    config = with_batch(config, batch, parts)
    if args.steps:
        config = with_steps(config, args.steps)
    if args.dtype:
        config = replace(config, train=replace(config.train, bfloat16=args.dtype == "bfloat16"))
    return replace(config, seed=args.seed)


def check_untouched(args: argparse.Namespace, names: tuple[str, ...]) -> None:
    """ValueError for an option that would change the numbers of a run that goes on."""
    for name in names:
        if getattr(args, name) is not None:
            raise ValueError(
                f"--{name} is fixed since the run began: leave it out, or start a new run."
            )


def changes_of(args: argparse.Namespace, *more: str) -> dict[str, Any]:
    """What may differ when a run goes on: where things are, not what is computed."""
    asked = {name: getattr(args, name) for name in ("data", "device", "workers", *more)}
    return {name: value for name, value in asked.items() if value is not None}


# --- finetune


def finetune_options(option: Option) -> None:
    option(
        "--data",
        metavar="DATA",
        help="a folder or zip: CLASS/ folders, or train/CLASS and test/CLASS",
    )
    option(
        "--train",
        dest="part",
        choices=("head", "blocks", "all"),
        default="head",
        help="head: a linear classifier on features that stay as they are, seconds to minutes; "
        "blocks: with the last blocks of the backbone; all: everything, earlier blocks at lower "
        "rates (default: head)",
    )
    option("--blocks", type=positive, default=2, metavar="N", help="for blocks (default: 2)")
    option("--epochs", type=positive, metavar="N", help="at most; it ends when nothing improves")
    option("--batch", type=positive, metavar="B", help="pictures a step (default: 32)")
    option("--size", type=positive, default=224, help="px, whole patches (default: 224)")
    run_options(option)
    start_options(option)


def finetune(args: argparse.Namespace) -> None:
    """Teaches a model to tell classes apart, from pictures with labels.

    Without train/ and test/ folders a fifth of every class is held out for the test; another part
    decides when to end and is never counted. The folder of the run gets report.json (accuracy,
    scores of each class, confusion matrix, worst mistakes), model.safetensors for `predict`, and
    probes/before.npz and after.npz.
    """
    from dino_core.runs.exit_codes import ended_well

    ended_well(lambda: _finetune(args))


def _finetune(args: argparse.Namespace) -> str:
    from dino_core.finetuning import classification as tuning

    if args.resume:
        check_untouched(args, ("epochs", "batch", "model", "weights", "dtype"))
        return tuning.finetune(
            needed(args.run_folder, "--run"), resume=True, changes=changes_of(args)
        )
    setup = tuning.FinetuneSetup(
        data=needed(args.data, "--data"),
        part=args.part,
        blocks=args.blocks,
        epochs=args.epochs or tuning.DEFAULT_EPOCHS[args.part],
        batch_size=args.batch or 32,
        size=args.size,
        model=args.model,
        weights=args.weights,
        probes=tuple(args.probe),
        seed=args.seed,
        device=args.device or "cpu",
        threads=args.threads or 0,
        bfloat16=args.dtype == "bfloat16",
    )
    return tuning.finetune(args.run_folder or default_folder("finetune"), setup)


# --- predict


def predict_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    option(
        "--model", required=True, metavar="DIR", help="a finished fine-tuning, or its model file"
    )
    option("--top", type=positive, default=3, metavar="N", help="classes to name (default: 3)")
    option("--device", default="cpu")


def predict(args: argparse.Namespace) -> None:
    """Names the class of pictures with a fine-tuned model."""
    from dino_core.finetuning.classification import load_classifier
    from dino_core.finetuning.classification import predict as probabilities
    from dino_core.runs.exit_codes import ended_well

    def run() -> str:
        classifier = load_classifier(args.model, device=args.device)
        for path in args.images:
            found = probabilities(classifier, path)[: args.top]
            print(f"{path}: " + ", ".join(f"{name} {100 * p:.1f} %" for name, p in found))
        return "finished"

    ended_well(run)


# --- runs


def runs_options(option: Option) -> None:
    option("folder", nargs="?", default="runs", metavar="FOLDER", help="of runs (default: runs)")
    option(
        "--ask",
        choices=("pause", "resume", "stop"),
        help="FOLDER is a single run: asks it to do this after the step it is in",
    )
    words = "FOLDER is a single run: its curves so far, a page that opens offline"
    figure_option(option, words, CHART)


def runs(args: argparse.Namespace) -> None:
    """Lists the runs in a folder; draws one of them, or asks it to pause, go on or stop."""
    from dino_core.runs.folder import list_runs, request

    if args.figure:
        from dino_core.runs.charts import all_charts

        write_figure(args.figure, lambda: all_charts(Path(args.folder)))
        print(f"Curves of {args.folder} -> {args.figure}")
        return
    if args.ask:
        request(args.folder, args.ask)
        print(f"Asked {args.folder} to {args.ask}.")
        return
    found = list_runs(args.folder)
    if not found:
        print(f"There are no runs in {args.folder}.")
    for run in found:
        left = f", {run.seconds_left:.0f} s left" if run.seconds_left else ""
        place = f"{run.step} of {run.steps}"
        print(f"{run.folder}: {run.state}, {place}{left} ({run.kind})\n    {run.words}")


# --- options that several commands have


def run_options(option: Option) -> None:
    option(
        "--run",
        dest="run_folder",
        metavar="DIR",
        help="folder of the run, new or with --resume (default: runs/ and the time)",
    )
    option("--resume", action="store_true", help="go on with the run, as config.json there says")
    option("--seed", type=int, default=0, metavar="S", help="default: 0")
    option("--device", help="cpu (default), cuda, cuda:1")
    option("--dtype", choices=("float32", "bfloat16"), help="bfloat16: networks under autocast")
    option("--threads", type=positive, metavar="N", help="for the same numbers bit for bit, fix it")
    option("--workers", type=int, metavar="N", help="processes that make crops (default: a thread)")


def start_options(option: Option) -> None:
    option("--model", metavar="NAME", help="start from this backbone, see the command models")
    option("--weights", metavar="FILE", help="start from this file, which may be a checkpoint")
    option(
        "--probe",
        nargs="+",
        default=(),
        metavar="IMAGE",
        help="pictures whose attention and PCA are kept at each milestone",
    )


def needed(value: str | None, option: str) -> str:
    if value is None:
        raise ValueError(f"{option} is missing: COMMAND --help says what it takes.")
    return value


def default_folder(name: str) -> str:
    return f"runs/{name}-{time.strftime('%Y%m%d-%H%M%S')}"
