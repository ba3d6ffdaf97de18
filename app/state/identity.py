"""Who this server is, so that a page that has lost it knows which one it has found.

A page goes on with another process of the same page and the same weights. With others it would put
new numbers beside old ones.
"""

import hashlib
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from app.paths import CODE, STATIC
from app.state.models import Models
from app.state.script_version import script_files

LENGTH = 16  # hexadecimal digits of a digest


class Identity:
    """One for each process. `stored` changes with the stored responses of the first visit."""

    def __init__(self, models: Models, stored: str) -> None:
        self.server = secrets.token_urlsafe(9)
        self._models = models
        self._stored = stored

    def now(self) -> dict[str, Any]:
        """The process, the page with its stored responses, and the weights of each model here."""
        page = digest(self._stored, digest_of_page())
        names = [name for _, name in self._models.available()]
        return {"server": self.server, "page": page, "models": {n: self._weights(n) for n in names}}

    def _weights(self, name: str) -> str:
        file = self._models.weights_of(name)
        try:
            known = file.stat() if file else None
        except OSError:
            known = None
        return digest(name, known.st_size, known.st_mtime_ns) if known else ""


@cache
def digest_of_page(code: Path = CODE, scripts: Path = STATIC / "js") -> str:
    """What changes with the page's scripts and with the Python that answers them."""
    content = hashlib.sha256()
    for file in (*sorted(code.rglob("*.py")), *script_files(scripts)):
        content.update(file.read_bytes())
    return content.hexdigest()[:LENGTH]


def digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:LENGTH]
