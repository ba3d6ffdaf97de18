"""static/css: one set of sizes, radii, colours and breakpoints, in tokens.css."""

import re
from pathlib import Path

import pytest

from app.page.theme import SHEETS, css

FOLDER = Path(__file__).resolve().parent.parent / "static" / "css"
FILES = sorted(FOLDER.rglob("*.css"))
TOKENS = (FOLDER / "tokens.css").read_text(encoding="utf-8")
OTHERS = [path for path in FILES if path.name != "tokens.css"]


def declarations(path: Path, name: str) -> list[str]:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(rf"(?<![\w-]){name}:\s*([^;]+);", text)


def test_the_page_is_given_every_sheet() -> None:
    text = css()
    assert {path.stem for path in FOLDER.glob("*.css")} == set(SHEETS)
    for path in FILES:
        assert path.read_text(encoding="utf-8") in text
    assert text.startswith(TOKENS)


def test_tokens_are_few_and_all_used() -> None:
    names = re.findall(r"^\s+(--[\w-]+):", TOKENS, re.MULTILINE)
    assert len({name for name in names if name.startswith("--type-")}) == 5
    assert len({name for name in names if name.startswith("--round-")} - {"--round-pill"}) == 3
    text = css()
    assert [name for name in names if f"var({name})" not in text and name not in script()] == []


def script() -> str:
    """What the page's scripts say, which use colours as well."""
    folder = FOLDER.parent / "js"
    paths = (path for path in folder.rglob("*.js") if "node_modules" not in path.parts)
    return "".join(path.read_text(encoding="utf-8") for path in paths)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_sizes_radii_and_colours_are_tokens(path: Path) -> None:
    for size in declarations(path, "font-size"):
        in_a_drawing = re.fullmatch(r"0?\.\d+px", size)  # user units of an SVG of patches
        assert in_a_drawing or size == "inherit" or re.fullmatch(r"var\(--type-\w+\)", size), size
    for radius in declarations(path, "border-radius"):
        for word in re.sub(r"calc\(([^ ]+) - 1px\)", r"\1", radius).split():
            assert word in ("0", "50%") or re.fullmatch(r"var\(--round-\w+\)", word), radius
    without_pictures = re.sub(r'url\("[^"]*"\)', "", path.read_text(encoding="utf-8"))
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*[;}])|rgba?\(|hsla?\(", without_pictures) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_page_breaks_at_four_widths(path: Path) -> None:
    queries = " ".join(re.findall(r"@media ([^{]+)", path.read_text(encoding="utf-8")))
    assert set(re.findall(r"max-width: (\w+)", queries)) <= {"1199px", "1100px", "860px", "560px"}
    assert set(re.findall(r"min-width: (\w+)", queries)) <= {"1200px", "1101px", "861px", "561px"}


def test_important_stands_only_against_styles_on_the_element_and_for_what_is_hidden() -> None:
    counts = {path.stem: len(declarations(path, r"[\w-]+")) for path in FILES}
    assert all(counts.values())
    important = {
        path.name: [value for value in declarations(path, r"[\w-]+") if "!important" in value]
        for path in FILES
    }
    assert {name for name, values in important.items() if values} <= {
        "base.css",
        "rail.css",
        "lesson.css",
    }
    assert sum(map(len, important.values())) <= 8
