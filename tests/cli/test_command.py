"""How words on a command line become values, and where results go: each limit from both sides."""

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dino_core.__main__ import build_parser
from dino_core.cli import command
from dino_core.cli.outputs import output_file, output_folder

TAKEN: list[tuple[Callable[[str], Any], str, Any]] = [
    (command.size, "native", "native"),
    (command.size, "1", 1),
    (command.size, "999999", 999_999),
    (command.size, "56x84", (56, 84)),
    (command.width, "column", "column"),
    (command.width, "page", "page"),
    (command.width, "30", 30.0),
    (command.width, "1000", 1000.0),
    (command.width, "89.5", 89.5),
    (command.grid, "2x16", (2, 16)),
    (command.patch, "3,0", (3, 0)),
    (command.count, "0", 0),
    (command.count, str(2**63 - 1), 2**63 - 1),
    (command.positive, "1", 1),
    (command.positive, str(2**63 - 1), 2**63 - 1),
    (command.ratio, "0", 0.0),
    (command.ratio, "1", 1.0),
    (command.ratio, "0.3", 0.3),
]
REFUSED: list[tuple[Callable[[str], Any], list[str]]] = [
    (command.size, ["0", "-1", "1000000", "56x", "x84", "56X84", "1.5", "056", "native ", ""]),
    (command.width, ["29.9", "1000.1", "nan", "inf", "wide", "", "-89"]),
    (command.grid, ["2,16", "2x", "-2x16", "2x16x3", ""]),
    (command.patch, ["3x7", "3,", "-3,7", "3,7,1", "3, 7"]),
    (command.count, ["-1", "1.5", "", "²", str(2**63)]),
    (command.positive, ["0", "-1", "1e3", "", str(2**63)]),
    (command.ratio, ["-0.01", "1.01", "nan", "30%", ""]),
]


@pytest.mark.parametrize(("read", "text", "value"), TAKEN)
def test_what_is_taken(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value
    assert type(read(text)) is type(value)


@pytest.mark.parametrize(("read", "texts"), REFUSED)
def test_what_is_refused_by_its_own_words(read: Callable[[str], Any], texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError) as refused:
            read(text)
        assert repr(text) in str(refused.value)


# --- what a help says is the default is the default


def options() -> list[tuple[str, argparse.Action]]:
    (commands,) = (
        one for one in build_parser()._actions if isinstance(one, argparse._SubParsersAction)
    )
    return [
        (name, action)
        for name, parser in commands.choices.items()
        for action in parser._actions
        if re.search(r"\bdefault: ", action.help or "")
    ]


def test_there_are_options_that_say_their_default() -> None:
    assert len(options()) > 60


# What is said in other words: the value, and those words.
WORDED: dict[tuple[str, str], tuple[Any, str]] = {
    ("compare", "layers"): ((-1, -1), "the last of each"),
    ("gallery", "threads"): (0, "all"),
}


@pytest.mark.parametrize(("name", "action"), options(), ids=lambda one: getattr(one, "dest", one))
def test_a_default_is_what_the_help_says(name: str, action: argparse.Action) -> None:
    said = re.search(r"\bdefault: ([^);:]+)", action.help or "")
    assert said is not None
    value = action.default
    if (name, action.dest) in WORDED:
        assert (value, said[1]) == WORDED[name, action.dest]
    elif value is not None and value is not argparse.SUPPRESS:  # which are settled later
        several = value if isinstance(value, list | tuple) else [value]
        several = [getattr(one, "view", one) for one in several]  # of a tray's column
        words = [f"{one:g}" if isinstance(one, float) else str(one) for one in several]
        forms = {join.join(words) for join in (" ", "x", ", ")}
        assert said[1].strip().split(",")[0].split(" (")[0] in forms or said[1].strip() in forms


# --- where results go


def test_a_file_goes_where_a_file_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert output_file(str(tmp_path / "new" / "a.CSV"), ".csv", ".npz").name == "a.CSV"
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    for path, words in (
        (tmp_path / "a.txt", "should end in .csv or .npz"),
        (tmp_path / "a", "should end in .csv or .npz"),
        (tmp_path / "folder.csv", "is a folder"),
        (tmp_path / "file" / "a.csv", "is a file: nothing can be written into it"),
        (tmp_path / "file" / "deep" / "a.csv", "is a file: nothing can be written into it"),
    ):
        with pytest.raises(ValueError, match=words):
            output_file(str(path), ".csv", ".npz")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match="may not be written to"):
        output_file(str(tmp_path / "new" / "a.csv"), ".csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.csv"], "none made"


def test_a_folder_is_no_file_and_does_not_look_like_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "v1.x").mkdir()
    for name in ("new", "v1.x", "version-1.5", "a/b/c"):
        assert output_folder(str(tmp_path / name)) == tmp_path / name
    for name in ("file", "out.csv", "deep/out.parquet"):
        with pytest.raises(ValueError, match="should be a folder"):
            output_folder(str(tmp_path / name))
    with pytest.raises(ValueError, match="is a file"):
        output_folder(str(tmp_path / "file" / "new"))
