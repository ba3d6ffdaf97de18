"""figures/runs.py: each run where it belongs, smoothed as by a plain loop, none lost."""

import math

import pytest

from dino_core.figures.runs import MOST, Run, measured, places, runs_together, smoothed
from dino_core.scenes import runs_together as together


def lines(values: list[float | None], every: int = 10) -> list[dict]:
    return [
        {"step": every * i, "loss": value, "seconds": 3.0, "logged": {"ibot_loss": value}}
        for i, value in enumerate(values)
    ]


ONE = Run("one", lines([4.0, 2.0, None, 1.0]), batch=8, pictures=40)
OTHER = Run("other", lines([9.0, 3.0], every=20), batch=32, pictures=64)


@pytest.mark.parametrize(
    ("axis", "one", "other"),
    [
        ("step", [0, 10, 30], [0, 20]),
        ("pictures", [0, 80, 240], [0, 640]),
        ("epoch", [0, 2, 6], [0, 10]),
        ("minutes", [0.05, 0.1, 0.2], [0.05, 0.1]),
    ],
)
def test_each_axis_counts_what_it_says(axis, one, other) -> None:
    first, second = runs_together([ONE, OTHER], "loss", axis=axis).data
    assert list(first.x) == pytest.approx(one)
    assert list(first.y) == [4, 2, 1], "what was not measured is no point"
    assert list(second.x) == pytest.approx(other)
    assert (first.name, second.name) == ("one", "other")
    assert first.line.color != second.line.color


def test_so_many_lines_are_told_apart_by_colour_and_dashes() -> None:
    figure = runs_together([ONE] * MOST, "loss", smoothing=0.5)
    smooth = [trace for trace in figure.data if trace.showlegend]
    assert len({(trace.line.color, trace.line.dash) for trace in smooth}) == MOST == 24
    assert {trace.line.dash for trace in smooth[:6]} == {"solid"}
    for raw, average in zip(figure.data[::2], figure.data[1::2], strict=True):
        assert (raw.line.color, raw.line.dash) == (average.line.color, average.line.dash)


def test_smoothing_is_that_of_a_plain_loop() -> None:
    values, weight = [5.0, 1.0, 2.0, 8.0], 0.7
    for count, found in enumerate(smoothed(values, weight), start=1):
        parts = [weight ** (count - 1 - i) for i in range(count)]
        expected = sum(p * v for p, v in zip(parts, values, strict=False)) / sum(parts)
        assert found == pytest.approx(expected)
    assert smoothed([3.0] * 5, 0.9) == pytest.approx([3.0] * 5)


def test_what_was_measured_stays_to_be_seen_behind_what_is_smoothed() -> None:
    raw, smooth = runs_together([ONE], "loss", smoothing=0.5, log=True).data
    assert list(raw.y) == [4, 2, 1]
    assert (raw.opacity, raw.showlegend) == (0.25, False)
    assert list(smooth.y) == pytest.approx(smoothed([4, 2, 1], 0.5), rel=1e-5)
    figure = runs_together([ONE], "loss", log=True)
    assert figure.layout.yaxis.type == "log"


def test_a_chart_of_runs_is_the_same_by_its_name() -> None:
    chosen = {"axis": "pictures", "smoothing": 0.5, "log": True, "theme": "dark"}
    wanted = runs_together([ONE, OTHER], "ibot_loss", **chosen)
    axis = chosen.pop("axis")
    found = together.chart([ONE, OTHER], "ibot_loss", axis, **chosen)
    assert list(found) == ["together"]
    assert found["together"].to_json() == wanted.to_json()
    assert together.choices([ONE]) == [("loss", "Total loss"), ("ibot_loss", "iBOT")]


def test_only_what_was_measured_is_offered() -> None:
    assert measured([ONE]) == ["loss", "ibot_loss"]
    knn = Run("k", [{"step": 0, "knn": {"cls": 30.0}}, {"step": 5, "loss": math.nan}], 1, 1)
    assert measured([knn]) == ["knn"]
    assert measured([]) == []


def test_a_long_run_keeps_its_extremes() -> None:
    spike = [1.0] * 5000
    spike[3210] = 99.0
    (trace,) = runs_together([Run("long", lines(spike), 1, 1)], "loss").data
    assert len(trace.x) <= 1300
    assert max(trace.y) == 99


def test_nonsense_is_refused_in_words() -> None:
    for arguments, words in (
        ({"quantity": "joy"}, "one of loss"),
        ({"axis": "moons"}, "one of step"),
        ({"smoothing": 1.0}, "below 1"),
        ({"runs": [ONE] * (MOST + 1)}, "At most 24 runs"),
    ):
        given = {"runs": [ONE], "quantity": "loss", **arguments}
        with pytest.raises(ValueError, match=words):
            runs_together(given.pop("runs"), given.pop("quantity"), **given)


def test_places_are_those_of_the_lines() -> None:
    assert len(places(ONE, "minutes")) == len(ONE.lines)
    assert places(Run("x", [{"step": 3}], 2, 0), "epoch") == [6], "no pictures are no division by 0"
