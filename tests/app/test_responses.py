"""Errors are sentences: none of them names a folder, and none is a bare 500."""

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.routes.all_routes import add_routes
from app.routes.gallery_views import selected
from app.services import Services, build_services
from app.state.models import Gone
from app.visitors import COOKIE

SAMPLE = Path(__file__).resolve().parents[2] / "static" / "samples" / "coffee.jpg"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RUNS", "GALLERIES"):
            patch.setenv(f"INSIDE_DINOV2_{name}", str(tmp_path_factory.mktemp(name)))
        yield build_services("preview_vits14", None, "cpu")


@pytest.fixture(scope="module")
def client(services: Services) -> TestClient:
    app = FastAPI()
    add_routes(app, services)

    @app.get("/fail/{number}")
    def fail(number: int) -> None:
        raise OSError(number, os.strerror(number), "/secret/folder/file")

    @app.get("/gone")
    def gone() -> None:
        raise Gone

    cookie = services.visitors.cookie_of("somebody")
    return TestClient(app, cookies={COOKIE: cookie}, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (errno.ENOSPC, 507, "full"),
        (errno.EDQUOT, 507, "full"),
        (errno.EROFS, 500, "cannot write"),
        (errno.EACCES, 500, "cannot write"),
        (errno.EIO, 500, "try again"),
        (errno.ENAMETOOLONG, 422, "too long"),
    ],
)
def test_a_disk_s_faults_are_sentences(
    client: TestClient, number: int, status: int, words: str
) -> None:
    answer = client.get(f"/fail/{number}")
    assert (answer.status_code, words in answer.text) == (status, True)
    assert "secret" not in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_who_has_gone_is_no_fault(client: TestClient) -> None:
    assert client.get("/gone").status_code == 499


HUGE = "9" * 400
LONG = "x" * 5000


@pytest.mark.parametrize(
    "path",
    [
        *(f"/view/first/attention/{HUGE}", f"/view/first/heads/-{HUGE}"),
        *(f"/view/first/features/{HUGE}", f"/view/first/clusters/3?k={HUGE}&seed={HUGE}"),
        *(f"/view/first/crops?seed={HUGE}", f"/view/first/masks?seed=1&ratio={HUGE}"),
        *("/view/first/masks?seed=1&ratio=nan", "/view/first/crops?seed=1&global_low=inf"),
        *(f"/view/first/crops?seed=1&local_count={HUGE}", f"/view/first/strip?seed={HUGE}"),
        *("/view/first/crops?seed=1&global_size=100000000", f"/view/{LONG}/strip?seed=0"),
        *(f"/view/first/losses?seed={HUGE}&pair=preview", f"/view/first/losses?seed=1&pair={LONG}"),
        *("/view/first/losses?seed=1&pair=run:%00", "/view/first/losses?seed=1&temperature=nan"),
        *("/view/first/map/3?min_distance=nan", f"/view/first/map/{HUGE}?seed={HUGE}"),
        *("/view/%00/strip?seed=0", f"/view/first/strip?seed=0&form={LONG}"),
        *(f"/runs/{LONG}", "/runs/%00", f"/runs/a%00b/metrics?from={HUGE}", f"/runs/{HUGE}/report"),
        *(f"/galleries/{LONG}/points", "/galleries/%00/pictures", f"/schedules/{LONG}"),
        *(f"/schedules/tiny?steps={HUGE}", f"/galleries/samples/pictures/{HUGE}.jpg"),
        *(f"/galleries/samples/neighbours/{HUGE}", f"/galleries/samples/atlas/{HUGE}.jpg"),
        f"/view/first/comparison/3?second_layer={HUGE}",
    ],
)
def test_odd_requests_get_words(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 422), answer.text
    assert 0 < len(answer.text) < 1000
    assert "/tmp" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"3", b"{", b"[" * 50_000, b'{"a":' * 10_000, b"\xff\xfe", b"null"]
)
def test_odd_json_gets_words(client: TestClient, body: bytes) -> None:
    answer = client.post("/runs", content=body)
    assert (answer.status_code, answer.text) == (422, "This request is not right.")


def test_too_long_a_request_is_let_go(client: TestClient) -> None:
    assert client.post("/runs", content=b" " * (65 * 2**10)).status_code == 413


def test_selections() -> None:
    assert selected(b" \n") is None
    assert selected(b"3, 17,3") == [3, 17]
    for body in (b"a", b"1,,2", b"-1", b"9" * 400, b"1e3", "²".encode()):
        with pytest.raises(ValueError, match="whole numbers"):
            selected(body)


def test_pictures_are_kept_for_their_owner_s_browser_alone(client: TestClient) -> None:
    second = client.post("/view/first/second", content=SAMPLE.read_bytes()).json()
    answer = client.get(f"/view/{second['key']}/input.jpg")
    assert answer.headers["cache-control"] == "private, max-age=3600, immutable"
    assert answer.headers["content-type"] == "image/jpeg"
    assert io.BytesIO(answer.content).read(2) == b"\xff\xd8"
    for form in ("page", "npz"):  # what a view shows for a seed is the same for ever
        drawn = client.get(f"/view/{second['key']}/masks?seed=1&form={form}")
        assert drawn.headers["cache-control"] == "private, max-age=3600, immutable"
    for path in ("/view/first/around", "/runs", "/galleries"):
        assert client.get(path).headers["cache-control"] == "no-store"
