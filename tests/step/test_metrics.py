"""step/metrics.py: what is measured, against loops."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_runs import TRAIN, noise_folder

from dino_core.datasets import find_pictures
from dino_core.schedules import values_at
from dino_core.step.forward import Centers, make_targets, teacher_outputs
from dino_core.step.loader import BatchMaker, generator_for, to_batch
from dino_core.step.metrics import (
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
    assert measured.commonest["dino"] == pytest.approx(rows.mean(0).max().item(), rel=1e-5)
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


def test_a_line_says_all_of_a_step(tmp_path):
    """Each name of docs/metrics.md with the value it stands for."""
    batch = to_batch(BatchMaker(find_pictures(noise_folder(tmp_path)), TRAIN, 0).make(0))
    pair = StudentTeacher(TRAIN, generator=generator_for(0, "weights", 0))
    values, centers = values_at(3, TRAIN.schedule), Centers.zeros(TRAIN)
    measured = replace(measure(pair, batch, values, TRAIN, centers), pictures=5)
    result = train_step(
        pair, batch, build_optimiser(pair.student.parts, TRAIN.optim), values, TRAIN, centers
    )
    line = metrics_of(result, values, measured)
    L, masked = 2, (batch.mask_weights.sum() / 12).item()
    uniform = {
        "dino_local_crops_loss": math.log(12) * 2 * L / (2 + 2 * L),
        "dino_global_crops_loss": math.log(12) * 2 / (2 + 2 * L),
        "ibot_loss": math.log(10) * masked / 2,
    }
    assert line.pop("measured") == {
        "teacher_entropy": measured.entropy,
        "teacher_entropy_marginal": measured.marginal,
        "commonest_prototype": measured.commonest,
        "kl": divergence(result.dino_terms, measured.view_entropy),
        "center_norm": {"dino": 0.0, "ibot": 0.0},
        "effective_rank": measured.effective_rank,
        "effective_rank_limit": 5,
        "cosine": measured.cosine,
        "pictures": 5,
    }
    assert line == {
        "loss": result.loss,
        "terms": result.terms,
        "logged": result.logged,
        "uniform": pytest.approx(uniform),
        "relative": pytest.approx({n: result.logged[n] / v for n, v in uniform.items()}),
        "ln_k": {"dino": math.log(12), "ibot": math.log(10)},
        "gradient_norms": result.gradient_norms,
        "learning_rate": values.learning_rate,
        "last_layer_learning_rate": values.last_layer_learning_rate,
        "weight_decay": values.weight_decay,
        "momentum": values.momentum,
        "teacher_temperature": values.teacher_temperature,
    }
    assert "measured" not in metrics_of(result, values, None)


def test_measured_is_the_first_view_of_different_pictures(tmp_path):
    batch = to_batch(BatchMaker(find_pictures(noise_folder(tmp_path)), TRAIN, 0).make(0))
    pair = StudentTeacher(TRAIN, generator=generator_for(0, "weights", 0))
    centers = Centers(torch.full((12,), 3.0), torch.full((10,), 2.0))
    found = measure(pair, batch, values_at(0, TRAIN.schedule), TRAIN, centers)
    first = teacher_outputs(pair.teacher, batch, TRAIN).tokens[:6]
    assert found.effective_rank == pytest.approx(effective_rank(first))
    assert found.cosine == pytest.approx(mean_cosine(first))
    assert (found.rank_limit, found.pictures) == (5, 6)
    assert found.center_norm == pytest.approx({"dino": 3 * 12**0.5, "ibot": 2 * 10**0.5})
    assert found.view_entropy.shape == (2, 6)


def test_nothing_is_measured_of_patches_where_none_is_masked(tmp_path):
    config = replace(TRAIN, masks=replace(TRAIN.masks, probability=0.0))
    batch = to_batch(BatchMaker(find_pictures(noise_folder(tmp_path)), config, 0).make(0))
    pair = StudentTeacher(config, generator=generator_for(0, "weights", 0))
    found = measure(pair, batch, values_at(0, config.schedule), config, Centers.zeros(config))
    assert list(found.entropy) == list(found.marginal) == list(found.commonest) == ["dino"]


def test_one_picture_alone():
    assert mean_cosine(torch.ones(1, 3)) == 1.0
    assert mean_cosine(torch.eye(2)) == pytest.approx(0.0)
