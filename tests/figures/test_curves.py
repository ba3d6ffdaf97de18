"""Curves of runs and schedules: the numbers that were written, thinned without losing a spike."""

import json
import math
from typing import Any

import numpy as np
import pytest

from dino_core.figures.curves import (
    FINETUNING,
    PRETRAINING,
    SCHEDULES,
    distillation_curves,
    extremes,
    finetuning_curves,
    pretraining_curves,
    schedules,
    value_of,
)

LN_K = math.log(12)


def line(step: int, **more: Any) -> dict[str, Any]:
    logged = {
        "dino_local_crops_loss": 2.0 + step / 10,
        "dino_global_crops_loss": 0.5,
        "ibot_loss": 2.25,
        "koleo_loss": -0.125,
    }
    uniform = {name: LN_K for name in logged if name != "koleo_loss"}
    return {"step": step, "loss": 4.5, "logged": logged, "uniform": uniform, **more}


def trace(chart: Any, name: str) -> Any:
    return next(one for one in chart.data if one.name == name)


def test_every_term_with_what_uniform_output_would_have() -> None:
    charts = pretraining_curves([line(1), line(2), line(3)])
    chart = charts["dino_local_crops_loss"]
    assert list(trace(chart, "loss").x) == [1, 2, 3]
    assert list(trace(chart, "loss").y) == [2.1, 2.2, 2.3]
    np.testing.assert_allclose(trace(chart, "uniform output").y, [LN_K] * 3, rtol=1e-5)
    assert trace(chart, "uniform output").line.dash == "dash"
    assert [one.name for one in charts["koleo_loss"].data] == ["loss"], "KoLeo has no such line"
    assert list(trace(charts["loss"], "loss").y) == [4.5] * 3


def test_what_is_measured_now_and_then_stands_at_its_own_steps() -> None:
    measured = {"teacher_entropy": {"dino": 0.5}, "teacher_entropy_marginal": {"dino": 0.9}}
    lines = [line(1), line(2, measured=measured), {"step": 2, "knn": {"cls": 40.0}}]
    charts = pretraining_curves(lines)
    entropy = charts["entropy"]
    assert list(trace(entropy, "of each picture").x) == [2]
    assert list(trace(entropy, "over all pictures").y) == [0.9]
    assert list(trace(entropy, "of each patch").y) == [None]
    assert list(trace(charts["knn"], "class token").y) == [40.0]
    assert list(trace(charts["loss"], "loss").x) == [1, 2]
    assert not trace(charts["matching"], "in another view").x, "nothing was measured yet"


def test_pieces_stand_beside_the_teacher_raw_pixels_and_chance() -> None:
    shares = {"cls": 40.0, "mean_patch": 50.0, "both": 60.0}
    others = {"teacher": 96.0, "pixels": 41.5, "chance": 12.5}
    lines = [line(1), {"step": 1, "piece_knn": {**shares, **others, "pictures": 8, "pieces": 12}}]
    for charts in (pretraining_curves(lines, taught=True), distillation_curves(lines)):
        drawn = {one.name: (list(one.y), one.line.dash) for one in charts["piece_knn"].data}
        assert list(drawn.values())[:3] == [([value], "solid") for value in shares.values()]
        dashes = [drawn[name] for name in ("teacher's class token", "raw pixels", "chance")]
        assert [y for y, _ in dashes] == [[value] for value in others.values()]
        assert len({dash for _, dash in dashes} - {"solid"}) == 3, "told apart without colours"
        modes = [one.mode for one in charts["piece_knn"].data]
        assert modes[:4] == ["lines+markers"] * 3 + ["lines"], "a first point alone is to be seen"
        assert not charts["knn"].data[0].y, "never under the name of the labelled accuracy"
    alone = pretraining_curves(lines)["piece_knn"]
    assert [one.name for one in alone.data][3:] == ["raw pixels", "chance"], "nobody teaches it"


