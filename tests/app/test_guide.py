"""The words of the guide: how its files are read, and that what they ask for is there."""

import re
from pathlib import Path

import pytest

from app.guide import Stop, Term, read_glossary, read_path
from app.page.screens import SCREENS
from app.paths import STATIC, TEXT

LIVE = re.compile(r"\{(\w+)\.(\w+)\}")
OWN = ("picture", "attention", "cut")  # worked out by static/js/guide/numbers.js
TERM = "# Words\n\n## nat\nwords: nats\nformula: 1 nat\nnumber: {losses.dino} of them\nA unit.\n"


def numbers_of(group: str) -> set[str]:
    """The numbers that a text may name of a screen, or of the guide's own."""
    if group in OWN:
        source = (STATIC / "js" / "guide" / "numbers.js").read_text()
        return set(re.findall(r"^ {4}(\w+)[:,]", source, re.M))
    return set(re.findall(r"live-(\w+)", (TEXT / f"{group}.md").read_text()))


def test_a_term_is_read(tmp_path: Path) -> None:
    (tmp_path / "words.md").write_text(TERM)
    (term,) = read_glossary(tmp_path / "words.md")
    assert term == Term("nat", ["nat", "nats"], "A unit.", "1 nat", "{losses.dino} of them")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TERM + "\nAnd more.\n", "one paragraph, not 2"),
        ("## a\n", "one paragraph, not 0"),
        ("## a\nformulas: 1\nA.\n", "other lines"),
        (TERM + "\n## bit\nwords: Nats\nAnother.\n", "explains nats twice"),
    ],
)
def test_what_is_no_glossary_is_refused_in_a_sentence(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "words.md").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_glossary(tmp_path / "words.md")


def test_the_glossary_explains_what_a_student_is_lost_at() -> None:
    words = {word for term in read_glossary() for word in term.words}
    assert {
        *("nats", "ln K", "prototype", "KoLeo", "Sinkhorn-Knopp", "centring", "register"),
        *("rollout", "CKA", "trustworthiness", "length", "logit", "temperature", "class token"),
        *("patch", "softmax", "EMA", "k-NN", "PCA", "attention head"),
    } <= words
    for term in read_glossary():
        assert term.source, term.name
        assert term.formula, term.name
        assert term.sentence.count(". ") == 0, f"{term.name}: one sentence"
        assert set(term.screens) <= set(SCREENS), term.name


def test_every_number_that_the_guide_names_is_somewhere_computed() -> None:
    terms = [f"{term.sentence} {term.number}" for term in read_glossary()]
    source = (STATIC / "js" / "guide" / "drawing-parts.js").read_text()
    drawing = "".join(line for line in source.splitlines() if not line.startswith((" *", "/*")))
    stops = [" ".join([*one.before, one.question, *one.after]) for one in read_path()]
    named = {match for text in [*terms, *stops, drawing] for match in LIVE.findall(text)}
    assert len(named) > 30
    for group, name in sorted(named):
        assert name in numbers_of(group), f"{group}.{name}"


def test_every_stop_is_of_a_screen_and_asks_what_can_be_asked() -> None:
    folder = STATIC / "js" / "guide" / "questions"
    known = {
        name
        for file in folder.glob("*.js")
        for name in re.findall(r'^ {2}async "([\w-]+)"', file.read_text(), re.M)
    }
    stops = read_path()
    assert len({stop.name for stop in stops}) == len(stops) >= 24
    asked = [stop.asks for stop in stops if stop.asks]
    assert len(asked) >= 10
    assert set(asked) == known
    for stop in stops:
        assert stop.screen in SCREENS, stop.name
        assert (stop.done == "answered") == bool(stop.asks), stop.name
        sentences = sum(len(re.findall(r"[.?!](?: |$)", part)) for part in stop.before)
        assert 3 <= sentences + bool(stop.question) <= 8, (stop.name, sentences)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: a\n", "no head"),
        ("---\ntitle: a\nscreen: masks\n---\nA.\n", "does not say its part"),
        ("---\ntitle: a\nscreen: masks\npart: b\ncolour: c\n---\nA.\n", "other lines"),
        ("---\ntitle: a\nscreen: masks\npart: b\n---\n? Why?\n", "has 1 questions"),
        ("---\ntitle: a\nscreen: masks\npart: b\nasks: c\n---\nA.\n", "has 0 questions"),
    ],
)
def test_what_is_no_stop_is_refused_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "01-a.md").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_path(tmp_path)


