"""The page's scripts: the modules that a browser loads, and nothing else of static/js."""

import os
from pathlib import Path

from starlette.staticfiles import StaticFiles

MODULES = ("boot.js", "settings.js")
FOLDERS = ("page", "ui", "charts", "screens", "guide")


def is_served(path: str) -> bool:
    """Whether a path below static/js is part of the page; tests and tools of its makers are not."""
    first, *rest = Path(path).parts or ("",)
    return path.endswith(".js") and (first in FOLDERS if rest else first in MODULES)


class Scripts(StaticFiles):
    """static/js, as far as the page needs it. Whatever else lies there is not found."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        return super().lookup_path(path) if is_served(path) else ("", None)
