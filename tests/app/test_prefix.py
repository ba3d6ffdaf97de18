"""The page below a path of a proxy's host."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.middleware.prefix import Prefix, checked_prefix
from app.middleware.visitor_cookie import VisitorCookie
from app.visitors import Visitors
from tests.app.conftest import Contexts, opening
from tests.app.servers import free_port, serving

SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
DROPPED = ("connection", "transfer-encoding")  # between a proxy and each of its neighbours


@contextmanager
def proxy(target: str, prefix: str, strips: bool) -> Iterator[str]:
    """A proxy that shows `target` below `prefix` and answers 404 to anything beside it."""
    port = free_port()
    client = httpx.AsyncClient(base_url=target, timeout=60)

    async def forward(request: Request) -> StreamingResponse:
        path = request.url.path.removeprefix(prefix) if strips else request.url.path
        headers = [(k, v) for k, v in request.headers.raw if k.decode() not in DROPPED]
        query = f"?{request.url.query}" if request.url.query else ""
        asked = client.build_request(
            request.method, path + query, headers=headers, content=await request.body()
        )
        answer = await client.send(asked, stream=True)

        async def body() -> AsyncIterator[bytes]:
            try:
                async for part in answer.aiter_raw():
                    yield part
            finally:
                await answer.aclose()

        response = StreamingResponse(body(), answer.status_code)
        response.raw_headers = [(k, v) for k, v in answer.headers.raw if k.decode() not in DROPPED]
        return response

    methods = ["GET", "POST", "PUT", "DELETE", "HEAD"]
    app = Starlette(routes=[Route(f"{prefix}/{{path:path}}", forward, methods=methods)])
    config = uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}{prefix}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that is shown below a path."""
    home = tmp_path_factory.mktemp("below")
    with serving(home, free_port(), "--root-path", "/some/demo/") as url:
        yield url


@pytest.mark.browser
@pytest.mark.parametrize("strips", [True, False])
def test_the_page_works_below_a_path(browser: Browser, below: str, strips: bool) -> None:
    with (
        proxy(below, "/some/demo", strips) as outside,
        opening(Contexts(browser, outside)) as visit,
    ):
        page = visit()  # no request may fail, or leave the prefix
        page.wait_for_function("location.hash.includes('screen=')")
        page.wait_for_function("document.querySelector('#picture img')?.naturalWidth > 100")
        page.click("#tab-features")
        page.wait_for_selector("[data-view=features][data-ready]", timeout=60_000)
        page.set_input_files("#picture input[type=file]", SAMPLES / "coffee.jpg")
        expect(page.locator("#status")).to_contain_text("Your picture", timeout=60_000)
        page.wait_for_selector("[data-view=features][data-ready]", timeout=60_000)
        (cookie,) = page.context.cookies(f"{outside}/")
        assert cookie["path"] == "/some/demo/"


@pytest.fixture
def client() -> TestClient:
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.url.path} {request.scope['raw_path'].decode()}")

    app = Starlette(routes=[Route("/{path:path}", echo)])
    app.add_middleware(VisitorCookie, Visitors(b"key"), "/demo/")
    app.add_middleware(Prefix, "/demo")
    return TestClient(app, follow_redirects=False)


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("/demo/", "/ /"),
        ("/demo/view/a%20b", "/view/a b /view/a%20b"),
        ("/view/a", "/view/a /view/a"),  # the proxy took it off
        ("/demonstration", "/demonstration /demonstration"),
        ("/demo/demo/x", "/demo/x /demo/x"),
    ],
)
def test_the_prefix_is_taken_off_once(client: TestClient, asked: str, seen: str) -> None:
    assert client.get(asked).text == seen


def test_without_its_last_slash_the_address_gets_one(client: TestClient) -> None:
    assert client.get("/demo").headers["location"] == "/demo/"


def test_the_cookie_holds_for_the_path(client: TestClient) -> None:
    assert "Path=/demo/;" in client.get("/demo/").headers["set-cookie"]


@pytest.mark.parametrize(
    ("text", "prefix"), [("", ""), ("/", ""), ("/demo", "/demo"), ("/a/b-c/", "/a/b-c")]
)
def test_a_prefix_is_a_path(text: str, prefix: str) -> None:
    assert checked_prefix(text) == prefix


@pytest.mark.parametrize(
    "text", ["demo", "https://example.org/demo", "/a b", "//host", "/a;x", "/ü"]
)
def test_what_is_no_path_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="--root-path"):
        checked_prefix(text)
