"""The page below a path: a proxy serves https://example.org/inside/ from this server.

Some proxies take the prefix off before they pass a request on, some do not. Whatever comes after
this middleware sees addresses without it, and Gradio is told of it for the addresses that it
writes; all others on the page are relative.
"""

import re

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.middleware.base import HttpMiddleware

PREFIX = re.compile(r"(/[\w.~-]+)+", re.ASCII)


def checked_prefix(text: str) -> str:
    """ "/inside/" -> "/inside"; "" and "/" -> "". ValueError in a sentence for what is no path."""
    prefix = text.rstrip("/")
    if prefix and not PREFIX.fullmatch(prefix):
        raise ValueError(f"--root-path is the path alone, such as /inside, not {text!r}.")
    return prefix


class Prefix(HttpMiddleware):
    """Takes the prefix off the path of a request that still has it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        super().__init__(app)
        self.prefix = prefix

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if self.prefix and path == self.prefix:  # relative addresses need the last slash
            return await RedirectResponse(f"{self.prefix}/")(scope, receive, send)
        if self.prefix and path.startswith(f"{self.prefix}/"):
            path = path.removeprefix(self.prefix)
            raw = scope.get("raw_path", b"").removeprefix(self.prefix.encode())
            scope = {**scope, "path": path, "raw_path": raw}
        await self.app(scope, receive, send)
        return None
