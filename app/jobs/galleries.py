"""The galleries of this server: whose they are, who waits, and starting the next one.

    GALLERIES/NAME/                 the gallery itself, see dino_core/scenes/gallery.py
    GALLERIES/samples/              everybody's: the pictures that come with the project
    GALLERIES/.page/NAME.zip        what a visitor uploaded; pictures are read from it
    GALLERIES/.page/jobs/NAME.json  who asked for it, and whether it still waits
    GALLERIES/.page/jobs/NAME.owner  whose it is, once more: where the other one is damaged

and, for everybody as long as this server runs, the folders that it was started with.

How they wait for each other is in `queue.py`, what is told about them in `gallery_cards.py`. A
gallery is its visitor's alone: for anybody else there is no such gallery. One that nobody looked at
for a week is thrown away. What cannot be read is shown as damaged, and can be thrown away at once.
"""

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from app.jobs.gallery_cards import (
    AT_WORK,
    DAMAGED,
    SAMPLES,
    STARTING,
    GalleryCard,
    GalleryJob,
    card_of,
    damaged_card,
    has_features,
)
from app.jobs.queue import Clock, JobQueue, Limits
from app.paths import SAMPLE_GALLERY
from dino_core.scenes.gallery import NotReady, Options, launch, names, state_of, stop

LIMITS = Limits("gallery", "galleries", places=8, per_visitor=1, per_address=3)
PER_VISITOR = 4  # galleries of one visitor; the one that was not looked at for longest makes room
KEPT = 7 * 24 * 3600.0  # seconds after the last look
UNUSED = 24 * 3600.0  # seconds that a file stays which belongs to no gallery


