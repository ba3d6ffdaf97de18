"""runs/notes.py: what a person calls a run."""

import json
from pathlib import Path

import pytest
from tiny_runs import noted_run

from dino_core.__main__ import main
from dino_core.runs.notes import FILE, MOST, Notes, read_notes, write_notes


def test_words_are_kept_one_by_one(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == Notes()
    write_notes(tmp_path, {"name": "Birds", "pictures": "garden.zip"})
    assert write_notes(tmp_path, {"note": "too few"}) == Notes("Birds", "too few", "garden.zip")
    assert write_notes(tmp_path, {"name": ""}).name == ""
    assert read_notes(tmp_path) == Notes("", "too few", "garden.zip")


@pytest.mark.parametrize("field", MOST)
def test_as_many_letters_are_kept_as_are_allowed(tmp_path: Path, field: str) -> None:
    words = {field: "x" * MOST[field]}
    write_notes(tmp_path, words)
    assert read_notes(tmp_path) == Notes(**words)
    with pytest.raises(ValueError, match=f"at most {MOST[field]} are kept"):
        write_notes(tmp_path, {field: words[field] + "x"})


def test_what_nobody_sees_is_left_out(tmp_path: Path) -> None:
    """Control characters, and marks by which a name would be read backwards."""
    odd = "  <b>two\n lines</b>\x00\u202egpj.exe\u200b\ud800 "
    assert write_notes(tmp_path, {"name": odd}).name == "<b>two lines</b>gpj.exe"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"owner": "me"}, "no 'owner'"),
        ({"name": 3}, "must be a text"),
        ({"name": None}, "must be a text"),
        ({"note": "x" * 501}, "has 501 characters: at most 500"),
    ],
)
def test_what_cannot_be_noted_is_said_and_nothing_changes(
    tmp_path: Path, words: dict[str, object], said: str
) -> None:
    write_notes(tmp_path, {"name": "Birds"})
    with pytest.raises(ValueError, match=said):
        write_notes(tmp_path, {"pictures": "other"} | words)
    assert read_notes(tmp_path) == Notes("Birds")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"name": 3}', '{"name": null}'])
def test_a_damaged_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert read_notes(tmp_path) == Notes()


def test_too_long_a_name_that_somebody_wrote_there_is_cut(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"name": "x" * 999}))
    assert read_notes(tmp_path).name == "x" * MOST["name"]


def test_the_command_notes_and_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = noted_run(tmp_path / "runs" / "a", "tiny", 8)
    assert main(["runs", str(folder), "--name", "Birds", "--note", "a first try"]) == 0
    assert main(["runs", str(tmp_path / "runs")]) == 0
    assert "Birds, a first try" in capsys.readouterr().out
    assert main(["runs", str(tmp_path), "--name", "Birds"]) != 0
    assert "holds no run" in capsys.readouterr().err
