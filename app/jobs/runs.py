"""The runs of this server: whose they are, who waits, and starting the next one.

    RUNS/NAME/                    the run itself, see dino_core/runs/folder.py
    RUNS/NAME/request.json        what was asked for, see dino_core/runs/request.py
    RUNS/NAME.launch.txt          what its process said before there was a run
    RUNS/.page/jobs/NAME.json     who asked for it, and whether it still waits
    RUNS/.page/uploads/OWNER/     the zips of one visitor

How they wait for each other is in `queue.py`, what is told about them in `run_cards.py`. Whose a
run is, is kept as the hash of the visitor's secret.
"""

import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.jobs.queue import NAME, Clock, JobQueue, Limits
from app.jobs.run_cards import (
    ENDED,
    RunCard,
    RunDetails,
    RunJob,
    card_of,
    details_of,
    launch_file,
    process_lives,
)
from app.jobs.uploads import Uploads
from dino_core.jobs import is_alive, stop_process
from dino_core.runs.folder import launch, read_state, request_action
from dino_core.runs.request import COMMANDS, RunRequest
from dino_core.runs.request_io import FILE, read_request, write_request
from dino_core.scenes.training import switches_of, write_notes

LIMITS = Limits("run", "runs", places=8, per_visitor=3, per_address=4)
LONGEST_PAUSE = 600.0  # seconds a paused run keeps the place while others wait
LEAVING = 3.0  # seconds that a process which has ended may take to be gone


class NotYours(Exception):  # noqa: N818  it is said to a person
    """Only the visitor who started a run may steer it."""


