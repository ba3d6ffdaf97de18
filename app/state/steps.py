"""Training steps in slow motion, a visitor's row of them: the newest row goes on where it stands.

A row is a copy of a pair with its optimiser, for the preview's 0.4 GB; one is kept. Whoever else
asks for a step that is not the first gets the same numbers, made anew from the first on.
"""

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.state.models import UNUSED, Models
from app.state.pairs import LoadedPair
from app.state.pictures import Entry

if TYPE_CHECKING:
    from dino_core.scenes.step import Choices, StepRow, StepScene

MOST = 50  # steps of a row


@dataclass
class KeptRow:
    """Whose row it is, and of what."""

    entry: "weakref.ref[Entry]"
    key: Any
    row: "StepRow"
    used: float


class Steps:
    """Makes steps, one at a time, as any other work of the whole processor."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._kept: KeptRow | None = None

    def scene(
        self,
        entry: Entry,
        loaded: LoadedPair,
        number: int,
        choices: "Choices",
        *,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> "StepScene":
        """A step of a row, counted from 0; those before it are made first.

        ValueError in a sentence for choices that do not go together, for a step beyond the last,
        and where a loss or gradient is not finite any more.
        """
        if not 0 <= number < MOST:
            raise ValueError(f"A row has steps 0 to {MOST - 1}, not {number}.")
        key = (loaded.key, choices)

        def work() -> "StepScene":
            return self._make(entry, loaded, key, number)

        return entry.pair_output(
            ("step", key, number), lambda: self._models.exclusive(work, is_gone=is_gone)
        )

    def _make(self, entry: Entry, loaded: LoadedPair, key: Any, number: int) -> "StepScene":
        """Called by one thread at a time."""
        from dino_core.scenes.step import start_row

        kept, self._kept = self._kept, None  # what is given up in the middle is not to be used
        row = None if kept is None else kept.row
        if kept is None or kept.entry() is not entry or kept.key != key or kept.row.number > number:
            row = start_row(loaded.pair, entry.picture.source, key[1], sample=entry.sample)
        assert row is not None
        while row.number < number:
            row.pass_over()
        scene = row.record()
        self._kept = KeptRow(weakref.ref(entry), key, row, time.monotonic())
        return scene

    def release_unused(self) -> None:
        """Lets go of a row that nobody has gone on with for a while."""
        kept = self._kept
        if kept is not None and kept.used < time.monotonic() - UNUSED:
            self._kept = None
