"""Compresses the page, our scripts and the guide's words, as Gradio does its own files."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.middleware.base import HttpMiddleware
from app.state.script_version import ADDRESS

TEXT = (f"/{ADDRESS}", "/guide/", "/assets/statustracker-")  # the last one is changed on its way


class CompressPage(HttpMiddleware):
    """Compresses what is text; pictures and arrays are dense already."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self.compressed = GZipMiddleware(app, compresslevel=6)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_text = scope["path"] == "/" or scope["path"].startswith(TEXT)
        await (self.compressed if is_text else self.app)(scope, receive, send)
