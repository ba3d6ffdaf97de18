"""Screenings: every head and block of a model changed, one at a time, behind the page.

Over the open picture, or over several: the samples, or some of a gallery.

One runs at a time and gives way to whoever waits for the model. It ends when its visitor stops it,
asks for another, or asks no more; what is done is kept on the disk, for the next time.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from app.state.models import BUSY, Models
from app.state.pictures import Entry
from app.state.whatif import SAMPLE_REFERENCES, ChangedPictures, References

if TYPE_CHECKING:
    from dino_core.scenes.whatif_screening import ScreeningScene

State = Literal["none", "waiting", "running", "ready", "stopped", "failed"]
MOST_WAITING = 6
KEPT = 12  # screenings whose numbers are in memory
UNHEARD = 60.0  # seconds after which nobody seems to wait for one
NOT_READY = "Nothing was screened yet."


class Stopped(Exception):  # noqa: N818  nothing went wrong
    """Nobody wants it any more."""


@dataclass(frozen=True)
class Asked:
    """What is to be screened of a picture's model."""

    seed: int = 0
    over: str = ""  # the name of a gallery, or "samples"; "": the open picture
    folder: Path | None = None  # of that gallery
    most: int = 8  # pictures of it
    references: References = SAMPLE_REFERENCES


@dataclass
class Screening:
    """One of them, as far as it is."""

    state: State = "waiting"
    done: int = 0  # forwards
    total: int = 0
    words: str = ""  # what went wrong
    wanted: bool = True
    asked: float = field(default_factory=time.monotonic)
    found: "dict[Any, ScreeningScene]" = field(default_factory=dict)  # by parts

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
    """Those of all visitors, under the visitor's secret, the picture's key and what is asked."""

    def __init__(self, models: Models, changed: ChangedPictures) -> None:
        self._models, self._changed = models, changed
        self._screenings: OrderedDict[tuple[str, str, Asked], Screening] = OrderedDict()
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def start(self, secret: str, key: str, asked: Asked, entry: Entry) -> dict[str, Any]:
        """Begins one, unless it is there. ValueError when too many wait."""
        name = (secret, key, asked)
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
                    target=self._run, args=(known, entry, asked), name="screening", daemon=True
                ).start()
            self._screenings.move_to_end(name)
            while len(self._screenings) > KEPT:
                self._screenings.popitem(last=False)[1].wanted = False
        return self.status(secret, key, asked)

    def status(self, secret: str, key: str, asked: Asked) -> dict[str, Any]:
        """How far it is, in forwards."""
        one = self._screenings.get((secret, key, asked))
        if one is None:
            return {"state": "none", "done": 0, "total": 0, "words": ""}
        one.asked = time.monotonic()
        state = "stopped" if one.has_ended and one.state != "failed" else one.state
        return {"state": state, "done": one.done, "total": one.total, "words": one.words}

    def stop(self, secret: str, key: str, asked: Asked) -> None:
        one = self._screenings.get((secret, key, asked))
        if one is not None:
            one.wanted = False

    def scene(self, secret: str, key: str, asked: Asked, parts: str) -> "ScreeningScene":
        """What was found. ValueError until it is ready."""
        one = self._screenings.get((secret, key, asked))
        if one is None or parts not in one.found:
            raise ValueError(NOT_READY)
        return one.found[parts]

    def _run(self, one: Screening, entry: Entry, asked: Asked) -> None:
        with self._turn:
            try:
                one.check()
                work = self._work(one, entry, asked)
                one.state = "running"
                one.found.update(self._models.giving_way(work, one.check))
                one.state = "ready"
            except Stopped:
                one.state = "stopped"
            except ValueError as error:
                one.state, one.words = "failed", str(error)
            except Exception:
                one.state, one.words = "failed", "The screening has failed."
                raise

    def _work(
        self, one: Screening, entry: Entry, asked: Asked
    ) -> "Callable[[], dict[Any, ScreeningScene]]":
        """What is to be computed; how much it is becomes known. ValueError for pictures that are
        no longer there."""
        from dino_core.scenes import whatif_screening as scenes
        from dino_core.scenes.whatif_pictures import reference_pictures, several

        backbone, seen = self._changed.backbone_of(entry), entry.picture.seen
        references = reference_pictures(asked.references.folder)
        options: dict[str, Any] = {"seed": asked.seed, "progress": one.advance}
        one.total = scenes.forwards_of(backbone.vit)
        if not asked.over:
            return lambda: scenes.screen_picture(backbone, seen, references, **options)
        folder, side = asked.folder, min(seen.grid) * seen.patch_size
        of_model = folder is not None and self._changed.is_seen_by(entry, folder)
        chosen = several(folder, of_model, side=side, most=asked.most)
        one.total *= len(chosen.pictures)
        return lambda: scenes.screen_several(backbone, chosen, references, **options)
