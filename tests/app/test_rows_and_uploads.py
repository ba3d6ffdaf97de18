"""state/steps.py and uploads.py by themselves: a row of steps that goes on, and files that are a
visitor's for an hour. No model runs, and the clock is a number."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stand_ins import Clock

from app.state import steps as step_module
from app.state import uploads as upload_module
from app.state.models import UNUSED
from app.state.pictures import Entry
from app.state.steps import Steps
from app.state.uploads import UploadedFiles


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (step_module, upload_module):
        monkeypatch.setattr(module, "time", clock)
    return clock


def entry(sample: str = "") -> Any:
    picture: Any = SimpleNamespace(source="source")
    return Entry("ada", picture, "m", 56, sample)


# --- steps


class Row:
    """A row of steps that counts."""

    def __init__(self) -> None:
        self.number, self.fails = 0, False

    def pass_over(self) -> None:
        self.number += 1

    def record(self) -> str:
        if self.fails:
            raise ValueError("not finite")
        self.number += 1
        return f"step {self.number - 1}"


class Rows:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[Any] = []
        self.rows: list[Row] = []
        self.turns = 0
        self.is_gone = lambda: False

        def start(*words: Any, **named: Any) -> Row:
            self.begun.append((*words, named))
            self.rows.append(Row())
            return self.rows[-1]

        def exclusive(work: Any, *, is_gone: Any) -> Any:
            assert is_gone is self.is_gone
            self.turns += 1
            return work()

        monkeypatch.setattr("dino_core.scenes.step.start_row", start)
        self.steps = Steps(SimpleNamespace(exclusive=exclusive))  # type: ignore[arg-type]

    def ask(self, entry: Entry, number: int, choices: Any = "c", key: Any = ("p", 0)) -> Any:
        loaded: Any = SimpleNamespace(key=key, pair=f"pair {key}")
        return self.steps.scene(entry, loaded, number, choices, is_gone=self.is_gone)


@pytest.fixture
def rows(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Rows:
    return Rows(monkeypatch)


def test_a_row_goes_on_where_it_stands(rows: Rows) -> None:
    one = entry("cat.jpg")
    assert [rows.ask(one, i) for i in (0, 1, 4)] == ["step 0", "step 1", "step 4"]
    assert rows.begun == [("pair ('p', 0)", "source", "c", {"sample": "cat.jpg"})]
    assert rows.ask(one, 4) == "step 4"
    assert rows.turns == 3, "it is kept with its picture"
    assert rows.ask(one, 2) == "step 2"
    assert len(rows.begun) == 2, "one that was passed is made anew from the first on"
    for other in (
        lambda: rows.ask(entry(), 3),
        lambda: rows.ask(one, 3, "d"),
        lambda: rows.ask(one, 3, key=("p", 1)),
    ):
        before = len(rows.begun)
        assert other() == "step 3"
        assert len(rows.begun) == before + 1
    del other


@pytest.mark.parametrize("number", [-1, 50])
def test_a_row_has_fifty_steps(rows: Rows, number: int) -> None:
    assert rows.ask(entry(), 49) == "step 49"
    with pytest.raises(ValueError, match=f"steps 0 to 49, not {number}"):
        rows.ask(entry(), number)


def test_what_broke_off_is_not_gone_on_with(rows: Rows) -> None:
    one = entry()
    rows.ask(one, 0)
    rows.rows[0].fails = True
    with pytest.raises(ValueError, match="not finite"):
        rows.ask(one, 1)
    assert rows.ask(one, 2) == "step 2"
    assert len(rows.rows) == 2


def test_a_row_that_nobody_goes_on_with_is_let_go(rows: Rows, clock: Clock) -> None:
    one = entry()
    rows.ask(one, 0)
    clock.now += UNUSED
    rows.steps.release_unused()
    assert rows.steps._kept is not None
    clock.now += 1
    rows.steps.release_unused()
    assert rows.steps._kept is None
    rows.steps.release_unused()
    assert rows.ask(one, 1) == "step 1"
    assert len(rows.rows) == 2


# --- files that were uploaded


def test_a_file_is_its_visitor_s_for_an_hour(clock: Clock, tmp_path: Path) -> None:
    files = UploadedFiles()
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    files.add("ada", [one, two])
    files.add("bob", [two])
    assert files.find("ada", f"{tmp_path}/x/../one") == Path(one)
    for secret, path in (("bob", one), ("", one), ("ada", "http://x/one"), ("ada", "\0"), ("", "")):
        with pytest.raises(ValueError, match=r"^Upload the picture first\.$"):
            files.find(secret, path)
    clock.now += 3599
    files.add("ada", [one])
    assert files.find("bob", two) == Path(two)
    clock.now += 1
    with pytest.raises(ValueError, match="Upload the picture first"):
        files.find("bob", two)
    assert files.find("ada", one) == Path(one), "it came again"
    assert len(files._files) == 1


def test_so_many_files_are_remembered(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_module, "MAX_FILES", 3)
    files, paths = UploadedFiles(), [str(tmp_path / str(i)) for i in range(4)]
    files.add("ada", paths[:3])
    files.add("ada", paths[:1])
    files.add("ada", paths[3:])
    assert [path.name for _, path in files._files] == ["2", "0", "3"]
