"""Pictures with the model's insides changed: where the values come from, and what was computed.

The statistics of reference pictures are small; another picture in a model is large, so few of those
are kept. What followed from the newest changes is kept with the picture itself.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.state.checkpoints import is_checkpoint
from app.state.models import BUSY, GivingUp, Models
from app.state.pictures import Entry
from app.visitors import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dino_core.scenes.whatif import Change, Effects, Sources
    from dino_core.weights import Backbone

STATISTICS = 16  # of a model at a size, from a set of reference pictures
OTHERS = 2  # other pictures
MOST_CHANGES = 64  # in one request
MOST_MEASURING = 4  # requests that may wait until reference pictures have been looked at
SAMPLES = "samples"


@dataclass(frozen=True)
class References:
    """Pictures that values are taken from: the samples, or a gallery that its visitor may see."""

    name: str = SAMPLES
    folder: Path | None = None  # of the gallery


SAMPLE_REFERENCES = References()


class ChangedPictures:
    """Asks a picture's model again, with its insides changed. One for the whole server."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._statistics: OrderedDict[Any, Any] = OrderedDict()
        self._others: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._measuring = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST_MEASURING)

    def effects(
        self,
        entry: Entry,
        texts: Sequence[str],
        seed: int,
        *,
        references: References = SAMPLE_REFERENCES,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> "tuple[Effects, list[Change]]":
        """Before and after. ValueError in a sentence for changes that are none, or not here."""
        from dino_core.scenes.whatif import changed, check_changes, parse_changes

        if len(texts) > MOST_CHANGES:
            raise ValueError(f"That are {len(texts)} changes at once: at most {MOST_CHANGES}.")
        changes, seen = parse_changes(texts), entry.picture.seen

        def compute() -> "Effects":
            backbone = self.backbone_of(entry)
            check_changes(backbone.vit, seen.grid, changes)
            sources = self.sources(entry, changes, seed, references=references, is_gone=is_gone)

            def work() -> "Effects":
                return changed(backbone.vit, seen, changes, sources)

            return self._models.exclusive(work, is_gone=is_gone)

        return entry.effect((*map(str, changes), seed, references.name), compute), changes

    def backbone_of(self, entry: Entry) -> "Backbone":
        """The picture's model. ValueError where it is no longer here."""
        return self._models.backbone(entry.model, owner=owner_of(entry.owner))

    def is_seen_by(self, entry: Entry, gallery: Path) -> bool:
        """Whether a gallery has features of the picture's model: the same by its name, or the same
        file of a visitor's own."""
        from dino_core.scenes.whatif_pictures import file_seen_with, model_seen_with

        if not is_checkpoint(entry.model):
            return model_seen_with(gallery) == entry.model
        file = self._models.checkpoint(owner_of(entry.owner), entry.model)[0]
        return model_seen_with(gallery) is not None and file_seen_with(gallery) == str(
            file.resolve()
        )

    # --- where values come from

    def sources(
        self,
        entry: Entry,
        changes: "Sequence[Change]",
        seed: int,
        *,
        references: References = SAMPLE_REFERENCES,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> "Sources":
        """Where the changes of a picture take their values from, as far as they need it.

        Reference pictures that were never looked at take a while: whoever waits for the model goes
        first.
        """
        from dino_core.scenes.whatif import Sources

        seen = entry.picture.seen
        size = (entry.model, seen.grid, references.name)
        own = (entry.model, seen.digest, references.name, seed)
        measured = any(change.needs_statistics for change in changes)
        needs_other = any(change.needs_other for change in changes)

        def known() -> "Sources":
            with self._lock:
                return Sources(self._statistics.get(size), self._others.get(own), seed)

        def lacks(sources: "Sources") -> bool:
            return (measured and sources.statistics is None) or (
                needs_other and sources.other is None
            )

        if not lacks(kept := known()):
            return kept
        with self._turn(is_gone):
            if not lacks(kept := known()):  # somebody else has asked the same meanwhile
                return kept
            found = self._look(entry, changes, kept, references=references, is_gone=is_gone)
        with self._lock:
            keep(self._statistics, size, found.statistics, STATISTICS)
            keep(self._others, own, found.other, OTHERS)
        return found

    def _look(
        self,
        entry: Entry,
        changes: "Sequence[Change]",
        kept: "Sources",
        *,
        references: References,
        is_gone: Callable[[], bool],
    ) -> "Sources":
        from dino_core.scenes.whatif import sources_of
        from dino_core.scenes.whatif_pictures import reference_pictures

        backbone, seen = self.backbone_of(entry), entry.picture.seen

        pictures = reference_pictures(references.folder)

        def work() -> "Sources":
            return sources_of(backbone, seen, changes, seed=kept.seed, pictures=pictures, kept=kept)

        try:
            return self._models.giving_way(work, GivingUp(is_gone))
        except ValueError as error:  # folders of this machine are nobody's business
            raise ValueError(str(error).replace(str(pictures.source), "this gallery")) from None

    @contextmanager
    def _turn(self, is_gone: Callable[[], bool]) -> "Iterator[None]":
        """One looks at reference pictures at a time, and few wait for it."""
        if not self._waiting.acquire(blocking=False):
            raise ValueError(BUSY)
        try:
            check = GivingUp(is_gone)
            while not self._measuring.acquire(timeout=0.2):
                check()
            try:
                yield
            finally:
                self._measuring.release()
        finally:
            self._waiting.release()


def keep(values: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Keeps a value, if there is one, and lets go of the longest unused beyond `most`."""
    if value is None:
        return
    values[key] = value
    values.move_to_end(key)
    while len(values) > most:
        values.popitem(last=False)
