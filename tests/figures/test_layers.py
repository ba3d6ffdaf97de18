"""Charts over blocks and layers, against loops over the numbers that they were given."""

import statistics

import numpy as np
import pytest

from dino_core.evaluation.reports import wilson
from dino_core.figures import (
    block_updates,
    confusion,
    explained_variance,
    probe_accuracy,
    token_lengths,
)
from dino_core.figures.matrix import NUMBERS

RNG = np.random.default_rng(1)
NORMS = RNG.uniform(1, 9, (4, 1 + 2 + 6)).astype(np.float32)  # L = 3, R = 2, P = 6
UPDATES = RNG.uniform(0, 1, (3, 2, 9)).astype(np.float32)


def test_lengths_of_each_kind_of_token() -> None:
    chart = token_lengths(NORMS, registers=2, patch=5)
    lines = {trace.meta["part"]: list(trace.y) for trace in chart.data}
    for step, row in enumerate(NORMS.tolist()):
        expected = {
            "cls": row[0],
            "registers": (row[1] + row[2]) / 2,
            "median": statistics.median(row[3:]),
            "longest": max(row[3:]),
            "patch": row[8],
        }
        for part, value in expected.items():
            assert lines[part][step] == pytest.approx(value, rel=1e-5), part
    assert list(chart.data[0].x) == ["before block 0", *(f"after block {i}" for i in range(3))]
    assert chart.layout.yaxis.type == "log"


def test_a_model_without_registers_has_no_line_for_them_and_no_patch_is_an_empty_one() -> None:
    chart = token_lengths(NORMS, registers=0)
    parts = {trace.meta["part"]: list(trace.y) for trace in chart.data}
    assert set(parts) == {"cls", "median", "longest", "patch"}
    assert parts["patch"] == []


def test_updates_stand_where_their_block_ends() -> None:
    chart = block_updates(UPDATES, registers=2)
    attention, mlp, cls_attention, cls_mlp = (list(trace.y) for trace in chart.data)
    assert {line[0] for line in (attention, mlp, cls_attention, cls_mlp)} == {None}
    for block in range(3):
        for branch, patches, cls in ((0, attention, cls_attention), (1, mlp, cls_mlp)):
            mean = sum(UPDATES[block, branch, 3:].tolist()) / 6
            assert patches[block + 1] == pytest.approx(mean, rel=1e-5)
            assert cls[block + 1] == pytest.approx(UPDATES[block, branch, 0].item(), rel=1e-5)
    assert chart.layout.meta["cursor"] == token_lengths(NORMS, 2).layout.meta["cursor"]


def test_twelve_and_forty_blocks_are_named_without_crowding() -> None:
    named = [
        list(block_updates(np.ones((depth, 2, 9)), 0).layout.xaxis.ticktext) for depth in (12, 40)
    ]
    assert named[0] == ["in", *map(str, range(12))]
    assert named[1][:3] == ["in", "0", "3"]
    assert len(named[1]) <= 16


def test_explained_variance_and_what_became_colours() -> None:
    chart = explained_variance(np.array([0.5, 0.25, 0.125, 0.0625]), shown=(2, 0, 0))
    [bars] = chart.data
    assert list(bars.y) == [50, 25, 12.5, 6.25]
    assert list(bars.customdata) == [50, 75, 87.5, 93.75], "so far"
    assert bars.x[0] == "component 0, green and blue"
    assert list(bars.marker.opacity) == [1, 0.4, 1, 0.4]
    assert chart.layout.meta["note"] == "62.5 % by those shown"
    assert chart.data[0].texttemplate == "%{y:.1f}", "the number is read without pointing"
    assert explained_variance(np.full(40, 0.025)).data[0].texttemplate is None, "no room"


def test_probes_with_their_intervals() -> None:
    hits, n = np.array([[10, 15], [18, 20]]), 20
    bounds = np.array([[wilson(int(h), n) for h in row] for row in hits])  # [L, kinds, 2]
    accuracy = hits / n
    chart = probe_accuracy(
        accuracy, bounds[..., 0], bounds[..., 1], kinds=("cls", "both"), chance=0.25
    )
    cls, both, chance = chart.data
    assert list(cls.y) == [50, 90]
    assert list(chance.y) == [25, 25]
    low, high = wilson(20, 20)
    assert both.y[1] + both.error_y.array[1] == pytest.approx(100 * high, abs=1e-2)
    assert both.y[1] - both.error_y.arrayminus[1] == pytest.approx(100 * low, abs=1e-2)
    assert [trace.meta["part"] for trace in chart.data] == ["cls", "both", "chance"]
    for k, line in enumerate((cls, both)):
        np.testing.assert_allclose(line.customdata, 100 * bounds[:, k], atol=1e-2)
    assert cls.hovertemplate.startswith("%{y:.1f} % (%{customdata[0]:.0f} to %{customdata[1]:.0f})")
    [cursor] = chart.layout.shapes
    assert (cursor.name, cursor.visible) == ("cursor", False), "whoever shows it moves it"


def test_a_line_that_stands_alone_needs_no_legend() -> None:
    part = np.array([[0.25, 0.5], [0.5, 0.75]])
    for kinds in (("cls",), ("cls", "both")):
        chart = probe_accuracy(*[part[:, : len(kinds)]] * 3, kinds=kinds)
        assert [trace.showlegend for trace in chart.data] == [len(kinds) > 1] * len(kinds)


def test_a_layer_that_is_still_to_come_is_a_gap() -> None:
    part = np.array([[np.nan], [0.5]])
    chart = probe_accuracy(part, part, part, kinds=("cls",))
    assert list(chart.data[0].y) == [None, 50]
    assert "NaN" not in chart.to_json()


def test_confusion_rows_are_the_truth() -> None:
    chart = confusion([[3, 1], [0, 0]], ["cat", "dog"])
    [cells] = chart.data
    assert [list(row) for row in cells.z] == [[75, 25], [0, 0]]
    assert [list(row) for row in cells.text] == [[3, 1], [0, 0]]
    assert [list(row) for row in cells.customdata] == [[4, 4], [0, 0]], "of how many"
    assert (cells.zmin, cells.zmax) == (0, 100)
    assert chart.layout.yaxis.autorange == "reversed", "the first class is on top"
    assert cells.texttemplate is not None
    for count, has_room in ((NUMBERS, True), (NUMBERS + 1, False)):
        many = confusion(np.eye(count, dtype=int).tolist(), [str(i) for i in range(count)])
        assert (many.data[0].texttemplate is not None) == has_room


def test_a_long_name_of_a_class_loses_its_middle() -> None:
    chart = confusion([[1, 0], [0, 1]], ["a" * 24, "n02085620" * 3 + "-Chihuahua"])
    assert list(chart.layout.yaxis.ticktext) == ["a" * 24, "n02085620n0…0-Chihuahua"]
    assert chart.data[0].x[1].endswith("-Chihuahua"), "which class it is stays whole"
