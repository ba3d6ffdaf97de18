"""What a run reports about itself. What to make of it is said in `diagnosis.py`.

Every step gives its losses; now and then the teacher is run once more, without gradient, for what
a loss cannot show. A falling loss proves nothing and a flat one has two opposite causes, so
both ends are measured. With the teacher's target t(x) for each class token, in units of ln K:

    per picture   mean over x of H(t(x))     1: the teacher is flat, every picture is "everything"
    marginal      H(mean over x of t(x))     0: one prototype wins for every picture
    difference    what the target says about which picture it is; 0 is collapse, however it looks
"""

import math
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class TeacherStatistics:
    """Of the teacher's answers to one batch, before the step that learns from it."""

    entropy: dict[str, float]  # of the targets, mean over tokens, share of ln K; "dino", "ibot"
    marginal: dict[str, float]  # of the mean target, share of ln K
    commonest: dict[str, float]  # the prototype that gets most of the mean target, its share
    center_norm: dict[str, float]
    effective_rank: float  # of the teacher's class tokens, 1 to rank_limit
    rank_limit: int
    cosine: float  # mean between the class tokens of different pictures, -1 to 1
    pictures: int  # different ones among them, where the caller knows better than B
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
    entropies, marginals, commonest = {}, {}, {}
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
        mean = sums[:-2] / total  # [K]
        marginals[name] = entropy_of(mean).item() / ln_k
        commonest[name] = mean.max().item()
    first_view = teacher.tokens.chunk(GLOBAL_CROPS)[0].float()
    return TeacherStatistics(
        entropy=entropies,
        marginal=marginals,
        commonest=commonest,
        center_norm={"dino": centers.dino.norm().item(), "ibot": centers.ibot.norm().item()},
        effective_rank=effective_rank(first_view),
        rank_limit=max(min(len(first_view) - 1, first_view.shape[1]), 1),
        cosine=mean_cosine(first_view),
        pictures=len(first_view),
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
            "commonest_prototype": measured.commonest,
            "kl": divergence(result.dino_terms, measured.view_entropy),
            "center_norm": measured.center_norm,
            "effective_rank": measured.effective_rank,
            "effective_rank_limit": measured.rank_limit,
            "cosine": measured.cosine,
            "pictures": measured.pictures,
        }
    return line


def divergence(terms: Tensor, view_entropy: Tensor) -> float:
    """KL(teacher, student) = H(teacher, student) - H(teacher), mean over pairs and pictures.

    Terms [2 + L, 2, B], entropies [2, B], in nats; the pairs of a crop with itself are left out.
    """
    excess = terms.cpu() - view_entropy  # [2 + L, 2, B]
    different = ~torch.eye(*terms.shape[:2], dtype=torch.bool)
    return excess[different].mean().item()
