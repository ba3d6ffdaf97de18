"""first_visit/build.py: what is written down is what the server said, whole or not at all."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request, Response

from app.first_visit import build, stored
from app.paths import FIRST_VISIT, SAMPLE_GALLERY

KINDS = ("cls", "mean_patch", "both")
OF_A_PROCESS = ("lock", "launch.txt", "started.json", "progress.json", "control")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the bundled weights."""
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"weights")
    monkeypatch.setattr(build, "weights_file", lambda name: file)
    return file


def serve(monkeypatch: pytest.MonkeyPatch, refused: str = "") -> list[str]:
    """A server that answers each question by the question; the questions as they come."""
    app, asked = FastAPI(), []

    @app.get("/view/first/{path:path}")
    def answer(path: str, request: Request) -> Response:
        query = request.url.query
        asked.append(f"{path}?{query}" if query else path)
        if asked[-1] == refused:
            return Response("no", 500)
        body = json.dumps({"key": "first"}) if path == "view.json" else asked[-1]
        return Response(body)

    monkeypatch.setattr("app.server.build_server", lambda model: app)
    return asked


def test_what_is_stored_is_what_was_answered_for_these_weights(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, folder = serve(monkeypatch), tmp_path / "first"
    folder.mkdir()
    (folder / "of-before").write_text("")
    build.write_responses(folder)
    assert asked == ["view.json", *stored.PATHS]
    found = stored.load_first_visit("mine", weights, folder=folder)
    assert found is not None
    assert found.view == {"key": "first", "model": "mine"}
    for path in stored.PATHS:
        data = found.response(path)
        assert data is not None
        assert gzip.decompress(data) == path.encode()
        assert data[4:8] == bytes(4), "no time is in it: the same answers are the same files"
    assert not (folder / "of-before").exists()
    weights.write_bytes(b"others!")
    assert stored.load_first_visit("mine", weights, folder=folder) is None


@pytest.mark.parametrize("refused", ["view.json", stored.PATHS[-1]])
def test_an_answer_that_fails_leaves_those_of_before(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    serve(monkeypatch, refused)
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / "of-before").write_text("kept")
    with pytest.raises(Exception, match="500 Internal Server Error"):
        build.write_responses(folder)
    assert [path.name for path in folder.iterdir()] == ["of-before"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", weights.name]
    monkeypatch.setattr(build, "weights_file", lambda name: None)
    with pytest.raises(ValueError, match="bundled weights are missing"):
        build.write_responses(folder)
    assert (folder / "of-before").read_text() == "kept"


class Process:
    """Stands for the process of a gallery: says one state after the other."""

    def __init__(self, *states: str) -> None:
        self.states, self.asked, self.launched = list(states), [], []

    def Options(self, model: str) -> str:  # noqa: N802  as the scenes' own class
        return model

    def launch(self, data: str, folder: Path, options: object) -> None:
        self.launched.append(data)
        (folder / "requests").mkdir(parents=True)
        for name in ("facts.json", *OF_A_PROCESS):
            (folder / name).write_text(name)
        (folder / "state.json").write_text("ready")

    def state_of(self, folder: Path) -> dict[str, object]:
        state = self.states.pop(0)
        return {"state": state, "alive": state != "failed", "words": "It has failed."}

    def stop(self, folder: Path) -> None:
        (folder / "state.json").write_text("stopped")

    def names(self, folder: Path) -> SimpleNamespace:
        return SimpleNamespace(layers=3)

    def points(self, folder: Path, kind: str, layer: int) -> None:
        self.asked.append((kind, layer))
        (folder / f"{kind}-{layer}.npz").write_text("a map")


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build.time, "sleep", lambda seconds: None)
    folder = tmp_path / "gallery"
    folder.mkdir()
    (folder / "of-before").write_text("")
    return folder


def use(monkeypatch: pytest.MonkeyPatch, process: Process) -> Process:
    monkeypatch.setattr(build, "gallery", process)
    return process


def test_the_gallery_is_ready_with_every_map_and_nothing_of_its_process(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = use(monkeypatch, Process("starting", "embedding", "mapping", "ready"))
    build.write_gallery(target)
    assert process.launched == ["samples"]
    assert sorted(process.asked) == sorted((kind, at) for kind in KINDS for at in range(3))
    maps = {f"{kind}-{at}.npz" for kind in KINDS for at in range(3)}
    assert {path.name for path in target.iterdir()} == maps | {"facts.json", "state.json"}
    assert (target / "state.json").read_text() == "ready", "not as it was after it was stopped"


def test_a_gallery_that_fails_leaves_the_one_of_before(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Process("embedding", "failed"))
    with pytest.raises(ValueError, match=r"It has failed\."):
        build.write_gallery(target)
    assert [path.name for path in target.iterdir()] == ["of-before"]


def test_all_three_are_written_to_where_the_page_reads_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dino_core.scenes import pairs

    written: list[object] = []
    monkeypatch.setattr(build, "write_responses", written.append)
    monkeypatch.setattr(build, "write_gallery", written.append)
    monkeypatch.setattr(pairs, "open_bundled", lambda name: f"pair {name}")
    monkeypatch.setattr(pairs, "write_references", lambda pair, path: written.append((pair, path)))
    build.main()
    assert written == [FIRST_VISIT, ("pair preview", pairs.REFERENCES), SAMPLE_GALLERY]