class Galleries(JobQueue[GalleryJob]):
    """All galleries of a folder. One is built at a time; servers on one folder agree by a lock."""

    def __init__(
        self, folder: Path, clock: Clock = time.time, *, shown: Sequence[Path] = ()
    ) -> None:
        super().__init__(folder, GalleryJob, clock)
        self._shown = shown_jobs(shown)

    def job(self, name: str) -> GalleryJob | None:
        return self._shown[name] if name in self._shown else super().job(name)

    def all_jobs(self) -> list[GalleryJob]:
        return [*super().all_jobs(), *self._shown.values()]

    def folder_of(self, name: str) -> Path:
        """Where a gallery is."""
        return Path(self._shown[name].data) if name in self._shown else self.folder / name

    # --- the one who starts the next gallery

    def begin(self, samples: Callable[[], Options]) -> None:
        """Looks after the queue from now on, also for those who waited when the server ended."""

        def prepare() -> None:
            self.bring_samples(samples())
            self.sweep()

        self._begin(prepare)

    def bring_samples(self, options: Options, stored: Path = SAMPLE_GALLERY) -> None:
        """Everybody's gallery: copied where it was worked out beforehand, built otherwise."""
        there, known = self.folder / SAMPLES, stored / "config.json"
        with self._locked():
            if self._is_current(known, there, options.model or ""):
                return
            if known.is_file():
                shutil.rmtree(there, ignore_errors=True)
                partial = self.page / f"samples.{secrets.token_hex(4)}"
                shutil.copytree(stored, partial)
                partial.rename(there)
            self._put(
                GalleryJob(
                    name=SAMPLES,
                    owner="",
                    title="The samples",
                    data=SAMPLES,
                    pictures=8,
                    classes=0,
                    label=options.model or "",
                    options=asdict(options),
                    asked=0.0,
                    waiting=not known.is_file(),
                )
            )

    def _is_current(self, known: Path, there: Path, label: str) -> bool:
        job = self.job(SAMPLES)
        if job is None or job.label != label:
            return False
        if known.is_file():
            return (there / "config.json").is_file() and _equal(known, there)
        return job.waiting or self._at_work(job) or has_features(there)

    def _is_busy(self) -> bool:
        return any(self._at_work(job) for job in self.all_jobs() if not job.waiting)

    def _start(self, job: GalleryJob) -> GalleryJob:
        started = replace(job, waiting=False, launched=self.now(), refused="")
        try:
            launch(job.data, self.folder / job.name, Options(**job.options))
        except (ValueError, TypeError) as error:
            return replace(started, refused=str(error))
        return started

    def _at_work(self, job: GalleryJob) -> bool:
        try:
            state = state_of(self.folder_of(job.name))
        except ValueError:
            return not job.refused and self.now() - job.launched < STARTING
        return bool(state["alive"]) and state["state"] in AT_WORK

    # --- asking for one

    def new_name(self) -> str:
        return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"

    def zip_of(self, name: str) -> Path:
        return self.page / f"{name}.zip"

    def add(self, job: GalleryJob) -> None:
        """ValueError when too many wait already."""
        with self._locked():
            LIMITS.check(self.waiting(), job)
            self._put(job)
        own = [one for one in self.all_jobs() if one.owner == job.owner]
        for old in sorted(own, key=self._looked_at)[:-PER_VISITOR]:
            if old.name != job.name and not self._at_work(old):
                self._throw_away(old.name)
        self._advance_soon()

    def steer(self, name: str, owner: str, action: str) -> None:
        """stop or resume. ValueError for what cannot be."""
        with self._locked():
            job = self._own(name, owner)
            if action == "resume":
                if self.card(name, owner)["actions"] != ["resume"]:
                    raise ValueError("There is nothing to go on with.")
                LIMITS.check(self.waiting(), job)
                self._put(replace(job, waiting=True, asked=self.now()))
            elif job.waiting:
                self._put(replace(job, waiting=False, refused="Stopped before it began."))
            else:
                stop(self.folder / name)
        if action == "resume":
            self._advance_soon()

    def again(self, name: str, owner: str, make: Callable[[GalleryJob, str], GalleryJob]) -> str:
        """Another gallery of the same zip in the place of this one -> its name.

        `make` is given this one's job and the new name. ValueError while it is being built, and
        when `make` refuses: then everything stays as it is.
        """
        with self._locked():
            job = self._own(name, owner)
            if job.waiting or self._at_work(job):
                raise ValueError("It is still being built: stop it first.")
            new = self.new_name()
            self.zip_of(name).rename(self.zip_of(new))
        try:
            made = make(job, new)
            LIMITS.check(self.waiting(), made)
        except BaseException:
            self.zip_of(new).rename(self.zip_of(name))
            raise
        self._throw_away(name)
        self.add(made)
        return new

    def zips(self, owner: str) -> list[GalleryJob]:
        """This visitor's galleries whose pictures can be learned from, the newest first."""
        own = [job for job in self.all_jobs() if job.owner and _may_see(job, owner)]
        return [job for job in reversed(own) if self.zip_of(job.name).is_file()]

    def remove(self, name: str, owner: str) -> None:
        """Throws a gallery and its pictures away. ValueError while it is being built."""
        with self._locked():
            if not self._is_damaged_of(name, owner):
                job = self._own(name, owner)
                if not job.waiting and self._at_work(job):
                    raise ValueError("It is still being built: stop it first.")
            self._file(name).unlink(missing_ok=True)
        self._throw_away(name)

    def weights_used(self) -> set[str]:
        """The files of weights that galleries are built with, or are about to be."""
        going = [job for job in self.all_jobs() if job.waiting or self._at_work(job)]
        return {str(job.options.get("weights") or "") for job in going}

    def _own(self, name: str, owner: str) -> GalleryJob:
        self.find(name, owner)
        job = self.job(name)
        if job is None:
            raise ValueError(DAMAGED)
        if not job.owner:
            raise ValueError("This gallery is everybody's: it stays as it is.")
        return job

    def _throw_away(self, name: str) -> None:
        for path in (self._file(name), self._owner_file(name)):
            path.unlink(missing_ok=True)
        with suppress(ValueError):  # a process that still makes maps would write them anew
            stop(self.folder / name)
            for _ in range(30):
                if not state_of(self.folder / name)["alive"]:
                    break
                time.sleep(0.1)
        shutil.rmtree(self.folder / name, ignore_errors=True)
        self.zip_of(name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Throws away what nobody looked at for a week, and what belongs to no gallery."""
        for job in self.all_jobs():
            if job.owner and self._is_old(self._file(job.name), KEPT) and not self._at_work(job):
                self._throw_away(job.name)
        for name in self.damaged():
            if self._is_old(self._file(name), KEPT):
                self._throw_away(name)
        known = {self.zip_of(job.name) for job in self.all_jobs()}
        for path in (*self.page.glob("*.zip"), *self.page.glob("*.part")):
            if path not in known and self._is_old(path, UNUSED):
                path.unlink(missing_ok=True)
        for path in self.page.glob("samples.*"):
            if self._is_old(path, UNUSED):
                shutil.rmtree(path, ignore_errors=True)

    def _is_old(self, path: Path, age: float) -> bool:
        with suppress(OSError):
            return self.now() - path.stat().st_mtime > age
        return False

    def _looked_at(self, job: GalleryJob) -> float:
        with suppress(OSError):
            return self._file(job.name).stat().st_mtime
        return 0.0

    # --- what there is

    def find(self, name: str, owner: str) -> Path:
        """The folder of a gallery of this visitor, or of everybody's. ValueError for any other."""
        job = self.job(name)
        if not (_may_see(job, owner) if job else self._is_damaged_of(name, owner)):
            raise ValueError("There is no such gallery.")
        with suppress(OSError):
            now = self.now()
            os.utime(self._file(name), (now, now))
        return self.folder_of(name)

    def everything(self, owner: str) -> list[GalleryCard]:
        """This visitor's galleries, the newest first, and everybody's."""
        shown = [job.name for job in self.all_jobs() if _may_see(job, owner)]
        damaged = [name for name in self.damaged() if self._is_damaged_of(name, owner)]
        return [self.card(name, owner) for name in (*reversed(shown), *damaged)]

    def card(self, name: str, owner: str) -> GalleryCard:
        """What its visitor may know about a gallery. ValueError when there is none."""
        folder, job = self.find(name, owner), self.job(name)
        if job is None:
            return damaged_card(name)
        before = [one for one in self.waiting() if one.asked < job.asked]
        return card_of(folder, job, place=len(before) + 1, now=self.now())


def shown_jobs(folders: Sequence[Path]) -> dict[str, GalleryJob]:
    """Folders that the command `gallery` has made -> jobs of everybody's, by their names.

    ValueError for a folder without a gallery.
    """
    jobs: dict[str, GalleryJob] = {}
    for number, path in enumerate(folders):
        folder = path.expanduser().resolve()
        state_of(folder)
        plain = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:60] or "gallery"
        name = f"shown-{number}-{plain}"
        jobs[name] = GalleryJob(
            name=name,
            owner="",
            title=folder.name,
            data=str(folder),
            **_seen_of(folder),
            asked=float(number),
            waiting=False,
        )
    return jobs


def _seen_of(folder: Path) -> dict[str, Any]:
    """How many pictures and classes there are, and what they were seen with, once that is known."""
    try:
        one = names(folder)
    except (NotReady, ValueError):
        return {"pictures": 0, "classes": 0, "label": "", "options": {}}
    facts: dict[str, Any] = {"pictures": one.count, "classes": len(one.classes)}
    return facts | {"label": one.title, "options": {"size": one.size}}


def _may_see(job: GalleryJob, owner: str) -> bool:
    return job.owner == "" or secrets.compare_digest(job.owner, owner)


def _equal(known: Path, there: Path) -> bool:
    return known.read_bytes() == (there / "config.json").read_bytes()
