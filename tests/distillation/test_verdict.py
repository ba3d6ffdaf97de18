"""distillation/verdict.py: what a run says of itself."""

import pytest

from dino_core.distillation.verdict import diagnose


def lines(values, steps=100, loss=1.0):
    return [
        {"step": i + 1, "steps": steps, "loss": loss, "agreement": {"cls": v, "patches": v / 2}}
        for i, v in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("rows", "kind", "words"),
    [
        ([{"step": 0, "knn": {}}], "nothing", "No step"),
        (lines([0.01] * 5), "early", "Too early"),
        (lines([0.01] * 60), "flat", "Not learning"),
        (lines([0.01] * 60, steps=1000), "early", "Too early"),  # a tenth of a long run
        (lines([0.01] * 101, steps=1000), "flat", "Not learning"),
        (lines([i / 100 for i in range(60)]), "learning", "rising"),
        (lines([0.5] * 60), "learning", "level"),
        (lines([0.15] * 60), "learning", "level"),  # one of the two says so
        (lines([0.2] * 40 + [0.6] * 20), "learning", "by 0.60 and its patches by 0.30"),
        (lines([0.9 - i / 100 for i in range(60)]), "learning", "falling"),
        (lines([0.5] * 30, loss=None), "nan", "not a number"),
    ],
)
def test_each_state_has_its_sentence(rows, kind, words):
    found = diagnose(rows)
    assert found.kind == kind
    assert words in found.message


def test_what_pieces_say_stands_beside_what_they_are_compared_with():
    def measured(step, cls, **more):
        facts = {"cls": cls, "pixels": 41.7, "chance": 12.5, "pictures": 8, **more}
        return {"step": step, "piece_knn": facts}

    steps = lines([0.5] * 60)
    rows = [measured(0, 40.6, teacher=96.9), *steps, measured(60, 80.2, teacher=96.9)]
    assert diagnose(rows).message.endswith(
        "tells from which of 8 pictures a piece is for 80 % of them (41 at its random start, 97 by "
        "the teacher, 42 by raw pixels, 12.5 by chance)."
    )
    assert "(42 by raw pixels, 12.5 by chance)" in diagnose([*steps, measured(60, 80.2)]).message
    assert "pieces" not in diagnose(steps).message


LEVEL = (
    "the student's class token agrees with the teacher's by {:.2f} and its patches by {:.2f}, "
    "where 0 is the same answer to every crop and 1 the teacher itself"
)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "No step has been made yet."),
        (lines([0.05] * 19, steps=100), f"Too early to say: {LEVEL.format(0.05, 0.025)}."),
        (
            lines([0.05] * 20, steps=100),
            f"Not learning: {LEVEL.format(0.05, 0.025)}. A lower rate or a longer warm-up usually "
            "helps.",
        ),
        (
            lines([0.1] * 39),
            f"Learning: {LEVEL.format(0.1, 0.05)}. The first is too short a row to see a trend.",
        ),
        (lines([0.1] * 40), f"Learning: {LEVEL.format(0.1, 0.05)}. The first is level."),
        (
            lines([9.0] * 7 + [0.5] * 20 + [0.5021] * 20),
            f"Learning: {LEVEL.format(0.5021, 0.25105)}. The first is rising.",
        ),
        (
            lines([0.5] * 20 + [0.5019] * 20),
            f"Learning: {LEVEL.format(0.5019, 0.25095)}. The first is level.",
        ),
        (
            lines([0.5] * 20 + [0.4979] * 20),
            f"Learning: {LEVEL.format(0.4979, 0.24895)}. The first is falling.",
        ),
    ],
)
def test_a_sentence_in_full(rows, words):
    assert diagnose(rows).message == words
