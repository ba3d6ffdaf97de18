"""Which tests are slow: `make slow` measures those of `make fast` and adds names to tests/slow.txt.

A test of many cases is slow when they are on average. What a fixture does counts for the test that
comes first: once that one is listed, another may be. Without the file all are measured anew.
"""

import re
from collections import defaultdict
from pathlib import Path

import pytest

LIMIT = 0.05  # s
LIST = Path(__file__).with_suffix(".txt")
seconds: defaultdict[str, float] = defaultdict(float)
cases: defaultdict[str, int] = defaultdict(int)


def function_of(name: str) -> str:
    """tests/test_x.py::test_y[case]@group -> tests/test_x.py::test_y"""
    return re.sub(r"[\[@].*", "", name, flags=re.DOTALL)


def listed() -> frozenset[str]:
    return frozenset(LIST.read_text(encoding="utf-8").split()) if LIST.exists() else frozenset()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = function_of(report.nodeid)
    seconds[name] += report.duration
    cases[name] += report.when == "setup"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        found = {name for name in seconds if seconds[name] > LIMIT * cases[name]}
        LIST.write_text("\n".join([*sorted(listed() | found), ""]), encoding="utf-8")
