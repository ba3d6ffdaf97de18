"""Who uploaded which file, so that nobody opens another visitor's."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

LIFETIME = 3600.0  # seconds; the files themselves are deleted after as long
MAX_FILES = 10_000  # of all visitors


class UploadedFiles:
    """The files that came through the page's upload, by visitor, the oldest first."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[str, Path], float] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, secret: str, paths: Iterable[str]) -> None:
        """Remembers whose these are. Two visitors may have uploaded the same file."""
        with self._lock:
            for path in paths:
                key = (secret, Path(path).resolve())
                self._files[key] = time.monotonic()
                self._files.move_to_end(key)
            self._forget_old()

    def find(self, secret: str, path: str) -> Path:
        """The visitor's own file. ValueError in a sentence for any other, and for an address."""
        try:
            resolved = Path(path).resolve()
        except (OSError, ValueError, RuntimeError):  # too long, a NUL, a circle of links
            resolved = Path()
        with self._lock:
            self._forget_old()
            if (secret, resolved) not in self._files:
                raise ValueError("Upload the picture first.")
        return resolved

    def _forget_old(self) -> None:
        oldest = time.monotonic() - LIFETIME
        while self._files:
            if len(self._files) <= MAX_FILES and next(iter(self._files.values())) > oldest:
                return
            self._files.popitem(last=False)
