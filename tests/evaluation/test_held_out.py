"""evaluation/held_out.py: figures on held-out pictures, against loops over predictions."""

import math
from dataclasses import asdict, replace

import pytest
import torch
from tiny_runs import TRAIN, differing_pair, noise_folder

from dino_core.datasets import find_pictures
from dino_core.evaluation.held_out import evaluate_heads, nearest_visible
from dino_core.losses import dino_terms
from dino_core.step.forward import student_outputs
from dino_core.step.loader import BatchMaker, generator_for, to_batch
from dino_core.student_teacher import StudentTeacher
from dino_core.targets import sinkhorn_knopp

CONFIG = replace(TRAIN, vit=replace(TRAIN.vit, drop_path=0.0))


@pytest.fixture
def pair() -> StudentTeacher:
    return differing_pair(CONFIG)


def entropy(row: torch.Tensor) -> float:
    return -sum(p * math.log(p) for p in row.tolist() if p > 0)


def test_figures_are_those_of_single_predictions(pair, tmp_path):
    pictures = find_pictures(noise_folder(tmp_path, 6))
    found = evaluate_heads(pair, pictures, CONFIG, seed=3)
    config = replace(CONFIG, schedule=replace(CONFIG.schedule, batch_size=6))
    batch = to_batch(BatchMaker(pictures, config, 3).make(0))
    temperature = config.schedule.teacher_temperature
    pair.eval()
    with torch.no_grad():
        out = pair.teacher.backbone(batch.global_crops)
        cls, patches = pair.teacher.logits(out.cls, out.patches.flatten(0, 1))
        student = student_outputs(pair.student, batch, config)
    targets = sinkhorn_knopp(cls, temperature).reshape(2, 6, 12)
    best = (cls - cls.mean(0)).argmax(-1).reshape(2, 6).tolist()
    pairs = [(i, j) for i in range(6) for j in range(6)]
    same = [best[0][i] == best[1][j] for i, j in pairs if i == j]
    other = [best[0][i] == best[1][j] for i, j in pairs if i != j]
    assert found.agreement == pytest.approx(sum(same) / 6)
    assert found.agreement_of_others == pytest.approx(sum(other) / 30)
    each = [entropy(row) for row in targets.flatten(0, 1)]
    assert found.entropy == pytest.approx(sum(each) / 12 / math.log(12), rel=1e-4)
    mean = entropy(targets.flatten(0, 1).mean(0)) / math.log(12)
    assert found.marginal_entropy == pytest.approx(mean, rel=1e-4)
    terms = dino_terms(student.logits, targets, 0.1)
    different = [terms[s, t].mean().item() for s in range(4) for t in range(2) if s != t]
    assert found.dino_cross_entropy == pytest.approx(sum(different) / 6, rel=1e-4)

    right = (patches - patches.mean(0)).argmax(-1)[batch.masks.flatten()].tolist()
    masked = student.patch_logits
    said = (masked - masked.mean(0)).argmax(-1).tolist()
    assert found.masked_top1 == pytest.approx(
        sum(a == b for a, b in zip(said, right, strict=True)) / len(right)
    )
    assert found.commonest == pytest.approx(max(right.count(k) for k in range(10)) / len(right))
    shuffled = [a == b for a in said for b in right]
    assert found.shuffled == pytest.approx(sum(shuffled) / len(shuffled))
    assert found.pictures == 6
    assert found.prototypes == (12, 10)


def test_nearest_visible_patch():
    mask = torch.tensor([[1, 1, 0], [1, 1, 1], [0, 1, 1]]).bool()
    answers = torch.arange(9)
    found = nearest_visible(answers[None], mask.flatten()[None]).tolist()
    visible = [(0, 2), (2, 0)]
    for patch, answer in zip(mask.flatten().nonzero().flatten().tolist(), found, strict=True):
        row, col = divmod(patch, 3)
        far = {3 * r + c: math.hypot(r - row, c - col) for r, c in visible}
        assert far[answer] == min(far.values())
    none = torch.zeros(1, 9).bool()
    assert len(nearest_visible(answers[None], none)) == 0


def test_same_seed_same_figures(tmp_path):
    """The pair is asked in eval mode, and left in the mode it was in."""
    pair = StudentTeacher(CONFIG, generator=generator_for(0, "weights", 0))
    pictures = find_pictures(noise_folder(tmp_path, 5))
    once, again = (asdict(evaluate_heads(pair, pictures, CONFIG, seed=1)) for _ in range(2))
    assert once == again
    assert pair.training, "it is left as it was"
    shares = ("agreement", "entropy", "marginal_entropy", "masked_top1", "nearest_visible")
    assert all(0 <= once[name] <= 1 + 1e-6 for name in shares)


def test_one_picture_is_too_few(pair, tmp_path):
    with pytest.raises(ValueError, match="at least 2"):
        evaluate_heads(pair, find_pictures(noise_folder(tmp_path, 1)), CONFIG)


@pytest.mark.parametrize("training", [True, False])
def test_a_pair_is_left_as_it_was(pair, tmp_path, training):
    pair.train(training)
    before = [module.training for module in pair.modules()]
    evaluate_heads(pair, find_pictures(noise_folder(tmp_path, 2)), TRAIN)
    assert [module.training for module in pair.modules()] == before


def test_pictures_that_fill_no_batch_are_not_counted(pair, tmp_path, monkeypatch):
    monkeypatch.setattr("dino_core.evaluation.held_out.BATCH", 2)
    found = evaluate_heads(pair, find_pictures(noise_folder(tmp_path, 5)), CONFIG)
    assert found.pictures == 4
