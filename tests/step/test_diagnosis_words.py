"""step/diagnosis.py: the sentences in full, with the numbers they are made of."""

import math
from typing import Any

import pytest

from dino_core.step.diagnosis import Diagnosis, Teacher, diagnose, has_collapsed, settling

K = 64  # prototypes


def line(step: int, ratio: float = 0.9, **measured: Any) -> dict[str, Any]:
    """Of a run of 400 steps; `ratio` of ln K, two thirds of which are local crops'."""
    looked = {
        "teacher_entropy": {"dino": measured.get("flat", 0.6)},
        "teacher_entropy_marginal": {"dino": measured.get("marginal", 0.95)},
        "commonest_prototype": {"dino": measured.get("commonest", 0.05)},
        "cosine": measured.get("cosine", 0.3),
        "effective_rank": measured.get("rank", 20.0),
        "effective_rank_limit": 23,
        "pictures": measured.get("pictures", 24),
    }
    return {
        "step": step,
        "steps": 400,
        "loss": 1.0,
        "logged": {"dino_local_crops_loss": 2 * ratio, "dino_global_crops_loss": ratio},
        "uniform": {"dino_local_crops_loss": 2.0, "dino_global_crops_loss": 1.0},
        "ln_k": {"dino": math.log(K)},
        "measured": looked,
    }


def lines(count: int = 60, **same: Any) -> list[dict[str, Any]]:
    return [line(step, **same) for step in range(1, count + 1)]


