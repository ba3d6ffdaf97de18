"""slow_motion/values.py and lines.py: what a name holds, and which statement a line belongs to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from dino_core.slow_motion.lines import Statement, StatementsOf, read_functions, with_inner
from dino_core.slow_motion.recorder import Recorder
from dino_core.slow_motion.values import Value, values_of


@dataclass
class Pair:
    one: Any
    other: Any


@dataclass
class SomeConfig:
    number: int = 3


@pytest.mark.parametrize(
    ("held", "values"),
    [
        (True, [Value("x", "text", text="True")]),
        ("words", [Value("x", "text", text="words")]),
        (3, [Value("x", "number", number=3.0)]),
        (0.5, [Value("x", "number", number=0.5)]),
        (torch.tensor(2.5), [Value("x", "number", number=2.5)]),
        (
            torch.tensor([[-1.0, 2.0, 5.0]], dtype=torch.float64),
            [Value("x", "tensor", shape=(1, 3), dtype="float64", low=-1.0, high=5.0, mean=2.0)],
        ),
        (torch.zeros(0, 2), [Value("x", "tensor", shape=(0, 2), dtype="float32")]),
        (
            Pair(1, Pair("a", None)),
            [Value("x.one", "number", number=1.0), Value("x.other.one", "text", text="a")],
        ),
        (
            {"a": [1, (2, 3)], "b": {}},
            [
                Value("x.a[0]", "number", number=1.0),
                Value("x.a[1][0]", "number", number=2.0),
                Value("x.a[1][1]", "number", number=3.0),
            ],
        ),
        (SomeConfig(), []),
        (Pair, []),
        (None, []),
    ],
)
def test_what_a_name_holds(held: Any, values: list[Value]) -> None:
    assert list(values_of("x", held)) == values


def test_a_value_in_a_line() -> None:
    (value,) = values_of("x", torch.tensor([0.25, 1.0]))
    assert value.words() == "float32 [2], 0.25 to 1, mean 0.625"


SOURCE = """\
import os


@staticmethod
def outer(a, b):
    \"\"\"Says
    what.\"\"\"
    c, (d, *e) = (
        a,
        b,
    )
    f: int = 3
    f += 1
    a.name = b[0] = 2
    with open(a) as file:
        if c:
            return [
                one for one in c
            ]

    def inner():
        return 5

    return f
"""


@pytest.fixture
def statements(tmp_path: Path) -> StatementsOf:
    (tmp_path / "source.py").write_text(SOURCE)
    return StatementsOf(str(tmp_path / "source.py"))


def test_every_line_belongs_to_a_statement(statements: StatementsOf) -> None:
    simple = {"simple": True, "returns": False}
    many = Statement(8, 11, ("c", "d", "e"), "c, (d, *e) = (", **simple)
    assert [statements.at(line) for line in range(8, 12)] == [many] * 4
    assert statements.at(12) == Statement(12, 12, ("f",), "f: int = 3", **simple)
    assert statements.at(13) == Statement(13, 13, ("f",), "f += 1", **simple)
    assert statements.at(14) == Statement(14, 14, (), "a.name = b[0] = 2", **simple)
    head = Statement(15, 15, (), "with open(a) as file:", simple=False, returns=False)
    assert statements.at(15) == head
    back = Statement(17, 19, (), "return [", simple=True, returns=True)
    assert [statements.at(line) for line in range(17, 20)] == [back] * 3
    assert statements.at(1) == Statement(1, 1, (), "import os", **simple)
    assert statements.at(2) is None
    assert statements.at(99) is None


def test_a_statement_is_found_by_how_it_begins(statements: StatementsOf) -> None:
    assert statements.starting("return", (1, 24)).first == 17
    assert statements.starting("return", (19, 24)).first == 17, "of which 19 is a part"
    assert statements.starting("return", (20, 24)).first == 22
    assert statements.starting("return f", (22, 24)).first == 24
    with pytest.raises(StopIteration):
        statements.starting("return f", (1, 23))


def test_a_function_is_read_with_what_is_inside_it() -> None:
    (function,) = read_functions([Recorder.run])
    text = Path(Recorder.run.__code__.co_filename).read_text().splitlines()
    assert function.name == "run"
    assert function.file == "dino_core/slow_motion/recorder.py"
    assert text[function.first - 1 : function.last] == list(function.lines)
    assert function.lines[0].strip().startswith(("def run", "@"))
    assert function.docstring is not None
    first, last = function.docstring
    assert text[first - 1].strip().startswith(chr(34) * 3)
    assert text[last - 1].rstrip().endswith(chr(34) * 3)

    def outer() -> Any:
        def inner() -> Any:
            return [(lambda: 3) for _ in range(3)]

        return inner

    assert [code.co_name for code in with_inner(outer.__code__)] == ["outer", "inner"]
