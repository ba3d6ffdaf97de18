"""One convention for counting: from 0, as the model does it, wherever a person reads a number."""

import argparse
import re
from pathlib import Path

import pytest

import dino_core
from dino_core.__main__ import build_parser

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "app" / "page" / "text").rglob("*.md"))
DOCS = sorted((ROOT / "docs").glob("*.md"))
SCRIPTS = [
    path
    for path in sorted((ROOT / "static" / "js").rglob("*.js"))
    if "node_modules" not in path.parts and "test" not in path.parts
]
COUNTED = r"(?:layer|block|head|row|column|component|cluster|register|prototype|crop)s?"
# "layers 1 to 12", "heads 1, 2 and 3", "crop 1 and crop 2": a list or range that leaves out 0
FROM_ONE = re.compile(
    rf"\b{COUNTED} 1(?: to \d+|–\d+|,[\w ]*\d|,? and )|\bcounted from 1\b", re.IGNORECASE
)
PLACES = {"layer", "query", "block", "head", "row", "column", "component"}  # options that name one


def commands() -> dict[str, argparse.ArgumentParser]:
    for action in build_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("no commands")


def test_what_counts_from_one_is_recognised() -> None:
    for wrong in ("layers 1 to 12", "Heads 1, 2 and 3", "global crop 1, global crop 2"):
        assert FROM_ONE.search(wrong), wrong
    for right in ("layers 0 to 11", "head 0", "a layer of 12", "crops 0 and 1", "the first block"):
        assert not FROM_ONE.search(right), right


def test_the_convention_is_written_down() -> None:
    assert dino_core.__doc__ is not None
    for text in (
        dino_core.__doc__,
        *((ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("command-line", "python")),
    ):
        assert "Everything is counted from 0" in text


@pytest.mark.parametrize("path", [*LESSONS, *DOCS], ids=lambda path: path.stem)
def test_lessons_and_docs(path: Path) -> None:
    found = FROM_ONE.search(path.read_text(encoding="utf-8"))
    assert found is None, found


def test_words_of_the_page() -> None:
    """Also where a number is written into them: layer ${layer + 1}."""
    added = re.compile(rf"\b{COUNTED},? \$\{{[^}}]*\+ 1\}}", re.IGNORECASE)
    assert added.search("`head ${head + 1} of ${heads}`")
    assert len(SCRIPTS) > 100
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        for pattern in (FROM_ONE, added):
            found = pattern.search(text)
            assert found is None, f"{path.relative_to(ROOT)}: {found}"


@pytest.mark.parametrize("name", commands())
def test_help_of_a_command(name: str) -> None:
    command = commands()[name]
    found = FROM_ONE.search(command.format_help())
    assert found is None, found
    for action in command._actions:
        if action.dest in PLACES:
            assert "from 0" in (action.help or ""), (
                f"{name} --{action.dest} does not say from where"
            )
