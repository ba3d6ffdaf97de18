"""jobs/exports.py by itself: what its process is told, and what its visitor is shown."""

import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stand_ins import note_threads

from app.jobs import exports as export_module
from app.jobs.exports import GONE, Export, Exports


class Weights:
    """Models with one file of weights."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def options_of(self, name: str, owner: str) -> tuple[str | None, str | None]:
        return (None, str(self.path)) if name == "own" else (name, None)

    def weights_of(self, name: str) -> Path | None:
        return self.path if name == "m" else None

    def title_of(self, name: str, owner: str) -> str:
        return {"own": " my own (2).safetensors", "m": "m.pth", "odd": "..."}[name]


@pytest.fixture
def exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exports:
    (tmp_path / "w.pth").write_bytes(b"x" * 10)
    monkeypatch.setattr(Exports, "_make", lambda self, token: None)
    return Exports(tmp_path / "exports", Weights(tmp_path / "w.pth"), lambda *_: 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "target", "file", "room"),
    [
        ("own", "timm", "my-own-2--timm.pth", 80),
        ("m", "official", "m-official.pth", 80),
        ("odd", "onnx", "model-onnx.onnx", 0),
        ("m", "transformers", "m-transformers", 80),
    ],
)
def test_an_export_is_named_by_its_model_and_its_library(
    exports: Exports, monkeypatch: pytest.MonkeyPatch, model: str, target: Any, file: str, room: int
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(export_module, "need_room", lambda *what: asked.append(what))
    owner = "o" * 64
    card = exports.add(owner, model, target)
    one = exports._all[card["token"]]
    source = {"own": str(exports.folder.parent / "w.pth"), "m": "m", "odd": "odd"}[model]
    assert one.output == exports.folder / ("o" * 32) / card["token"] / file
    assert one.arguments == ("export", source, "--to", target, "--output", str(one.output))
    assert asked == [(exports.folder, room)]
    assert len(card["token"]) == 24
    assert one.output.parent.is_dir()
    assert {**card, "seconds": 0} == {
        "token": card["token"],
        "target": target,
        "state": "waiting",
        "words": ["Another export is being made first."],
        "file": "",
        "bytes": 0,
        "seconds": 0,
    }
    assert 0 <= card["seconds"] < 60
    with pytest.raises(ValueError, match="Your last export is still being made: wait for it"):
        exports.add(owner, model, target)
    for who, token in (("two", card["token"]), (owner, "none")):
        with pytest.raises(ValueError, match=GONE):
            exports.card(who, token)
    with pytest.raises(ValueError, match="This export is not finished"):
        exports.file(owner, card["token"])


PROVEN = "224 x 224 px: equal to 1e-07 of the largest number"


@pytest.mark.parametrize(
    ("state", "lines", "words"),
    [
        ("running", ["Loading.", "", "half a line"], ["Loading."]),
        ("running", ["no stop"], ["Loading the model."]),
        ("running", None, ["Loading the model."]),
        ("running", ["Writing FOLDER/m.pth."], ["Writing m.pth."]),
        ("failed", ["One.", "FOLDER/m.pth cannot be written", " "], ["m.pth cannot be written"]),
        ("failed", None, ["The export ended without a word: this server may lack memory."]),
        ("finished", ["W.", PROVEN, "A note.", PROVEN + "!", "B.", "-> x"], None),
    ],
)
def test_what_an_export_says(
    exports: Exports, state: Any, lines: list[str] | None, words: list[str] | None
) -> None:
    output = exports.folder / "one" / "t" / "m.pth"
    output.parent.mkdir(parents=True)
    output.write_bytes(b"12345")
    one = Export("t", "one", "timm", (), output, state)
    exports._all["t"] = one
    if lines is not None:
        said = "\n".join(lines).replace("FOLDER", str(output.parent))
        (exports.folder / "one" / "t.txt").write_text(said)
    card = exports.card("one", "t")
    done = state == "finished"
    assert card["words"] == ([PROVEN, PROVEN + "!", "B."] if done else words)
    assert (card["file"], card["bytes"]) == (("m.pth", 5) if done else ("", 0))
    if done:
        assert exports.file("one", "t") == output


def test_a_folder_is_offered_as_its_zip(exports: Exports) -> None:
    output = exports.folder / "one" / "t" / "m-transformers"
    exports._all["t"] = Export("t", "one", "transformers", (), output, "finished")
    assert exports.file("one", "t") == output.with_name("m-transformers.zip")


def test_an_export_waits_for_its_turn_and_for_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    answers = [True, True, False]

    def start(words: list[str], log: Path) -> int:
        done.append(("start", words, log.name, exports._all["t"].state))
        return 5

    exports = Exports(tmp_path, Weights(tmp_path), start)  # type: ignore[arg-type]
    exports._all["t"] = Export("t", "one", "timm", ("export", "m"), tmp_path / "o" / "t" / "m.pth")

    class Ended(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            done.append(timeout)
            return False

    exports._ended = Ended()
    monkeypatch.setattr(
        export_module, "is_running", lambda *what: done.append(what) or answers.pop(0)
    )
    with exports._turn:
        waiting = threading.Thread(target=exports._make, args=("t",))
        waiting.start()
        waiting.join(0.05)
        assert done == []
        assert exports._all["t"].state == "waiting"
    waiting.join(20)
    assert done == [
        ("start", ["export", "m"], "t.txt", "running"),
        *[(5, "t"), 0.2, (5, "t"), 0.2, (5, "t")],
    ]
    assert exports._all["t"].state == "failed", "nothing was written"


def test_an_export_is_made_by_a_thread_of_its_own(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []

    note_threads(monkeypatch, export_module, begun)
    token = exports.add("one", "m", "timm")["token"]
    assert begun == [{"target": exports._make, "args": (token,), "daemon": True}, "started"]


def test_at_the_end_what_is_being_made_may_take_two_seconds(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports.end()
    assert exports._ended.is_set()
    assert not exports._turn.locked(), "nothing was being made"
    waited: list[float] = []

    class Turn:
        def acquire(self, timeout: float) -> bool:
            waited.append(timeout)
            return False

    monkeypatch.setattr(exports, "_turn", Turn())
    exports.end()  # and what is not its own is not given back
    assert waited == [2.0]


def test_one_that_takes_too_long_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[Any] = []
    exports = Exports(tmp_path, Weights(tmp_path), lambda *_: 5)  # type: ignore[arg-type]
    exports._all["t"] = Export("t", "one", "timm", ("export",), tmp_path / "one" / "t" / "m.pth")
    moments = [0.0, 1800.0, 1800.1]
    clock = SimpleNamespace(monotonic=lambda: moments.pop(0), time=lambda: 0.0)
    monkeypatch.setattr(export_module, "time", clock)
    monkeypatch.setattr(export_module, "is_running", lambda *_: True)
    monkeypatch.setattr(export_module, "stop_process", lambda *what: stopped.append(what))
    exports._make("t")
    assert (stopped, moments) == ([(5, "t")], [])
    assert exports._all["t"].state == "failed"


def test_a_folder_that_was_written_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "one" / "t" / "m-transformers"

    def start(words: list[str], log: Path) -> int:
        output.mkdir(parents=True)
        (output / "config.json").write_text("{}")
        return 5

    exports = Exports(tmp_path, Weights(tmp_path), start)  # type: ignore[arg-type]
    exports._all["t"] = Export("t", "one", "transformers", ("export",), output)
    monkeypatch.setattr(export_module, "is_running", lambda *_: False)
    exports._make("t")
    assert exports._all["t"].state == "finished"
    assert [path.name for path in output.parent.iterdir()] == ["m-transformers.zip"]
    exports._ended.set()
    exports._all["t"] = Export("t", "one", "transformers", ("export",), output)
    exports._make("t")
    assert exports._all["t"].state == "waiting", "the server has ended"


def test_what_is_an_hour_old_and_unknown_goes(tmp_path: Path) -> None:
    exports = Exports(tmp_path, Weights(tmp_path))  # type: ignore[arg-type]
    exports._all["known"] = Export("known", "one", "timm", (), tmp_path, "running")
    now = time.time()
    for name, age in (("old", 3700), ("young", 3500), ("known", 9999)):
        for path in (tmp_path / "one" / name, tmp_path / "one" / f"{name}.txt"):
            path.mkdir(parents=True) if path.suffix == "" else path.write_text("x")
            if path.is_dir():
                (path / "a file").write_text("x")
            os.utime(path, (now - age, now - age))
    exports._sweep()
    left = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert left == ["known", "known.txt", "young", "young.txt"]
