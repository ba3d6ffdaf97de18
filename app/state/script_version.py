"""The page's scripts: which files they are, and the version below which a browser may keep them.

A browser that is told nothing keeps a script for a tenth of its age: after an update it would run
old scripts beside new ones, also when the page is loaded anew. The document names each below
@VERSION, which changes with any of them.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app.paths import STATIC

ADDRESS = "inside/js/"  # relative to the page
MODULES = ("boot.js", "settings.js")
FOLDERS = ("page", "ui", "charts", "screens", "guide")
MARK = "@"
DIGITS = 16  # hexadecimal, of a version
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


def is_served(name: str) -> bool:
    """Whether a path below static/js is part of the page; tests and tools of its makers are not."""
    first, *rest = Path(name).parts or ("",)
    return name.endswith(".js") and (first in FOLDERS if rest else first in MODULES)


def script_files(folder: Path) -> Iterator[Path]:
    """Those of the page, always in the same order."""
    yield from (folder / name for name in MODULES if (folder / name).is_file())
    for name in FOLDERS:
        yield from sorted((folder / name).rglob("*.js"))


class PageScripts:
    """The scripts in a folder, and the version of those that were last found there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.version = self.refresh()

    def refresh(self) -> str:
        """The version of what lies there now; any other is revalidated from here on."""
        content = hashlib.sha256()
        for file in script_files(self.folder):
            found = file.stat()
            content.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
        self.version = content.hexdigest()[:DIGITS]
        return self.version

    def with_versions(self, document: bytes) -> bytes:
        """The document with each script below the version of today."""
        address = ADDRESS.encode()
        return document.replace(address, address + f"{MARK}{self.refresh()}/".encode())

    def split(self, path: str) -> tuple[str, str | None]:
        """A path below the address -> a script's name, and the version that is asked for."""
        first, _, rest = path.partition("/")
        return (rest, first.removeprefix(MARK)) if first.startswith(MARK) else (path, None)


@cache
def page_scripts() -> PageScripts:
    """Those of this page."""
    return PageScripts(STATIC / "js")
