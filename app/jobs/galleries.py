"""The galleries of this server: whose they are, who waits, and starting the next one.

    GALLERIES/NAME/                    the gallery itself, see dino_core/scenes/gallery.py
    GALLERIES/samples/                 everybody's: the pictures that come with the project
    GALLERIES/.page/NAME.zip           what a visitor uploaded; pictures are read from it
    GALLERIES/.page/tickets/NAME.json  who asked for it, and whether it still waits

How they wait for each other is in `tickets.py`. A gallery is its visitor's alone: for anybody else
there is no such gallery. One that nobody looked at for a week is thrown away.
"""

import os
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.jobs.queue import Queue, Ticket
from app.paths import SAMPLE_GALLERY
from dino_core.scenes.gallery import NotReady, Options, launch, names, state_of, stop

SAMPLES = "samples"
PLACES = 8  # galleries that may wait
PER_VISITOR = 4  # galleries of one visitor; the one that was not looked at for longest makes room
KEPT = 7 * 24 * 3600.0  # seconds after the last look
STARTING = 60.0  # seconds a process may take until it says something
AT_WORK = ("waiting", "embedding", "mapping")
STORED = SAMPLE_GALLERY


@dataclass(frozen=True)
class GalleryTicket(Ticket):
    """What this server knows about a gallery beside the gallery's own folder.

    Its title is what the visitor called the pictures.
    """

    pictures: int
    classes: int
    label: str  # of the model, as a person chose it
    options: dict[str, Any]  # of dino_core.scenes.gallery.Options
    refused: str = ""  # why its process could not be started


