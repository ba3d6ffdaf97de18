"""film, webpage: what a program is answered is the file that the command writes."""

import base64
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from tiny_home import with_picture

from app.page.file_endpoints import FileEndpoints
from app.services import build_services
from dino_core.__main__ import main
from dino_core.config import ViTConfig

CONFIG = ViTConfig(dim=48, depth=3, heads=3, image_size=56)
ASKING: Any = SimpleNamespace(cookies={})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with with_picture(tmp_path_factory.mktemp("home"), CONFIG) as home:
        yield home


@pytest.fixture(scope="module")
def endpoints(home: Path) -> FileEndpoints:
    services = build_services(None, home / "tiny.safetensors", "cpu")
    services.uploads.add("", [str(home / "picture.png")])
    return FileEndpoints(services)


def answer(home: Path, endpoint: Any, **chosen: Any) -> dict[str, Any]:
    asked = {"size": 56} | chosen
    found: dict[str, Any] = endpoint({"path": str(home / "picture.png")}, ASKING, **asked)
    return found


def written(home: Path, path: Path, command: str, *words: object) -> bytes:
    """The file that a command writes of the same picture."""
    model = ("--weights", home / "tiny.safetensors", "--size", 56)
    line = (command, home / "picture.png", *model, *words, "--output", path)
    assert main([str(word) for word in line]) == 0
    return path.read_bytes()


@pytest.mark.parametrize(
    ("chosen", "options"),
    [
        ({"flip": True, "steps": 2}, ("--flip", "--steps", 2)),
        (
            {"view": "attention", "row": 1, "column": 5, "head": 2, "kind": "gif", "steps": 1},
            ("--view", "attention", "--query", "1,5", "--head", 2, "--steps", 1),
        ),
    ],
)
def test_film(
    home: Path,
    endpoints: FileEndpoints,
    tmp_path: Path,
    chosen: dict[str, Any],
    options: tuple[object, ...],
) -> None:
    found = answer(home, endpoints.film, **chosen)
    kind = chosen.get("kind", "webp")
    assert found["media_type"] == f"image/{kind}"
    assert found["frames"] == 2 * chosen["steps"] + 1
    data = written(home, tmp_path / f"film.{kind}", "film", *options)
    assert base64.b64decode(found["base64"]) == data


def test_webpage(home: Path, endpoints: FileEndpoints, tmp_path: Path) -> None:
    found = answer(home, endpoints.webpage, title="picture.png")
    text = written(home, tmp_path / "page.html", "webpage")
    assert found["html"].encode() == text
    assert found["bytes"] == len(text)


def test_limits_and_mistakes_are_said_in_a_sentence(home: Path, endpoints: FileEndpoints) -> None:
    for words, chosen in {
        "A film shows pca or attention": {"view": "maps"},
        "at most 240 frames": {"steps": 200},
        "steps a layer": {"steps": 0},
        "webp or gif file": {"kind": "mp4"},
        "A method is one of": {"method": "sideways"},
        "there is no patch 9,9": {"view": "attention", "row": 9, "column": 9},
    }.items():
        with pytest.raises(gr.Error, match=words):
            answer(home, endpoints.film, **chosen)
    with pytest.raises(gr.Error, match="at most 1600 patches"):
        answer(home, endpoints.webpage, size=518)
    with pytest.raises(gr.Error, match="Upload the picture first"):
        endpoints.webpage({"path": "/etc/hostname"}, ASKING)
