"""Visitors' cookies: signed, lasting, and replaced when they are none of this server's."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.middleware.visitor_cookie import VisitorCookie
from app.visitors import COOKIE, Visitors, owner_of, signing_key

WEEK = 7 * 24 * 3600


@pytest.fixture
def visitors() -> Visitors:
    return Visitors(bytes(32))


def site(visitors: Visitors, scheme: str = "http") -> TestClient:
    async def page(request: Request) -> Response:
        return PlainTextResponse("page")

    inner = Starlette(routes=[Route(path, page) for path in ("/", "/view/x", "/identity")])
    return TestClient(VisitorCookie(inner, visitors), base_url=f"{scheme}://site")


def test_a_cookie_says_whose_it_is(visitors: Visitors) -> None:
    assert visitors.secret({COOKIE: visitors.cookie_of("a secret")}) == "a secret"
    one, other = visitors.new_cookie(), visitors.new_cookie()
    assert one != other
    assert len(visitors.secret({COOKIE: one})) >= 32


@pytest.mark.parametrize(
    "cookie",
    ["", ".", "secret", "secret.", f"secret.{'0' * 64}", "é.ü", f".{'0' * 64}", "x" * 100_000],
)
def test_a_forged_cookie_is_nobody_s(visitors: Visitors, cookie: str) -> None:
    assert visitors.secret({COOKIE: cookie}) == ""
    assert Visitors(bytes(31) + b"x").secret({COOKIE: visitors.cookie_of("a")}) == ""


def test_no_secret_is_no_secret_even_when_signed(visitors: Visitors) -> None:
    client = site(visitors)
    client.cookies.set(COOKIE, visitors.cookie_of(""), domain="site.local")
    assert visitors.secret({COOKIE: client.get("/").cookies[COOKIE]})


def test_the_page_gives_a_cookie_that_lasts_a_week(visitors: Visitors) -> None:
    client = site(visitors)
    header = client.get("/").headers["set-cookie"]
    assert f"Max-Age={WEEK}" in header
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Secure" not in header
    assert "set-cookie" not in client.get("/view/x").headers, "by the page alone"


def test_a_visitor_keeps_the_secret_and_has_it_prolonged(visitors: Visitors) -> None:
    client = site(visitors)
    first = client.get("/").cookies[COOKIE]
    header = client.get("/").headers["set-cookie"]
    assert header.startswith(f"{COOKIE}={first};")
    assert f"Max-Age={WEEK}" in header


@pytest.mark.parametrize("cookie", ["", "made-up", f"made-up.{'0' * 64}"])
def test_an_empty_or_forged_cookie_is_replaced(visitors: Visitors, cookie: str) -> None:
    answer = site(visitors).get("/", headers={"Cookie": f"{COOKIE}={cookie}"})
    secret = visitors.secret({COOKIE: answer.cookies[COOKIE]})
    assert secret
    assert "made-up" not in secret


def test_a_page_that_found_its_server_again_is_given_a_cookie_where_it_has_none(
    visitors: Visitors,
) -> None:
    client = site(visitors)
    other = Visitors(bytes(31) + b"x").cookie_of("of a server with another key")
    answer = client.get("/identity", headers={"Cookie": f"{COOKIE}={other}"})
    own = answer.cookies[COOKIE]
    assert visitors.secret({COOKIE: own})
    again = client.get("/identity", headers={"Cookie": f"{COOKIE}={own}"})
    assert "set-cookie" not in again.headers


def test_cookies_of_the_page_behind_it_are_set_too(visitors: Visitors) -> None:
    def page(request: Request) -> Response:
        return PlainTextResponse("page", headers={"set-cookie": "other=1"})

    inner = Starlette(routes=[Route("/", page)])
    answer = TestClient(VisitorCookie(inner, visitors)).get("/")
    assert {"other", COOKIE} <= answer.cookies.keys()


def test_over_https_an_embedded_page_has_its_cookie_too(visitors: Visitors) -> None:
    header = site(visitors, "https").get("/").headers["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in header


def test_the_key_outlives_the_server_and_is_for_its_owner_s_eyes(tmp_path: Path) -> None:
    file = tmp_path / "new" / "cookie.key"
    key = signing_key(file)
    assert len(key) == 32
    assert signing_key(file) == key
    assert file.stat().st_mode & 0o077 == 0
    assert list(file.parent.iterdir()) == [file], "nothing is left beside it"
    assert signing_key(tmp_path / "other" / "cookie.key") != key


def test_without_a_place_for_the_key_visitors_last_as_long_as_the_server(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keys = {signing_key(tmp_path / "file" / "cookie.key") for _ in range(2)}
    assert len(keys) == 2
    for short in (b"", b"x", bytes(31)):
        (tmp_path / "short").write_bytes(short)
        key = signing_key(tmp_path / "short")
        assert (len(key), key != short) == (32, True), "a short key would sign for everybody"


def test_an_owner_is_known_by_a_hash() -> None:
    assert owner_of("a") == owner_of("a") != owner_of("b")
    assert "a secret" not in owner_of("a secret")
