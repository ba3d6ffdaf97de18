"""app/page/text: what the lessons say about the method is what its sources say."""

import re
from pathlib import Path

import pytest

from app.page.screens import SCREENS

TEXT = Path(__file__).resolve().parents[2] / "app" / "page" / "text"
LESSONS = {path.stem: path.read_text(encoding="utf-8") for path in TEXT.glob("*.md")}


@pytest.mark.parametrize("name", ["crops", "masks", "losses", "update", "step"])
def test_it_is_said_which_of_it_made_which_model(name: str) -> None:
    """Paper, section 5 and table 16: ViT-S, B and L were distilled from ViT-g."""
    lesson = LESSONS[name]
    (said,) = [part for part in lesson.split("\n\n") if part.startswith("*Who learned this way?*")]
    for words in ("ViT-g", "ViT-S, B and L", "*distilled*", "preview model", "saliency"):
        assert words in said, words
    own = {
        "crops": "the same crops",
        "masks": "without any masking",
        "losses": "none of them hidden",
        "update": "frozen, which no update moves",
        "step": "nothing was hidden",
    }
    assert own[name] in said
    sources = lesson.split("<small>Sources:")[1]
    assert "distillation" in sources
    assert "table 16" in sources


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_names_its_sources(name: str) -> None:
    assert LESSONS[name].rstrip().endswith("</small>")
    assert "<small>Sources:" in LESSONS[name]


def test_statements_that_were_wrong_stay_away() -> None:
    assert (
        "compared with both global ones, a global crop with the other one alone"
        in (LESSONS["crops"])
    )
    path = (TEXT / "path" / "03-part-and-whole.md").read_text(encoding="utf-8")
    assert "of both for a narrow crop, of the other one for a wide crop" in path
    assert "learned on one grid only" not in LESSONS["tokens"]
    assert "last 10 000 steps at 518 px" in LESSONS["tokens"]
    assert "last digit" not in LESSONS["attention"]
    assert "7.5" not in LESSONS["attention"]  # which has no attention maps
    assert "B.1" not in LESSONS["crops"]  # which has no augmentation
    assert "gain" in LESSONS["losses"]  # a logit is g times the cosine
    assert "our reading" in LESSONS["update"]


PART = re.compile(r'<div data-of="([a-z -]+)">\n\n(.*?)\n\n</div>', re.S)


@pytest.mark.parametrize(
    ("name", "views"),
    [
        ("tokens", {"patches", "positions", "blocks"}),
        ("attention", {"look", "ends", "rollout"}),
        ("features", {"colours", "depth", "pair", "map", "compare"}),
        ("training", {"pretraining", "distillation", "fine-tuning"}),
    ],
)
def test_a_lesson_has_something_to_say_of_each_view(name: str, views: set[str]) -> None:
    parts = [(set(match[1].split()), match[2]) for match in PART.finditer(LESSONS[name])]
    assert set().union(*(of for of, _ in parts)) == views
    assert LESSONS[name].count("data-of") == len(parts)
    assert LESSONS[name].count("<div") == LESSONS[name].count("</div>") == len(parts)


def test_a_labelled_run_is_not_told_of_collapse() -> None:
    told = "".join(text for of, text in PART.findall(LESSONS["training"]) if "fine-tuning" in of)
    assert "Accuracy" in told
    assert "collapse" not in told
    beside = PART.sub("", LESSONS["training"])
    assert "collapse" not in beside


def test_lessons_lead_to_each_other_and_to_no_screen_that_is_not_there() -> None:
    for name, lesson in LESSONS.items():
        ways = re.findall(r"\]\(#screen=(\w+)\)", lesson)
        assert len(ways) >= 2, name
        assert set(ways) <= set(SCREENS) - {name}, name


def test_the_yellow_square_is_explained_where_it_appears() -> None:
    told = "".join(text for of, text in PART.findall(LESSONS["attention"]) if "rollout" in of)
    assert "yellow square" in told
    assert "artifact" in told
    assert "attention sink" in told
