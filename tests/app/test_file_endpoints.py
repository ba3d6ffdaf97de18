"""figure, film, webpage, video: what a program is answered is the file that the command writes."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from tiny_home import with_picture

import dino_core.scenes.videos as videos
from app.page import calls
from app.page.file_endpoints import FileEndpoints
from app.services import build_services
from app.state import models as models_of_server
from dino_core.__main__ import main
from dino_core.config import ViTConfig

CONFIG = ViTConfig(dim=48, depth=3, heads=3, image_size=56)
ASKING: Any = SimpleNamespace(cookies={})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with with_picture(tmp_path_factory.mktemp("home"), CONFIG) as home:
        write_frames(home / "frames")
        yield home


def write_frames(folder: Path) -> None:
    """Three frames of 4 x 5 patches in which something bright goes to the right, and a mask."""
    folder.mkdir()
    ground = np.random.default_rng(0).integers(0, 60, (56, 70, 3), np.uint8)
    for t in range(3):
        pixels = ground.copy()
        pixels[14:42, 14 * t : 14 * t + 28] += 180
        Image.fromarray(pixels).save(folder / f"{t}.png")
    mask = np.zeros((56, 70), np.uint8)
    mask[14:42, 0:28] = 1
    Image.fromarray(mask).save(folder.parent / "mask.png")


def frames(home: Path) -> list[dict[str, str]]:
    return [{"path": str(path)} for path in sorted((home / "frames").iterdir())]


@pytest.fixture(scope="module")
def endpoints(home: Path) -> FileEndpoints:
    services = build_services(None, home / "tiny.safetensors", "cpu")
    own = [home / "picture.png", home / "mask.png", *(home / "frames").iterdir()]
    services.uploads.add("", [str(path) for path in own])
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
        (
            {"view": "attention", "row": 0, "column": 0, "head": 0, "steps": 1},
            ("--view", "attention", "--query", "0,0", "--head", 0, "--steps", 1),
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


@pytest.mark.parametrize(
    ("chosen", "command"),
    [
        (
            {"layer": 1, "row": 1, "column": 5, "head": 2, "width": "column"},
            ("attention", "--layer", 1, "--query", "1,5", "--head", 2, "--figure-width", "column"),
        ),
        (
            {"layer": 0, "row": 0, "column": 0, "head": 0, "width": "column"},
            ("attention", "--layer", 0, "--query", "0,0", "--head", 0, "--figure-width", "column"),
        ),
        (
            {"view": "layers", "flip": True, "width": "120"},
            ("film", "--flip", "--figure-width", 120),
        ),
    ],
)  # fmt: skip
def test_figure(
    home: Path,
    endpoints: FileEndpoints,
    tmp_path: Path,
    chosen: dict[str, Any],
    command: tuple[object, ...],
) -> None:
    found = answer(home, endpoints.figure, **chosen)
    assert found["media_type"] == "image/svg+xml"
    assert f"python -m dino_core {command[0]} picture.jpg" in found["caption"]
    path, output = tmp_path / "figure.svg", tmp_path / ("a.webp" if command[0] == "film" else "a")
    model = ("--weights", home / "tiny.safetensors", "--size", 56)
    line = (*command[:1], home / "picture.png", *command[1:], *model, "--output", output)
    assert main([str(word) for word in (*line, "--figure", path)]) == 0
    drawn = [re.sub(rb"(?s)<metadata>.*?</metadata>", b"", one) for one in
             (base64.b64decode(found["base64"]), path.read_bytes())]  # fmt: skip
    assert drawn[0] == drawn[1], "the same but for the caption, which names the file"
    with pytest.raises(gr.Error, match="of two pictures"):
        answer(home, endpoints.figure, view="matches")
    with pytest.raises(gr.Error, match="column, page or a number"):
        answer(home, endpoints.figure, width="wide")


def test_webpage(home: Path, endpoints: FileEndpoints, tmp_path: Path) -> None:
    found = answer(home, endpoints.webpage, title="picture.png")
    text = written(home, tmp_path / "page.html", "webpage")
    assert found["html"].encode() == text
    assert found["bytes"] == len(text)


@pytest.mark.parametrize(
    ("chosen", "options", "tracked"),
    [
        ({"flip": True, "layer": 1}, ("--flip", "--layer", 1), 0),
        (
            {"patches": [[1, 0], [0, 4]], "alike": 0.9, "queue": 2, "kind": "gif"},
            ("--patch", "1,0", "0,4", "--alike", 0.9, "--queue", 2),
            2,
        ),
        ({"mask": True, "every": 2}, ("--every", 2), 1),
    ],
)
def test_video(
    home: Path,
    endpoints: FileEndpoints,
    tmp_path: Path,
    chosen: dict[str, Any],
    options: tuple[object, ...],
    tracked: int,
) -> None:
    mask = {"path": str(home / "mask.png")} if "mask" in chosen else None
    asked: dict[str, Any] = {"size": 56} | chosen | {"mask": mask}
    found = endpoints.video(frames(home), ASKING, arrays=True, **asked)
    kind, path = chosen.get("kind", "webp"), tmp_path / "a.npz"
    line = ["video", home / "frames", "--weights", home / "tiny.safetensors", "--size", 56]
    line += [*options, *(["--mask", home / "mask.png"] if mask else [])]
    line += ["--output", tmp_path / f"a.{kind}", "--arrays", path]
    assert main([str(word) for word in line]) == 0
    assert base64.b64decode(found["base64"]) == (tmp_path / f"a.{kind}").read_bytes()
    with np.load(path) as wanted, np.load(io.BytesIO(base64.b64decode(found["npz"]))) as mine:
        assert set(mine) == set(wanted)
        for name, values in wanted.items():
            np.testing.assert_array_equal(mine[name], values, err_msg=name)
    assert found["frames"] == (2 if "every" in chosen else 3)
    assert (found["grid"], found["tracked"], found["seconds"]) == ((4, 5), tracked, None)


def test_limits_of_a_film_are_said_in_a_sentence(
    home: Path, endpoints: FileEndpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = frames(home)
    monkeypatch.setattr(videos, "MOST_PATCHES", 50)
    for words, files, chosen in (
        ("4 x 5 patches 2 can be looked at", own, {}),
        ("most goes from 1 to 120, but is 121", own, {"most": 121}),
        ("every goes from 1 to 100, but is 0", own, {"every": 0}),
        ("queue goes from 1 to 12", own, {"queue": 13}),
        ("alike goes from 0 to 1", own, {"alike": float("nan")}),
        ("input size is from 1 to 518", own, {"size": 1036}),
        ("one file, or its frames, at most 120", [], {}),
        ("one file, or its frames, at most 120", own * 41, {}),
        ("list of .row, column.", own, {"patches": [[1]]}),
        ("by one of both", own, {"patches": [[1, 1]], "mask": own[0]}),
        ("The mask should be an indexed or grey", own[:2], {"mask": own[0]}),
        ("there is no patch 9,9", own[:2], {"patches": [[9, 9]]}),
        ("not this one", own[:2], {"layer": 3}),
        ("webp or gif file", own[:2], {"kind": "mp4"}),
        ("'0.png cannot be read as a film", own[:1], {}),
        ("Upload the picture first", [{"path": "/etc/hostname"}], {}),
        ("Upload the picture first", own, {"mask": {"path": "/etc/hostname"}}),
        ("no such sample", [{"sample": "../app.js"}], {}),
    ):
        with pytest.raises(gr.Error, match=words):
            endpoints.video(files, ASKING, **({"size": 56} | chosen))
    assert endpoints.video(own, ASKING, size=56, most=2)["frames"] == 2


def test_a_film_is_given_up_when_nobody_waits_for_it(
    home: Path, endpoints: FileEndpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two frames, and between two blocks of a forward."""
    monkeypatch.setattr(models_of_server, "ASK_EVERY", 0.0)
    event = SimpleNamespace(alive=True)
    queue = SimpleNamespace(event_ids_to_events={"a call": event})
    monkeypatch.setattr(
        calls, "LocalContext", SimpleNamespace(
            blocks=SimpleNamespace(get=lambda _: SimpleNamespace(_queue=queue)),
            event_id=SimpleNamespace(get=lambda _: "a call"),
        ),
    )  # fmt: skip
    assert endpoints.video(frames(home), ASKING, size=56)["frames"] == 3
    opened = []
    original = videos.fit_to_patches

    def leave_after_two(*args: Any) -> Any:
        opened.append(1)
        event.alive = len(opened) < 2
        return original(*args)

    monkeypatch.setattr(videos, "fit_to_patches", leave_after_two)
    with pytest.raises(gr.Error, match="Nobody waits"):
        endpoints.video(frames(home), ASKING, size=56)
    assert len(opened) == 2, "the third frame is not even decoded"


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
