"""What a person asks of a run: one value, and one table of its options.

    the page's form (JSON) -> RunRequest -> request.json in the run's folder -> train --request FILE
    the command line       -> RunRequest -> the line that repeats the run

A field of `RunRequest` is a row of the table: the option it is written as, what that takes, and the
words of its help. Forms, files, command lines and what may change when a run goes on are all read
off these rows (`request_io.py`), so a new option is one new field here, and whatever uses it.

No torch here.
"""

import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from dino_core.runs.experiments import EXPERIMENTS, with_experiments
from dino_core.runs.option import DISTIL, FINETUNE, TRAIN, Kind, Option, row
from dino_core.runs.presets import PRESETS, RunConfig, find_preset, with_batch, with_steps
from dino_core.runs.students import RECIPES, STUDENTS, find_student

COMMANDS: dict[Kind, str] = {
    "pretraining": "train",
    "fine-tuning": "finetune",
    "distillation": "distil",
}

SAMPLES = "samples"  # stands for the pictures that come with the project
CIFAR10 = "cifar10"  # stands for torchvision's copy, downloaded where asked for
BUNDLED_HEADS = "bundled"  # stands for the heads that come with the project
NEW_HEADS = "new"  # stands for heads drawn from the seed
NO_PATHS = (SAMPLES, CIFAR10, BUNDLED_HEADS, NEW_HEADS)

DEFAULT_EPOCHS = {"head": 100, "blocks": 20, "all": 20}  # of a fine-tuning, by what learns
DEFAULT_BATCH = 32  # pictures a step of a fine-tuning


# --- the table


