"""Files from memory are those from the disk."""

import gzip
import os
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

from app.middleware import static_cache
from app.middleware.static_cache import StaticCache
from app.routes.scripts import Scripts
from app.state.script_version import PageScripts


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "js"
    folder.mkdir()
    (folder / "one.js").write_text("const one = 1;\n" * 200)
    return folder


class Site:
    """A site that counts what it was asked."""

    def __init__(self, scripts: Path) -> None:
        self.asked: list[str] = []
        inner = Starlette(
            routes=[
                Route("/assets/{name}", self.asset),
                Route("/view/{name}", self.asset),
                Mount("/inside/js", StaticFiles(directory=scripts)),
            ]
        )
        self.memory = StaticCache(GZipMiddleware(inner, minimum_size=10), PageScripts(scripts))
        self.client = TestClient(self.memory)

    def asset(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        name = request.path_params["name"]
        if name == "none":
            return Response("no", 404)
        return Response(f"{name}, {len(self.asked)} " * 50, media_type="text/css")


@pytest.fixture
def site(scripts: Path) -> Site:
    return Site(scripts)


def test_a_file_is_made_once_for_each_encoding(site: Site) -> None:
    packed = {"accept-encoding": "gzip"}
    first, again = (site.client.get("/assets/a.css", headers=packed) for _ in range(2))
    assert first.text == again.text
    assert first.headers == again.headers
    assert again.headers["content-encoding"] == "gzip"
    plain = site.client.get("/assets/a.css", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert site.asked == ["/assets/a.css"] * 2


def test_other_requests_go_through(site: Site) -> None:
    for path in ("/view/a", "/view/a", "/assets/none", "/assets/none"):
        site.client.get(path)
    site.client.head("/assets/b.css")
    site.client.get("/assets/b.css")
    site.client.get("/assets/b.css", headers={"if-none-match": '"x"'})
    assert site.asked == ["/view/a"] * 2 + ["/assets/none"] * 2 + ["/assets/b.css"] * 3


def test_a_script_that_was_changed_is_read_again(site: Site, scripts: Path) -> None:
    assert site.client.get("/inside/js/one.js").text.startswith("const one = 1")
    (scripts / "one.js").write_text("const one = 2;\n" * 200)
    os.utime(scripts / "one.js", (1, 1))
    assert site.client.get("/inside/js/one.js").text.startswith("const one = 2")
    assert site.client.get("/inside/js/two.js").status_code == 404
    assert site.memory.nbytes == sum(len(one.response.body) for one in site.memory.files.values())
    assert len(site.memory.files) == 1, "the old one is let go of"


def test_memory_has_an_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_cache, "MAX_BYTES", 200)
    for i in range(20):
        site.client.get(f"/assets/{i}.css", headers={"accept-encoding": "gzip"})
    assert 0 < site.memory.nbytes <= 200
    assert len(site.memory.files) < 20
    sizes = [len(file.response.body) for file in site.memory.files.values()]
    assert sum(sizes) == site.memory.nbytes
    body = next(iter(site.memory.files.values())).response.body
    assert gzip.decompress(body)


def test_scripts_are_kept_below_the_version_that_there_is_alone(scripts: Path) -> None:
    (scripts / "boot.js").write_text("boot")
    ours = PageScripts(scripts)
    memory = StaticCache(Starlette(routes=[Mount("/inside/js", Scripts(ours))]), ours)
    client = TestClient(memory)
    now = f"/inside/js/@{ours.version}/boot.js"
    for path in (now, "/inside/js/boot.js", "/inside/js/@other/boot.js", "/inside/js/@/boot.js"):
        assert client.get(path).text == "boot"
    assert {path for path, _ in memory.files} == {now, "/inside/js/boot.js"}
    assert client.get(now).headers["cache-control"].endswith("immutable")
