"""Pictures with the model's insides changed: where the values come from, and what was computed.

The statistics of the samples are everybody's and small; another picture in a model is large, so few
of those are kept. What followed from the newest changes is kept with the picture itself.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from app.state.models import Models
from app.state.pictures import Entry
from app.visitors import owner_of
from dino_core.scenes.models import PREVIEW

if TYPE_CHECKING:
    from dino_core.scenes.whatif import Change, Effects, Sources
    from dino_core.weights import Backbone

STATISTICS = 16  # of a model at a size
OTHERS = 2  # other pictures
MOST_CHANGES = 64  # in one request


class ChangedPictures:
    """Asks a picture's model again, with its insides changed. One for the whole server."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._statistics: OrderedDict[Any, Any] = OrderedDict()
        self._others: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def effects(
        self,
        entry: Entry,
        texts: Sequence[str],
        seed: int,
        *,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> "tuple[Effects, list[Change]]":
        """Before and after. ValueError in a sentence for changes that are none, or not here."""
        from dino_core.scenes.whatif import changed, parse_changes

        if len(texts) > MOST_CHANGES:
            raise ValueError(f"That are {len(texts)} changes at once: at most {MOST_CHANGES}.")
        changes, seen = parse_changes(texts), entry.picture.seen

        def compute() -> "Effects":
            backbone = self.backbone_of(entry)

            def work() -> "Effects":
                return changed(backbone.vit, seen, changes, self.sources(entry, changes, seed))

            return self._models.exclusive(work, is_gone=is_gone)

        return entry.effect((*map(str, changes), seed), compute), changes

    def backbone_of(self, entry: Entry) -> "Backbone":
        """The picture's model. ValueError where it is no longer here."""
        return self._models.backbone(entry.model, owner=owner_of(entry.owner))

    def sources(self, entry: Entry, changes: "Sequence[Change]", seed: int) -> "Sources":
        """Where the changes of a picture take their values from, as far as they need it."""
        from dino_core.scenes.whatif import Sources, sources_of

        seen = entry.picture.seen
        size, own = (entry.model, seen.grid), (entry.model, seen.digest, seed)
        with self._lock:
            kept = Sources(self._statistics.get(size), self._others.get(own), seed)
        found = sources_of(self.backbone_of(entry), seen, changes, seed=seed, kept=kept)
        with self._lock:
            keep(self._statistics, size, found.statistics, STATISTICS)
            keep(self._others, own, found.other, OTHERS)
        return found


def keep(values: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Keeps a value, if there is one, and lets go of the longest unused beyond `most`."""
    if value is None:
        return
    values[key] = value
    values.move_to_end(key)
    while len(values) > most:
        values.popitem(last=False)


def pair_of(model: str) -> str | None:
    """The pair of student and teacher whose heads read this model's features, if there is one."""
    return "preview" if model == PREVIEW else None
