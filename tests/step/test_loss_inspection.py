"""step/loss_inspection.py: one picture's losses are its share of a training step's."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_runs import TRAIN, differing_pair

from dino_core.crops import stack_crops
from dino_core.schedules import StepValues
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers
from dino_core.step.loss_inspection import (
    PictureLogits,
    break_down,
    picture_logits,
    reference_batch,
)
from dino_core.step.train_step import train_step
from dino_core.student_teacher import StudentTeacher
from dino_core.update import build_optimiser

CONFIG = replace(
    TRAIN,
    vit=replace(TRAIN.vit, drop_path=0.0),
    loss=replace(TRAIN.loss, dino_weight=0.7, ibot_weight=1.5, koleo_weight=0.1),
)
TEMPERATURE = 0.05


@pytest.fixture(scope="module")
def pair() -> StudentTeacher:
    return differing_pair(CONFIG)


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (30, 40, 3), np.uint8))


@pytest.fixture(scope="module")
def answers(pair: StudentTeacher) -> list[PictureLogits]:
    return [picture_logits(pair, CONFIG, noise(i), seed=i, ratio=0.4) for i in range(4)]


@pytest.mark.parametrize("by", ["sinkhorn_knopp", "centering"])
def test_the_mean_over_the_pictures_is_the_training_step(pair, answers, by) -> None:
    config = replace(CONFIG, loss=replace(CONFIG.loss, centering=by))
    crops = list(zip(*(one.crops for one in answers), strict=True))  # [2 + L][B]
    whole = torch.zeros_like(answers[0].mask.mask)
    batch = Batch.from_crops(
        torch.cat([stack_crops(one) for one in crops[:2]]),
        torch.cat([stack_crops(one) for one in crops[2:]]),
        torch.stack([one.mask.mask for one in answers] + [whole] * len(answers)),
    )
    centers = Centers(
        torch.cat([one.teacher for one in answers]).mean(0),
        torch.cat([one.teacher_patches for one in answers]).mean(0),
    )
    optimiser = build_optimiser(pair.student.parts, config.optim)
    values = StepValues(0.0, 0.0, 0.0, 1.0, TEMPERATURE)  # nothing moves
    step = train_step(pair, batch, optimiser, values, config, centers)

    parts = [
        break_down(own, [a for a in answers if a is not own], config.loss, TEMPERATURE)
        for own in answers
    ]
    for name, value in step.terms.items():
        mean = sum(part.terms[name] for part in parts) / len(parts)
        assert mean == pytest.approx(value, rel=1e-4), name
    between = torch.stack([part.dino for part in parts], dim=-1)
    torch.testing.assert_close(between, step.dino_terms, atol=1e-4, rtol=1e-4)
    on_patches = torch.cat([part.ibot for part in parts])
    torch.testing.assert_close(on_patches, step.ibot_terms, atol=1e-4, rtol=1e-4)
    koleo = torch.stack([part.koleo for part in parts], dim=-1)
    torch.testing.assert_close(koleo, step.koleo_terms, atol=1e-4, rtol=1e-4)


def test_distributions_and_cross_entropies_by_hand(answers) -> None:
    part = break_down(answers[0], answers[1:], CONFIG.loss, TEMPERATURE)
    for rows in (part.teacher, part.student, part.teacher_patches, part.student_patches):
        torch.testing.assert_close(rows.sum(-1), torch.ones(len(rows)))
    for s in range(4):
        for t in range(2):
            by_hand = -(part.teacher[t] * part.student[s].log()).sum()
            assert part.dino[s, t].item() == pytest.approx(by_hand.item(), rel=1e-4)
    own = torch.nn.functional.normalize(answers[0].cls, dim=-1)
    for i, other in enumerate(answers[1:]):
        apart = (own - torch.nn.functional.normalize(other.cls, dim=-1)).norm(dim=-1)
        torch.testing.assert_close(part.distances[:, i], apart)
    torch.testing.assert_close(
        part.koleo, -part.distances.min(dim=1).values.log(), atol=1e-4, rtol=0
    )


def test_the_best_patch_of_every_prototype(pair, answers) -> None:
    one = answers[1]
    with torch.no_grad():
        out = pair.teacher.backbone(stack_crops(one.crops[:2]))
        scores = pair.teacher.ibot_head(out.patches.flatten(0, 1))  # [2 P, K']
    torch.testing.assert_close(one.best_score, scores.max(dim=0).values)
    assert one.best_patch.tolist() == scores.argmax(dim=0).tolist()
    hidden = one.mask.mask.flatten()
    torch.testing.assert_close(one.teacher_patches, scores[: len(hidden)][hidden])


def test_a_uniform_student_pays_what_is_said(answers) -> None:
    flat = replace_scores(answers[0], 0.0)
    part = break_down(flat, answers[1:], CONFIG.loss, TEMPERATURE)
    for name, value in part.uniform.items():
        assert part.terms[name] == pytest.approx(value, rel=1e-5), name
    assert part.uniform["ibot"] == pytest.approx(1.5 * math.log(10) / 2)


def replace_scores(one: PictureLogits, value: float) -> PictureLogits:
    return replace(
        one,
        student=torch.full_like(one.student, value),
        student_patches=torch.full_like(one.student_patches, value),
    )


def test_the_same_seed_says_the_same_and_nothing_is_changed(pair, answers) -> None:
    again = picture_logits(pair, CONFIG, noise(2), seed=2, ratio=0.4)
    torch.testing.assert_close(again.student, answers[2].student)
    assert torch.equal(again.mask.mask, answers[2].mask.mask)
    assert pair.student.training


def test_references_need_no_local_crops(pair, answers) -> None:
    references = reference_batch(pair, CONFIG, [noise(1), noise(2)])
    assert [len(one.crops) for one in references] == [2, 2]
    part = break_down(answers[0], references, CONFIG.loss, TEMPERATURE)
    assert part.dino.shape == (4, 2)
    assert part.distances.shape == (2, 2)


def test_what_cannot_be_asked_is_refused(pair, answers) -> None:
    with pytest.raises(ValueError, match="bring other pictures"):
        break_down(answers[0], [], CONFIG.loss, TEMPERATURE)
    with pytest.raises(ValueError, match="above 0"):
        break_down(answers[0], answers[1:], CONFIG.loss, 0.0)
    with pytest.raises(ValueError, match="no patch"):
        picture_logits(pair, CONFIG, noise(0), seed=0, ratio=0.0)
    without = replace(CONFIG, loss=replace(CONFIG.loss, ibot_weight=0.0))
    with pytest.raises(ValueError, match="without iBOT"):
        picture_logits(pair, without, noise(0), seed=0)
