"""What the lines of a distillation say, in a sentence. No torch here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["nothing", "early", "learning", "flat", "nan"]
WINDOW = 20  # lines that are averaged
AGREES = 0.1  # a cosine below this is that of a student that answers every crop alike


@dataclass(frozen=True)
class Diagnosis:
    """Of a run so far, in a word for the machine and a sentence for the person."""

    kind: Kind
    message: str


def diagnose(lines: Sequence[Mapping[str, Any]]) -> Diagnosis:
    """From the lines of metrics.jsonl, oldest first.

    The measure is the cosine of the student's answers with the teacher's, each channel of which has
    mean 0: a student that answers every crop alike has 0, the teacher itself 1.
    """
    steps = [line for line in lines if "agreement" in line]
    if not steps:
        return Diagnosis("nothing", "No step has been made yet.")
    newest = steps[-1]
    if newest.get("loss") is None:
        return Diagnosis("nan", "The loss is not a number: the run cannot learn from here on.")
    cls, patches = (
        _mean([line["agreement"][name] for line in steps[-WINDOW:]]) for name in ("cls", "patches")
    )
    level = (
        f"the student's class token agrees with the teacher's by {cls:.2f} and its patches by "
        f"{patches:.2f}, where 0 is the same answer to every crop and 1 the teacher itself"
    )
    if max(cls, patches) < AGREES:
        if newest["step"] < max(WINDOW, 0.1 * newest.get("steps", 0)):
            return Diagnosis("early", f"Too early to say: {level}.")
        return Diagnosis(
            "flat", f"Not learning: {level}. A lower rate or a longer warm-up usually helps."
        )
    trend = _trend([line["agreement"]["cls"] for line in steps])
    return Diagnosis("learning", f"Learning: {level}. The first is {trend}.{_recognised(lines)}")


def _recognised(lines: Sequence[Mapping[str, Any]]) -> str:
    """k-NN over pieces in a sentence with a space before it; "" where it was not measured."""
    found = [line for line in lines if line.get("piece_knn", {}).get("cls") is not None]
    if not found:
        return ""
    now, first = found[-1]["piece_knn"], found[0]
    before = f"{first['piece_knn']['cls']:.0f} at its random start, " if first["step"] == 0 else ""
    others = "".join(
        f"{now[name]:.0f} by {words}, "
        for name, words in (("teacher", "the teacher"), ("pixels", "raw pixels"))
        if now.get(name) is not None
    )
    return (
        f" By k-NN over pieces its class token tells from which of {now['pictures']} pictures a "
        f"piece is for {now['cls']:.0f} % of them ({before}{others}{now['chance']:.3g} by chance)."
    )


def _trend(values: Sequence[float]) -> str:
    if len(values) < 2 * WINDOW:
        return "too short a row to see a trend"
    before, now = _mean(values[-2 * WINDOW : -WINDOW]), _mean(values[-WINDOW:])
    if now > before + 0.002:
        return "rising"
    return "falling" if now < before - 0.002 else "level"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