def without(names: tuple[str, ...], some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As older runs noted them."""
    for one in some:
        for name in names:
            one.pop(name, None)
            one["measured"].pop(name, None)
    return some


def unmeasured(one: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "measured"}]


ALIKE = (
    "all pictures look the same to the teacher (mean cosine of their class tokens 0.999, its "
    "answers differ by 0.35 of ln K)."
)


@pytest.mark.parametrize(
    ("some", "kind", "words"),
    [
        ([], "nothing", "No step has been made yet."),
        (
            [*lines(3), line(4) | {"loss": None}],
            "nan",
            "The loss is not a number: the run cannot learn from here on.",
        ),
        (
            unmeasured(line(1, ratio=1.2)),
            "early",
            "The DINO loss is above ln K (1.20 of it), worse than uniform output. Nothing else has "
            "been measured yet.",
        ),
        (
            lines(99, ratio=0.99),
            "early",
            "Too early to say: the DINO loss sits at ln K (0.990 of it), as for uniform output.",
        ),
        (
            lines(100, ratio=0.99),
            "flat",
            "Not learning: the DINO loss sits at ln K (0.990 of it), as for uniform output. The "
            "teacher is not flat (0.60 of ln K), so the student has something to learn: try a "
            "higher rate or a longer warm-up.",
        ),
        (
            lines(39),
            "learning",
            "Learning: the DINO loss is at 0.90 of ln K. It is too short a row to see a trend; the "
            "teacher's entropy is 0.60 of ln K for a picture and 0.95 over all.",
        ),
        (
            lines(40),
            "learning",
            "Learning: the DINO loss is at 0.90 of ln K. It is level; the teacher's entropy is "
            "0.60 of ln K for a picture and 0.95 over all.",
        ),
        (
            lines(commonest=0.75, flat=0.125, marginal=0.3),
            "one-prototype",
            "Collapsed to one prototype: the teacher gives nearly every picture the same answer "
            "(one prototype gets 75 % of what it says, the entropy over all pictures is 0.30 of ln "
            "K, where 1 is even use). Centring is missing or too weak.",
        ),
        (
            without(("commonest_prototype",), lines(flat=0.125, marginal=0.2)),
            "one-prototype",
            "Collapsed to one prototype: the teacher gives nearly every picture the same answer "
            "(one prototype gets what it says, the entropy over all pictures is 0.20 of ln K, "
            "where 1 is even use). Centring is missing or too weak.",
        ),
        (
            lines(commonest=0.25, flat=0.25, marginal=0.5),
            "few-prototypes",
            "Collapsed to few prototypes: the teacher gives several pictures the same answer (for "
            "24 different pictures its answers fall on 8.0 of 64 prototypes, by the entropy over "
            "all pictures, 25 % on one of them). Centring is missing or too weak.",
        ),
        (
            lines(flat=0.98, marginal=1.0, ratio=1.0),
            "uniform",
            "Collapsed to uniform: the teacher's targets are flat (0.98 of ln K for each picture) "
            "and the DINO loss sits at ln K (1.000 of it), as for uniform output. A lower teacher "
            "temperature, fewer prototypes or prototypes that start further apart help.",
        ),
        (lines(cosine=0.999), "same", f"Collapsed: {ALIKE}"),
        (
            lines(flat=0.95, marginal=0.94),
            "same",
            "Collapsed: all pictures look the same to the teacher (mean cosine of their class "
            "tokens 0.300, its answers differ by 0.00 of ln K).",
        ),
        (
            lines(rank=4.5),
            "dimensional",
            "Collapsed in dimension: the class tokens of 24 pictures spread over 4.5 directions "
            "(effective rank), and fewer than 4.6 cannot tell so many apart by their sides alone. "
            "KoLeo is missing or too weak, or the rate is too high.",
        ),
        (
            lines(19, cosine=0.999, rank=4.5),
            "early",
            f"Too early to say, after 19 steps: so far {ALIKE} And the class tokens of 24 pictures "
            "spread over 4.5 directions (effective rank), and fewer than 4.6 cannot tell so many "
            "apart by their sides alone.",
        ),
        (
            without(("pictures",), lines(rank=4.5)),
            "dimensional",
            "Collapsed in dimension: the class tokens of 24 pictures spread over 4.5 directions "
            "(effective rank), and fewer than 4.6 cannot tell so many apart by their sides alone. "
            "KoLeo is missing or too weak, or the rate is too high.",
        ),
    ],
)
def test_a_sentence_for_every_state(some: list[dict[str, Any]], kind: Any, words: str) -> None:
    assert diagnose(some) == Diagnosis(kind, words)
    assert has_collapsed(some) == ("ollapsed" in words or "so far" in words)


@pytest.mark.parametrize(
    ("change", "word"),
    [(-0.0021, "falling"), (-0.0019, "level"), (0.0019, "level"), (0.0021, "rising")],
)
def test_a_trend_is_twenty_steps_against_the_twenty_before(change: float, word: str) -> None:
    row = [line(i, ratio=5.0) for i in range(7)]
    row += [line(i, ratio=0.8) for i in range(7, 27)]
    row += [line(i, ratio=0.8 + change) for i in range(27, 47)]
    assert f"It is {word};" in diagnose(row).message


def test_what_is_measured_is_the_mean_of_the_newest_five() -> None:
    """Past the first steps; a number counts where all five have it."""
    row = [line(30 + i, flat=0.1 * i, rank=float(i), pictures=10 + i) for i in range(8)]
    found = Teacher.of(row)
    assert found is not None
    assert (found.flat, found.rank, found.pictures) == pytest.approx((0.5, 5.0, 15.0))
    assert found.prototypes == pytest.approx(K)
    assert found.used == pytest.approx(K**0.95)
    row[-2]["measured"]["effective_rank"] = None
    missing = Teacher.of(row)
    assert missing is not None
    assert missing.rank is None
    assert missing.flat == pytest.approx(0.5)
    assert Teacher.of([{"step": 3}]) is None


@pytest.mark.parametrize(
    ("steps", "first"), [(0, 20), (400, 20), (401, 20.05), (20_000, 1000), (30_000, 1000)]
)
def test_how_long_a_run_settles(steps: int, first: float) -> None:
    assert settling(steps) == pytest.approx(first)
