"""What surrounds a request, one layer at a time over an application that notes what reaches it."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.middleware import gradio_gate, static_cache
from app.middleware.base import WholeResponse, when_whole
from app.middleware.first_visit import StoredResponses
from app.middleware.gradio_gate import GradioGate
from app.middleware.protection import Access, Protection
from app.middleware.static_cache import CachedFile, StaticCache
from app.state.script_version import PageScripts
from app.state.uploads import UploadedFiles
from app.visitors import COOKIE, Visitors


class Inner:
    """Notes each request, and answers with what it is told to."""

    def __init__(self, body: bytes = b"ok", status: int = 200, **headers: str) -> None:
        self.body, self.status, self.headers = body, status, headers
        self.seen: list[Any] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        self.seen.append(
            (scope["method"], scope["path"], Headers(scope=scope).get("accept-encoding"), body)
        )
        await Response(self.body, self.status, self.headers)(scope, receive, send)


# --- files from memory


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    (tmp_path / "one.js").write_text("1")
    return tmp_path


@pytest.mark.parametrize(
    ("asks", "passed"),
    [
        ("gzip, deflate, br", "br, gzip"),
        ("gzip", "gzip"),
        ("deflate", "identity"),
        ("", "identity"),
    ],
)
def test_a_file_is_asked_for_in_what_comes_of_the_words(
    scripts: Path, asks: str, passed: str
) -> None:
    inner = Inner()
    client = TestClient(StaticCache(inner, PageScripts(scripts)))
    for _ in range(2):
        assert client.get("/static/a.css", headers={"accept-encoding": asks}).text == "ok"
    assert inner.seen == [("GET", "/static/a.css", passed, b"")]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("HEAD", "/assets/a", {}),
        ("POST", "/assets/a", {}),
        ("GET", "/view/a", {}),
        ("GET", "/assets", {}),
        ("GET", "/assets/a", {"range": "bytes=0-1"}),
        ("GET", "/assets/a", {"if-none-match": '"x"'}),
        ("GET", "/assets/a", {"if-modified-since": "x"}),
    ],
)
def test_what_is_not_kept(scripts: Path, method: str, path: str, headers: dict[str, str]) -> None:
    inner = Inner()
    memory = StaticCache(inner, PageScripts(scripts))
    client = TestClient(memory)
    for _ in range(2):
        client.request(method, path, headers=headers | {"accept-encoding": "x"})
    assert inner.seen == [(method, path, "x", b"")] * 2
    assert memory.files == {}


def test_a_version_is_of_our_own_scripts(scripts: Path) -> None:
    memory = StaticCache(Inner(), PageScripts(scripts / ".." / scripts.name))
    (scripts.parent / "secret.js").write_text("x")
    assert memory._version("/inside/js/one.js") == (scripts / "one.js").stat().st_mtime
    assert memory._version("/inside/js/@any/one.js") == (scripts / "one.js").stat().st_mtime
    for path in (
        *("/assets/one.js", "/inside/js/none.js", "/inside/js/../secret.js"),
        *("/inside/js/@any/../secret.js", "/inside/js/\0", "one.js"),
    ):
        assert memory._version(path) == 0.0


def test_memory_is_filled_to_the_last_byte(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_cache, "MAX_BYTES", 10)
    memory = StaticCache(Inner(), PageScripts(scripts))

    def keep(name: str, size: int) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": []}
        memory._keep((name, ""), CachedFile(WholeResponse(start, bytes(size)), 1.0))

    for name, size, kept in (
        ("a", 4, ["a"]),
        ("b", 6, ["a", "b"]),
        ("c", 1, ["a", "b"]),
        ("a", 4, ["b", "a"]),
        ("b", 7, ["a"]),
        ("b", 0, ["a", "b"]),
    ):
        keep(name, size)
        assert [one for one, _ in memory.files] == kept
        assert memory.nbytes == sum(len(file.response.body) for file in memory.files.values())


def test_what_is_no_file_is_not_kept(scripts: Path) -> None:
    for status in (404, 206, 304):
        memory = StaticCache(Inner(status=status), PageScripts(scripts))
        TestClient(memory).get("/assets/a")
        assert memory.files == {}


def test_a_whole_response_is_its_parts_in_order() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def parts() -> None:
        collect = when_whole(send, lambda page: WholeResponse(page.start, page.body[::-1]))
        await collect({"type": "http.response.start", "status": 203})
        await collect({"type": "http.response.body", "body": b"ab", "more_body": True})
        await collect({"type": "http.response.push"})
        await collect({"type": "http.response.body", "body": b"c"})

    with ThreadPoolExecutor(1) as thread:  # in which no loop runs, whatever tests came before
        thread.submit(asyncio.run, parts()).result()
    assert sent == [
        {"type": "http.response.push"},
        {"type": "http.response.start", "status": 203, "headers": []},
        {"type": "http.response.body", "body": b"cba"},
    ]
    assert WholeResponse({"type": "x"}, b"").status == 0
    assert WholeResponse({"type": "x", "status": 203}, b"").status == 203


@pytest.mark.parametrize(("status", "kept"), [(200, True), (399, True), (400, False), (500, False)])
def test_what_is_no_answer_is_not_kept_by_a_browser(status: int, kept: bool) -> None:
    inner = Inner(b"x", status, **{"cache-control": "private", "etag": '"a"', "expires": "now"})
    answer = TestClient(Protection(inner, Access()), base_url="http://localhost").get("/")
    assert answer.status_code == status
    assert answer.headers["cache-control"] == ("private" if kept else "no-store")
    assert ("etag" in answer.headers, "expires" in answer.headers) == (kept, kept)


# --- Gradio's addresses

VISITORS = Visitors(b"key")


def gate(inner: Inner, mcp: bool = False) -> tuple[TestClient, UploadedFiles]:
    files = UploadedFiles()
    cookies = {COOKIE: VISITORS.cookie_of("ada")}
    return TestClient(GradioGate(inner, VISITORS, files, mcp=mcp), cookies=cookies), files


@pytest.mark.parametrize(
    ("path", "mcp", "status"),
    [
        ("/", False, 200),
        ("/openapi.json", False, 404),
        ("/docs", False, 404),
        ("/redoc", False, 404),
        ("/docs/more", False, 200),
        ("/gradio_api/info", False, 200),
        ("/gradio_api/file=/tmp/a.png", False, 200),
        ("/gradio_api/file=http://a.b/c", False, 404),
        ("/gradio_api/proxy=http://a.b", False, 404),
        ("/gradio_api/", False, 404),
        ("/gradio_api/mcp/", False, 404),
        ("/gradio_api/mcp/", True, 200),
        ("/gradio_api/queue/status", False, 404),
        ("/gradio_api/heartbeat/x", False, 200),
    ],
)
def test_addresses_that_are_open(path: str, mcp: bool, status: int) -> None:
    inner = Inner()
    client, _ = gate(inner, mcp)
    answer = client.get(path)
    assert (answer.status_code, len(inner.seen)) == (status, int(status == 200))
    if status == 404:
        assert answer.text == "Not found"


@pytest.mark.parametrize("path", ["queue/join", "call/x", "run/x", "api/x", "cancel", "reset"])
def test_an_event_is_read_before_gradio_does(path: str) -> None:
    inner = Inner()
    client, _ = gate(inner)
    whole = json.dumps({"data": [1]}).encode()
    long = b'"' + b"x" * (2**20 - 2) + b'"'
    for body, status, words in (
        (whole, 200, "ok"),
        (b"", 200, "ok"),
        (long, 200, "ok"),
        (long + b" ", 413, gradio_gate.LONG),
        (b"{", 422, "This request is not right."),
        (b'{"a": [{"path": "http://x"}]}', 422, gradio_gate.NO_ADDRESS),
        (b'{"a": [{"path": "//x"}]}', 422, gradio_gate.NO_ADDRESS),
        (b'{"a": [{"path": "/tmp/x"}], "path": 3}', 200, "ok"),
    ):
        answer = client.post(f"/gradio_api/{path}", content=body)
        assert (answer.status_code, answer.text) == (status, words)
        if status == 200:
            assert inner.seen[-1][3] == body, "it is there to be read once more"
    assert len(inner.seen) == 4


@pytest.mark.parametrize(
    ("method", "path", "status", "remembered"),
    [
        ("POST", "upload", 200, True),
        ("POST", "upload", 500, False),
        ("GET", "upload", 200, False),
        ("POST", "upload_progress", 200, False),
    ],
)
def test_what_was_uploaded_is_its_visitor_s(
    tmp_path: Path, method: str, path: str, status: int, remembered: bool
) -> None:
    file = str(tmp_path / "a.png")
    inner = Inner(json.dumps([file]).encode(), status)
    client, files = gate(inner)
    answer = client.request(method, f"/gradio_api/{path}", content=b"bytes")
    assert (answer.status_code, answer.json()) == (status, [file])
    assert ([*files._files] == [("ada", Path(file))]) == remembered
    assert bool(files._files) == remembered


# --- what browsers are told


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("text/javascript", False),
        ("TEXT/CSS ; charset=utf-8", False),
        ("image/png", False),
        ("text/html", True),
        ("", True),
        ("application/json", True),
    ],
)
def test_a_policy_is_for_what_a_browser_shows_as_a_page(kind: str, told: bool) -> None:
    inner = Inner(**{"content-type": kind} if kind else {})
    answer = TestClient(Protection(inner, Access()), base_url="http://localhost").get("/")
    assert ("content-security-policy" in answer.headers) == told
    assert {
        name: answer.headers[name]
        for name in ("x-content-type-options", "referrer-policy", "cross-origin-resource-policy")
    } == {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }


# --- the first visit


class Visit:
    tag = "t"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def response(self, path: str) -> bytes | None:
        import gzip

        self.asked.append(path)
        return gzip.compress(b"stored") if path != "other" else None


@pytest.mark.parametrize(
    ("path", "headers", "status", "text", "kind"),
    [
        ("strip?seed=0", {}, 200, "stored", "application/octet-stream"),
        ("thumb.jpg", {"accept-encoding": "identity"}, 200, "stored", "image/jpeg"),
        ("strip?seed=0", {"if-none-match": '"t"'}, 304, "", None),
        ("strip?seed=0", {"if-none-match": '"u"'}, 200, "stored", "application/octet-stream"),
        ("other", {}, 200, "computed", None),
    ],
)
def test_stored_answers(
    path: str, headers: dict[str, str], status: int, text: str, kind: str | None
) -> None:
    visit = Visit()
    client = TestClient(StoredResponses(Inner(b"computed"), visit))  # type: ignore[arg-type]
    answer = client.get(f"/view/first/{path}", headers={"accept-encoding": "gzip"} | headers)
    assert (answer.status_code, answer.text) == (status, text)
    assert answer.headers.get("content-type") == kind
    assert answer.headers["cache-control"] == "private, no-cache"
    assert visit.asked == [path]
    if text != "computed":
        assert (answer.headers["etag"], answer.headers["vary"]) == ('"t"', "Accept-Encoding")
    packed = text == "stored" and headers.get("accept-encoding") != "identity"
    assert (answer.headers.get("content-encoding") == "gzip") == packed
    elsewhere = client.get("/view/second/strip")
    assert (elsewhere.text, elsewhere.headers.get("cache-control")) == ("computed", None)
    without = TestClient(StoredResponses(Inner(b"computed"), None)).get("/view/first/thumb.jpg")
    assert without.text == "computed"
