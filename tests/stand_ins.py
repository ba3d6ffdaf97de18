"""What stands in for time and threads, so that nothing is waited for."""

from types import ModuleType
from typing import Any

import pytest


class Clock:
    """Time that passes when a test says so: in place of the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


def note_threads(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, noted: list[Any], word: str = "started"
) -> None:
    """A thread that `module` starts is noted, with what it is given, and never runs."""

    class Thread:
        def __init__(self, **named: Any) -> None:
            noted.append(named)

        def start(self) -> None:
            noted.append(word)

    monkeypatch.setattr(module.threading, "Thread", Thread)
