"""Who asked for what, and who waits: a ticket is a small file, and one is at work at a time.

    FOLDER/NAME/                    what was asked for, written by a process of its own
    FOLDER/.page/tickets/NAME.json  who asked for it, and whether it still waits
    FOLDER/.page/queue.lock         held for an instant by the server that looks at the queue

All of it is files, so that a server that starts again finds everything. The process goes on without
a server. The tickets of runs are in `queue.py`, those of galleries in `galleries.py`.
"""

import fcntl
import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from dino_core.scenes.training import write_json

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@dataclass(frozen=True)
class Ticket:
    """What a server knows about everything it was asked for."""

    name: str
    owner: str  # hash of the visitor's secret; "" for everybody's
    title: str
    data: str  # "samples", or the path of a zip
    asked: float = field(kw_only=True)  # seconds since 1970
    waiting: bool = field(default=True, kw_only=True)
    launched: float = field(default=0.0, kw_only=True)


AnyTicket = TypeVar("AnyTicket", bound=Ticket)


class Queue(ABC, Generic[AnyTicket]):
    """The tickets of a folder, started in the order asked. Servers on one folder agree by a lock.

    A subclass says what is at work and how the next one is started.
    """

    def __init__(self, folder: Path, kind: type[AnyTicket]) -> None:
        self.folder = folder.expanduser().resolve()
        self.page = self.folder / ".page"
        self.tickets = self.page / "tickets"
        self._kind = kind
        self._wake = threading.Event()
        self._ended = False

    @abstractmethod
    def _is_busy(self) -> bool:
        """Whether another one is at work, so that the next one has to wait."""

    @abstractmethod
    def _start(self, ticket: AnyTicket) -> AnyTicket:
        """Starts its process; the ticket as it is from now on."""

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
            self._wake.wait(1.0 if waits else 30.0)
            self._wake.clear()

    def _advance_soon(self) -> None:
        """Starts the next one now if that can be, or lets the thread look again soon."""
        self.advance()
        self._wake.set()

    # --- the tickets

    def ticket(self, name: str) -> AnyTicket | None:
        if not NAME.fullmatch(name):
            return None
        try:
            return self._kind(**json.loads(self._file(name).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def all_tickets(self) -> list[AnyTicket]:
        """In the order asked."""
        if not self.tickets.is_dir():
            return []
        found = [self.ticket(path.stem) for path in self.tickets.glob("*.json")]
        return sorted((one for one in found if one), key=lambda one: one.asked)

    def waiting(self) -> list[AnyTicket]:
        """Who waits, the first one first."""
        return [ticket for ticket in self.all_tickets() if ticket.waiting]

    def _file(self, name: str) -> Path:
        return self.tickets / f"{name}.json"

    def _put(self, ticket: AnyTicket) -> None:
        self.tickets.mkdir(parents=True, exist_ok=True)
        write_json(self._file(ticket.name), asdict(ticket))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.page.mkdir(parents=True, exist_ok=True)
        with (self.page / "queue.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
