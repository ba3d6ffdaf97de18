"""step/metrics.py: what is measured, against loops; and collapse, provoked and recognised."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_runs import RUN, TRAIN, longer, noise_folder, setup

from dino_core.config import HeadConfig
from dino_core.datasets import find_pictures
from dino_core.runs.folder import read_metrics
from dino_core.runs.pretraining import train
from dino_core.schedules import values_at
from dino_core.step.forward import Centers, make_targets, teacher_outputs
from dino_core.step.loader import BatchMaker, generator_for, to_batch
from dino_core.step.metrics import (
    diagnose,
    divergence,
    effective_rank,
    mean_cosine,
    measure,
    metrics_of,
)
from dino_core.step.train_step import train_step
from dino_core.student_teacher import StudentTeacher
from dino_core.update import build_optimiser


def test_effective_rank_counts_directions():
    generator = torch.Generator().manual_seed(0)
    directions = torch.linalg.qr(torch.randn(8, 8, generator=generator)).Q
    # Four directions, equally long, each with both signs so that the mean is 0.
    four = torch.cat([directions[:4], -directions[:4]])
    assert effective_rank(four) == pytest.approx(4)
    assert effective_rank(torch.arange(6.0)[:, None] * directions[:1]) == pytest.approx(1)
    assert effective_rank(torch.ones(5, 3)) == 1


def test_mean_cosine_is_that_of_all_pairs():
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(1)).numpy()
    pairs = [
        x[i] @ x[j] / np.linalg.norm(x[i]) / np.linalg.norm(x[j])
        for i in range(7)
        for j in range(7)
        if i != j
    ]
    assert mean_cosine(torch.from_numpy(x)) == pytest.approx(np.mean(pairs), abs=1e-6)


@pytest.mark.parametrize("centering", ["centering", "sinkhorn_knopp"])
def test_entropies_and_divergence_are_those_of_the_step(tmp_path, centering):
    """Against loops over what the teacher's targets and the step itself are."""
    config = replace(TRAIN, loss=replace(TRAIN.loss, centering=centering))
    batch = to_batch(BatchMaker(find_pictures(noise_folder(tmp_path)), config, 0).make(0))
    pair = StudentTeacher(config, generator=generator_for(0, "weights", 0))
    centers = Centers(torch.randn(12, generator=generator_for(0, "c", 0)) * 0.1, torch.zeros(10))
    values = values_at(3, config.schedule)
    measured = measure(pair, batch, values, config, centers)
    teacher = teacher_outputs(pair.teacher, batch, config)
    targets = make_targets(teacher, values.teacher_temperature, config.loss, centers)

    def entropy(p):
        return -sum(x * math.log(x) for x in p.tolist() if x > 0)

    rows = targets.cls.flatten(0, 1)
    assert measured.entropy["dino"] == pytest.approx(
        np.mean([entropy(row) for row in rows]) / math.log(12), rel=1e-5
    )
    assert measured.marginal["dino"] == pytest.approx(
        entropy(rows.mean(0)) / math.log(12), rel=1e-5
    )
    assert measured.marginal["ibot"] == pytest.approx(
        entropy(targets.patches.mean(0)) / math.log(10), rel=1e-5
    )
    optimiser = build_optimiser(pair.student.parts, config.optim)
    result = train_step(
        pair, batch, optimiser, values, config, centers, generator=generator_for(0, "d", 0)
    )
    expected = [
        result.dino_terms[s, t, b].item() - entropy(targets.cls[t, b])
        for s in range(4)
        for t in range(2)
        for b in range(6)
        if s != t
    ]
    assert divergence(result.dino_terms, measured.view_entropy) == pytest.approx(
        np.mean(expected), rel=1e-4
    )
    line = metrics_of(result, values, measured)
    assert line["measured"]["kl"] == pytest.approx(np.mean(expected), rel=1e-4)
    assert line["relative"]["dino_local_crops_loss"] == pytest.approx(
        result.logged["dino_local_crops_loss"] / (math.log(12) * 4 / 6), rel=1e-6
    )


# --- collapse, on purpose


def run_and_diagnose(tmp_path, steps, **changes):
    config = longer(steps, measure_every=5, checkpoint_every=1000, milestones=1)
    train_config = replace(config.train, **changes)
    train(
        tmp_path / "run",
        setup(noise_folder(tmp_path / "pictures", 24), replace(config, train=train_config)),
    )
    return diagnose(read_metrics(tmp_path / "run"))


NARROW = HeadConfig(prototypes=64, hidden=32, bottleneck=16, linear_std=None, prototype_std=0.3)


