"""UMAP behind the page: a process of its own, started when somebody may want it.

umap-learn compiles itself for tens of seconds when it is first used. In this process that would
hold up every other answer, so it happens in another one; until it is warm the page shows PCA.
"""

import multiprocessing
import threading
from multiprocessing.connection import Connection
from typing import Any

from dino_core.scenes.umap_process import WARM, serve

LONGEST = 180.0  # seconds a map may take
QUEUE = 3  # maps that may wait for one another; who comes later is asked to try again


class Mapper:
    """Cold, warming, ready or broken; `state` is what the page is told."""

    def __init__(self) -> None:
        self.state = "cold"
        self.problem = "UMAP is still warming up: PCA is there at once."
        self._process: Any = None
        self._connection: Connection | None = None
        self._starting = threading.Lock()
        self._asking = threading.Lock()
        self._places = threading.BoundedSemaphore(QUEUE)

    def start(self) -> str:
        """Begins to warm up, unless that was done already; returns the state at once."""
        with self._starting:
            if self.state == "cold":
                self.state = "warming"
                threading.Thread(target=self._warm_up, name="umap", daemon=True).start()
        return self.state

    def _warm_up(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads half
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), name="umap", daemon=True)
        try:
            self._process.start()
            theirs.close()  # so that the end of the process is heard here
            words = self._connection.recv()
        except (EOFError, OSError):
            words = "UMAP could not be started."
        if words == WARM:
            self.state = "ready"
        else:
            self._break(words)

    def fit(self, *request: Any) -> Any:
        """features, start, neighbours, min_distance, seed -> the map [n, 2].

        ValueError in a plain sentence while it is not warm, or when there are too many before.
        """
        if self.state != "ready" or self._connection is None:
            raise ValueError(self.problem)
        if not self._places.acquire(blocking=False):
            raise ValueError("Other maps are being made: try again in a moment.")
        try:
            with self._asking:
                answer = self._ask(self._connection, request)
        finally:
            self._places.release()
        if isinstance(answer, str):
            raise ValueError(answer)
        return answer

    def _ask(self, connection: Connection, request: tuple[Any, ...]) -> Any:
        try:
            connection.send(request)
            if connection.poll(LONGEST):
                return connection.recv()
            words = "UMAP took too long and was stopped: PCA is there at once."
        except (EOFError, OSError):
            words = "UMAP has stopped: PCA is there at once."
        self._break(words)
        return words

    def _break(self, words: str) -> None:
        self.state, self.problem = "broken", words
        self.stop()

    def stop(self) -> None:
        """Ends the process; it keeps nothing."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()
