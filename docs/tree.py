"""Writes the tree in architecture.md: every file of the packages with its first sentence.

python docs/tree.py           write it anew
python docs/tree.py --check   exit code 1 when it is out of date
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- tree: written by docs/tree.py -->\n", "<!-- end of tree -->\n"
COLUMN = 30  # where the sentences begin


def tree() -> str:
    """The packages as a code block of Markdown."""
    lines = [line for package in ("dino_core", "app") for line in branch(ROOT / package, "")]
    return "```text\n" + "\n".join(lines) + "\n```\n"


def branch(folder: Path, indent: str) -> Iterator[str]:
    """A package: itself, its files, then the packages in it."""
    yield entry(f"{indent}{folder.name}/", folder / "__init__.py")
    inner = indent + "  "
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            yield entry(f"{inner}{path.name}", path)
    for path in sorted(folder.iterdir()):
        if (path / "__init__.py").is_file():
            yield from branch(path, inner)


def entry(name: str, file: Path) -> str:
    return f"{name:{COLUMN}}{first_sentence(file)}".rstrip()


def first_sentence(file: Path) -> str:
    """The first sentence of a module's docstring, without its full stop."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return paragraph.split(". ")[0].rstrip(".:")


def page() -> str:
    """architecture.md with the tree as it is now."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return before + BEGIN + "\n" + tree() + "\n" + END + rest.split(END)[1]


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(page() != PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(page(), encoding="utf-8")
