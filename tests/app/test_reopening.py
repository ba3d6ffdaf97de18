"""A server that was started anew opens the pictures of its pages again, for their owners alone."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from safetensors.numpy import load

from app.routes import reopening
from app.server import build_server
from app.state.identity import Identity, digest_of_page
from app.state.models import Models
from app.state.pictures import NOT_YOURS
from app.visitors import COOKIE

HOME = "http://localhost"
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
ROCKET = (SAMPLES / "rocket.jpg").read_bytes()
RECIPE = "model=preview_vits14&size=224"
KEY = "k" * 32


def browser_of(server: Any) -> TestClient:
    client = TestClient(server, base_url=HOME)
    client.get("/")
    return client


@pytest.fixture(scope="module")
def server() -> Any:
    return build_server("preview_vits14")


@pytest.fixture
def visitor(server: Any) -> Iterator[TestClient]:
    with_cookie = browser_of(server)
    yield with_cookie
    with_cookie.close()


def new_key() -> str:
    return secrets.token_urlsafe(24)


def test_a_picture_is_back_under_its_key_with_the_same_numbers(visitor: TestClient) -> None:
    before = visitor.post("/view/first/second", content=ROCKET).json()["key"]
    key = new_key()
    assert visitor.get(f"/view/{key}/view.json").status_code == 404
    answer = visitor.post(f"/view/{key}/again?{RECIPE}&upload=0a1b", content=ROCKET)
    assert answer.status_code == 200, answer.text
    view = answer.json()
    wanted = (key, "preview_vits14", 224, "", "upload/0a1b")
    assert tuple(view[n] for n in ("key", "model", "size", "sample", "origin")) == wanted
    one, other = (load(visitor.get(f"/view/{k}/patches/7").content) for k in (before, key))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_what_is_there_is_left_as_it_is(visitor: TestClient) -> None:
    key = new_key()
    visitor.post(f"/view/{key}/again?{RECIPE}", content=ROCKET)
    again = visitor.post(f"/view/{key}/again?{RECIPE}&sample=coffee.jpg").json()
    assert (again["sample"], again["source_size"]) == (
        "",
        visitor.get(f"/view/{key}/view.json").json()["source_size"],
    )


def test_samples_by_name_and_pictures_of_a_gallery_by_their_place(
    visitor: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = visitor.post(f"/view/{new_key()}/again?{RECIPE}&sample=coffee.jpg").json()
    assert (sample["sample"], sample.get("origin")) == ("coffee.jpg", None)
    asked = []

    def find(_: Any, name: str, index: int, owner: str) -> tuple[Any, str]:
        asked.append((name, index, len(owner)))
        return Image.new("RGB", (320, 240)), "x.png"

    monkeypatch.setattr(reopening, "open_from_gallery", find)
    picture = visitor.post(f"/view/{new_key()}/again?{RECIPE}&gallery=own-1&index=7").json()
    assert (picture["origin"], picture["source_size"]) == ("gallery/own-1/7", [320, 240])
    assert asked == [("own-1", 7, 64)]


def test_a_key_stays_its_owner_s(server: Any, visitor: TestClient) -> None:
    key = new_key()
    visitor.post(f"/view/{key}/again?{RECIPE}", content=ROCKET)
    other = browser_of(server)
    refused = other.post(f"/view/{key}/again?{RECIPE}", content=ROCKET)
    assert (refused.status_code, refused.text) == (422, NOT_YOURS)
    assert other.get(f"/view/{key}/view.json").status_code == 404
    assert visitor.get(f"/view/{key}/view.json").json()["key"] == key


def test_an_old_page_whose_cookie_is_none_any_more_has_its_picture_by_its_key(server: Any) -> None:
    """The server's secret has changed: the page is given another cookie, and goes on."""
    page = TestClient(server, base_url=HOME, cookies={COOKIE: f"old.{'0' * 64}"})
    key = new_key()
    page.get("/identity")
    assert page.cookies.get(COOKIE, domain="localhost.local")
    page.cookies.delete(COOKIE, domain="")
    assert page.post(f"/view/{key}/again?{RECIPE}", content=ROCKET).status_code == 200
    assert page.get(f"/view/{key}/view.json").status_code == 200


@pytest.mark.parametrize(
    ("key", "query", "body", "words"),
    [
        (KEY, RECIPE, b"", "empty"),
        (KEY, RECIPE, b"no picture", "a picture is wanted"),
        (KEY, f"{RECIPE}&sample=../../etc/passwd", b"", "no such sample"),
        (KEY, f"{RECIPE}&gallery=somebody-s&index=0", b"", "gallery"),
        (KEY, f"{RECIPE}&upload=../secret", ROCKET, "upload"),
        (KEY, "model=preview_vits14&size=2600", ROCKET, "518"),
        (KEY, "model=nonsense&size=224", ROCKET, "nonsense"),
        (KEY, "size=224", ROCKET, "model"),
        ("short", RECIPE, ROCKET, NOT_YOURS),
        ("k" * 33, RECIPE, ROCKET, NOT_YOURS),
        ("k" * 31 + ".", RECIPE, ROCKET, NOT_YOURS),
    ],
)
def test_what_cannot_be_opened_gets_a_sentence(
    visitor: TestClient, key: str, query: str, body: bytes, words: str
) -> None:
    answer = visitor.post(f"/view/{key}/again?{query}", content=body)
    assert (answer.status_code, words in answer.text) == (422, True), answer.text
    assert visitor.get(f"/view/{key}/view.json").status_code == 404


def test_a_body_has_a_limit(visitor: TestClient) -> None:
    answer = visitor.post(f"/view/{KEY}/again?{RECIPE}", content=bytes(25 * 2**20 + 1))
    assert (answer.status_code, "25 MB" in answer.text) == (413, True)


def test_each_process_is_another_server_of_the_same_page(visitor: TestClient) -> None:
    one, other = (
        visitor.get("/identity"),
        browser_of(build_server("preview_vits14")).get("/identity"),
    )
    assert one.headers["cache-control"] == "no-store"
    assert one.json()["server"] != other.json()["server"]
    assert [one.json()[n] for n in ("page", "models")] == [
        other.json()[n] for n in ("page", "models")
    ]
    assert "preview_vits14" in one.json()["models"]


def test_other_weights_and_other_code_are_another_version(tmp_path: Path) -> None:
    weights = tmp_path / "own.pth"
    weights.write_bytes(b"weights")
    models = Models(None, weights, "cpu")
    before = Identity(models, "stored").now()
    weights.write_bytes(b"other weights")
    after = Identity(models, "stored").now()
    assert before["models"].pop("own") != after["models"].pop("own")
    assert (before["models"], before["page"]) == (after["models"], after["page"])
    assert Identity(models, "stored otherwise").now()["page"] != after["page"]
    assert str(tmp_path) not in str(after), "no folder of this machine"
    for name, folder in (("a.py", tmp_path / "code"), ("page/a.js", tmp_path / "js")):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("one")
    folders = (tmp_path / "code", tmp_path / "js")
    digests = {digest_of_page.__wrapped__(*folders)}
    for name, folder in (("a.py", folders[0]), ("page/a.js", folders[1])):
        (folder / name).write_text("two")
        digests.add(digest_of_page.__wrapped__(*folders))
    assert len(digests) == 3
