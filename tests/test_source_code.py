"""Source files are read by many threads at once, as the page's requests do."""

import ast
import gc
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from dino_core import source_code
from dino_core.source_code import read_syntax

LIBRARY = Path(__file__).parents[1] / "dino_core"


@pytest.fixture
def collector_that_yields() -> Iterator[None]:
    """Runs often, and lets other threads on while it does."""
    thresholds = gc.get_threshold()

    def yields(phase: str, _info: object) -> None:
        time.sleep(0.0002)

    gc.callbacks.append(yields)
    gc.set_threshold(50, 1, 1)
    yield
    gc.set_threshold(*thresholds)
    gc.callbacks.remove(yields)


@pytest.mark.usefixtures("collector_that_yields")
def test_threads_parse_without_counting_each_others_depth() -> None:
    files = sorted(LIBRARY.rglob("*.py"))[:12]
    with ThreadPoolExecutor(len(files)) as threads:
        parsed = list(threads.map(lambda file: read_syntax.__wrapped__(str(file)), files * 4))
    assert all(tree.body or not lines for tree, lines in parsed)


def test_one_parses_at_a_time_and_nothing_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[str] = []

    def parse(text: str) -> ast.Module:
        inside.append(text)
        assert len(inside) == 1
        assert not gc.isenabled()
        time.sleep(0.001)  # lets the others on
        assert len(inside) == 1
        inside.pop()
        return ast.Module([], [])

    monkeypatch.setattr(source_code, "ast", SimpleNamespace(parse=parse))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: read_syntax.__wrapped__(__file__), range(32)))
    assert gc.isenabled()


def test_nothing_else_parses_while_requests_are_answered() -> None:
    alone = LIBRARY / "source_code.py"
    for file in {*LIBRARY.rglob("*.py"), *(LIBRARY.parent / "app").rglob("*.py")} - {alone}:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"ast\.(parse|literal_eval)|inspect\.getsource", text), file
