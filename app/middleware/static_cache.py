"""Files of the page that are sent again and again, compressed once.

A page load asks for a hundred small scripts and styles. Reading and compressing one takes four
milliseconds, handing it out from memory a fraction of one, and a newcomer waits for all of them.
"""

from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDERS = ("/assets/", "/static/", "/inside/js/")
CONDITIONAL = ("range", "if-none-match", "if-modified-since")
MOST = 64 * 2**20  # bytes kept


@dataclass(frozen=True)
class Answer:
    """What was sent, and the state of the file that it was made from."""

    start: Message
    body: bytes
    version: float


class Remembered:
    """Answers from memory what it has seen answered before. `scripts`: the folder of ours."""

    def __init__(self, app: ASGIApp, scripts: Path) -> None:
        self.app, self.scripts = app, scripts
        self.kept: dict[tuple[str, str], Answer] = {}
        self.size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        path, headers = scope["path"], Headers(scope=scope)
        if not path.startswith(FOLDERS) or any(name in headers for name in CONDITIONAL):
            return await self.app(scope, receive, send)
        key, version = (path, headers.get("accept-encoding", "")), self._version(path)
        known = self.kept.get(key)
        if known is None or known.version != version:
            return await self._ask(key, version, scope, receive, send)
        await send(known.start)
        await send({"type": "http.response.body", "body": known.body})
        return None

    def _version(self, path: str) -> float:
        """When a script of ours was last changed; Gradio's files have a hash in their names."""
        if not path.startswith("/inside/js/"):
            return 0.0
        try:
            return (self.scripts / Path(path).name).stat().st_mtime
        except OSError:
            return 0.0

    async def _ask(
        self, key: tuple[str, str], version: float, scope: Scope, receive: Receive, send: Send
    ) -> None:
        start: Message = {}
        body = b""

        async def listen(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")
                if not message.get("more_body") and start.get("status") == 200:
                    self._keep(key, Answer(start, body, version))
            await send(message)

        await self.app(scope, receive, listen)

    def _keep(self, key: tuple[str, str], answer: Answer) -> None:
        old = self.kept.pop(key, None)
        self.size += len(answer.body) - (len(old.body) if old else 0)
        if self.size <= MOST:
            self.kept[key] = answer
        else:
            self.size -= len(answer.body)
