"""A gallery that the server was started with, too large to be sent at once, by its routes."""

import io
import json
from pathlib import Path

import numpy as np
import psutil
import pytest
from alike import assert_same
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from app.jobs.galleries import shown_jobs
from app.routes.all_routes import add_routes
from app.services import build_services
from benchmarks.synthetic import CLASSES, write_gallery
from dino_core.analysis import approximate
from dino_core.draw.encode import pack
from dino_core.gallery.build import make
from dino_core.gallery.folder import GalleryFolder
from dino_core.scenes import gallery_parts

COUNT, NAME = 450, "shown-0-many-rows"


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "EXACT_MOST", 400)
    monkeypatch.setattr("dino_core.analysis.projection.EXACT_MOST", 400)
    monkeypatch.setattr(gallery_parts, "PART", 200)
    monkeypatch.setattr("dino_core.gallery.folder.start_process", lambda *_: 1)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = write_gallery(tmp_path / "Many Rows", COUNT, width=16)
    make(GalleryFolder(folder), "cls", 1, "pca")
    return folder


@pytest.fixture
def client(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    for name in ("RUNS", "GALLERIES"):
        monkeypatch.setenv(f"INSIDE_DINOV2_{name}", str(tmp_path / name))
    services, app = build_services("preview_vits14", None, "cpu", galleries=[made]), FastAPI()
    add_routes(app, services)
    return TestClient(app)


def facts_of(data: bytes) -> dict:
    length = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["facts"])


def test_everybody_sees_what_the_server_was_started_with(client: TestClient, made: Path) -> None:
    [card] = [one for one in client.get("/galleries").json()["galleries"] if one["name"] == NAME]
    assert (card["title"], card["pictures"], card["classes"]) == ("Many Rows", COUNT, CLASSES)
    assert (card["state"], card["seen"], card["mine"], card["actions"]) == (
        "ready",
        True,
        False,
        [],
    )
    assert str(made.parent) not in json.dumps(card)
    for refused in (
        client.delete(f"/galleries/{NAME}"),
        client.post(f"/galleries/{NAME}/steer?action=stop"),
    ):
        assert refused.status_code >= 400
    assert (made / "facts.json").exists()


def test_a_folder_without_a_gallery_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no gallery"):
        shown_jobs([tmp_path])


def test_parts_names_search_and_tiles(client: TestClient, made: Path) -> None:
    get = lambda path: client.get(f"/galleries/{NAME}/{path}")  # noqa: E731
    facts = facts_of(get("pictures").content)
    assert (facts["names"], facts["count"], facts["large"]) == ([], COUNT, True)
    for number in range(3):
        assert_same(get(f"part/{number}").content, pack(gallery_parts.part(made, number)))
    assert get("part/3").status_code == 422
    assert get("names?of=123,40").json()["names"] == [
        "class-03/0000123.jpg",
        "class-00/0000040.jpg",
    ]
    for kept in ("names?of=3", "tiles.jpg?of=3", "part/0"):
        assert get(kept).headers["cache-control"] == "private, max-age=300", kept
    assert get("search?text=CLASS-07").content == pack(gallery_parts.found(made, "class-07"))
    assert get("search?text=").status_code == 422
    with Image.open(io.BytesIO(get("tiles.jpg?of=3,43,4").content)) as sheet:
        assert sheet.size == (3 * 64, 64)
    for path in ("tiles.jpg", "names"):
        for wrong in ("", "x", f"{COUNT}", "-1"):
            assert get(f"{path}?of={wrong}").status_code == 422
    for waiting in ("part/0?method=umap", "part/0?layer=0", "outliers", "duplicates"):
        assert get(waiting).status_code == 202
    assert client.get("/galleries/shown-1-other/part/0").status_code == 404
    for picture in (COUNT, -1):
        assert get(f"pictures/{picture}.jpg").status_code == 404, "no such picture"
    assert get("atlas/99.jpg").status_code == 404


@pytest.mark.slow
def test_an_open_gallery_of_many_rows_takes_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 000 rows of 64 numbers are 26 MB twice: what the page asks for at first needs less."""
    monkeypatch.undo()
    for name in ("RUNS", "GALLERIES"):
        monkeypatch.setenv(f"INSIDE_DINOV2_{name}", str(tmp_path / name))
    count = 100_000
    folder = write_gallery(tmp_path / "g", count, width=64)
    make(GalleryFolder(folder), "cls", 1, "pca")
    services, app = build_services("preview_vits14", None, "cpu", galleries=[folder]), FastAPI()
    add_routes(app, services)
    client, process = TestClient(app), psutil.Process()
    before = process.memory_info().rss
    for path in (
        "pictures",
        "part/0",
        "part/1",
        "names?of=3,90000",
        "tiles.jpg?of=5,70000",
        "search?text=9",
    ):
        assert client.get(f"/galleries/shown-0-g/{path}").status_code == 200
    assert isinstance(GalleryFolder(folder).array("cls"), np.memmap)
    assert process.memory_info().rss - before < 100 * 2**20
