"""What a run reports about itself, and what to make of it.

Every step gives its losses; now and then the teacher is run once more, without gradient, for what
a loss cannot show. A falling loss proves nothing and a flat one has two opposite causes, so
both ends are measured. With the teacher's target t(x) for each class token, in units of ln K:

    per picture   mean over x of H(t(x))     1: the teacher is flat, every picture is "everything"
    marginal      H(mean over x of t(x))     0: one prototype wins for every picture
    difference    what the target says about which picture it is; 0 is collapse, however it looks
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from dino_core.config import GLOBAL_CROPS, TrainConfig
from dino_core.schedules import StepValues
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers, make_targets, teacher_outputs
from dino_core.step.train_step import StepResult
from dino_core.student_teacher import StudentTeacher

Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class TeacherStatistics:
    """Of the teacher's answers to one batch, before the step that learns from it."""

    entropy: dict[str, float]  # of the targets, mean over tokens, share of ln K; "dino", "ibot"
    marginal: dict[str, float]  # of the mean target, share of ln K
    center_norm: dict[str, float]
    effective_rank: float  # of the teacher's class tokens, 1 to rank_limit
    rank_limit: int
    cosine: float  # mean between the class tokens of different pictures, -1 to 1
    view_entropy: Tensor  # [2, B] in nats, for the divergence


@torch.no_grad()
def measure(
    pair: StudentTeacher,
    batch: Batch,
    values: StepValues,
    config: TrainConfig,
    centers: Centers,
    group: dist.ProcessGroup | None = None,
) -> TeacherStatistics:
    """One forward of the teacher over the global crops. Every process of the group must call it."""
    teacher = teacher_outputs(pair.teacher, batch, config)
    targets = make_targets(teacher, values.teacher_temperature, config.loss, centers, group=group)
    entropies, marginals = {}, {}
    for name, rows in (("dino", targets.cls.flatten(0, 1)), ("ibot", targets.patches)):
        if rows is None or (not len(rows) and group is None):
            continue
        entropy = entropy_of(rows)  # [n, K] -> [n]
        sums = torch.cat([rows.sum(0), entropy.sum()[None], entropy.new_tensor([len(rows)])])
        if group is not None:
            dist.all_reduce(sums, group=group)
        total = sums[-1].clamp_min(1)
        ln_k = math.log(rows.shape[1])
        entropies[name] = (sums[-2] / total).item() / ln_k
        marginals[name] = entropy_of(sums[:-2] / total).item() / ln_k
    first_view = teacher.tokens.chunk(GLOBAL_CROPS)[0].float()
    return TeacherStatistics(
        entropy=entropies,
        marginal=marginals,
        center_norm={"dino": centers.dino.norm().item(), "ibot": centers.ibot.norm().item()},
        effective_rank=effective_rank(first_view),
        rank_limit=max(min(len(first_view) - 1, first_view.shape[1]), 1),
        cosine=mean_cosine(first_view),
        view_entropy=entropy_of(targets.cls).cpu(),
    )


def entropy_of(p: Tensor) -> Tensor:
    """Distributions [..., K] -> [...], in nats."""
    return -torch.xlogy(p, p).sum(-1)


def effective_rank(features: Tensor) -> float:
    """exp of the entropy of the singular values, as shares, of centred features [n, D].

    1: all on a line; min(n - 1, D): equally spread in all directions (Roy and Vetterli 2007).
    """
    features = features.double().cpu()
    values = torch.linalg.svdvals(features - features.mean(0))
    total = values.sum()
    if not total > 0:
        return 1.0
    return entropy_of(values / total).exp().item()


def mean_cosine(features: Tensor) -> float:
    """Mean cosine between different rows of [n, D]; 1 for a single one."""
    n = len(features)
    if n < 2:
        return 1.0
    # The sum over all pairs is the squared length of the sum of the unit vectors.
    total = F.normalize(features.double(), dim=1).sum(0).square().sum().item()
    return (total - n) / (n * (n - 1))


def metrics_of(
    result: StepResult, values: StepValues, measured: TeacherStatistics | None
) -> dict[str, Any]:
    """A step's line of metrics.jsonl, without the clock."""
    uniform = {name: value for name, value in result.anchors.items() if name in result.logged}
    line: dict[str, Any] = {
        "loss": result.loss,
        "terms": result.terms,
        "logged": result.logged,
        "uniform": uniform,
        # 1: no better than a student that always says "uniform"
        "relative": {n: result.logged[n] / value for n, value in uniform.items() if value},
        "ln_k": {"dino": result.anchors["ln_k_dino"], "ibot": result.anchors["ln_k_ibot"]},
        "gradient_norms": result.gradient_norms,
        **vars(values),
    }
    if measured is not None:
        line["measured"] = {
            "teacher_entropy": measured.entropy,
            "teacher_entropy_marginal": measured.marginal,
            "kl": divergence(result.dino_terms, measured.view_entropy),
            "center_norm": measured.center_norm,
            "effective_rank": measured.effective_rank,
            "effective_rank_limit": measured.rank_limit,
            "cosine": measured.cosine,
        }
    return line


