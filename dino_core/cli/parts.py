"""The commands of many pictures in several processes, started by torchrun: each its own parts.

    torchrun --nproc-per-node 8 -m -- dino_core embed 'set-{000000..000999}.tar' --output features

The first process looks through the set, once for all, says which parts are missing, and speaks; all
of them compute, and none waits for another before its own parts are done.
"""

import argparse
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dino_core.cli.features import facts_of, preparation_of, progress, report_broken
from dino_core.cli.weights import load_weights
from dino_core.runs.exit_codes import SAID

if TYPE_CHECKING:
    from dino_core.datasets import Pictures
    from dino_core.embedding.parts import EmbeddedParts, Parts
    from dino_core.step.distributed import World
    from dino_core.weights import Backbone

LOG_EVERY = 10.0  # s between two lines of a long job
Made = TypeVar("Made")


def several_processes() -> bool:
    """Whether torchrun has started more than this one."""
    return int(os.environ.get("WORLD_SIZE", 1)) > 1


def names_folder(output: str) -> bool:
    """Whether features go into a folder of parts, and not into one file."""
    path = Path(output).expanduser()
    return path.is_dir() or not path.suffix


def folder_of_parts(output: str) -> Path:
    """The folder that an --output names. ValueError where none can be."""
    from dino_core.embedding.tables import check_folder

    return check_folder(Path(output).expanduser())


@dataclass(frozen=True)
class Tally:
    """What one process has done of a set."""

    rank: int
    host: str
    pictures: int
    seconds: float
    waited: float  # s of them for files to be read and decoded


@dataclass(frozen=True)
class Work:
    """This process among those that embed."""

    args: argparse.Namespace
    world: "World"
    backbone: "Backbone"
    made: Any  # by the first process, for all
    stack: ExitStack = field(default_factory=ExitStack)

    def embed(
        self, pictures: "Pictures", folder: Path, what: str, *, layers: bool
    ) -> "EmbeddedParts | None":
        """All features of a set for the first process; None for the others, once theirs are done.

        ValueError where another job has the folder, or another set or model has parts there.
        """
        from dino_core.embedding.parts import EmbeddedParts, Parts, PartWriter, share_of

        args, world = self.args, self.world
        preparation = preparation_of(args)
        preparation.check(self.backbone.vit.config.patch_size)
        parts = Parts(folder, pictures, args.part)
        missing = first_does(world, lambda: self._begin(parts, layers))
        facts = facts_of(args, self.backbone, preparation)
        writer = PartWriter(
            parts, self.backbone, preparation, facts, layers, args.batch, args.threads
        )
        mine, log = share_of(missing, world.rank, world.size), Log(folder, world.first)
        log.write(f"{what}: {parts_sentence(len(missing), len(parts), world.size)}")
        begun = time.perf_counter()
        count = sum(len(parts.indices(part)) for part in mine)
        with progress(count, what) if world.first else nullcontext(ignore) as advance:
            for part in mine:
                writer.write(part, advance)
                log.report(what, parts, writer.clock.pictures, time.perf_counter() - begun)
        seconds = time.perf_counter() - begun
        clock = writer.clock
        tally = Tally(world.rank, socket.gethostname(), clock.pictures, seconds, clock.waited)
        tallies = world.collect(tally)
        if tallies is None:
            return None
        log.write(f"{what}: {tallies_sentence(tallies)}")
        embedded = EmbeddedParts.of(parts, self.backbone)
        report_broken(embedded.broken)
        return embedded

    def _begin(self, parts: "Parts", layers: bool) -> list[int]:
        """In the first process alone: the folder is this job's, and these parts are missing."""
        from dino_core.embedding.parts import JOB, request_of
        from dino_core.jobs import locked

        refusal = f"Another job is at work in {parts.folder}: wait for it, or name another folder."
        self.stack.enter_context(locked(parts.folder / JOB, refusal))
        parts.begin(request_of(parts, self.backbone, preparation_of(self.args), layers))
        return parts.missing()


@contextmanager
def work_in_parts(args: argparse.Namespace, make: Callable[[], Any]) -> Iterator[Work]:
    """Joins the processes and loads the model in each; `make` is called in the first alone."""
    from dino_core.step.distributed import joined

    with joined(args.device, apart=True) as world, ExitStack() as stack:
        made = first_does(world, make)
        here = argparse.Namespace(**{**vars(args), "device": str(world.device)})
        loaded: list[Backbone] = []
        first_does(world, lambda: loaded.append(load_weights(here)))
        backbone = loaded[0] if loaded else load_weights(here, quiet=True)
        yield Work(here, world, backbone, made, stack)


def first_does(world: "World", make: Callable[[], Made]) -> Made:
    """What the first process makes, for all. Where it fails the others end too, without a word."""
    made, error = None, None
    if world.first:
        try:
            made = make()
        except Exception as failure:
            error = failure
    made, failed = world.share((made, error is not None))
    if error is not None:
        raise error
    if failed:
        follows = ValueError("The first process says why.")
        follows.add_note(SAID)
        raise follows
    return made  # None only where `make` gives it


def ignore(count: int) -> None:
    """The progress of those who do not speak."""


# --- the log


@dataclass
class Log:
    """Lines on standard error and in _job/log.txt, by the first process."""

    folder: Path
    speaks: bool
    last: float = field(default_factory=time.monotonic)

    def write(self, words: str) -> None:
        from dino_core.embedding.parts import JOB

        if not self.speaks:
            return
        print(words, file=sys.stderr, flush=True)
        with (self.folder / JOB / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {words}\n")

    def report(self, what: str, parts: "Parts", pictures: int, seconds: float) -> None:
        """How far all are, and how fast this process is, now and then."""
        if self.speaks and time.monotonic() - self.last > LOG_EVERY:
            self.last = time.monotonic()
            there = sum(1 for _ in parts.folder.glob("part-*.parquet"))
            rate = f"{pictures / seconds:.1f} pictures a second"
            self.write(
                f"{what}: {there:,} of {len(parts):,} parts are there; this process: {rate}."
            )


def parts_sentence(missing: int, total: int, processes: int) -> str:
    by = "1 process" if processes == 1 else f"{processes} processes"
    if missing == total:
        return f"{total:,} parts by {by}."
    return f"{total - missing:,} of {total:,} parts are there; the other {missing:,} by {by}."


def tallies_sentence(tallies: Sequence[Tally]) -> str:
    """Rates, the share of the time that went into waiting for files, and who was slowest."""
    slowest = max(tallies, key=lambda one: one.seconds)
    pictures = sum(one.pictures for one in tallies)
    if not pictures:
        return "All parts were there."
    total = sum(one.seconds for one in tallies)
    words = (
        f"{pictures:,} pictures in {slowest.seconds:.1f} s, "
        f"{pictures / slowest.seconds:.1f} a second; "
        f"{100 * sum(one.waited for one in tallies) / total:.0f} % of the time was spent waiting "
        f"for files."
    )
    if len(tallies) > 1:
        words += (
            f" The slowest was process {slowest.rank} on {slowest.host}: {slowest.pictures:,} "
            f"pictures in {slowest.seconds:.1f} s, and {total / len(tallies):.1f} s the mean."
        )
    return words