def without_centring(temperature):
    """The centre stays at zero; nothing keeps the teacher's answers apart."""
    schedule = replace(
        longer(80).train.schedule,
        batch_size=12,
        base_learning_rate=0.05,
        start_teacher_temperature=temperature,
        teacher_temperature=temperature,
        momentum=0.9,
        end_momentum=0.9,
    )
    loss = replace(TRAIN.loss, centering="centering", center_momentum=1.0, koleo_weight=0.0)
    return {"schedule": schedule, "loss": loss, "dino_head": NARROW, "ibot_head": NARROW}


@pytest.mark.slow
def test_without_centring_and_a_sharp_teacher_one_prototype_wins(tmp_path):
    found = run_and_diagnose(tmp_path, 80, **without_centring(0.02))
    assert found.kind == "one-prototype", found.message
    assert "Collapsed to one prototype" in found.message


@pytest.mark.slow
def test_without_sharpening_everything_becomes_uniform(tmp_path):
    changes = without_centring(1.0)
    changes["loss"] = replace(changes["loss"], center_momentum=0.9)
    found = run_and_diagnose(tmp_path, 80, **changes)
    assert found.kind == "uniform", found.message
    assert "sits at ln K" in found.message


# --- words


def line(step, ratio=0.9, flat=0.6, marginal=0.95, cosine=0.3):
    return {
        "step": step,
        "steps": 400,
        "loss": 1.0,
        "logged": {"dino_local_crops_loss": 4 * ratio, "dino_global_crops_loss": ratio},
        "uniform": {"dino_local_crops_loss": 4.0, "dino_global_crops_loss": 1.0},
        "measured": {
            "teacher_entropy": {"dino": flat},
            "teacher_entropy_marginal": {"dino": marginal},
            "cosine": cosine,
        },
    }


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ([], "nothing"),
        ([{"step": 0, "knn": {"cls": 30.0}}], "nothing"),
        ([line(1) | {"loss": None}], "nan"),
        ([line(i, ratio=1.0) for i in range(1, 9)], "early"),
        ([line(i, ratio=0.999) for i in range(1, 300)], "flat"),
        ([line(i, ratio=0.999, flat=0.99, marginal=1.0) for i in range(1, 300)], "uniform"),
        ([line(i, ratio=0.05, flat=0.02, marginal=0.03) for i in range(1, 300)], "one-prototype"),
        ([line(i, ratio=0.7, flat=0.7, marginal=0.7) for i in range(1, 300)], "same"),
        ([line(i, cosine=0.999) for i in range(1, 300)], "same"),
        ([line(i, ratio=1 - i / 1000) for i in range(1, 300)], "learning"),
    ],
)
def test_every_diagnosis(lines, kind):
    found = diagnose(lines)
    assert found.kind == kind, found.message


COLLAPSED = {
    "one-prototype": {"ratio": 0.05, "flat": 0.02, "marginal": 0.03},
    "uniform": {"ratio": 0.999, "flat": 0.99, "marginal": 1.0},
    "same": {"ratio": 0.7, "cosine": 0.999},
}


@pytest.mark.parametrize("kind", COLLAPSED)
@pytest.mark.parametrize(
    ("steps", "early", "late"),
    [(40, 19, 20), (400, 19, 20), (2000, 99, 100), (125_000, 999, 1000), (None, 19, 20)],
)
def test_the_first_steps_are_not_called_a_collapse(kind, steps, early, late):
    """An untrained teacher answers all pictures alike: what it looks like is said, and no more."""

    def found(last):
        lines = [
            line(i, **COLLAPSED[kind]) | {"steps": steps}
            for i in range(max(last - 30, 0), last + 1)
        ]
        return diagnose([{k: v for k, v in one.items() if v is not None} for one in lines])

    before = found(early)
    assert before.kind == "early"
    assert before.message.startswith(f"Too early to say, after {early} steps: so far ")
    assert "Collapsed" not in before.message
    assert found(late).kind == kind
    assert found(late).message.startswith("Collapsed")


@pytest.mark.parametrize(("slope", "word"), [(-1e-3, "falling"), (1e-3, "rising"), (0, "level")])
def test_the_trend_is_named(slope, word):
    found = diagnose([line(i, ratio=0.7 + slope * i) for i in range(100)])
    assert word in found.message


@pytest.mark.slow
def test_a_short_run_of_the_smallest_kind_is_not_called_collapsed(tmp_path):
    found = run_and_diagnose(tmp_path, 30, **{k: getattr(RUN.train, k) for k in ("loss",)})
    assert found.kind in ("early", "learning"), found.message
