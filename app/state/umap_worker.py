"""UMAP behind the page: a process of its own, started when somebody may want it.

umap-learn compiles itself for tens of seconds when it is first used. In this process that would
hold up every other response, so it happens in another one; until it is warm the page shows PCA.
"""

import multiprocessing
import threading
from multiprocessing.connection import Connection
from typing import Any

from dino_core.scenes.umap_process import WARM, serve

TIMEOUT = 180.0  # seconds a map may take
QUEUE_CAPACITY = 3  # maps that may wait for one another; who comes later is asked to try again


class UmapWorker:
    """Cold, warming, ready or broken; `state` is what the page shows."""

    def __init__(self) -> None:
        self.state = "cold"
        self.message = "UMAP is still warming up: PCA is there at once."
        self._process: Any = None
        self._connection: Connection | None = None
        self._starting = threading.Lock()
        self._requesting = threading.Lock()
        self._queue = threading.BoundedSemaphore(QUEUE_CAPACITY)

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
            theirs.close()  # so that the end of the process is noticed here
            message = self._connection.recv()
        except (EOFError, OSError):
            message = "UMAP could not be started."
        if message == WARM:
            self.state = "ready"
        else:
            self._fail(message)

    def fit(self, *request: Any) -> Any:
        """features, start, neighbours, min_distance, seed -> the map [n, 2].

        ValueError in a plain sentence while it is not warm, or when there are too many before.
        """
        if self.state != "ready" or self._connection is None:
            raise ValueError(self.message)
        if not self._queue.acquire(blocking=False):
            raise ValueError("Other maps are being made: try again in a moment.")
        try:
            with self._requesting:
                response = self._request(self._connection, request)
        finally:
            self._queue.release()
        if isinstance(response, str):
            raise ValueError(response)
        return response

    def _request(self, connection: Connection, request: tuple[Any, ...]) -> Any:
        try:
            connection.send(request)
            if connection.poll(TIMEOUT):
                return connection.recv()
            message = "UMAP took too long and was stopped: PCA is there at once."
        except (EOFError, OSError):
            message = "UMAP has stopped: PCA is there at once."
        self._fail(message)
        return message

    def _fail(self, message: str) -> None:
        self.state, self.message = "broken", message
        self.stop()

    def stop(self) -> None:
        """Ends the process; it keeps nothing."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()
