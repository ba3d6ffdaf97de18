"""What the browser begins with while Gradio is still starting.

Gradio puts a page's own head into the document by script, half a second after the page was asked
for. Here it stands in the document from the start: the choices that Python and the page share, the
scripts of the screen that opens, and the first visit's numbers.
"""

import json

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import first
from dino_core.config import PCA_PRESETS

PRESET_WORDS = {
    "paper": "Paper",
    "dinov2-notebook": "DINOv2 notebook",
    "dinov3-notebook": "DINOv3 notebook",
    "all-patches": "All patches",
}
MODULES = ("core", "strip", "attention")  # of the screen that opens; the others come after


def head(colours: dict[str, list[list[int]]], screens: dict[str, str]) -> str:
    """The colour maps and choices that Python and the page share, and what to fetch ahead."""
    presets = [[name, PRESET_WORDS.get(name, name)] for name in PCA_PRESETS]
    shared = json.dumps({"colours": colours, "presets": presets, "screens": list(screens.items())})
    ahead = json.dumps([f"view/{first.KEY}/{path}" for path in first.AHEAD])
    modules = "".join(f'<link rel="modulepreload" href="inside/js/{name}.js">' for name in MODULES)
    return (
        f"<script>window.INSIDE = {shared};"
        f"if (!location.hash) for (const path of {ahead}) fetch(path).then((one) => one.blob());"
        f"</script>{modules}"
    )


class EarlyHead:
    """Writes the head into the page."""

    def __init__(self, app: ASGIApp, head: str) -> None:
        self.app = app
        self.head = head.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        start: Message = {}
        page = b""

        async def with_head(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start":
                start = message
                return None
            if message["type"] != "http.response.body":
                return await send(message)
            page += message.get("body", b"")
            if message.get("more_body"):
                return None
            whole = page.replace(b"<head>", b"<head>" + self.head, 1)
            MutableHeaders(scope=start)["Content-Length"] = str(len(whole))
            await send(start)
            await send({"type": "http.response.body", "body": whole})
            return None

        await self.app(scope, receive, with_head)
        return None
