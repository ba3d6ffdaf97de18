"""The commands of training: train, finetune, distil, predict, runs.

    python -m dino_core train --data pictures.zip --preset tiny --steps 400 --run runs/first
    python -m dino_core train --run runs/first --resume
    python -m dino_core finetune --data labelled.zip --model preview_vits14 --run runs/classes
    python -m dino_core distil --data pictures.zip --teacher preview_vits14 --run runs/small
    python -m dino_core predict cat.jpg --model runs/classes
    python -m dino_core runs

Nothing here imports torch before a command runs.
"""

import argparse
import sys
import textwrap
import time
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
from dino_core.cli.files import leave_out_unreadable, read, stretch_option
from dino_core.cli.weights import checkpoint_options
from dino_core.runs.exit_codes import DONE, INTERRUPTED
from dino_core.runs.experiments import EXPERIMENTS
from dino_core.runs.folder import RunFolder
from dino_core.runs.notes import read_notes, write_notes
from dino_core.runs.option import Kind
from dino_core.runs.presets import PRESET_WORDS
from dino_core.runs.request import RunRequest
from dino_core.runs.request_io import add_options, changes_for, given_options, stored_request
from dino_core.runs.students import STUDENT_WORDS, words_of

RESUME = "go on with the run, as config.json there says; the same options may stand there again"

EXPERIMENT_WORDS = {name: experiment.words for name, experiment in EXPERIMENTS.items()}
MEND = (
    "turn the switches of --experiment back and go on from the last checkpoint that had not "
    "collapsed; what was learnt after it goes"
)

NOTES = {
    "--name": "what to call it",
    "--note": "what to remember about it",
    "--pictures": "what to call the pictures that it learns from",
}

