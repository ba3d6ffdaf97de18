"""figures/step.py: the numbers of its traces."""

import numpy as np
import pytest

from dino_core.figures.step import (
    before_and_after,
    gradient_norms,
    loss_shares,
    losses_in_a_row,
    movements,
)

LAYERS = ("patch embedding", "block 0", "DINO head")


def test_lengths_by_layer_and_a_gap_where_there_is_no_gradient() -> None:
    chart = gradient_norms(LAYERS, np.array([1.5, 20.0, 0.0]))
    assert list(chart.data[0].y) == [1.5, 20.0, None]
    assert chart.layout.yaxis.type == "log"
    assert list(chart.layout.xaxis.ticktext) == ["patches", "0", "DINO"]


def test_shares_of_a_layer_are_stacked_to_the_whole() -> None:
    shares = np.array([[0.75, 0.25], [1.125, -0.125], [0.0, 1.0]])
    chart = loss_shares(LAYERS, ["dino_global", "ibot"], shares)
    assert chart.layout.barmode == "relative"
    assert [trace.name for trace in chart.data] == ["DINO, global crops", "iBOT"]
    assert list(chart.data[0].y) == [75, 112.5, 0]
    assert list(chart.data[1].y) == [25, -12.5, 100]


def test_movement_is_relative_to_the_students_weights() -> None:
    weights = np.array([4.0, 0.0, 2.0])
    chart = movements(
        LAYERS, student=np.array([1, 3, 0.5]), teacher=np.array([0, 0, 0.1]), weights=weights
    )
    assert list(chart.data[0].y) == [25, 300, 25]
    assert list(chart.data[1].y) == [None, None, pytest.approx(5)]


def test_terms_and_their_sum_before_and_after() -> None:
    chart = before_and_after({"koleo": -0.5, "ibot": 2.0}, {"koleo": -0.25, "ibot": 1.0})
    assert list(chart.data[0].x) == ["KoLeo", "iBOT", "sum"]
    assert list(chart.data[0].y) == [-0.5, 2, 1.5]
    assert list(chart.data[1].y) == [-0.25, 1, 0.75]


def test_steps_in_a_row_are_counted_from_0() -> None:
    chart = losses_in_a_row([3.0, 2.0], [2.5, 1.5], theme="dark")
    assert list(chart.data[0].x) == [0, 1]
    assert list(chart.data[1].y) == [2.5, 1.5]


def test_of_many_layers_every_fourth_block_is_named_and_all_that_is_no_block() -> None:
    layers = ["patch embedding", *(f"block {i}" for i in range(30)), "final norm", "iBOT head"]
    named = list(gradient_norms(layers, np.ones(33)).layout.xaxis.ticktext)
    assert named == ["patches", "3", "7", "11", "15", "19", "23", "27", "norm", "iBOT"]
