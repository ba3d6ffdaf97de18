"""The runs of this server: whose they are, who waits, and starting the next one.

    RUNS/NAME/                    the run itself, see dino_core/runs/folder.py
    RUNS/NAME.launch.txt          what its process said before there was a run
    RUNS/.page/tickets/NAME.json  who asked for it, and whether it still waits
    RUNS/.page/uploads/OWNER/     the zips of one visitor

How they wait for each other is in `tickets.py`. Whose a run is, is kept as the hash of the
visitor's secret.
"""

import os
import secrets
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.jobs.queue import NAME, Queue, Ticket
from dino_core.scenes.training import (
    command_of,
    is_alive,
    launch,
    list_runs,
    milestones,
    read_state,
    request,
    resume_arguments,
    verdict_of,
    weights_file,
)

PLACES = 8  # runs that may wait
PER_VISITOR = 3
PATIENCE = 600.0  # seconds a paused run keeps the place while others wait
ENDED = ("finished", "failed", "stopped")


class NotYours(Exception):  # noqa: N818  it is said to a person
    """Only the visitor who started a run may steer it."""


@dataclass(frozen=True)
class RunTicket(Ticket):
    """What this server knows about a run beside the run's own folder."""

    kind: str
    steps: int
    arguments: tuple[str, ...]
    data_name: str  # what the visitor called the pictures
    pid: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", tuple(self.arguments))  # a list in JSON

    @property
    def private(self) -> bool:
        """Its pictures are the visitor's own."""
        return self.data != "samples"


class Runs(Queue[RunTicket]):
    """All runs of a folder. One runs at a time; several servers on one folder agree by a lock."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, RunTicket)

    # --- the one who starts the next run

    def begin(self) -> None:
        """Looks after the queue from now on, also for those who waited when the server ended."""
        self._begin()

    def _is_busy(self) -> bool:
        """A run that has been paused for long is asked to stop: others wait."""
        busy = self.running()
        if busy is not None:
            self._end_long_pause(busy)
        return busy is not None

    def _start(self, ticket: RunTicket) -> RunTicket:
        pid = launch(ticket.arguments, self.folder / ticket.name)
        return replace(ticket, waiting=False, pid=pid, launched=time.time())

    def running(self) -> str | None:
        """The name of the run that has the machine."""
        for ticket in self.all_tickets():
            if not ticket.waiting and process_lives(ticket):
                return ticket.name
        if not self.folder.is_dir():
            return None
        for path in self.folder.iterdir():
            if path.is_dir() and is_alive(path):
                return path.name
        return None

    def _end_long_pause(self, name: str) -> None:
        with suppress(ValueError):
            state = read_state(self.folder / name)
            if state.state == "paused" and time.time() - state.updated > PATIENCE:
                request(self.folder / name, "stop")

    # --- asking for one

    def add(self, ticket: RunTicket) -> None:
        """ValueError when too many wait already."""
        with self._locked():
            waiting = self.waiting()
            own = [one for one in waiting if one.owner == ticket.owner]
            if len(own) >= PER_VISITOR or len(waiting) >= PLACES:
                words = "You have" if len(own) >= PER_VISITOR else "There are"
                count = len(own) if len(own) >= PER_VISITOR else len(waiting)
                raise ValueError(
                    f"{words} {count} runs waiting already: let one end, or take one back."
                )
            self._put(ticket)
        self._advance_soon()

    def new_name(self, word: str) -> str:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        return f"{word}-{stamp}-{secrets.token_hex(2)}"

    def steer(self, name: str, owner: str, wish: str) -> None:
        """pause, resume or stop. NotYours for a visitor who did not start it."""
        ticket, folder = self._own(name, owner), self.folder / name
        if ticket.waiting:
            if wish == "stop":
                self._take_back(ticket)
        elif self.card(name, owner)["state"] in ENDED:  # its process may still be on its way out
            if wish == "resume":
                self.add(replace(self._going_on(ticket, folder), asked=time.time(), waiting=True))
        elif is_alive(folder):
            request(folder, wish)  # type: ignore[arg-type]
        elif process_lives(ticket) and ticket.pid and wish == "stop":
            os.kill(ticket.pid, signal.SIGTERM)  # it is still importing: nothing is lost

    def remove(self, name: str, owner: str) -> None:
        """Throws a run away that has ended. ValueError while it goes on."""
        ticket = self._own(name, owner)
        if ticket.waiting or self.card(name, owner)["state"] not in ENDED:
            raise ValueError("This run has not ended: stop it first.")
        for _ in range(30):  # its process may still be on its way out
            if not process_lives(ticket):
                break
            time.sleep(0.1)
        self._file(name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / name, ignore_errors=True)
        launch_file(self.folder / name).unlink(missing_ok=True)

    def _own(self, name: str, owner: str) -> RunTicket:
        ticket = self.ticket(name)
        if ticket is None:
            words = "This run was started from the command line: steer it there, by "
            raise NotYours(f"{words}python -m dino_core runs.")
        if not secrets.compare_digest(ticket.owner, owner):
            words = "Only the browser that started this run can steer it; anybody can watch."
            raise NotYours(words)
        return ticket

    def _going_on(self, ticket: RunTicket, folder: Path) -> RunTicket:
        if not (folder / "config.json").exists():  # it never began: from the start
            return ticket
        if read_state(folder).state == "finished":
            raise ValueError("This run is finished: start a new one.")
        return replace(ticket, arguments=tuple(resume_arguments(folder)))

    def _take_back(self, ticket: RunTicket) -> None:
        with self._locked():
            if (self.folder / ticket.name / "config.json").exists():
                self._put(replace(ticket, waiting=False, pid=None))
            else:
                self._file(ticket.name).unlink(missing_ok=True)

    # --- what there is

    def find(self, name: str) -> Path:
        """The folder of a run. ValueError for a name that is none."""
        known = NAME.fullmatch(name) is not None
        if not known or not (self.ticket(name) or (self.folder / name / "config.json").exists()):
            raise ValueError("There is no such run.")
        return self.folder / name

    def everything(self, owner: str) -> list[dict[str, Any]]:
        """All runs and those that wait, for the page's list: the newest first."""
        names = {ticket.name for ticket in self.all_tickets()}
        names |= {run.folder.name for run in list_runs(self.folder)}
        cards = [self.card(name, owner) for name in names if NAME.fullmatch(name)]
        return sorted(cards, key=lambda card: card["updated"], reverse=True)

    def card(self, name: str, owner: str) -> dict[str, Any]:
        """What everybody may know about a run."""
        ticket, folder = self.ticket(name), self.folder / name
        card: dict[str, Any] = {
            "name": name,
            "title": ticket.title if ticket else name,
            "kind": ticket.kind if ticket else "",
            "steps": ticket.steps if ticket else 0,
            "asked": ticket.asked if ticket else None,
            "mine": ticket is not None and secrets.compare_digest(ticket.owner, owner),
            "state": "starting",
            "words": "The process is starting.",
            "step": 0,
            "seconds_left": None,
            "alive": False,
            "place": None,
            "updated": ticket.asked if ticket else 0.0,
        }
        self._fill_state(card, ticket, folder)
        card["words"] = without_paths(card["words"], ticket, self.folder)
        card["wishes"] = wishes_for(card) if card["mine"] else []
        return card

    def _fill_state(self, card: dict[str, Any], ticket: RunTicket | None, folder: Path) -> None:
        begun = (folder / "config.json").exists()
        if begun:
            state = read_state(folder)
            for name in ("kind", "state", "words", "step", "alive", "updated", "seconds_left"):
                card[name] = getattr(state, name)
            card["steps"] = state.steps or card["steps"]
        if ticket is None:
            return
        if ticket.waiting:
            names = [one.name for one in self.waiting()]
            place = names.index(ticket.name) + 1 if ticket.name in names else 1
            words = "Next in the queue: it starts when the run before it ends."
            if place > 1:
                words = f"Number {place} in the queue."
            card.update(state="waiting", place=place, words=words, alive=True)
        elif begun and card["state"] in ENDED and card["updated"] > ticket.launched:
            card["alive"] = False  # it has said its last word
        elif not card["alive"] and process_lives(ticket):
            card.update(state="starting", words="The process is starting.", alive=True)
        elif not begun or (not card["alive"] and ticket.launched > card["updated"]):
            card.update(state="failed", words=last_words(folder), updated=ticket.launched)

    def details(self, name: str, owner: str) -> dict[str, Any]:
        """A card with what is worked out for the open run only."""
        card, folder, ticket = self.card(name, owner), self.folder / name, self.ticket(name)
        own = card["mine"] or ticket is None or not ticket.private
        card |= {"verdict": None, "command": "", "moments": [], "report": False, "weights": None}
        if not (folder / "config.json").exists():
            return card
        card["moments"] = milestones(folder)
        card["report"] = (folder / "report.json").exists()
        card["pictures_shown"] = own
        data = ticket.data_name if ticket and card["mine"] else "pictures.zip"
        with suppress(ValueError, KeyError):
            card["command"] = command_of(folder, data)
        weights = weights_file(folder)
        card["weights"] = weights.name if weights and own else None
        if card["kind"] == "pretraining":
            card["verdict"] = verdict_of(folder)
        return card


