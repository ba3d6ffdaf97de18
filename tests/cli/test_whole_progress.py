"""What long commands say on their way: galleries, parts of several processes, downloads."""

import re
from argparse import Namespace
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_commands import run
from tiny_runs import coloured, files

from dino_core.cli import parts
from dino_core.cli.gallery import Watch
from dino_core.cli.parts import (
    Log,
    Tally,
    folder_of_parts,
    names_folder,
    parts_sentence,
    several_processes,
    tallies_sentence,
)

Said = pytest.CaptureFixture[str]


# --- a gallery


def test_a_gallery_s_state_is_said_once_and_its_pictures_are_a_bar(capsys: Said) -> None:
    watch = Watch()
    watch({"state": "starting", "words": "It begins."})
    watch({"state": "starting", "words": "It begins."})
    watch({"state": "embedding", "words": "Looking."})
    watch({"state": "embedding", "words": "", "done": 2, "total": 8})
    watch({"state": "embedding", "words": "", "done": 6, "total": 8})
    watch({"state": "mapping", "words": "Maps.", "doing": "t-SNE"})
    watch({"state": "mapping", "words": "Maps.", "doing": None})
    watch({"state": "stopped", "words": "Stopped."})
    watch({"state": "failed", "words": "Failed."})
    said = capsys.readouterr().err
    bar, lines = said.split("\r")[1:], re.sub(r"\r[^\n]*", "", said)
    assert lines.splitlines() == ["It begins.", "Looking.", "", "t-SNE", "Maps."]
    assert bar[0].startswith("gallery:  25%")
    assert "6/8" in bar[-1]
    assert "gallery:" in bar[-1]
    watch.close()
    watch.close()


@pytest.mark.parametrize(
    ("classes", "words"), [(["a", "b"], "1,234 pictures in 2 classes"), ([], "1,234 pictures")]
)
def test_a_gallery_that_is_ready(
    classes: list[str],
    words: str,
    tmp_path: Path,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Store:
        def __init__(self, folder: Path) -> None:
            self.folder = folder

        def state(self) -> dict[str, Any]:
            return {"broken": [("x.png", "Broken.")], "broken_count": 9, "words": "Half way."}

        def facts(self) -> dict[str, Any]:
            return {"classes": classes, "title": "Model"}

        def count(self) -> int:
            return 1234

    ends = iter(["ready", "interrupted", "stopped"])
    monkeypatch.setattr("dino_core.gallery.build.build", lambda *_: next(ends))
    monkeypatch.setattr("dino_core.gallery.folder.GalleryFolder", Store)
    data, out = files(tmp_path / "data", coloured(1) | {"a.txt": b"words"}), tmp_path / "g"
    ran = run(capsys, "gallery", data, "--output", out)
    assert (ran.code, ran.out) == (0, [f"{words} -> {out} (Model)"])
    assert ran.err[0].startswith("data: 1 file was left out (a.txt)")
    assert ran.err[1:] == [
        "Left out were 9 that cannot be used:",
        "  x.png: Broken.",
        "  and 4 more, named in the file.",
    ]
    files(out, {"config.json": b"{}"})
    for code in (130, 0):
        ran = run(capsys, "gallery", data, "--output", out)
        assert ran.code == code
        assert ran.out == [f"Half way. The same command does it: {out} has what was done."]
        assert ran.err[0].startswith("Left out"), "folders are told of at the beginning alone"


# --- several processes


def test_one_process_or_several(monkeypatch: pytest.MonkeyPatch) -> None:
    for size, several in ((None, False), ("1", False), ("2", True)):
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        if size:
            monkeypatch.setenv("WORLD_SIZE", size)
        assert several_processes() is several


def test_what_names_a_folder_of_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "there.parquet").mkdir()
    (tmp_path / "file").touch()
    for text, is_folder in (
        ("a", True),
        ("a.parquet", False),
        (str(tmp_path / "there.parquet"), True),
        ("~/there.parquet", True),
        ("~/a.npz", False),
    ):
        assert names_folder(text) is is_folder, text
    assert folder_of_parts("~/new") == tmp_path / "new"
    assert (tmp_path / "new").is_dir()
    for text, words in (("~/a.npz", "would be one file"), ("~/file", "is a file")):
        with pytest.raises(ValueError, match=words):
            folder_of_parts(text)