def test_a_stop_is_read(tmp_path: Path) -> None:
    head = "title: Two\nscreen: masks\npart: .b\npress: A = b; C = d\nasks: e\ndone: answered"
    (tmp_path / "02-two.md").write_text(f"---\n{head}\n---\nA\nb.\n\n? Why?\n\n= So.\n")
    (stop,) = read_path(tmp_path)
    assert (stop.name, stop.press) == ("two", ["A = b", "C = d"])
    assert (stop.before, stop.question, stop.after) == (["A b."], "Why?", ["So."])


def test_every_part_of_a_term_and_of_a_stop_is_read(tmp_path: Path) -> None:
    """In the order of the files; a word may mean another thing on a screen of its own."""
    (tmp_path / "words.md").write_text(
        "Before the first.\n\n## a\nwords: b, c d\nformula: x_1\nnumber: {a.b}\nscreens: masks, \n"
        "source: paper\n\nOne\n  sentence.\n\n## e\nscreens: crops, masks\nwords: A\nTwo.\n\n"
        "## E f\n\nThree.\n"
    )
    assert read_glossary(tmp_path / "words.md") == [
        Term("a", ["a", "b", "c d"], "One sentence.", "x_1", "{a.b}", ["masks"], "paper"),
        Term("e", ["e", "A"], "Two.", screens=["crops", "masks"]),
        Term("E f", ["E f"], "Three."),
    ]
    (tmp_path / "words.md").write_text(
        "## b\n\nOne.\n\n## c\nwords: B, d\n\nTwo.\n\n## D\n\nThree.\n"
    )
    with pytest.raises(ValueError, match=r"^words\.md explains b, d twice: keep one\.$"):
        read_glossary(tmp_path / "words.md")
    stops = tmp_path / "stops"
    stops.mkdir()
    names = ("layer", "head", "patch", "covers")
    head = "".join(f"{name}: {name} of it\n" for name in names)
    (stops / "10-last-one.md").write_text(
        f"---\ntitle: A\nscreen: masks\npart: .b\npress: A = b;; C = d;\n{head}asks: e\n"
        "done: answered\n---\nOne.\n\nTwo\nlines.\n\n? Why\nthis?\n\n= So.\n\n= And so.\n"
    )
    (stops / "02-first.md").write_text("---\ntitle: A\nscreen: masks\npart: .b\n---\n")
    (stops / "notes.txt").write_text("no stop")
    first, last = read_path(stops)
    assert first == Stop("first", "A", "masks", ".b")
    assert last == Stop(
        "last-one",
        "A",
        "masks",
        ".b",
        layer="layer of it",
        head="head of it",
        patch="patch of it",
        press=["A = b", "C = d"],
        covers="covers of it",
        asks="e",
        done="answered",
        before=["One.", "Two lines."],
        question="Why this?",
        after=["So.", "And so."],
    )


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("title: A\n", "does not say its part, screen"),
        (
            "title: A\nscreen: b\npart: c\nno value\n",
            "The head of 1-a.md has other lines than asks",
        ),
        ("title: A\nscreen: b\npart: c\ntitle: B\n", "has other lines than"),
    ],
)
def test_a_head_is_lines_of_names_and_values(tmp_path: Path, head: str, words: str) -> None:
    (tmp_path / "1-a.md").write_text(f"---\n{head}---\nOne.\n")
    with pytest.raises(ValueError, match=words):
        read_path(tmp_path)
    (tmp_path / "1-a.md").write_text(f"words\n---\n{head}---\nOne.\n")
    with pytest.raises(ValueError, match="begins with no head between two rules"):
        read_path(tmp_path)
