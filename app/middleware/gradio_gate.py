"""Gradio's own addresses: those that the page and its clients need, and no others.

Gradio fetches addresses that a request names as files, redirects to others, and reloads itself for
developers. None of it is wanted here. What is uploaded is remembered as its visitor's.
"""

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.middleware.base import HttpMiddleware, WholeResponse, when_whole
from app.state.uploads import UploadedFiles
from app.visitors import Visitors

PREFIX = "/gradio_api/"
OPEN = (
    *("info", "queue/join", "queue/data", "call/", "run/", "api/", "cancel", "reset"),
    *("upload", "upload_progress", "file=", "heartbeat/", "startup-events", "app_id"),
    *("login_check", "user", "token"),
)
CLOSED = ("/openapi.json", "/docs", "/redoc")
EVENTS = ("queue/join", "call/", "run/", "api/", "cancel", "reset")
TOOLS = "mcp/"  # the Model Context Protocol, where it was asked for
MAX_EVENT = 2**20  # bytes of what an event or a program sends, beside files
LONG = "This request is too long."
NO_ADDRESS = "Upload the picture: this server fetches no addresses."


class GradioGate(HttpMiddleware):
    """Looks at requests to Gradio before Gradio does."""

    def __init__(
        self, app: ASGIApp, visitors: Visitors, uploads: UploadedFiles, *, mcp: bool = False
    ) -> None:
        super().__init__(app)
        self.visitors, self.uploads = visitors, uploads
        self.open, self.events = (*OPEN, TOOLS) if mcp else OPEN, (*EVENTS, TOOLS)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in CLOSED:
            return await PlainTextResponse("Not found", 404)(scope, receive, send)
        if not scope["path"].startswith(PREFIX):
            return await self.app(scope, receive, send)
        name = scope["path"].removeprefix(PREFIX)
        if not name.startswith(self.open) or name.startswith("file=http"):
            return await PlainTextResponse("Not found", 404)(scope, receive, send)
        if scope["method"] == "POST" and name.startswith(self.events):
            return await self._check_event(scope, receive, send)
        if scope["method"] == "POST" and name == "upload":
            secret = self.visitors.secret(Request(scope).cookies)
            send = when_whole(send, lambda response: self._remember(secret, response))
        await self.app(scope, receive, send)
        return None

    async def _check_event(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        async for part in Request(scope, receive).stream():
            body += part
            if len(body) > MAX_EVENT:
                return await PlainTextResponse(LONG, 413)(scope, receive, send)
        fault = await run_in_threadpool(fault_of, bytes(body))
        if fault:
            return await PlainTextResponse(fault, 422)(scope, receive, send)
        await self.app(scope, replayed(bytes(body), receive), send)
        return None

    def _remember(self, secret: str, response: WholeResponse) -> WholeResponse:
        if response.status == 200:
            self.uploads.add(secret, json.loads(response.body))
        return response


def fault_of(body: bytes) -> str:
    """What is wrong with the JSON of an event, empty when nothing is."""
    try:
        values = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return "This request is not right."
    return NO_ADDRESS if names_address(values) else ""


def names_address(values: Any) -> bool:
    """Whether a file is named by an address instead of a path: {"path": "http://..."} anywhere."""
    waiting = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and ("://" in path or path.startswith("//")):
                return True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return False


def replayed(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again
