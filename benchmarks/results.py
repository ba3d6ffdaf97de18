"""One line of the report: what was measured, and the bar it should reach."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """A number with its unit, e.g. 0.98 "of timm", and how far it may go."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""  # the times behind a ratio

    @property
    def met(self) -> bool:
        """Whether the bar is reached; true when there is none."""
        low = -float("inf") if self.at_least is None else self.at_least
        high = float("inf") if self.at_most is None else self.at_most
        return low <= self.value <= high

    @property
    def bar(self) -> str:
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return "" if self.at_least is None else f"at least {self.at_least:g}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"met": self.met}

    def __str__(self) -> str:
        verdict = "" if not self.bar else f"{self.bar}{'' if self.met else ', MISSED'}"
        line = f"  {self.name:<42}{number(self.value):>8} {self.unit:<22}{verdict:<24}{self.note}"
        return line.rstrip()


class Skipped(Exception):  # noqa: N818  (nothing went wrong)
    """A benchmark, or the rest of it, that this machine cannot run; the words say why."""


def number(value: float) -> str:
    """Three figures: 0.98, 14.2, 31 000."""
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