class Runs(JobQueue[RunJob]):
    """All runs of a folder. One runs at a time; several servers on one folder agree by a lock."""

    def __init__(self, folder: Path, clock: Clock = time.time) -> None:
        super().__init__(folder, RunJob, clock)
        self.uploads = Uploads(self.page / "uploads", self._used_files, clock)

    # --- the one who starts the next run

    def begin(self) -> None:
        """Looks after the queue from now on, also for those who waited when the server ended."""
        self._begin(self.uploads.sweep)

    def _is_busy(self) -> bool:
        """A run that has been paused for long is asked to stop: others wait."""
        busy = self.running()
        if busy is not None:
            self._end_long_pause(busy)
        return busy is not None

    def _start(self, job: RunJob) -> RunJob:
        folder = self.folder / job.name
        begun = (folder / "config.json").exists()
        on = "--mend" if job.mend else "--resume"
        rest = ["--run", str(folder), on] if begun else ["--request", str(folder / FILE)]
        pid = launch([COMMANDS[job.kind], *rest], folder)
        return replace(job, waiting=False, pid=pid, launched=self.now(), mend=False)

    def running(self) -> str | None:
        """The name of the run that has the machine."""
        for job in self.all_jobs():
            if not job.waiting and process_lives(job):
                return job.name
        if not self.folder.is_dir():
            return None
        for path in self.folder.iterdir():
            if path.is_dir() and is_alive(path):
                return path.name
        return None

    def _end_long_pause(self, name: str) -> None:
        with suppress(ValueError):
            state = read_state(self.folder / name)
            if state.state == "paused" and self.now() - state.updated > LONGEST_PAUSE:
                request_action(self.folder / name, "stop")

    # --- asking for one

    def add(self, job: RunJob, asked: RunRequest) -> None:
        """ValueError when too many wait already."""
        with self._locked():
            LIMITS.check(self.waiting(), job)
            write_request(self.folder / job.name, asked)
            self._put(job)
        self._advance_soon()

    def new_name(self, word: str) -> str:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        return f"{word}-{stamp}-{secrets.token_hex(2)}"

    def steer(self, name: str, owner: str, action: str) -> None:
        """pause, resume, stop or mend. NotYours for a visitor who did not start it."""
        with self._locked():
            self._steer(self._own(name, owner), owner, action)
        if action in ("resume", "mend"):
            self._advance_soon()

    def _steer(self, job: RunJob, owner: str, action: str) -> None:
        folder = self.folder / job.name
        if job.waiting:
            if action == "stop":
                self._take_back(job)
        elif action == "mend":
            self._mend(job, folder)
        elif self.card(job.name, owner)["state"] in ENDED:  # its process may be on its way out
            if action == "resume":
                self._go_on(job, folder)
        elif is_alive(folder):
            request_action(folder, action)  # type: ignore[arg-type]
        elif action == "stop":
            stop_process(job.pid, job.name)  # it is still importing: nothing is lost

    def _go_on(self, job: RunJob, folder: Path) -> None:
        begun = (folder / "config.json").exists()
        if begun and read_state(folder).state == "finished":
            raise ValueError("This run is finished: start a new one.")
        LIMITS.check(self.waiting(), job)
        self._put(replace(job, asked=self.now(), waiting=True))

    def note(self, name: str, owner: str, words: Mapping[str, Any]) -> None:
        """What its owner calls it. NotYours for another visitor, ValueError for no such words."""
        with self._locked():
            write_notes(self.folder / self._own(name, owner).name, words)

    def _mend(self, job: RunJob, folder: Path) -> None:
        """It stops where it is at work, and waits for its turn to go back and on."""
        if not switches_of(folder):
            raise ValueError("This run has no experiment: there is nothing to turn back.")
        LIMITS.check(self.waiting(), job)
        if is_alive(folder):
            request_action(folder, "stop")
        self._put(replace(job, asked=self.now(), waiting=True, mend=True))

    def _take_back(self, job: RunJob) -> None:
        folder = self.folder / job.name
        if (folder / "config.json").exists():
            self._put(replace(job, waiting=False, pid=None, mend=False))
        else:
            self._throw_away(job.name)

    def remove(self, name: str, owner: str) -> None:
        """Throws a run away that has ended. ValueError while it goes on."""
        if self._is_lost_of(name, owner):
            self._throw_away(name)
            return
        job = self._own(name, owner)
        until = time.monotonic() + LEAVING
        while self._has_ended(job, owner) and process_lives(job) and time.monotonic() < until:
            time.sleep(0.1)
        with self._locked():
            if not self._has_ended(self._own(name, owner), owner):
                raise ValueError("This run has not ended: stop it first.")
            stop_process(job.pid, name)
            self._throw_away(name)

    def _has_ended(self, job: RunJob, owner: str) -> bool:
        return not job.waiting and self.card(job.name, owner)["state"] in ENDED

    def _throw_away(self, name: str) -> None:
        for path in (self._file(name), self._owner_file(name)):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.folder / name, ignore_errors=True)
        launch_file(self.folder / name).unlink(missing_ok=True)

    def _own(self, name: str, owner: str) -> RunJob:
        job = self.job(name)
        if job is None and name in self.damaged():
            raise NotYours("What was noted of this run is damaged, and whose it was with it.")
        if job is None:
            words = "This run was started from the command line: steer it there, by "
            raise NotYours(f"{words}python -m dino_core runs.")
        if not secrets.compare_digest(job.owner, owner):
            words = "Only the browser that started this run can steer it; anybody can watch."
            raise NotYours(words)
        return job

    def _used_files(self) -> set[str]:
        """What the runs that there are learn from, and the pictures that they follow."""
        used: set[str] = set()
        for job in self.all_jobs():
            used.add(job.data)
            with suppress(ValueError):
                used |= {*read_request(self.folder / job.name / FILE).probes}
        return used

    def weights_used(self) -> set[str]:
        """The files of weights that the runs that there are began with."""
        used: set[str] = set()
        for job in self.all_jobs():
            with suppress(ValueError):
                used |= {read_request(self.folder / job.name / FILE).weights or ""}
        return used

    # --- what there is

    def find(self, name: str) -> Path:
        """The folder of a run. ValueError for a name that is none."""
        if NAME.fullmatch(name) and (self._file(name).exists() or self._has_run(name)):
            return self.folder / name
        raise ValueError("There is no such run.")

    def everything(self, owner: str) -> list[RunCard]:
        """All runs and those that wait, for the page's list: the newest first."""
        names = set(self._names())
        if self.folder.is_dir():
            names |= {path.name for path in self.folder.iterdir() if self._has_run(path.name)}
        cards = [self.card(name, owner) for name in names if NAME.fullmatch(name)]
        return sorted(cards, key=lambda card: card["updated"], reverse=True)

    def card(self, name: str, owner: str) -> RunCard:
        """What everybody may know about a run."""
        names = [one.name for one in self.waiting()]
        place = names.index(name) + 1 if name in names else None
        job = self.job(name)
        mine = secrets.compare_digest(job.owner, owner) if job else self._is_lost_of(name, owner)
        return card_of(self.folder / name, job, mine=mine, place=place)

    def _is_lost_of(self, name: str, owner: str) -> bool:
        """Whether it is this visitor's and nothing of it can be read, neither job nor run."""
        return self._is_damaged_of(name, owner) and not self._has_run(name)

    def details(self, name: str, owner: str) -> RunDetails:
        """A card with what is worked out for the open run only."""
        return details_of(self.folder / name, self.job(name), self.card(name, owner))

    def _has_run(self, name: str) -> bool:
        return (self.folder / name / "config.json").exists()
