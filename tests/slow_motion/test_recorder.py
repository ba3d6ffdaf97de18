"""slow_motion: recorder.py, lines.py, values.py, on functions of this file."""

import sys
from dataclasses import dataclass

import pytest
import torch

from dino_core.slow_motion.lines import StatementsOf, read_functions
from dino_core.slow_motion.recorder import Probe, Recorder
from dino_core.slow_motion.values import values_of


@dataclass
class Pair:
    one: torch.Tensor
    other: dict


def outer(x, *, twice=False):
    """Two lines
    of docstring."""
    y = inner(
        x,
        1,
    )

    def add(z):
        return z + 1

    for _ in range(2):
        y = add(y)
    if twice:
        return Pair(y, {"k": 2.0})
    return y


@torch.no_grad()
def inner(x, n):
    a, (b, c) = x + n, (2, "word")
    a += b if c else 0
    return a


def lines_of(recorder):
    found = []
    for visit in recorder.visits:
        function = recorder.functions[visit.function]
        line = function.lines[visit.first - function.first].strip()
        found.append((visit.within, line, visit.depth))
    return found


def test_statements_in_the_order_in_which_they_end():
    recorder = Recorder([outer, inner])
    assert recorder.run(lambda: outer(torch.ones(2))).tolist() == [6, 6]
    assert lines_of(recorder) == [
        ("outer", "def outer(x, *, twice=False):", 0),
        ("inner", "def inner(x, n):", 1),
        ("inner", 'a, (b, c) = x + n, (2, "word")', 1),
        ("inner", "a += b if c else 0", 1),
        ("inner", "return a", 1),
        ("outer", "y = inner(", 0),
        ("add", "def add(z):", 1),
        ("add", "return z + 1", 1),
        ("outer", "y = add(y)", 0),
        ("add", "def add(z):", 1),
        ("add", "return z + 1", 1),
        ("outer", "y = add(y)", 0),
        ("outer", "return y", 0),
    ]
    called = recorder.visits[5]
    assert called.last == called.first + 3
    assert recorder.visits[2].callers == ((0, called.first),)
    assert [v.call for v in recorder.visits] == [0, 1, 1, 1, 1, 0, 2, 2, 0, 3, 3, 0, 0]
    named = {value.name: value for value in recorder.visits[2].values}
    assert (named["a"].low, named["b"].number, named["c"].text) == (2, 2, "word")
    assert [v.mean for v in (recorder.visits[8].values[0], recorder.visits[11].values[0])] == [5, 6]
    assert recorder.names["y"].tolist() == [6, 6]


def test_names_are_those_of_the_first_function_whatever_is_called_after_it():
    recorder = Recorder([outer, inner])
    recorder.run(lambda: (outer(torch.ones(1)), inner(torch.ones(1), 4)))
    assert recorder.names["y"].tolist() == [6]
    assert "n" not in recorder.names


def test_what_is_made_of_several_is_taken_apart():
    recorder = Recorder([outer])
    recorder.run(lambda: outer(torch.ones(2), twice=True))
    found = {value.name: value for value in recorder.visits[-1].values}
    assert found["returned.one"].shape == (2,)
    assert found["returned.other.k"].number == 2
    assert [v.name for v in values_of("x", [torch.zeros(1), 3])] == ["x[0]", "x[1]"]
    assert next(values_of("x", torch.zeros(0, 4))).shape == (0, 4)
    assert next(values_of("x", torch.tensor([True, False]))).mean == 0.5
    assert len(list(values_of("x", list(range(20))))) == 12, "of a long list the first"
    assert not list(values_of("x", torch.nn.Linear(1, 1)))
    assert [value.words() for value in values_of("x", [True, 2, "two"])] == ["True", "2", "two"]


def test_probes_look_before_and_after_their_statement():
    seen = []

    def look(names):
        seen.append(names["a"].item())

    probe = Probe("inner", "a += b if c else 0", look, look)
    Recorder([outer, inner], [probe]).run(lambda: outer(torch.ones(1)))
    assert seen == [2, 4]
    with pytest.raises(StopIteration):
        Recorder([outer], [Probe("outer", "no such line")])


def test_nobody_is_traced_afterwards_and_whoever_traced_before_is_again():
    def other(frame, event, argument):
        return None

    was = sys.gettrace()
    try:
        sys.settrace(other)
        with pytest.raises(TypeError):
            Recorder([outer]).run(lambda: outer("no tensor"))
        assert sys.gettrace() is other
    finally:
        sys.settrace(was)


def test_docstring_and_lines_of_a_function():
    (function,) = read_functions([inner])
    assert function.lines[0] == "@torch.no_grad()"
    assert function.docstring is None
    (function,) = read_functions([outer])
    assert function.docstring == (function.first + 1, function.first + 2)
    assert function.lines[-1] == "    return y"
    statement = StatementsOf(__file__).at(function.first + 5)
    assert (statement.first, statement.last) == (function.first + 3, function.first + 6)
