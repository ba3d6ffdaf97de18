"""How the process of a gallery is stopped: asked to by a kill or by Ctrl-C, and then at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dino_core import interruption, jobs
from dino_core.gallery.state import GalleryState
from dino_core.interruption import INTERRUPTED


class Stopped(Exception):  # noqa: N818  (nothing went wrong)
    """Somebody asked the process to stop."""


@contextmanager
def stop_on_signals(store: GalleryState) -> Iterator[set[int]]:
    """A polite kill or the first Ctrl-C asks it to stop; yields the numbers of what was heard.

    Ctrl-C waits a moment for the batch or the map that is being computed. Then, or by the second
    one, the process ends where it stands: what is on the disk is whole, a batch is lost.
    """
    heard: set[int] = set()
    timers: list[threading.Timer] = []

    def report() -> None:
        words = "Interrupted; it can go on from the last batch."
        with suppress(OSError):
            store.put_state(state="stopped", words=words, doing="")
            os.write(2, f"\n{words}\n".encode())
        interruption.said.set()

    def give_up() -> None:
        report()
        interruption.end(INTERRUPTED)

    def notice(number: int, _: object) -> None:
        if number in heard and number == signal.SIGINT:
            raise KeyboardInterrupt
        heard.add(number)
        store.request_stop()
        if number == signal.SIGINT:
            timers.append(jobs.after_grace(give_up))

    try:
        with jobs.signals_heard(notice), interruption.before_the_end(report):
            yield heard
    finally:
        for timer in timers:
            timer.cancel()
