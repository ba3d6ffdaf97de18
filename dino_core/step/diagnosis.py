"""What the lines of metrics.jsonl say of a run: a word for a machine, a sentence for a person.

A run can end in a state in which its answers no longer depend on the picture. Which one it is can
be read off what `metrics.measure` finds in the teacher, for m different pictures in a batch and K
prototypes (figures are means of the newest five measurements, without those of the first steps):

    one prototype   the commonest prototype gets more than half of all answers. Answers that tell m
                    pictures apart evenly give it 1 / m; centring keeps it near 1 / K
    few prototypes  answers fall on fewer than m / 2 prototypes (exp of the entropy over all
                    pictures, at most K): two and more pictures share each. Judged from 8 pictures
                    on; of few pictures a run without centring ends here, not on one prototype
    uniform         an answer's entropy is above 0.97 ln K: of what it could say, 3 % are left
    the same        answers differ by less than 0.02 ln K from picture to picture (entropy over all
                    pictures less entropy of each: the information in an answer about which picture
                    it is of), or the class tokens' mean cosine is above 0.995
    dimensional     the effective rank of the class tokens is below log2 m: in d directions there
                    are 2^d combinations of sides, so that fewer than log2 m cannot even give every
                    picture a combination of its own. Judged from 8 pictures on

No torch here, so that a page can say it at once.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Metrics = Mapping[str, Any]
Collapsed = Literal["uniform", "one-prototype", "few-prototypes", "same", "dimensional"]
Kind = Literal["nothing", "early", "learning", "flat", "nan"] | Collapsed
COLLAPSED: tuple[Collapsed, ...] = get_args(Collapsed)

WINDOW = 20  # lines that are averaged
MEASURED = 5  # measurements that are averaged
# An untrained teacher answers all pictures alike, and its answers are flat: the first steps, a
# twentieth of a run, say nothing of where it goes.
SETTLING, MOST_SETTLING = 0.05, 1000

MOST_COMMON = 0.5  # share of the commonest prototype
LEAST_USE = 0.25  # of ln K, of runs that did not note that share
FEW = 0.5  # prototypes in use for each picture
FLAT = 0.97  # of ln K
LEAST_DIFFERENCE = 0.02  # of ln K
ALIKE = 0.995  # mean cosine
ENOUGH = 8  # pictures: from fewer a rank, or prototypes in use, say little


@dataclass(frozen=True)
class Diagnosis:
    """Of a run so far, in a word for the machine and a sentence for the person."""

    kind: Kind
    message: str


@dataclass(frozen=True)
class Collapse:
    """A state that a run does not come back from, unless it has only just begun."""

    kind: Kind
    name: str
    state: str
    advice: str = ""


@dataclass(frozen=True)
class Teacher:
    """Means of the newest measurements; entropies in units of ln K."""

    flat: float  # entropy of an answer
    marginal: float  # entropy over all pictures
    commonest: float | None  # share of the prototype that gets most; None: not noted
    cosine: float  # mean between class tokens of different pictures
    rank: float | None  # effective rank of the class tokens
    pictures: float  # different ones that these numbers are of
    prototypes: float | None = None  # K; None: not noted

    @property
    def used(self) -> float | None:
        """Prototypes that the answers fall on, 1 to K."""
        return None if self.prototypes is None else self.prototypes**self.marginal

    @classmethod
    def of(cls, lines: Sequence[Metrics]) -> "Teacher | None":
        looked = [line for line in lines if "measured" in line]
        late = [line for line in looked if line["step"] >= settling(line.get("steps", 0))]
        newest = (late or looked)[-MEASURED:]
        if not newest:
            return None
        measured = [line["measured"] for line in newest]
        ln_k = newest[-1].get("ln_k", {}).get("dino")

        def mean(value: Callable[[Metrics], float | None]) -> float | None:
            values = [value(one) for one in measured]
            known = [one for one in values if one is not None]
            return _mean(known) if len(known) == len(values) else None

        limit = mean(lambda one: one.get("effective_rank_limit"))
        return cls(
            flat=_mean(one["teacher_entropy"]["dino"] for one in measured),
            marginal=_mean(one["teacher_entropy_marginal"]["dino"] for one in measured),
            commonest=mean(lambda one: one.get("commonest_prototype", {}).get("dino")),
            cosine=_mean(one["cosine"] for one in measured),
            rank=mean(lambda one: one.get("effective_rank")),
            pictures=mean(lambda one: one.get("pictures")) or (limit or 0) + 1,
            prototypes=None if ln_k is None else math.exp(ln_k),
        )


def diagnose(lines: Sequence[Metrics]) -> Diagnosis:
    """From the lines of metrics.jsonl, oldest first."""
    steps = [line for line in lines if "logged" in line]
    if not steps:
        return Diagnosis("nothing", "No step has been made yet.")
    if steps[-1].get("loss") is None:
        return Diagnosis("nan", "The loss is not a number: the run cannot learn from here on.")
    ratio = _mean(map(dino_ratio, steps[-WINDOW:]))
    teacher = Teacher.of(steps)
    if teacher is None:
        return Diagnosis("early", f"{_level(ratio)} Nothing else has been measured yet.")

    step, of = steps[-1]["step"], steps[-1].get("steps", 0)
    found = collapses_of(teacher, ratio)
    if found and step < settling(of):
        states = " And ".join(one.state for one in found)
        return Diagnosis("early", f"Too early to say, after {step} steps: so far {states}")
    if found:
        words = (f"{one.name}: {one.state}{one.advice}" for one in found)
        return Diagnosis(found[0].kind, " ".join(words))
    if ratio > 0.985:
        if step < max(100, 0.15 * of):
            return Diagnosis("early", f"Too early to say: {_lower(_level(ratio))}")
        return Diagnosis(
            "flat",
            f"Not learning: {_lower(_level(ratio))} The teacher is not flat ({teacher.flat:.2f} of "
            f"ln K), so the student has something to learn: try a higher rate or a longer warm-up.",
        )
    trend = _trend([dino_ratio(line) for line in steps])
    return Diagnosis(
        "learning",
        f"Learning: {_lower(_level(ratio))} It is {trend}; the teacher's entropy is "
        f"{teacher.flat:.2f} of ln K for a picture and {teacher.marginal:.2f} over all.",
    )


def has_collapsed(lines: Sequence[Metrics]) -> bool:
    """Whether a run looks collapsed at the last of these lines, however early that is."""
    steps = [line for line in lines if "logged" in line]
    teacher = Teacher.of(steps)
    if teacher is None:
        return False
    return bool(collapses_of(teacher, _mean(map(dino_ratio, steps[-WINDOW:]))))


def collapses_of(teacher: Teacher, ratio: float) -> list[Collapse]:
    """Which of the states above it is in; `ratio` is the DINO loss in units of ln K.

    Answers are in one of four, and the class tokens' directions may be too few beside that.
    """
    answers = (
        _one_prototype(teacher)
        or _few_prototypes(teacher)
        or _uniform(teacher, ratio)
        or _same(teacher)
    )
    return [one for one in (answers, _dimensional(teacher)) if one is not None]


def _one_prototype(teacher: Teacher) -> Collapse | None:
    if teacher.commonest is None:
        found, share = teacher.marginal < LEAST_USE, ""
    else:
        found, share = teacher.commonest > MOST_COMMON, f"{100 * teacher.commonest:.0f} % of "
    state = (
        f"the teacher gives nearly every picture the same answer (one prototype gets {share}"
        f"what it says, the entropy over all pictures is {teacher.marginal:.2f} of ln K, where 1 "
        f"is even use)."
    )
    advice = " Centring is missing or too weak."
    return Collapse("one-prototype", "Collapsed to one prototype", state, advice) if found else None


def _few_prototypes(teacher: Teacher) -> Collapse | None:
    K, used, m = teacher.prototypes, teacher.used, teacher.pictures
    if K is None or used is None or m < ENOUGH or used >= FEW * min(m, K):
        return None
    most = "" if teacher.commonest is None else f", {100 * teacher.commonest:.0f} % on one of them"
    state = (
        f"the teacher gives several pictures the same answer (for {m:.0f} different pictures its "
        f"answers fall on {used:.1f} of {K:.0f} prototypes, by the entropy over all pictures"
        f"{most})."
    )
    advice = " Centring is missing or too weak."
    return Collapse("few-prototypes", "Collapsed to few prototypes", state, advice)


def _uniform(teacher: Teacher, ratio: float) -> Collapse | None:
    if teacher.flat <= FLAT:
        return None
    state = (
        f"the teacher's targets are flat ({teacher.flat:.2f} of ln K for each picture) and "
        f"{_lower(_level(ratio))}"
    )
    advice = (
        " A lower teacher temperature, fewer prototypes or prototypes that start further apart "
        "help."
    )
    return Collapse("uniform", "Collapsed to uniform", state, advice)


def _same(teacher: Teacher) -> Collapse | None:
    difference = teacher.marginal - teacher.flat
    if difference >= LEAST_DIFFERENCE and teacher.cosine <= ALIKE:
        return None
    state = (
        f"all pictures look the same to the teacher (mean cosine of their class tokens "
        f"{teacher.cosine:.3f}, its answers differ by {max(difference, 0):.2f} of ln K)."
    )
    return Collapse("same", "Collapsed", state)


def _dimensional(teacher: Teacher) -> Collapse | None:
    if teacher.rank is None or teacher.pictures < ENOUGH:
        return None
    needed = math.log2(teacher.pictures)
    if teacher.rank >= needed:
        return None
    state = (
        f"the class tokens of {teacher.pictures:.0f} pictures spread over {teacher.rank:.1f} "
        f"directions (effective rank), and fewer than {needed:.1f} cannot tell so many apart by "
        f"their sides alone."
    )
    advice = " KoLeo is missing or too weak, or the rate is too high."
    return Collapse("dimensional", "Collapsed in dimension", state, advice)


def settling(steps: int) -> float:
    """Steps after which a state of the teacher is more than that of its beginning."""
    return max(WINDOW, min(SETTLING * steps, MOST_SETTLING))


def dino_ratio(line: Metrics) -> float:
    """Cross-entropy between crops in units of ln K: 1 for a student that says "uniform"."""
    names = ("dino_local_crops_loss", "dino_global_crops_loss")
    uniform = sum(line["uniform"][name] for name in names)
    return sum(line["logged"][name] or 0.0 for name in names) / uniform


def _level(ratio: float) -> str:
    if ratio > 1.05:
        return f"The DINO loss is above ln K ({ratio:.2f} of it), worse than uniform output."
    if ratio > 0.985:
        return f"The DINO loss sits at ln K ({ratio:.3f} of it), as for uniform output."
    return f"The DINO loss is at {ratio:.2f} of ln K."


def _trend(ratios: Sequence[float]) -> str:
    if len(ratios) < 2 * WINDOW:
        return "too short a row to see a trend"
    before, now = _mean(ratios[-2 * WINDOW : -WINDOW]), _mean(ratios[-WINDOW:])
    if now < before - 0.002:
        return "falling"
    return "rising" if now > before + 0.002 else "level"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _mean(values: Any) -> float:
    values = list(values)
    return sum(values) / len(values)
