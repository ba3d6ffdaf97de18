"""The words of the guide: the glossary and the stops of the path, read from app/page/text.

A term of the glossary is a heading, some `name: value` lines and one sentence. A stop is a file:
such lines between two rules, then paragraphs; one that begins with "? " is a question, those that
begin with "= " wait for its answer. `{screen.name}` in either stands for a number of the visitor's
own, which the page fills in: nothing that depends on a picture is written into a file.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from app.paths import TEXT

GLOSSARY = TEXT / "guide" / "glossary.md"
PATH = TEXT / "path"
TERM_FIELDS = {"words", "formula", "number", "screens", "source"}
STOP_FIELDS = {
    "title", "screen", "layer", "head", "patch", "press", "part", "covers", "asks", "done",
}  # fmt: skip
RULE = "---\n"
LINE = re.compile(r"([a-z]+): *(\S.*)")


@dataclass(frozen=True)
class Term:
    """A word that the lessons use, and what it means."""

    name: str
    words: list[str]  # how it is written in the lessons, its name among them
    sentence: str
    formula: str = ""  # x_i and x^{2} are set low and high
    number: str = ""  # a sentence with the visitor's own number
    screens: list[str] = field(default_factory=list)  # whose lessons mark it; [] for all
    source: str = ""


@dataclass(frozen=True)
class Stop:
    """One stop of the path: where the page goes, what it shows, and what is said of it."""

    name: str  # of its file, without the number that orders it
    title: str
    screen: str
    part: str  # CSS selector on the screen: what the stop is about; all else is dimmed
    layer: str = ""  # "first", "last" or a number; "" leaves what is selected
    head: str = ""  # "mean" or a number
    patch: str = ""  # "class", "middle" or "corner"
    press: list[str] = field(default_factory=list)  # "GROUP = VALUE": buttons that are pressed
    covers: str = ""  # CSS selector: what would tell the answer too early
    asks: str = ""  # name of a question of static/js/guide/questions
    done: str = "read"  # what completes it: "read" or "answered"
    before: list[str] = field(default_factory=list)  # paragraphs
    question: str = ""
    after: list[str] = field(default_factory=list)  # paragraphs that wait for the answer


def read_glossary(file: Path = GLOSSARY) -> list[Term]:
    """The terms in their order. ValueError for a file that is not a glossary."""
    parts = f"\n{file.read_text(encoding='utf-8')}".split("\n## ")[1:]
    terms = [_term(part) for part in parts]
    words = [word.lower() for term in terms for word in term.words if not term.screens]
    if twice := sorted({word for word in words if words.count(word) > 1}):
        raise ValueError(f"{file.name} explains {', '.join(twice)} twice: keep one.")
    return terms


def read_path(folder: Path = PATH) -> list[Stop]:
    """The stops in the order of their files. ValueError for a file that is not a stop."""
    return [_stop(file) for file in sorted(folder.glob("*.md"))]


def _term(text: str) -> Term:
    name, *lines = text.strip().split("\n")
    values = _values([line for line in lines if LINE.fullmatch(line)], TERM_FIELDS, name)
    body = _paragraphs("\n".join(line for line in lines if not LINE.fullmatch(line)))
    if len(body) != 1:
        raise ValueError(f"The term {name!r} has one paragraph, not {len(body)}.")
    words, screens = (_parts(values.pop(part, ""), ",") for part in ("words", "screens"))
    return Term(name=name, words=[name, *words], sentence=body[0], screens=screens, **values)


def _stop(file: Path) -> Stop:
    empty, head, text = [*file.read_text(encoding="utf-8").split(RULE, 2), "", ""][:3]
    if empty.strip() or not head:
        raise ValueError(f"{file.name} begins with no head between two rules.")
    values = _values(head.strip().split("\n"), STOP_FIELDS, file.name)
    if missing := sorted({"title", "screen", "part"} - set(values)):
        raise ValueError(f"{file.name} does not say its {', '.join(missing)}.")
    body = _paragraphs(text)
    questions = [one[2:] for one in body if one.startswith("? ")]
    if len(questions) != int("asks" in values):
        raise ValueError(f"{file.name} has {len(questions)} questions: one if it asks, or none.")
    return Stop(
        name=file.stem.partition("-")[2],
        press=_parts(values.pop("press", ""), ";"),
        before=[one for one in body if one[:2] not in ("? ", "= ")],
        question="".join(questions),
        after=[one[2:] for one in body if one.startswith("= ")],
        **values,
    )


def _values(lines: list[str], known: set[str], where: str) -> dict[str, str]:
    """`name: value` lines by their names."""
    found = [match for line in lines if (match := LINE.fullmatch(line.strip()))]
    values = {match[1]: match[2] for match in found}
    if len(values) != len(lines) or not set(values) <= known:
        raise ValueError(f"The head of {where} has other lines than {', '.join(sorted(known))}.")
    return values


def _paragraphs(text: str) -> list[str]:
    """Blocks between empty lines, each as one line."""
    return [" ".join(block.split()) for block in text.split("\n\n") if block.strip()]


def _parts(text: str, sign: str) -> list[str]:
    return [part.strip() for part in text.split(sign) if part.strip()]
