"""The alphabet of shapes: every letter in a shape is one that `dino_core` explains, once."""

import re
from pathlib import Path

import pytest

import dino_core

LIBRARY = sorted(Path(dino_core.__file__).parent.rglob("*.py"))
# A shape is a bracket of sizes: letters, numbers, names, +, *, /. `["K"]` and `list[T]` are none.
SHAPE = re.compile(r"(?<![\w\])\"'])\[(?!')([\w' +*/,()-]*)\]")
LETTER = re.compile(r"(?<![\w.])([A-Za-z])'?(?!\w)")


def alphabet() -> list[str]:
    """The letters that the docstring lists: each line has one or two columns of them."""
    assert dino_core.__doc__ is not None
    text = dino_core.__doc__.split("The alphabet of shapes")[1].split("Everything is counted")[0]
    columns = [part for line in text.splitlines() for part in re.split(r"\s{3,}", line)]
    return [letter for part in columns for letter in letters_before_words(part)]


def letters_before_words(entry: str) -> list[str]:
    """`H, W  pixels` -> H, W; a line of prose -> nothing."""
    found = re.match(r"((?:[A-Za-z], )*[A-Za-z])  \S", entry)
    return found[1].split(", ") if found else []


def shapes(text: str) -> list[str]:
    found = [match[1] for match in SHAPE.finditer(text)]
    return [
        shape for shape in found if not re.fullmatch(r"(\w-\w)+", shape)
    ]  # [a-z]: an expression


def test_the_alphabet_is_read() -> None:
    assert {"B", "H", "W", "T", "r", "c", "L", "Y", "d", "p", "k"} <= set(alphabet())
    assert letters_before_words("P  patches, h * w") == ["P"]
    assert shapes("[2 + L, B, K'] of list[T] and f(['K']) -> [B]") == ["2 + L, B, K'", "B"]
    assert shapes("re.sub('[A-Z]', '[a-zA-Z]', [H-1])") == []


def test_no_letter_is_listed_twice() -> None:
    assert len(set(alphabet())) == len(alphabet())


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.name)
def test_shapes_are_written_in_it(path: Path) -> None:
    known = set(alphabet())
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for shape in shapes(line):
            unknown = {x for x in LETTER.findall(shape) if x.isupper()} - known
            assert not unknown, f"{path.name}:{number}: {unknown} in [{shape}] is no letter of ours"
