"""What routes have in common: who asks, in which form, and words for what went wrong."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import HTTPException, Query, Request, Response

from app.jobs.runs import owner_of

FRESH = {"Cache-Control": "no-store"}
MAX_ASKED = 64 * 2**10  # bytes of a request in JSON
Answer = Callable[..., Response]  # of a form, a function that makes a scene, and its arguments
Form = Annotated[Literal["page", "npz", "chart", "chart-dark"], Query(alias="form")]


@dataclass(frozen=True)
class Visitors:
    """Who asks: `cookie` is the name of the browser's secret."""

    cookie: str

    def secret(self, request: Request) -> str:
        return str(request.cookies.get(self.cookie, ""))

    def visitor(self, request: Request) -> str:
        """The owner of what this browser started; everybody without a secret is the same one."""
        return owner_of(self.secret(request))

    def known_visitor(self, request: Request) -> str:
        """The same for what only a browser that has opened the page may do."""
        if not self.secret(request):
            raise HTTPException(403, "Open the page in a browser first.")
        return self.visitor(request)


async def read_body(request: Request, most: int, words: str) -> bytes:
    """What was sent; it is let go of, with 413 and these words, as soon as it is too long."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise HTTPException(413, words)
    return bytes(body)


async def read_json(request: Request) -> dict[str, Any]:
    try:
        asked = json.loads(await read_body(request, MAX_ASKED, "This request is too long."))
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise HTTPException(422, "This request is not right.")
    return asked


def plain(values: Any) -> Response:
    return Response(json.dumps(values), media_type="application/json", headers=FRESH)


def in_words(make: Callable[[], Response], status: int = 422) -> Response:
    """A ValueError is a sentence for a person."""
    try:
        return make()
    except ValueError as error:
        raise HTTPException(status, str(error)) from None
