"""What the middleware of the page has in common."""

import asyncio
import gzip
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.encodings import accepted_encodings
from app.middleware.base import (
    HttpMiddleware,
    WholeResponse,
    when_whole,
    with_headers,
    without_cached_errors,
)
from app.middleware.compress import CompressPage
from app.middleware.first_visit import FirstDocument, StoredResponses
from app.state.script_version import page_scripts


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", []),
        ("gzip", ["gzip"]),
        ("gzip, deflate, br", ["br", "gzip"]),
        ("GZIP ; Q=0.5", ["gzip"]),
        ("gzip;q=0", []),
        ("gzip;q=0.0, br;q=1", ["br"]),
        ("*", ["br", "gzip"]),
        ("*;q=0, gzip", ["gzip"]),
        ("identity, *;q=0", []),
        ("gzip;q=nonsense", []),
        ("xgzip, brotli", []),
    ],
)
def test_encodings_are_negotiated(header: str, accepted: list[str]) -> None:
    assert accepted_encodings(Headers({"accept-encoding": header})) == accepted


class Shout(HttpMiddleware):
    """A whole response in capitals, with a header more."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        louder = when_whole(send, lambda page: WholeResponse(page.start, page.body.upper()))
        more = with_headers(louder, lambda headers: headers.append("x-more", "yes"))
        await self.app(scope, receive, more)


async def parts(request: Request) -> Response:
    async def say():
        for part in ("a", "b", "c"):
            yield part

    return StreamingResponse(say())


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("quiet")
    await socket.close()


def test_http_is_changed_and_nothing_else() -> None:
    inner = Starlette(
        routes=[
            Route("/", lambda request: PlainTextResponse("page")),
            Route("/parts", parts),
            WebSocketRoute("/socket", echo),
        ]
    )
    client = TestClient(Shout(inner))
    answer = client.get("/")
    assert (answer.text, answer.headers["x-more"]) == ("PAGE", "yes")
    assert client.get("/parts").text == "ABC"
    with client.websocket_connect("/socket") as socket:
        assert socket.receive_text() == "quiet"


@pytest.mark.parametrize(
    ("path", "packed"),
    [
        ("/", True),
        ("/inside/js/boot.js", True),
        ("/guide/glossary", True),
        ("/assets/statustracker-x.js", True),
        ("/view/first/overview", False),
        ("/other", False),
    ],
)
def test_words_are_packed_on_their_way_and_arrays_are_not(path: str, packed: bool) -> None:
    inner = Starlette(routes=[Route(path, lambda request: PlainTextResponse("word " * 500))])
    answer = TestClient(CompressPage(inner)).get(path, headers={"Accept-Encoding": "gzip"})
    assert (answer.headers.get("content-encoding") == "gzip") == packed
    assert answer.text == "word " * 500


def test_what_is_kept_is_sent_as_it_was_however_often() -> None:
    """Whoever is outside adds headers of its own to what it is handed."""
    kept = WholeResponse({"type": "http.response.start", "status": 200, "headers": []}, b"x")
    starts: list[Message] = []

    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            starts.append(message)

    async def twice() -> None:
        for _ in range(2):
            await kept.send(with_headers(note, lambda headers: headers.append("x-more", "yes")))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, twice()).result()
    assert [start["headers"] for start in starts] == [[(b"x-more", b"yes")]] * 2
    assert kept.start["headers"] == []


def test_nothing_of_an_error_may_be_kept_and_only_questions_are_answered_from_the_store() -> None:
    kept = {"etag": '"a"', "last-modified": "now", "expires": "later"}

    async def error(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("no", 404, kept)(scope, receive, without_cached_errors(send))

    headers = TestClient(error).get("/").headers
    assert headers["cache-control"] == "no-store"
    assert not kept.keys() & headers.keys()

    class Visit:
        tag = "t"

        def response(self, path: str) -> bytes:
            return gzip.compress(b"stored")

    inner = Starlette(
        routes=[
            Route("/{path:path}", lambda _: PlainTextResponse("<head>"), methods=["GET", "POST"])
        ]
    )
    client = TestClient(StoredResponses(inner, Visit()))  # type: ignore[arg-type]
    assert client.get("/view/first/overview").text == "stored"
    assert client.post("/view/first/overview").text == "<head>"
    document = TestClient(FirstDocument(inner, page_scripts(), "head", "stage"))
    assert document.post("/").text == "<head>"
    assert document.get("/").text == "<head>head"