@dataclass(frozen=True)
class RunRequest:
    """A run as a person asked for it. None is "as the preset says", or "as the data says"."""

    kind: Kind
    data: str | None = row(
        None,
        "--data",
        "a folder or zip of pictures, shards or Parquet with pictures inside; to fine-tune, with "
        "labels: CLASS/ folders, or train/CLASS and test/CLASS; samples: those that come with the "
        "project; cifar10: torchvision's copy, see --download",
        metavar="DATA",
        is_path=True,
        may_change=True,
    )
    include: tuple[str, ...] = row(
        (),
        "--include",
        "folders or files to take although their name speaks against it, such as masks",
        count="+",
        metavar="NAME",
    )
    exclude: tuple[str, ...] = row(
        (),
        "--exclude",
        "folders or files to leave out; patterns such as *_small.jpg as well",
        count="+",
        metavar="NAME",
    )
    stretch: bool = row(
        False,
        "--stretch",
        "show 16-bit pictures from the smallest to the largest value that occurs in them",
        type=bool,
    )
    folder: str | None = row(
        None,
        "--run",
        "folder of the run, new or with --resume (default: runs/ and the time)",
        metavar="DIR",
        is_path=True,
        may_change=True,
    )
    preset: str = row(
        "tiny", "--preset", "see below (default: tiny)", kinds=TRAIN, choices=tuple(PRESETS)
    )
    student: str = row(
        "light", "--preset", "see below (default: light)", kinds=DISTIL, choices=tuple(STUDENTS)
    )
    teacher: str | None = row(
        None,
        "--teacher",
        "the frozen teacher: a model, see the command models, or a checkpoint of your own "
        "(default: the model on this disk)",
        kinds=DISTIL,
        metavar="MODEL_OR_FILE",
    )
    recipe: Literal["features", "paper"] = row(
        "features",
        "--recipe",
        "features: class and patch tokens follow the teacher's through linear maps; paper: that of "
        "the released models, by the losses of training, under a teacher with its heads (default: "
        "features)",
        kinds=DISTIL,
        choices=tuple(RECIPES),
    )
    answers: int | None = row(
        None,
        "--answers",
        "crops that the teacher is asked about: of fewer pictures several crops each are taken, "
        "of more pictures so many are used (default: as the preset says)",
        type=int,
        kinds=DISTIL,
        metavar="N",
    )
    part: Literal["head", "blocks", "all"] = row(
        "head",
        "--train",
        "head: a linear classifier on features that stay as they are, seconds to minutes; "
        "blocks: with the last blocks of the backbone; all: everything, earlier blocks at lower "
        "rates (default: head)",
        kinds=FINETUNE,
        choices=tuple(DEFAULT_EPOCHS),
    )
    blocks: int = row(
        2, "--blocks", "how many for --train blocks (default: 2)", type=int, kinds=FINETUNE,
        metavar="N",
    )  # fmt: skip
    steps: int | None = row(
        None, "--steps", "default: as the preset says", type=int, kinds=TRAIN + DISTIL, metavar="N"
    )
    epochs: int | None = row(
        None, "--epochs", "at most; it ends when nothing improves", type=int, kinds=FINETUNE,
        metavar="N",
    )  # fmt: skip
    batch: int | None = row(
        None,
        "--batch",
        "pictures a step, all processes together (default: as the preset says; to fine-tune, 32)",
        type=int,
        metavar="B",
    )
    accumulate: int | None = row(
        None, "--accumulate", "parts in which a batch is computed", type=int, kinds=TRAIN,
        metavar="P",
    )  # fmt: skip
    size: int = row(
        224, "--size", "px, whole patches (default: 224)", type=int, kinds=FINETUNE, metavar="N"
    )
    experiment: tuple[str, ...] = row(
        (),
        "--experiment",
        "parts of the method switched off or turned too far, to see what they are there for: see "
        "below",
        count="+",
        kinds=TRAIN,
        choices=tuple(EXPERIMENTS),
        metavar="SWITCH",
    )
    seed: int = row(
        0, "--seed", "default: 0", type=int, low=0, high=2**53 - 1, metavar="S"
    )  # what every JSON reader keeps exactly
    model: str | None = row(
        None,
        "--model",
        "start from this backbone, see the command models",
        kinds=TRAIN + FINETUNE,
        metavar="NAME",
    )
    weights: str | None = row(
        None,
        "--weights",
        "start from this file, which may be a checkpoint",
        kinds=TRAIN + FINETUNE,
        metavar="FILE",
        is_path=True,
    )
    heads: str | None = row(
        None,
        "--heads",
        "start from these heads (see the command heads); bundled: those that come with the "
        "preview backbone; new: drawn from the seed (default: for the preset continue those that "
        "come with the backbone, where there are any; new otherwise)",
        kinds=TRAIN,
        metavar="FILE",
        is_path=True,
    )
    probes: tuple[str, ...] = row(
        (),
        "--probe",
        "pictures whose attention and PCA are kept at each milestone",
        count="+",
        metavar="IMAGE",
        is_path=True,
    )
    knn: str | None = row(
        None,
        "--knn",
        "labelled pictures: k-NN accuracy at each milestone",
        kinds=TRAIN + DISTIL,
        metavar="DATA",
        is_path=True,
    )
    knn_per_class: tuple[int, int] = row(
        (100, 50),
        "--knn-pictures",
        "of each class (default: 100 50)",
        type=int,
        count=2,
        kinds=TRAIN + DISTIL,
        metavar=("TRAIN", "TEST"),
    )
    device: str = row(
        "cpu", "--device", "cpu (default), cuda, cuda:1, mps", metavar="NAME", may_change=True
    )
    dtype: Literal["float32", "bfloat16"] | None = row(
        None,
        "--dtype",
        "bfloat16: networks under autocast (default: as the preset says)",
        choices=("float32", "bfloat16"),
    )
    threads: int | None = row(
        None, "--threads", "for the same numbers bit for bit, fix it", type=int, high=4096,
        metavar="N",
    )  # fmt: skip
    workers: int = row(
        0,
        "--workers",
        "processes that make crops (default: a thread)",
        type=int,
        low=0,
        high=4096,
        kinds=TRAIN + DISTIL,
        metavar="N",
        may_change=True,
    )
    tensorboard: bool = row(
        False,
        "--tensorboard",
        "event files beside metrics.jsonl: the same numbers, and the pictures of --probe. From the "
        "extra: pip install inside-dinov2[tensorboard]",
        type=bool,
        kinds=TRAIN + DISTIL,
        may_change=True,
    )
    gradient_shares: int = row(
        0,
        "--gradient-shares",
        "every so many steps, whose the gradients are: the share of each loss in those of each "
        "layer. Such a step takes nearly three times as long, and its numbers stay the same "
        "(default: 0, never)",
        type=int,
        low=0,
        kinds=TRAIN + DISTIL,
        metavar="EVERY",
        may_change=True,
    )
    shard: bool = row(
        False,
        "--shard",
        "under torchrun: each of N processes keeps an N-th of model, gradients and optimiser "
        "memory (FSDP2), for ViT-g on 24 or 40 GB. Numbers and files are the same as without, so "
        "that either may --resume the other (default: each keeps the whole model)",
        type=bool,
        kinds=TRAIN,
        may_change=True,
    )
    download: bool = row(
        False,
        "--download",
        "fetch CIFAR-10 (170 MB) if it is not here",
        type=bool,
        kinds=TRAIN + DISTIL,
        may_change=True,
    )

    def settled(self) -> "RunRequest":
        """The same request with what the preset says in place of what was not asked for."""
        if self.kind == "fine-tuning":
            return replace(
                self,
                epochs=self.epochs or DEFAULT_EPOCHS[self.part],
                batch=self.batch or DEFAULT_BATCH,
                dtype=self.dtype or "float32",
            )
        # A switch is turned once, when the run is set up, and not here already.
        config = config_of(replace(self, experiment=()))
        values: dict[str, Any] = {
            "answers": config.follow.answers if config.follow is not None else None,
            "steps": config.steps,
            "batch": config.batch_size,
            "accumulate": config.accumulate,
            "dtype": "bfloat16" if config.train.bfloat16 else "float32",
        }
        known = {name for name, _ in options(self.kind)}
        return replace(self, **{name: value for name, value in values.items() if name in known})

    def with_full_paths(self) -> "RunRequest":
        """So that the run can be taken up from another folder."""
        return replace(
            self,
            **{
                name: map_value(full_path, getattr(self, name))
                for name, option in options(self.kind)
                if option.is_path
            },
        )

    def arguments(self) -> list[str]:
        """The command line: a command, and an option for whatever is not the default."""
        words = [COMMANDS[self.kind]]
        for name, option in options(self.kind):
            value = getattr(self, name)
            if value != DEFAULTS[name]:
                words += option.arguments(value)
        return words

    def command(self) -> str:
        """The same as a line for a shell."""
        return shlex.join(["python", "-m", "dino_core", *self.arguments()])


