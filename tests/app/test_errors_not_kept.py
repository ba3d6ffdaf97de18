"""An error is never kept by a browser or a proxy: it may be another answer a moment later."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from app.middleware.base import without_cached_errors
from app.routes.all_routes import CHARTS, JOBS, SCREENS
from app.server import build_server

HOME = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("INSIDE_DINOV2_RUNS", "INSIDE_DINOV2_GALLERIES", "INSIDE_DINOV2_HOME"):
            patch.setenv(name, str(folder / name.lower()))
        patch.setattr("app.state.umap_worker.UmapWorker._warm_up", lambda _: None)  # seconds
        yield build_server()


@pytest.fixture(scope="module")
def client(server: FastAPI) -> TestClient:
    return TestClient(server, base_url=HOME, raise_server_exceptions=False)


ROUTES = [
    route
    for screen in (*SCREENS, *JOBS, *CHARTS)
    for route in screen.router.routes
    if isinstance(route, APIRoute)
]


# What nothing is called, in every place of an address; and queries that no route takes.
NOTHING = re.compile(r"\{[^}]*\}")
QUERIES = ("", "?seed=many&size=-1&layer=x&row=-5&k=99999&steps=0&form=nothing&like=..&from=-1")


@pytest.mark.parametrize("query", QUERIES, ids=["plain", "odd"])
@pytest.mark.parametrize("word", ["nothing", "999999999", "samples", "first"])
def test_no_error_of_any_route_may_be_kept(client: TestClient, word: str, query: str) -> None:
    errors = 0
    assert len(ROUTES) > 40
    for route in ROUTES:
        for method in sorted(route.methods or ()):
            answer = client.request(method, NOTHING.sub(word, route.path) + query)
            if answer.status_code >= 400:
                errors += 1
                where = (method, route.path, answer.status_code)
                assert answer.headers.get("cache-control") == "no-store", where
                assert not {"etag", "expires", "last-modified"} & set(answer.headers), where
    assert errors > 20


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere",
        "/inside/js/nothing.js",
        "/inside/css/../../app/server.py",
        "/gradio_api/nothing",
        "/openapi.json",
        "/inside/samples/nothing.jpg",
        "/gradio_api/file=/etc/passwd",
    ],
)
def test_what_is_not_there_is_not_kept(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code >= 400
    assert answer.headers.get("cache-control") == "no-store"


def test_requests_that_are_turned_away_are_not_kept(server: FastAPI, client: TestClient) -> None:
    for answer in (
        TestClient(server, base_url="http://evil.example").get("/"),
        client.post("/runs", headers={"Origin": "http://evil.example"}),
    ):
        assert answer.status_code in (403, 421)
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("status", "kept"), [(200, True), (304, True), (404, False), (507, False)])
def test_what_an_inner_part_says_of_keeping_counts_for_answers_alone(
    status: int, kept: bool
) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"cache-control", b"private, max-age=300"), (b"etag", b"x")]
    start = {"type": "http.response.start", "status": status, "headers": headers}
    with pytest.raises(StopIteration):  # it waits for nothing: no loop is needed
        next(without_cached_errors(send)(start).__await__())
    found = dict(sent[0]["headers"])
    assert found[b"cache-control"] == (b"private, max-age=300" if kept else b"no-store")
    assert (b"etag" in found) == kept