def test_a_curve_says_which_entry_of_a_line_it_shows() -> None:
    """What a page needs to append a line that it is sent later."""
    lines = [line(step, gradient_norms={"backbone": 3.5 * step}) for step in (1, 2)]
    early, late = pretraining_curves(lines[:1]), pretraining_curves(lines)
    for key in PRETRAINING:
        for before, after in zip(early[key].data, late[key].data, strict=True):
            assert set(before.meta) == {"field", "scale"}
            if len(before.x) == len(after.x):
                continue
            value = value_of(lines[1], before.meta["field"])
            added = None if value is None else value * before.meta["scale"]
            assert after.y[-1] == (None if added is None else pytest.approx(added, rel=1e-5))
            assert after.x[-1] == lines[1]["step"]


def test_a_loss_that_is_no_number_leaves_a_gap() -> None:
    lines = [line(1), line(2), line(3)]
    lines[1]["loss"], lines[1]["logged"]["ibot_loss"] = None, float("nan")
    charts = pretraining_curves(lines)
    assert list(charts["loss"].data[0].y) == [4.5, None, 4.5]
    assert list(trace(charts["ibot_loss"], "loss").y) == [2.25, None, 2.25]
    assert "NaN" not in charts["ibot_loss"].to_json()


def test_fine_tuning_counts_epochs_in_per_cent() -> None:
    lines = [{"step": 1, "train_loss": 0.7, "validation_loss": 0.8, "validation_accuracy": 0.25}]
    charts = finetuning_curves(lines)
    assert set(charts) == set(FINETUNING)
    assert list(charts["accuracy"].data[0].y) == [25.0]
    assert charts["accuracy"].layout.meta["axis"] == "epoch"
    assert tuple(charts["accuracy"].layout.yaxis.range) == (0, 100)


def test_a_long_run_is_thinned_to_its_extremes() -> None:
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=100_000).cumsum()
    spiky = rng.normal(size=100_000)
    spiky[[777, 50_001]] = 900, -900
    columns = [smooth.tolist(), spiky.tolist()]
    kept = extremes(columns, points=1200)
    assert len(kept) <= 1202
    assert kept == sorted(set(kept))
    assert {0, 777, 50_001, 99_999} <= set(kept)
    stretch = 100_000 // 300
    for column in columns:  # within every stretch, what is drawn spans what was written
        for i in (0, 7, 299):
            places = range(i * 100_000 // 300, (i + 1) * 100_000 // 300)
            inside = [column[at] for at in kept if at in places]
            assert (min(inside), max(inside)) == (
                min(column[at] for at in places),
                max(column[at] for at in places),
            )
            assert len(places) in (stretch, stretch + 1)


def test_a_short_run_is_drawn_whole_and_a_gap_survives_thinning() -> None:
    assert extremes([[3.0, None, 1.0]], points=3) == [0, 1, 2]
    values: list[float | None] = [1.0] * 5000
    values[2000] = None
    assert 2000 in extremes([values], points=100)
    assert extremes([], points=3) == []


def test_schedules_have_one_cursor() -> None:
    values = {name: [0.0, 0.5, 0.25] for name in SCHEDULES}
    charts = schedules([0, 10, 20], values, at=10)
    assert list(charts) == list(SCHEDULES)
    for chart in charts.values():
        [cursor] = chart.layout.shapes
        assert (cursor.x0, cursor.x1, cursor.visible) == (10, 10, True)
        assert list(chart.data[0].x) == [0, 10, 20]
    hidden = schedules([0, 10, 20], values)["momentum"].layout.shapes[0]
    assert hidden.visible is False


def test_numbers_are_plain_lists_that_can_be_appended_to() -> None:
    plain = json.loads(pretraining_curves([line(1)])["ibot_loss"].to_json())
    for one in plain["data"]:
        assert isinstance(one["x"], list)
        assert isinstance(one["y"], list)
