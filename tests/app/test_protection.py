"""Who may ask: known hosts, our own page, programs; and what Gradio is not asked at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.middleware.gradio_gate import GradioGate, fault_of, names_address
from app.middleware.protection import Access, Protection, host_name
from app.state.uploads import UploadedFiles
from app.visitors import COOKIE, Visitors

HOME = "http://127.0.0.1:7860"
LOCAL = Access()


def site(access: Access = LOCAL, home: str = HOME) -> TestClient:
    async def page(request: Request) -> Response:
        return PlainTextResponse(f"{request.method} {len(await request.body())}")

    inner = Starlette(routes=[Route("/", page, methods=["GET", "POST", "DELETE"])])
    return TestClient(Protection(inner, access), base_url=home)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:7860", "[::1]:7860", "LOCALHOST:80", "localhost:"]
)
def test_this_machine_is_known(host: str) -> None:
    assert site().get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("example.org", "localhost.example.org", "127.0.0.1.nip.io", "192.168.0.7", ""),
        *("localhost@example.org", "example.org/localhost", "[::1", "localhost, example.org"),
    ],
)
def test_another_name_for_this_machine_is_not(host: str) -> None:
    answer = site().get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "--allow-host" in answer.text


def test_names_that_are_allowed_and_no_others() -> None:
    access = Access("127.0.0.1", ("Inside.example.org".lower(),))
    assert access.knows("inside.example.org:443")
    assert access.knows("INSIDE.example.org")
    assert not access.knows("example.org")
    assert Access(hosts=("*",)).knows("anything")
    assert not access.is_local
    assert Access().is_local


def test_a_server_for_others_is_known_by_its_addresses_alone() -> None:
    access = Access("0.0.0.0")
    assert access.knows("192.168.0.7:7860")
    assert access.knows("[fe80::1]")
    assert not access.knows("attacker.example")
    assert not access.is_local
    assert Access("10.0.0.3").knows("10.0.0.3:80")
    assert not Access("10.0.0.3").knows("10.0.0.4:80")


def test_the_name_of_a_host() -> None:
    assert host_name("Example.org:80") == "example.org"
    assert host_name("[::1]:7860") == "::1"
    assert [host_name(host) for host in ("a/b", "a@b", "a b?", "[::", "")] == ["", "", "", "", ""]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this machine
        {"Origin": "http://127.0.0.1:8888"},
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HOME},
        {"Origin": "http://127.0.0.1:7860.example.org"},
    ],
)
def test_other_pages_change_nothing(method: str, headers: dict[str, str]) -> None:
    answer = site().request(method, "/", headers=headers)
    assert (answer.status_code, "own page" in answer.text) == (403, True)
    assert site().get("/", headers=headers).status_code == 200, "looking is no change"


@pytest.mark.parametrize(
    "headers",
    [
        {},  # a program
        {"Origin": HOME},
        {"Sec-Fetch-Site": "same-origin", "Origin": HOME},
        {"Sec-Fetch-Site": "none"},
        # A proxy that speaks to us under another name: the browser knows best.
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://inside.example.org"},
    ],
)
def test_our_own_page_and_programs_may(headers: dict[str, str]) -> None:
    assert site().post("/", headers=headers, content=b"abc").text == "POST 3"


def test_browsers_are_told_what_our_page_never_does() -> None:
    for answer in (site().get("/"), site().get("/", headers={"Host": "elsewhere"})):
        policy = answer.headers["content-security-policy"].split("; ")
        assert {"object-src 'none'", "base-uri 'self'", "form-action 'self'"} <= set(policy)
        assert "img-src 'self' data: blob:" in policy
        assert "connect-src 'self' data: blob:" in policy
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    framed = site(Access(frames=("https://notes.example.org",))).get("/")
    assert framed.headers["content-security-policy"].endswith(
        "frame-ancestors 'self' https://notes.example.org"
    )


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("text/html; charset=utf-8", True),
        ("image/svg+xml", True),
        ("application/xhtml+xml", True),
        ("", True),
        ("text/javascript; charset=utf-8", False),
        ("IMAGE/PNG", False),
    ],
)
def test_what_can_be_no_page_needs_no_policy(kind: str, told: bool) -> None:
    async def answer(request: Request) -> Response:
        return Response(b"abc", headers={"content-type": kind} if kind else {})

    inner = Starlette(routes=[Route("/", answer)])
    headers = TestClient(Protection(inner, Access()), base_url=HOME).get("/").headers
    assert ("content-security-policy" in headers) == told
    assert headers["x-content-type-options"] == "nosniff"


def test_a_broken_off_upload_is_no_fault() -> None:
    async def page(request: Request) -> Response:
        raise ClientDisconnect

    inner = Starlette(routes=[Route("/", page, methods=["POST"])])
    TestClient(Protection(inner, LOCAL), base_url=HOME).post("/")  # raises what a server would log
    with pytest.raises(ClientDisconnect):
        TestClient(inner, base_url=HOME).post("/")


# --- Gradio's addresses


class Gradio:
    """Gradio in name only: it says what reached it."""

    def __init__(self) -> None:
        self.visitors, self.uploads = Visitors(bytes(32)), UploadedFiles()
        self.heard: list[bytes] = []
        self.status = 200  # of an upload
        inner = Starlette(
            routes=[
                Route("/gradio_api/upload", self.upload, methods=["POST"]),
                Route("/{path:path}", self.listen, methods=["GET", "POST"]),
            ]
        )
        self.app = GradioGate(inner, self.visitors, self.uploads)

    async def upload(self, request: Request) -> Response:
        body = json.dumps(["/tmp/g/hash/cat.jpg"])
        return Response(body, self.status, media_type="application/json")

    async def listen(self, request: Request) -> Response:
        self.heard.append(await request.body())
        return PlainTextResponse("heard")

    def visitor(self, secret: str = "") -> TestClient:
        cookie = {COOKIE: self.visitors.cookie_of(secret)} if secret else {}
        return TestClient(self.app, cookies=cookie)


@pytest.fixture
def gradio() -> Gradio:
    return Gradio()


@pytest.mark.parametrize(
    "name",
    [
        *("dev/reload", "openapi.json", "vibe-edit", "vibe-code", "deep_link", "proxy=http://a.b"),
        *("file=http://example.org/a.png", "file=https://example.org", "custom_component/1/a/b/c"),
        *("component_server", "run-history/records", "stream/1", "anything"),
    ],
)
def test_what_the_page_does_not_need_is_not_there(gradio: Gradio, name: str) -> None:
    assert gradio.visitor().get(f"/gradio_api/{name}").status_code == 404
    assert gradio.visitor().post(f"/gradio_api/{name}").status_code == 404
    assert gradio.heard == []


def test_what_the_page_needs_is_there(gradio: Gradio) -> None:
    names = ("info", "queue/data?a=1", "file=/tmp/x.png", "heartbeat/1", "call/crops/1", "app_id")
    for name in names:
        assert gradio.visitor().get(f"/gradio_api/{name}").text == "heard"
    assert gradio.visitor().get("/view/first/strip").text == "heard"


@pytest.mark.parametrize("name", ["queue/join", "call/crops", "call/v2/crops", "run/crops"])
def test_addresses_are_not_fetched(gradio: Gradio, name: str) -> None:
    for path in (
        "http://169.254.169.254/latest/meta-data",
        "HTTPS://example.org/cat.jpg",
        "//example.org/cat.jpg",
        "ftp://example.org/cat.jpg",
        "file:///etc/passwd",
    ):
        for data in (
            [{"path": path}, 0],
            [[{"deep": {"path": path, "meta": {"_type": "gradio.FileData"}}}]],
        ):
            answer = gradio.visitor().post(f"/gradio_api/{name}", json={"data": data})
            assert (answer.status_code, "no addresses" in answer.text) == (422, True)
    assert gradio.heard == []


def test_events_go_through_unchanged(gradio: Gradio) -> None:
    body = b'{"data": [{"path": "/tmp/g/a.jpg", "url": "http://127.0.0.1/file=a"}, "a http://b"] }'
    assert gradio.visitor().post("/gradio_api/queue/join", content=body).text == "heard"
    assert gradio.heard == [body]


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff", b'{"a": NaN, "path": '])
def test_events_that_are_no_json_get_a_sentence(gradio: Gradio, body: bytes) -> None:
    answer = gradio.visitor().post("/gradio_api/queue/join", content=body)
    assert (answer.status_code, answer.text) == (422, "This request is not right.")


def test_events_have_an_end(gradio: Gradio) -> None:
    for more, status in ((0, 200), (1, 413)):
        body = b'"' + b"x" * (2**20 - 2 + more) + b'"'
        assert gradio.visitor().post("/gradio_api/call/crops", content=body).status_code == status
    assert list(map(len, gradio.heard)) == [2**20]
    assert fault_of(b"") == ""
    assert not names_address({"path": 3, "other": ["http://example.org"]})


def test_an_upload_is_its_visitor_s(gradio: Gradio) -> None:
    assert gradio.visitor("one").post("/gradio_api/upload").json() == ["/tmp/g/hash/cat.jpg"]
    found = gradio.uploads.find("one", "/tmp/g/hash/../hash/cat.jpg")
    assert found == Path("/tmp/g/hash/cat.jpg").resolve()
    for secret, path in (
        ("two", "/tmp/g/hash/cat.jpg"),
        ("", "/tmp/g/hash/cat.jpg"),
        ("one", "/tmp/g/hash"),
        ("one", "/etc/passwd"),
        ("one", "a\0b"),
        ("one", "x" * 100_000),
        ("one", ""),
    ):
        with pytest.raises(ValueError, match="Upload the picture first"):
            gradio.uploads.find(secret, path)
    gradio.visitor("two").post("/gradio_api/upload")
    assert gradio.uploads.find("two", "/tmp/g/hash/cat.jpg"), "the same file of another visitor"


def test_an_upload_that_was_refused_is_nobody_s(gradio: Gradio) -> None:
    gradio.status = 413
    assert gradio.visitor("one").post("/gradio_api/upload").status_code == 413
    with pytest.raises(ValueError, match="Upload the picture first"):
        gradio.uploads.find("one", "/tmp/g/hash/cat.jpg")


def test_uploads_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.state import uploads as module

    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    files = UploadedFiles()
    files.add("one", ["/a"])
    now = module.LIFETIME + 1
    with pytest.raises(ValueError, match="first"):
        files.find("one", "/a")
    files.add("one", ["/again"])
    now += module.LIFETIME - 1
    files.add("one", ["/again"])
    now += 2
    assert files.find("one", "/again") == Path("/again"), "it was uploaded once more"
    files.add("one", ["/first", "/second/../second"])
    assert files.find("one", "/second") == Path("/second")
    now += module.LIFETIME - 1
    files.add("one", ["/first"])
    now += 2
    assert (_has(files, "/first"), _has(files, "/second")) == (Path("/first"), None)
    monkeypatch.setattr(module, "MAX_FILES", 3)
    files.add("one", [f"/{i}" for i in range(5)])
    kept = [i for i in range(5) if _has(files, f"/{i}")]
    assert kept == [2, 3, 4], "the oldest go first"


def _has(files: UploadedFiles, path: str) -> Any:
    try:
        return files.find("one", path)
    except ValueError:
        return None


def test_an_address_is_known_in_any_case_and_strangers_are_told_no_page() -> None:
    assert Access(listens_on="My-Host").knows("my-host:7860")
    assert site().get("/").headers["referrer-policy"] == "same-origin"
