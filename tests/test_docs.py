"""README and docs/: what they show runs, what they name is there."""

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.__main__ import page, page_options
from dino_core.__main__ import build_parser

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NEEDS_A_SERVER = "docs/page.md"  # tests/app/test_endpoints.py has one


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python_blocks(path: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def command_lines(path: Path) -> list[list[str]]:
    """The arguments of each command that a page shows, less its comment."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"^    (?:python -m dino_core|inside-dinov2) ?([^#\n]*)", text, re.MULTILINE)
    found += re.findall(r"`(?:python -m dino_core|inside-dinov2) ([^`]+)`", text)
    return [shlex.split(line) for line in found if line.strip() and "COMMAND" not in line]


def test_there_are_pages_to_read() -> None:
    assert {"README.md", "docs/architecture.md", "docs/page.md"} <= set(map(name, PAGES))
    assert sum(len(command_lines(path)) for path in PAGES) > 15
    assert sum(len(python_blocks(path)) for path in PAGES) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in PAGES if python_blocks(path)], ids=name)
def test_python_runs_as_it_stands(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = python_blocks(path)
    if name(path) == NEEDS_A_SERVER:
        for block in blocks:
            compile(block, name(path), "exec")
        return
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}  # the blocks of a page go on from each other
    for block in blocks:
        exec(compile(block, name(path), "exec"), names)


@pytest.mark.parametrize("path", [path for path in PAGES if command_lines(path)], ids=name)
def test_commands_are_understood(path: Path) -> None:
    parser = build_parser([(page, page_options)])
    for arguments in command_lines(path):
        try:
            parser.parse_args([word.replace("NAME", "dinov2_vits14") for word in arguments])
        except SystemExit:
            pytest.fail(f"{name(path)}: {shlex.join(arguments)}")


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for path in PAGES:
        for target in re.findall(
            r"(?:^    |`)make ([a-z-]+)", path.read_text("utf-8"), re.MULTILINE
        ):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{name(path)}: make {target}"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (path.parent / link.split("#")[0]).exists(), f"{name(path)}: {link}"


def tree_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tree", ROOT / "docs" / "tree.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tree_is_up_to_date() -> None:
    tree = tree_module()
    assert tree.page() == tree.PAGE.read_text(encoding="utf-8"), "run python docs/tree.py"


def test_every_file_says_what_it_is() -> None:
    silent = [line.strip() for line in tree_module().tree().splitlines() if len(line.split()) == 1]
    assert silent == ["```text", "```"]
