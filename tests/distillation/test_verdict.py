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
