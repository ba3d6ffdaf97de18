"""What the browser begins with while Gradio is still starting.

Gradio puts a page's own head into the document by script, half a second after the page was asked
for, and its first component comes a second later. Here the document brings along from the start
what a newcomer needs to see the sample and its attention: the choices that Python and the page
share, the scripts of the screen that opens, the first visit's numbers, and a stage to draw them on.
"""

import json
from typing import Any

import gradio
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.first_visit import stored
from app.paths import TEXT
from dino_core.config import PCA_PRESETS

PRESET_WORDS = {
    "paper": "Paper",
    "dinov2-notebook": "DINOv2 notebook",
    "dinov3-notebook": "DINOv3 notebook",
    "all-patches": "All patches",
}
MODULES = ("core", "strip", "attention")  # of the screen that opens; the others come after
STAGE = TEXT / "stage.html"


def head(
    colours: dict[str, list[list[int]]],
    screens: dict[str, str],
    view: dict[str, Any] | None,
    theme_hash: str,
) -> str:
    """The colour maps and choices that Python and the page share, and what to fetch ahead.

    `view`: what a newcomer sees, None where that is not worked out.
    """
    presets = [[name, PRESET_WORDS.get(name, name)] for name in PCA_PRESETS]
    shared = json.dumps(
        {"colours": colours, "presets": presets, "screens": list(screens.items()), "first": view}
    )
    ahead = json.dumps([f"view/{stored.KEY}/{path}" for path in stored.AHEAD] if view else [])
    modules = "".join(f'<link rel="modulepreload" href="inside/js/{name}.js">' for name in MODULES)
    return (
        f"<script>window.INSIDE = {shared};"
        f"if (!location.hash) for (const path of {ahead}) fetch(path).then((one) => one.blob());"
        f'</script>{modules}<script type="module" src="inside/js/early.js"></script>'
        f'<link rel="stylesheet" href="theme.css?v={theme_hash}">'
    )


def stage() -> str:
    version = f"gradio-container-{gradio.__version__.replace('.', '-')}"
    return STAGE.read_text(encoding="utf-8").replace("GRADIO_VERSION", version)


class EarlyPage:
    """Writes a head into the page, and a stage before Gradio's own element."""

    def __init__(self, app: ASGIApp, head: str, stage: str) -> None:
        self.app = app
        self.added = ((b"<head>", head.encode(), b""), (b"<gradio-app", b"", stage.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        start: Message = {}
        page = b""

        async def with_more(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start":
                start = message
                return None
            if message["type"] != "http.response.body":
                return await send(message)
            page += message.get("body", b"")
            if message.get("more_body"):
                return None
            whole = page
            for tag, after, before in self.added:
                whole = whole.replace(tag, before + tag + after, 1)
            MutableHeaders(scope=start)["Content-Length"] = str(len(whole))
            await send(start)
            await send({"type": "http.response.body", "body": whole})
            return None

        await self.app(scope, receive, with_more)
        return None
