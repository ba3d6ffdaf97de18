"""The page's scripts: the modules that a browser loads, and nothing else of static/js."""

import os

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.state.script_version import IMMUTABLE, REVALIDATE, PageScripts, is_served


class Scripts(StaticFiles):
    """static/js, as far as the page needs it. Whatever else lies there is not found."""

    def __init__(self, scripts: PageScripts) -> None:
        super().__init__(directory=scripts.folder)
        self.scripts = scripts

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        name, _ = self.scripts.split(path)
        return super().lookup_path(name) if is_served(name) else ("", None)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Kept for good below the version that there is, revalidated below any other."""
        response = await super().get_response(path, scope)
        _, version = self.scripts.split(path)
        is_current = version == self.scripts.version
        response.headers["Cache-Control"] = IMMUTABLE if is_current else REVALIDATE
        return response