KOLEO = (
    "With several processes (torchrun) KoLeo looks for neighbours among the pictures of one "
    "process, as the official code does."
)


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers, each with `run` as its default."""
    for run, options_of in (
        (train, train_options),
        (finetune, finetune_options),
        (distil, distil_options),
        (predict, predict_options),
        (runs, runs_options),
    ):
        command = add_command(commands, run, options_of)
        if run is train:
            command.epilog = "\n".join(
                [
                    described("presets:", PRESET_WORDS),
                    "",
                    described("switches of --experiment:", EXPERIMENT_WORDS),
                    "",
                    *textwrap.wrap(KOLEO, 88),
                ]
            )
        if run is distil:
            command.epilog = described("presets:", {name: words_of(name) for name in STUDENT_WORDS})


def described(title: str, words: dict[str, str]) -> str:
    """Names and what they stand for, below a title, as the end of a help."""
    lines = [title]
    for name, sentence in words.items():
        lines += textwrap.wrap(
            sentence, 88, initial_indent=f"  {name:18} ", subsequent_indent=" " * 21
        )
    return "\n".join(lines)


# --- train, finetune and distil


def train_options(option: Option) -> None:
    add_options(option, "pretraining")
    option("--resume", action="store_true", help=RESUME)
    option("--mend", action="store_true", help=MEND)


def train(args: argparse.Namespace) -> int:
    """Trains a DINOv2 model on pictures without labels.

    Everything is written into the folder of the run: config.json, state.json, metrics.jsonl,
    log.txt, checkpoints/, probes/ and, at the end, backbone.safetensors. Ctrl-C stops after the
    step with a checkpoint, or in the middle of a long one; --resume goes on, with the same numbers
    as if nothing had happened.
    """
    from dino_core.runs import mending, pretraining
    from dino_core.runs.setup import Setup

    given = given_options(args, "pretraining")
    if args.resume or args.mend:
        folder, changes = going_on(given, "pretraining")
        if args.mend:
            mending.mend(folder)
        return code_of(pretraining.train(folder, resume=True, changes=changes))
    request = RunRequest(kind="pretraining", **given)
    setup = Setup.of(request)
    return code_of(pretraining.train(request.folder or default_folder(request.preset), setup))


def finetune_options(option: Option) -> None:
    add_options(option, "fine-tuning")
    option("--resume", action="store_true", help=RESUME)


def finetune(args: argparse.Namespace) -> int:
    """Teaches a model to tell classes apart, from pictures with labels.

    Without train/ and test/ folders a fifth of every class is held out for the test; another part
    decides when to end and is never counted. The folder of the run gets report.json (accuracy,
    scores of each class, confusion matrix, worst mistakes), layers.json (what simple classifiers
    read off each layer as it came), model.safetensors for `predict`, and probes/before.npz and
    after.npz.
    """
    from dino_core.finetuning import classification as tuning

    given = given_options(args, "fine-tuning")
    if args.resume:
        folder, changes = going_on(given, "fine-tuning")
        return code_of(tuning.finetune(folder, resume=True, changes=changes))
    request = RunRequest(kind="fine-tuning", **given)
    setup = tuning.FinetuneSetup.of(request)
    return code_of(tuning.finetune(request.folder or default_folder("finetune"), setup))


def distil_options(option: Option) -> None:
    add_options(option, "distillation")
    option("--resume", action="store_true", help=RESUME)


def distil(args: argparse.Namespace) -> int:
    """Teaches a small student to say of pictures what a frozen teacher says, without labels.

    The student's class and patch tokens follow the teacher's, each through a linear map. What the
    teacher says is kept by content and crop, so that it is asked once. The folder of the run is
    like that of `train`; with --probe the chosen pictures are kept at each milestone in the
    teacher's colours, and those of the teacher beside them.

    --recipe paper is that of the released ViT-S, B and L: the losses of training under a frozen
    teacher with its heads, without masks; the student's moving average is what comes out.
    """
    from dino_core.distillation import run as distillation
    from dino_core.distillation.setup import DistilSetup

    given = given_options(args, "distillation")
    if args.resume:
        folder, changes = going_on(given, "distillation")
        return code_of(distillation.distil(folder, resume=True, changes=changes))
    request = RunRequest(kind="distillation", **given)
    setup = DistilSetup.of(request)
    folder = request.folder or default_folder(f"distil-{request.student}")
    return code_of(distillation.distil(folder, setup))


def code_of(end: str) -> int:
    """How a run ended -> the exit code."""
    return INTERRUPTED if end == "interrupted" else DONE


def going_on(given: dict[str, Any], kind: Kind) -> tuple[str, dict[str, Any]]:
    """The folder of the run that goes on, and what may differ. ValueError for what may not."""
    if not given.get("folder"):
        raise ValueError("--run is missing: COMMAND --help says what it takes.")
    config = RunFolder(given["folder"]).read_config()
    if config.get("kind") != kind:
        raise ValueError(f"{given['folder']} is a run of another kind: {config.get('kind')}.")
    return given["folder"], changes_for(stored_request(config), given, kind)


# --- predict


def predict_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    option(
        "--model",
        required=True,
        metavar="DIR_OR_FILE",
        help="a finished fine-tuning, or a checkpoint of transformers, timm or the official code "
        "with a linear classifier: its file, or its folder, whose config.json names the classes",
    )
    checkpoint_options(option)
    stretch_option(option)
    option("--top", type=positive, default=3, metavar="N", help="classes to name (default: 3)")
    option("--device", default="cpu")


def predict(args: argparse.Namespace) -> None:
    """Names the class of pictures with a fine-tuned model, of ours or of others."""
    from dino_core.finetuning.classification import load_classifier
    from dino_core.finetuning.classification import predict as probabilities

    leave_out_unreadable(args)
    untold = {"heads": args.heads, "grid": args.position_grid, "branch": args.branch}
    classifier = load_classifier(args.model, device=args.device, **untold)
    print(f"{args.model}: {classifier.words}", file=sys.stderr)
    for path in args.images:
        found = probabilities(classifier, read(path, args))[: args.top]
        print(f"{path}: " + ", ".join(f"{name} {100 * p:.1f} %" for name, p in found))


# --- runs


def runs_options(option: Option) -> None:
    option("folder", nargs="?", default="runs", metavar="FOLDER", help="of runs (default: runs)")
    option(
        "--ask",
        choices=("pause", "resume", "stop"),
        help="FOLDER is a single run: asks it to do this after the step it is in",
    )
    for flag, what in NOTES.items():
        option(flag, metavar="TEXT", help=f"FOLDER is a single run: {what}")
    words = "FOLDER is a single run: its curves so far, a page that opens offline"
    figure_option(option, words, CHART)


def runs(args: argparse.Namespace) -> None:
    """Lists the runs in a folder; draws one of them, asks it to pause, go on or stop, or notes what
    it is called."""
    from dino_core.runs.folder import list_runs, request_action

    if args.figure:
        from dino_core.runs.charts import all_charts

        write_figure(args, lambda _: all_charts(Path(args.folder)))
        print(f"Curves of {args.folder} -> {args.figure}")
        return
    if args.ask:
        request_action(args.folder, args.ask)
        print(f"Asked {args.folder} to {args.ask}.")
        return
    said = {flag.removeprefix("--"): getattr(args, flag.removeprefix("--")) for flag in NOTES}
    if any(text is not None for text in said.values()):
        RunFolder(args.folder).read_config()  # or says that there is no run
        write_notes(args.folder, {name: text for name, text in said.items() if text is not None})
        print(f"Noted in {args.folder}.")
        return
    found = list_runs(args.folder)
    if not found:
        print(f"There are no runs in {args.folder}.")
    for run in found:
        left = f", {run.seconds_left:.0f} s left" if run.seconds_left else ""
        place = f"{run.step} of {run.steps}"
        print(f"{run.folder}: {run.state}, {place}{left} ({run.kind})\n    {run.words}")
        notes = read_notes(run.folder)
        if any(vars(notes).values()):
            print("    " + ", ".join(filter(None, (notes.name, notes.pictures, notes.note))))


def default_folder(name: str) -> str:
    return f"runs/{name}-{time.strftime('%Y%m%d-%H%M%S')}"
