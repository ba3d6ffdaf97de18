"""How a run that is asked to pause or to stop, by a file or by a signal, hears of it."""

import _thread
import signal
import threading
import time
from contextlib import ExitStack
from typing import Literal

from dino_core import jobs
from dino_core.runs.folder import Action, RunFolder


class Control:
    """What the loop asks between two steps: go on, write and wait, or write and stop.

    Ctrl-C and a polite kill (SIGTERM) are a stop. Ctrl-C waits a moment for the step, and the
    second one does not wait at all: KeyboardInterrupt.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.interrupted = 0  # number of the signal
        self._impatience: threading.Timer | None = None
        self._signals = ExitStack()

    def __enter__(self) -> "Control":
        self._signals.enter_context(jobs.signals_heard(self._notice))
        return self

    def __exit__(self, *_: object) -> None:
        self.heard()
        self._signals.close()

    def _notice(self, number: int, _: object) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = number
        if number == signal.SIGINT:
            self._impatience = jobs.after_grace(_thread.interrupt_main)

    def heard(self) -> None:
        """The step is done: what is left to do, such as a checkpoint, may take its time."""
        if self._impatience is not None:
            self._impatience.cancel()

    @property
    def end(self) -> Literal["stopped", "interrupted"]:
        """How a run ends that was asked to stop."""
        return "interrupted" if self.interrupted == signal.SIGINT else "stopped"

    def action(self) -> Action | None:
        return "stop" if self.interrupted else self.run.action()

    def wait(self) -> Action | None:
        """Stands still while a pause is asked for; the action that ended it."""
        while (action := self.action()) == "pause":
            time.sleep(0.1)
        return action
