"""The page's scripts: which there are, and where a browser may keep them for good.

A browser that is told nothing keeps a script for a tenth of its age: after an update it would run
old scripts beside new ones, also when the page is loaded anew. The document names each below
@VERSION, which changes with any of them.
"""

import hashlib
from functools import cache
from pathlib import Path

from app.paths import STATIC

ADDRESS = "inside/js/"  # relative to the page
MODULES = ("boot.js", "settings.js")
FOLDERS = ("page", "ui", "charts", "screens", "guide")
MARK = "@"
DIGITS = 16  # hexadecimal, of a version
KEEP = "public, max-age=31536000, immutable"
ASK = "no-cache"


def is_served(name: str) -> bool:
    """Whether a path below static/js is part of the page; tests and tools of its makers are not."""
    first, *rest = Path(name).parts or ("",)
    return name.endswith(".js") and (first in FOLDERS if rest else first in MODULES)


class PageScripts:
    """The scripts in a folder and their version, as far as it has been looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.version = self.look()

    def look(self) -> str:
        """The version of what lies there now, which whoever asks for a script is held to."""
        files = [self.folder / name for name in MODULES]
        for folder in FOLDERS:
            files += sorted((self.folder / folder).rglob("*.js"))
        content = hashlib.sha256()
        for file in files:
            try:
                found = file.stat()
            except OSError:
                continue
            content.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
        self.version = content.hexdigest()[:DIGITS]
        return self.version

    def told(self, document: bytes) -> bytes:
        """The document with each script below its version."""
        address = ADDRESS.encode()
        return document.replace(address, address + f"{MARK}{self.look()}/".encode())

    def named(self, below: str) -> tuple[str, str | None]:
        """What follows the address -> a script's name, and the version that was asked for."""
        first, _, rest = below.partition("/")
        return (rest, first.removeprefix(MARK)) if first.startswith(MARK) else (below, None)


@cache
def page_scripts() -> PageScripts:
    """Those of this page."""
    return PageScripts(STATIC / "js")
