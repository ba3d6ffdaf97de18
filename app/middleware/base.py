"""What the middleware of the page has in common: HTTP alone, and responses changed on their way.

A middleware is given every request before the page is. `HttpMiddleware` passes on what is not HTTP,
so that each of them says only what it does to a request or a response.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class WholeResponse:
    """A response with all of its body."""

    start: Message  # status and headers
    body: bytes

    @property
    def status(self) -> int:
        return int(self.start.get("status", 0))

    async def send(self, send: Send) -> None:
        # A copy: whoever is outside may add headers of its own to what is kept here.
        await send({**self.start, "headers": list(self.start.get("headers", []))})
        await send({"type": "http.response.body", "body": self.body})


class HttpMiddleware(ABC):
    """One that sees HTTP requests and passes on whatever else there is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.handle(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    @abstractmethod
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Responds, or hands the request on to `self.app`."""


def with_headers(send: Send, change: Callable[[MutableHeaders], None]) -> Send:
    """Sends a response with its headers changed, and its body as it comes."""

    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            change(MutableHeaders(scope=message))
        await send(message)

    return changed


def without_cached_errors(send: Send) -> Send:
    """Sends what is no answer so that nobody keeps it: it may be another one a moment later."""

    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            headers = MutableHeaders(scope=message)
            headers["Cache-Control"] = "no-store"
            for name in ("ETag", "Last-Modified", "Expires"):
                if name in headers:
                    del headers[name]
        await send(message)

    return changed


def when_whole(send: Send, finish: Callable[[WholeResponse], WholeResponse]) -> Send:
    """Collects a response and sends what `finish` makes of it."""
    start: Message = {}
    body = bytearray()

    async def collect(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                await finish(WholeResponse(start, bytes(body))).send(send)
        else:
            await send(message)

    return collect