def wishes_for(card: dict[str, Any]) -> list[str]:
    """What its owner can ask of a run now."""
    if card["state"] in ("waiting", "starting"):
        return ["stop"]
    if card["state"] == "running":
        return ["pause", "stop"]
    if card["state"] == "paused":
        return ["resume", "stop"]
    return ["resume", "delete"] if card["state"] in ("stopped", "failed") else ["delete"]


def process_lives(ticket: RunTicket) -> bool:
    """Whether the process of a run that was launched is still there, and still that run's."""
    if ticket.pid is None:
        return False
    ours = False
    with suppress(ChildProcessError, OSError):
        if os.waitpid(ticket.pid, os.WNOHANG)[0]:  # a child of this server that has ended is let go
            return False
        ours = True
    try:
        words = Path(f"/proc/{ticket.pid}/cmdline").read_bytes()
        return ticket.name.encode() in words or (ours and not words)  # empty for its first instant
    except OSError:
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(ticket.pid, 0)
    except OSError:
        return False
    return True


def launch_file(folder: Path) -> Path:
    """What the process of a run said before there was a run."""
    return folder.with_name(f"{folder.name}.launch.txt")


def last_words(folder: Path) -> str:
    """What a process said that ended before there was a run."""
    try:
        text = launch_file(folder).read_text(errors="replace")
    except OSError:
        text = ""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "The process ended before the run began."


def without_paths(words: str, ticket: RunTicket | None, folder: Path) -> str:
    """Folders of this machine are nobody's business."""
    if ticket and ticket.private:
        words = words.replace(ticket.data, "the pictures")
    return words.replace(f"{folder}/", "")
