"""Who asked for what, and who waits: a job is a small file, and one is at work at a time.

    FOLDER/NAME/                 what was asked for, written by a process of its own
    FOLDER/.page/jobs/NAME.json  who asked for it, and whether it still waits
    FOLDER/.page/queue.lock      held for an instant by the server that looks at the queue

All of it is files, so that a server that starts again finds everything. The process goes on without
a server. The jobs that are runs are in `runs.py`, those that are galleries in `galleries.py`.
"""

import math
import re
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from filelock import FileLock

from dino_core.jobs import read_json, write_json, write_text

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
SOON, LATER = 1.0, 30.0  # seconds until the queue is looked at again, while anybody waits or not
Clock = Callable[[], float]


@dataclass(frozen=True)
class Job:
    """What a server knows about everything it was asked for."""

    name: str
    owner: str  # hash of the visitor's secret; "" for everybody's
    title: str
    data: str  # "samples", or the path of a zip
    asked: float = field(kw_only=True)  # seconds since 1970
    waiting: bool = field(default=True, kw_only=True)
    launched: float = field(default=0.0, kw_only=True)
    address: str = field(default="", kw_only=True)  # hash of where it was asked; "" if unknown


AnyJob = TypeVar("AnyJob", bound=Job)


@dataclass(frozen=True)
class Limits:
    """How many jobs may wait."""

    one: str  # what a job is called
    several: str
    places: int  # of everybody
    per_visitor: int
    per_address: int  # a browser without its cookie is another visitor at the same address

    def check(self, waiting: list[AnyJob], job: AnyJob) -> None:
        """ValueError when this one may not wait as well."""
        own = sum(one.owner == job.owner for one in waiting)
        near = sum(one.address == job.address for one in waiting) if job.address else 0
        for count, most, words in (
            (own, self.per_visitor, "You have {} waiting already"),
            (near, self.per_address, "{} wait already that were asked for at your address"),
            (len(waiting), self.places, "There are {} waiting already"),
        ):
            if count >= most:
                raise ValueError(
                    words.format(f"{count} {self.one if count == 1 else self.several}")
                    + ": wait until one of them has begun, or stop one."
                )


class JobQueue(ABC, Generic[AnyJob]):
    """The jobs of a folder, started in the order asked. Servers on one folder agree by a lock.

    A subclass says what is at work and how the next one is started.
    """

    def __init__(self, folder: Path, kind: type[AnyJob], clock: Clock = time.time) -> None:
        self.folder = folder.expanduser().resolve()
        self.page = self.folder / ".page"
        self.jobs = self.page / "jobs"
        self.now = clock
        self._kind = kind
        self._wake = threading.Event()
        self._ended = False

    @abstractmethod
    def _is_busy(self) -> bool:
        """Whether another one is at work, so that the next one has to wait."""

    @abstractmethod
    def _start(self, job: AnyJob) -> AnyJob:
        """Starts its process; the job as it is from now on."""

    # --- the one who starts the next one

    def end(self) -> None:
        """What is at work goes on; those who wait are there again when the server is."""
        self._ended = True
        self._wake.set()

    def advance(self) -> bool:
        """Starts the next one if none is at work. Says whether anybody still waits."""
        with self._locked():
            waiting = self.waiting()
            if not waiting:
                return False
            if self._is_busy():
                return True
            self._put(self._start(waiting[0]))
            return len(waiting) > 1

    def _begin(self, prepare: Callable[[], None] = lambda: None) -> None:
        """Looks after the queue from now on, in a thread that begins with `prepare`."""
        self._ended = False
        name = type(self).__name__.lower()
        threading.Thread(target=self._serve, args=(prepare,), name=name, daemon=True).start()

    def _serve(self, prepare: Callable[[], None]) -> None:
        with suppress(OSError, ValueError):
            prepare()
        while not self._ended:
            waits = False
            with suppress(OSError, ValueError):
                waits = self.advance()
            self._wake.wait(SOON if waits else LATER)
            self._wake.clear()

    def _advance_soon(self) -> None:
        """Starts the next one now if that can be, or lets the thread look again soon."""
        self.advance()
        self._wake.set()

    # --- the jobs

    def job(self, name: str) -> AnyJob | None:
        """None when there is none, or its file is damaged."""
        if not NAME.fullmatch(name):
            return None
        values = read_json(self._file(name))
        return None if values is None or values.get("name") != name else self._typed(values)

    def all_jobs(self) -> list[AnyJob]:
        """In the order asked."""
        found = [self.job(name) for name in self._names()]
        return sorted((one for one in found if one), key=lambda one: one.asked)

    def damaged(self) -> list[str]:
        """Names of the jobs whose files cannot be read."""
        return [name for name in self._names() if self.job(name) is None]

    def waiting(self) -> list[AnyJob]:
        """Who waits, the first one first."""
        return [job for job in self.all_jobs() if job.waiting]

    def _names(self) -> list[str]:
        if not self.jobs.is_dir():
            return []
        names = (path.stem for path in self.jobs.glob("*.json"))
        return sorted(name for name in names if NAME.fullmatch(name))

    def _file(self, name: str) -> Path:
        return self.jobs / f"{name}.json"

    def _put(self, job: AnyJob) -> None:
        self.jobs.mkdir(parents=True, exist_ok=True)
        write_json(self._file(job.name), asdict(job))
        if job.owner and not self._owner_file(job.name).exists():
            write_text(self._owner_file(job.name), job.owner)

    def _owner_file(self, name: str) -> Path:
        """Whose a job is, once more: where its own file is damaged."""
        return self.jobs / f"{name}.owner"

    def _is_damaged_of(self, name: str, owner: str) -> bool:
        """Whether there is such a job, this visitor's, of which nothing can be read."""
        if not NAME.fullmatch(name) or not self._file(name).exists() or self.job(name):
            return False
        try:
            known = self._owner_file(name).read_text(encoding="ascii")
        except (OSError, ValueError):
            return False
        return known != "" and secrets.compare_digest(known, owner)

    def _typed(self, values: dict[str, Any]) -> AnyJob | None:
        hints = get_type_hints(self._kind)
        known = {name: value for name, value in values.items() if name in hints}
        if not all(_fits(value, hints[name]) for name, value in known.items()):
            return None
        try:
            return self._kind(**known)
        except TypeError:  # something is missing
            return None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Whatever is read here and written changes in between by nobody else."""
        self.page.mkdir(parents=True, exist_ok=True)
        with FileLock(self.page / "queue.lock", poll_interval=0.01):
            yield


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value of a JSON file is what a field wants."""
    if get_origin(hint) is UnionType:
        return any(_fits(value, choice) for choice in get_args(hint))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is (NoneType if hint is None else get_origin(hint) or hint)
