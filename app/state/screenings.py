"""Screenings: every head and block of a picture's model changed, one at a time, behind the page.

One runs at a time and gives way to whoever waits for the model. It ends when its visitor stops it,
asks for another, or asks no more; what is done is kept on the disk, for the next time.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from app.state.models import BUSY, Models
from app.state.pictures import Entry
from app.state.whatif import ChangedPictures

if TYPE_CHECKING:
    from dino_core.scenes.whatif_screening import Plan, Screened, ScreeningScene

State = Literal["none", "waiting", "running", "ready", "stopped", "failed"]
MOST_WAITING = 6
KEPT = 12  # screenings whose numbers are in memory
UNHEARD = 60.0  # seconds after which nobody seems to wait for one
NOT_READY = "Nothing was screened yet."


class Stopped(Exception):  # noqa: N818  nothing went wrong
    """Nobody wants it any more."""


@dataclass
class Screening:
    """One picture's, as far as it is."""

    state: State = "waiting"
    done: int = 0  # forwards
    total: int = 0
    words: str = ""  # what went wrong
    wanted: bool = True
    asked: float = field(default_factory=time.monotonic)
    found: "dict[str, tuple[Plan, Screened]]" = field(default_factory=dict)  # by parts

    @property
    def has_ended(self) -> bool:
        """Without numbers: it has to begin again."""
        return self.state in ("stopped", "failed") or (self.state != "ready" and not self.wanted)

    def check(self) -> None:
        """Raises Stopped when nobody waits for it."""
        if not self.wanted or time.monotonic() - self.asked > UNHEARD:
            raise Stopped

    def advance(self, forwards: int) -> None:
        self.done += forwards
        self.check()


class Screenings:
    """Those of all visitors, each under the visitor's secret, the picture's key and a seed."""

    def __init__(self, models: Models, changed: ChangedPictures) -> None:
        self._models, self._changed = models, changed
        self._screenings: OrderedDict[tuple[str, str, int], Screening] = OrderedDict()
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def start(self, secret: str, key: str, seed: int, entry: Entry) -> dict[str, Any]:
        """Begins one, unless it is there. ValueError when too many wait."""
        name = (secret, key, seed)
        with self._lock:
            known = self._screenings.get(name)
            if known is None or known.has_ended:
                for other, one in self._screenings.items():
                    one.wanted = one.wanted and (other[0] != secret or not secret)
                waiting = [one for one in self._screenings.values() if one.state == "waiting"]
                if len(waiting) >= MOST_WAITING:
                    raise ValueError(BUSY)
                known = self._screenings[name] = Screening()
                threading.Thread(
                    target=self._run, args=(known, entry, seed), name="screening", daemon=True
                ).start()
            self._screenings.move_to_end(name)
            while len(self._screenings) > KEPT:
                self._screenings.popitem(last=False)[1].wanted = False
        return self.status(secret, key, seed)

    def status(self, secret: str, key: str, seed: int) -> dict[str, Any]:
        """How far it is, in forwards."""
        one = self._screenings.get((secret, key, seed))
        if one is None:
            return {"state": "none", "done": 0, "total": 0, "words": ""}
        one.asked = time.monotonic()
        state = "stopped" if one.has_ended and one.state != "failed" else one.state
        return {"state": state, "done": one.done, "total": one.total, "words": one.words}

    def stop(self, secret: str, key: str, seed: int) -> None:
        one = self._screenings.get((secret, key, seed))
        if one is not None:
            one.wanted = False

    def scene(
        self, secret: str, key: str, seed: int, parts: str, *, entry: Entry
    ) -> "ScreeningScene":
        """What was found. ValueError until it is ready."""
        from dino_core.scenes.whatif_screening import screening_scene

        one = self._screenings.get((secret, key, seed))
        if one is None or parts not in one.found:
            raise ValueError(NOT_READY)
        plan, found = one.found[parts]
        return screening_scene(self._changed.backbone_of(entry).vit, plan, [found])

    def _run(self, one: Screening, entry: Entry, seed: int) -> None:
        from dino_core.scenes.whatif_screening import PARTS, Parts, Plan, screen_picture

        def work(parts: Parts) -> "tuple[Plan, Screened]":
            def screen() -> "tuple[Plan, Screened]":
                return screen_picture(backbone, seen, parts, seed=seed, progress=one.advance)

            return self._models.giving_way(screen, one.check)

        with self._turn:
            try:
                one.check()
                backbone, seen = self._changed.backbone_of(entry), entry.picture.seen
                one.total = sum(Plan(parts).forwards(backbone.vit) for parts in PARTS)
                one.state = "running"
                for parts in PARTS:
                    one.found[parts] = work(parts)
                one.state = "ready"
            except Stopped:
                one.state = "stopped"
            except ValueError as error:
                one.state, one.words = "failed", str(error)
            except Exception:
                one.state, one.words = "failed", "The screening has failed."
                raise