def test_sentences_on_parts_and_processes() -> None:
    assert parts_sentence(8, 8, 1) == "8 parts by 1 process."
    assert parts_sentence(1234, 1234, 2) == "1,234 parts by 2 processes."
    assert parts_sentence(3, 1008, 2) == (
        "1,005 of 1,008 parts are there; the other 3 by 2 processes."
    )
    assert tallies_sentence([Tally(0, "a", 0, 1.0, 0.0)]) == "All parts were there."
    assert tallies_sentence([Tally(0, "a", 1500, 4.0, 1.0)]) == (
        "1,500 pictures in 4.0 s, 375.0 a second; 25 % of the time was spent waiting for files."
    )


def test_the_log_is_the_first_process_s(
    tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "_job").mkdir()
    for part in range(3):
        (tmp_path / f"part-0000{part}.parquet").touch()
    now = [100.0]
    monkeypatch.setattr(parts.time, "monotonic", lambda: now[0])
    first, other = Log(tmp_path, True, now[0]), Log(tmp_path, False, now[0])

    class Some:
        folder = tmp_path

        def __len__(self) -> int:
            return 1008

    some: Any = Some()
    first.write("Begun.")
    other.write("Nothing.")
    for seconds in (5.0, 5.0, 0.5, 9.0, 1.0):  # a line when more than ten have passed
        now[0] += seconds
        first.report("embed", some, 30, 4.0)
        other.report("embed", some, 30, 4.0)
    line = "embed: 3 of 1,008 parts are there; this process: 7.5 pictures a second."
    assert capsys.readouterr().err.splitlines() == ["Begun.", line]
    first.write("Done.")
    written = (tmp_path / "_job" / "log.txt").read_text(encoding="utf-8").splitlines()
    assert [one[20:] for one in written] == ["Begun.", line, "Done."]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", one) for one in written)


@pytest.mark.parametrize("keeps", [True, False])
def test_an_evaluation_in_parts(
    keeps: bool, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features by all processes into one folder each; what is made of them by the first."""
    from dino_core.cli import evaluate

    calls: list[Any] = []
    folder = tmp_path / "f.features"
    folder.mkdir()

    class Work:
        made = ("train set", "test set")
        backbone = "backbone"

        def embed(self, pictures: str, where: Path, what: str, *, layers: bool) -> str | None:
            calls.append((pictures, where, what, layers))
            return what if first else None

    @contextmanager
    def work(args: Namespace, make: Any) -> Any:
        yield Work()

    judged: list[Any] = []
    monkeypatch.setattr(evaluate, "work_in_parts", work)
    monkeypatch.setattr(evaluate, "judge", lambda *a: judged.append(a[1:]))
    words = ["evaluate", "--train", "a", "--test", "b", "--method", "linear"]
    words += ["--output", str(tmp_path / "f.json"), *([] if keeps else ["--no-cache"])]
    for first in (False, True):
        assert run(capsys, *words).code == 0
        assert calls[-2:] == [
            ("train set", folder / "train", "train", True),
            ("test set", folder / "test", "test", True),
        ]
        assert len(judged) == first
        assert folder.exists() == (keeps or not first)
    assert judged[0][1:] == ("train", "test", "backbone")


# --- downloads


def test_a_download_s_bar(capsys: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def download(name: str, *, progress: Any) -> Path:
        for received in (300, 500, 2000):
            progress(received, 4000)
        return tmp_path / name

    monkeypatch.setattr("dino_core.weights.download", download)
    clock = iter(range(0, 1000, 2))  # every look at the clock takes two seconds
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
    ran = run(capsys, "models", "--download", "name")
    assert ran.out == [f"name is at {tmp_path / 'name'}"]
    last = ran.err[-1].split("\r")[-1]
    assert last.startswith("name:  50%")
    assert "2.00k/4.00k" in last
    assert "B/s]" in last


def test_the_list_of_models(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    def model(name: str, path: str | None) -> Any:
        numbers = {"parameters": 1234567, "megabytes": 12, "url": "https://there"}
        words = {"title": name.upper(), "source": "Somebody", "licence": "Free"}
        return SimpleNamespace(name=name, path=path, **numbers, **words)

    monkeypatch.setattr("dino_core.weights.catalogue", lambda: [model("a", None), model("b", "/b")])
    monkeypatch.setattr("dino_core.weights.default_model", lambda: "b")
    assert run(capsys, "models").out == [
        "a: A, 1,234,567 parameters",
        "    weights: not here: 12 MB from https://there",
        "    source: Somebody; licence: Free",
        "b (default): B, 1,234,567 parameters",
        "    weights: /b",
        "    source: Somebody; licence: Free",
    ]