def divergence(terms: Tensor, view_entropy: Tensor) -> float:
    """KL(teacher, student) = H(teacher, student) - H(teacher), mean over pairs and pictures.

    Terms [2 + L, 2, B], entropies [2, B], in nats; the pairs of a crop with itself are left out.
    """
    excess = terms.cpu() - view_entropy  # [2 + L, 2, B]
    different = ~torch.eye(*terms.shape[:2], dtype=torch.bool)
    return excess[different].mean().item()


# --- what to make of it

Kind = Literal["nothing", "early", "learning", "flat", "uniform", "one-prototype", "same", "nan"]


@dataclass(frozen=True)
class Diagnosis:
    """Of a run so far, in a word for the machine and a sentence for the person."""

    kind: Kind
    message: str


WINDOW = 20  # lines that are averaged
# An untrained teacher answers all pictures alike, and its answers are flat: the first steps, a
# twentieth of a run, say nothing of where it goes.
SETTLING, MOST_SETTLING = 0.05, 1000


@dataclass(frozen=True)
class Collapse:
    """A state that a run does not come back from, unless it has only just begun."""

    kind: Kind
    name: str
    state: str
    advice: str = ""


def diagnose(lines: Sequence[Metrics]) -> Diagnosis:
    """From the lines of metrics.jsonl, oldest first."""
    steps = [line for line in lines if "logged" in line]
    if not steps:
        return Diagnosis("nothing", "No step has been made yet.")
    if steps[-1].get("loss") is None:
        return Diagnosis("nan", "The loss is not a number: the run cannot learn from here on.")
    recent = steps[-WINDOW:]
    ratio = sum(map(dino_ratio, recent)) / len(recent)
    measured = [line["measured"] for line in steps if "measured" in line][-5:]
    if not measured:
        return Diagnosis("early", f"{_level(ratio)} Nothing else has been measured yet.")
    flat = _mean(m["teacher_entropy"]["dino"] for m in measured)
    marginal = _mean(m["teacher_entropy_marginal"]["dino"] for m in measured)
    cosine = _mean(m["cosine"] for m in measured)

    collapse = _collapse(flat, marginal, cosine, ratio)
    if collapse is not None:
        step = steps[-1]["step"]
        if step < _settling(steps[-1].get("steps", 0)):
            words = f"Too early to say, after {step} steps: so far {collapse.state}"
            return Diagnosis("early", words)
        return Diagnosis(collapse.kind, f"{collapse.name}: {collapse.state}{collapse.advice}")
    if ratio > 0.985:
        early = steps[-1]["step"] < max(100, 0.15 * steps[-1].get("steps", 0))
        if early:
            return Diagnosis("early", f"Too early to say: {_lower(_level(ratio))}")
        return Diagnosis(
            "flat",
            f"Not learning: {_lower(_level(ratio))} The teacher is not flat ({flat:.2f} of "
            f"ln K), so the student has something to learn: try a higher rate or a longer warm-up.",
        )
    trend = _trend([dino_ratio(line) for line in steps])
    return Diagnosis(
        "learning",
        f"Learning: {_lower(_level(ratio))} It is {trend}; the teacher's entropy is {flat:.2f} "
        f"of ln K for a picture and {marginal:.2f} over all.",
    )


def _collapse(flat: float, marginal: float, cosine: float, ratio: float) -> Collapse | None:
    """From the teacher's entropies for one picture and over all, as shares of ln K."""
    if marginal < 0.25:
        state = (
            f"the teacher gives nearly every picture the same answer (entropy over all pictures "
            f"{marginal:.2f} of ln K, where 1 is even use)."
        )
        advice = " Centring is missing or too weak."
        return Collapse("one-prototype", "Collapsed to one prototype", state, advice)
    if flat > 0.97:
        state = (
            f"the teacher's targets are flat ({flat:.2f} of ln K for each picture) and "
            f"{_lower(_level(ratio))}"
        )
        advice = (
            " A lower teacher temperature, fewer prototypes or prototypes that start further "
            "apart help."
        )
        return Collapse("uniform", "Collapsed to uniform", state, advice)
    if marginal - flat < 0.02 or cosine > 0.995:
        state = (
            f"all pictures look the same to the teacher (mean cosine of their class tokens "
            f"{cosine:.3f}, its answers differ by {max(marginal - flat, 0):.2f} of ln K)."
        )
        return Collapse("same", "Collapsed", state)
    return None


def _settling(steps: int) -> float:
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