def options(kind: Kind) -> Iterator[tuple[str, Option]]:
    """The rows of the table for a command: (field, option)."""
    for one in fields(RunRequest):
        option = one.metadata.get("option")
        if option is not None and kind in option.kinds:
            yield one.name, option


DEFAULTS: dict[str, Any] = {one.name: one.default for one in fields(RunRequest)}


def config_of(request: RunRequest) -> RunConfig:
    """The preset with what was asked for instead."""
    taught = request.kind == "distillation"
    config = (
        find_student(request.student, request.recipe) if taught else find_preset(request.preset)
    )
    batch = request.batch or config.batch_size
    config = with_batch(config, batch, request.accumulate or config.accumulate)
    if request.steps:
        config = with_steps(config, request.steps)
    if request.dtype:
        train = replace(config.train, bfloat16=request.dtype == "bfloat16")
        config = replace(config, train=train)
    if config.follow is not None and request.answers:
        config = replace(config, follow=replace(config.follow, answers=request.answers))
    return replace(with_experiments(config, request.experiment), seed=request.seed)


def settled_for(request: RunRequest, kind: type) -> tuple[RunRequest, dict[str, Any]]:
    """A request with nothing left open, and those of its values that a setup of a kind has too.

    ValueError without pictures.
    """
    settled = request.settled().with_full_paths()
    if settled.data is None:
        raise ValueError("--data is missing: COMMAND --help says what it takes.")
    names = {one.name for one in fields(kind)} & {one.name for one in fields(settled)}
    return settled, {name: getattr(settled, name) for name in names} | {
        "threads": settled.threads or 0
    }


def full_path(name: str) -> str:
    """Web addresses stay as they are, so that they are refused as what they are."""
    if name in NO_PATHS or "://" in name or name.startswith("pipe:"):
        return name
    return os.path.abspath(os.path.expanduser(name))


def map_value(change: Callable[[str], str], value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(change(one) for one in value)
    return None if value is None else change(value)
