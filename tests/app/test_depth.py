"""Through depth on the page: the layers are the scenes', and the film is the command's file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from safetensors.numpy import load
from tiny_home import open_sample, with_samples

from app.server import build_server
from dino_core.__main__ import main
from dino_core.scenes.depth import depth_attention_scene, depth_clusters_scene, depth_scene

SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with with_samples(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[TestClient]:
    """A visitor who has a sample open at 56 px."""
    server = build_server(weights=home / "tiny.safetensors")
    client = TestClient(server, base_url="http://localhost")
    services = server.state.services
    entry = open_sample(services, "cat.jpg")
    services.pictures.share("cat", lambda: entry)
    client.seen = entry.picture.seen  # type: ignore[attr-defined]
    yield client
    client.close()


def test_layers_are_the_scenes(client: TestClient) -> None:
    seen = client.seen  # type: ignore[attr-defined]
    asked = "preset=all-patches&flip=true&align=order&robust=true&whiten=true"
    got = load(client.get(f"/view/cat/depth?{asked}").content)
    wanted = depth_scene(seen, "all-patches", True, "order", True, whiten=True)
    np.testing.assert_array_equal(got["colours"], wanted.colours)
    got = load(client.get("/view/cat/depth/attention?row=2&column=1&head=1").content)
    np.testing.assert_array_equal(got["attention"], depth_attention_scene(seen, 2, 1, 1).attention)
    got = load(client.get("/view/cat/depth/clusters?k=3&seed=5").content)
    np.testing.assert_array_equal(got["labels"], depth_clusters_scene(seen, 3, 5).labels)


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ("kind=gif&preset=all-patches&flip=true&align=signs&robust=true",
         ["--preset", "all-patches", "--flip", "--align", "signs", "--robust"]),
        ("kind=webp&view=attention&row=1&column=2&head=1",
         ["--view", "attention", "--query", "1,2", "--head", "1"]),
    ],
)  # fmt: skip
def test_the_film_is_the_command_s_file(
    client: TestClient, home: Path, asked: str, options: list[str], tmp_path: Path
) -> None:
    kind = "gif" if "gif" in asked else "webp"
    answer = client.get(f"/view/cat/depth/film?{asked}")
    assert answer.headers["content-type"] == f"image/{kind}"
    output = tmp_path / f"film.{kind}"
    weights = ["--weights", str(home / "tiny.safetensors"), "--size", "56"]
    assert (
        main(["film", str(SAMPLES / "cat.jpg"), *options, *weights, "--output", str(output)]) == 0
    )
    assert answer.content == output.read_bytes()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("?align=flow", "not by 'flow'"),
        ("/film?align=flow", "not 'flow'"),
        ("/film?view=norms", "not 'norms'"),
        ("/attention?row=9&column=0", "no patch 9,0"),
        ("/clusters?k=1", "2 to 12, not 1"),
    ],
)
def test_mistakes_are_said_in_a_sentence(client: TestClient, asked: str, words: str) -> None:
    answer = client.get(f"/view/cat/depth{asked}")
    assert answer.status_code == 422
    assert words in answer.text
