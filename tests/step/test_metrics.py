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