class Galleries(Queue[GalleryTicket]):
    """All galleries of a folder. One is built at a time; servers on one folder agree by a lock."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, GalleryTicket)

    # --- the one who starts the next gallery

    def begin(self, samples: Callable[[], Options]) -> None:
        """Looks after the queue from now on, also for those who waited when the server ended."""

        def prepare() -> None:
            self.bring_samples(samples())
            self._forget_old()

        self._begin(prepare)

    def bring_samples(self, options: Options, stored: Path = STORED) -> None:
        """Everybody's gallery: copied where it was worked out beforehand, built otherwise."""
        there, known = self.folder / SAMPLES, stored / "config.json"
        with self._locked():
            if self._is_current(known, there):
                return
            if known.is_file():
                shutil.rmtree(there, ignore_errors=True)
                beside = self.page / f"samples.{secrets.token_hex(4)}"
                shutil.copytree(stored, beside)
                beside.rename(there)
            self._put(
                GalleryTicket(
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

    def _is_current(self, known: Path, there: Path) -> bool:
        ticket = self.ticket(SAMPLES)
        if ticket is None:
            return False
        if known.is_file():
            return (there / "config.json").is_file() and _equal(known, there)
        return ticket.waiting or self._at_work(ticket) or _is_seen(there)

    def _is_busy(self) -> bool:
        return any(self._at_work(ticket) for ticket in self.all_tickets() if not ticket.waiting)

    def _start(self, ticket: GalleryTicket) -> GalleryTicket:
        started = replace(ticket, waiting=False, launched=time.time(), refused="")
        try:
            launch(ticket.data, self.folder / ticket.name, Options(**ticket.options))
        except ValueError as error:
            return replace(started, refused=str(error))
        return started

    def _at_work(self, ticket: GalleryTicket) -> bool:
        try:
            state = state_of(self.folder / ticket.name)
        except ValueError:
            return not ticket.refused and time.time() - ticket.launched < STARTING
        return bool(state["alive"]) and state["state"] in AT_WORK

    # --- asking for one

    def new_name(self) -> str:
        return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"

    def zip_of(self, name: str) -> Path:
        return self.page / f"{name}.zip"

    def add(self, ticket: GalleryTicket) -> None:
        """ValueError when too many wait already."""
        with self._locked():
            waiting = self.waiting()
            if any(one.owner == ticket.owner for one in waiting) or len(waiting) >= PLACES:
                raise ValueError("Others are waiting already: let one of them end first.")
            self._put(ticket)
        own = [one for one in self.all_tickets() if one.owner == ticket.owner]
        for old in sorted(own, key=self._looked_at)[:-PER_VISITOR]:
            if old.name != ticket.name and not self._at_work(old):
                self._throw_away(old)
        self._advance_soon()

    def steer(self, name: str, owner: str, wish: str) -> None:
        """stop or resume. ValueError for what cannot be."""
        ticket = self._own(name, owner)
        if wish == "resume":
            if self.card(name, owner)["wishes"] != ["resume"]:
                raise ValueError("There is nothing to go on with.")
            self._put(replace(ticket, waiting=True, asked=time.time()))
            self._advance_soon()
        elif ticket.waiting:
            self._put(replace(ticket, waiting=False, refused="Stopped before it began."))
        else:
            stop(self.folder / name)

    def remove(self, name: str, owner: str) -> None:
        """Throws a gallery and its pictures away. ValueError while it is being built."""
        ticket = self._own(name, owner)
        if not ticket.waiting and self._at_work(ticket):
            raise ValueError("It is still being built: stop it first.")
        self._throw_away(ticket)

    def _own(self, name: str, owner: str) -> GalleryTicket:
        self.find(name, owner)
        ticket = self.ticket(name)
        if ticket is None or not ticket.owner:
            raise ValueError("The samples are everybody's: they stay as they are.")
        return ticket

    def _throw_away(self, ticket: GalleryTicket) -> None:
        self._file(ticket.name).unlink(missing_ok=True)
        with suppress(ValueError):  # a process that still makes maps would write them anew
            stop(self.folder / ticket.name)
            for _ in range(30):
                if not state_of(self.folder / ticket.name)["alive"]:
                    break
                time.sleep(0.1)
        shutil.rmtree(self.folder / ticket.name, ignore_errors=True)
        self.zip_of(ticket.name).unlink(missing_ok=True)

    def _forget_old(self) -> None:
        for ticket in self.all_tickets():
            old = time.time() - self._looked_at(ticket) > KEPT
            if ticket.owner and old and not self._at_work(ticket):
                self._throw_away(ticket)

    def _looked_at(self, ticket: GalleryTicket) -> float:
        with suppress(OSError):
            return self._file(ticket.name).stat().st_mtime
        return 0.0

    # --- what there is

    def find(self, name: str, owner: str) -> Path:
        """The folder of a gallery of this visitor, or of everybody's. ValueError for any other."""
        ticket = self.ticket(name)
        if ticket is None or not (ticket.owner == "" or _same(ticket.owner, owner)):
            raise ValueError("There is no such gallery.")
        with suppress(OSError):
            os.utime(self._file(name))
        return self.folder / name

    def everything(self, owner: str) -> list[dict[str, Any]]:
        """This visitor's galleries, the newest first, and everybody's."""
        seen = [one for one in self.all_tickets() if one.owner == "" or _same(one.owner, owner)]
        return [self.card(ticket.name, owner) for ticket in reversed(seen)]

    def card(self, name: str, owner: str) -> dict[str, Any]:
        """What its visitor may know about a gallery. ValueError when there is none."""
        folder, ticket = self.find(name, owner), self.ticket(name)
        if ticket is None:
            raise ValueError("There is no such gallery.")
        card: dict[str, Any] = {
            "name": name,
            "title": ticket.title,
            "mine": ticket.owner != "",
            "pictures": ticket.pictures,
            "classes": ticket.classes,
            "model": ticket.label,
            "size": ticket.options.get("size"),
            "asked": ticket.asked,
            "place": None,
            **self._state(ticket, folder),
        }
        if ticket.owner:  # folders of this machine are nobody's business
            for path in (ticket.data, str(folder)):
                card["words"] = card["words"].replace(path, ticket.title)
        card["wishes"] = _wishes(card) if card["mine"] else []
        return card

    def _state(self, ticket: GalleryTicket, folder: Path) -> dict[str, Any]:
        state: dict[str, Any] = {
            "state": "starting",
            "words": "The process is starting.",
            "done": 0,
            "total": ticket.pictures,
            "seconds_left": None,
            "broken": [],
            "broken_count": 0,
            "alive": True,
            "can_resume": False,
            "maps": [],
            "doing": "",
            "seen": False,
        }
        with suppress(ValueError):
            state |= state_of(folder)
            state["seen"] = _is_seen(folder)
        if ticket.waiting:
            before = [one for one in self.waiting() if one.asked < ticket.asked]
            place = len(before) + 1
            words = "Next in the queue." if place == 1 else f"Number {place} in the queue."
            return state | {"state": "waiting", "place": place, "words": words, "alive": True}
        if ticket.refused:
            return state | {"state": "failed", "words": ticket.refused, "alive": False}
        if state["state"] == "starting" and time.time() - ticket.launched > STARTING:
            words = "The process ended before it began: try again."
            return state | {"state": "failed", "words": words, "alive": False, "can_resume": True}
        return state


def _is_seen(folder: Path) -> bool:
    """Whether there are features to look at."""
    try:
        names(folder)
    except (NotReady, ValueError):
        return False
    return True


def _wishes(card: dict[str, Any]) -> list[str]:
    """What its owner can ask of a gallery now."""
    if card["state"] in ("waiting", "starting", "embedding", "mapping") and card["alive"]:
        return ["stop"]
    return ["resume"] if card["can_resume"] and not card["alive"] else []


def _equal(known: Path, there: Path) -> bool:
    return known.read_bytes() == (there / "config.json").read_bytes()


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one, other)
