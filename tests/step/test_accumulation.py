"""step/accumulation.py: parts of a batch add up to one step."""

import copy
from dataclasses import replace

import pytest
import torch
from tiny_runs import TRAIN

from dino_core.schedules import StepValues
from dino_core.step.accumulation import step_in_parts
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers
from dino_core.step.train_step import train_step
from dino_core.student_teacher import StudentTeacher
from dino_core.update import build_optimiser

VALUES = StepValues(1e-3, 1e-3, 0.04, 0.9, 0.05)
CONFIG = replace(
    TRAIN,
    vit=replace(TRAIN.vit, drop_path=0.0),
    loss=replace(TRAIN.loss, centering="centering"),
)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def part(seed, pictures=3):
    generator, side = seeded(seed), CONFIG.crops.global_size
    patches = (side // CONFIG.vit.patch_size) ** 2
    return Batch.from_crops(
        torch.randn(2 * pictures, 3, side, side, generator=generator),
        torch.randn(2 * pictures, 3, 8, 8, generator=generator),
        torch.rand(2 * pictures, patches, generator=generator) < 0.4,
    )


def new_run(config=CONFIG):
    pair = StudentTeacher(config, generator=seeded(0))
    return pair, build_optimiser(pair.student.parts, config.optim), Centers.zeros(config)


def test_one_part_is_a_plain_step_to_the_bit():
    config = replace(CONFIG, vit=replace(CONFIG.vit, drop_path=0.3))
    results, weights = [], []
    for plain in (True, False):
        pair, optimiser, centers = new_run(config)
        if plain:
            result = train_step(
                pair, part(1), optimiser, VALUES, config, centers, generator=seeded(4)
            )
        else:
            result = step_in_parts(
                pair, [part(1)], optimiser, VALUES, config, centers, generators=[seeded(4)]
            )
        results.append(result)
        weights.append(pair.state_dict())
    one, other = results
    assert (one.terms, one.logged, one.anchors) == (other.terms, other.logged, other.anchors)
    assert one.gradient_norms == other.gradient_norms
    assert torch.equal(one.dino_terms, other.dino_terms)
    assert torch.equal(one.centers.ibot, other.centers.ibot)
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


def test_parts_make_one_update_of_their_mean_gradient():
    """Against a step on each part from the same weights: three of them, one update."""
    parts = [part(seed) for seed in (1, 2, 3)]
    unclipped = replace(CONFIG, optim=replace(CONFIG.optim, clip=None))
    gradients, alone = [], []
    for one in parts:
        pair, optimiser, centers = new_run()
        alone.append(train_step(pair, one, optimiser, VALUES, unclipped, centers))
        gradients.append({n: p.grad for n, p in pair.student.named_parameters()})

    pair, optimiser, centers = new_run()
    teacher = copy.deepcopy(pair.teacher.state_dict())
    result = step_in_parts(
        pair, parts, optimiser, VALUES, unclipped, centers, generators=[None] * 3
    )
    for name, parameter in pair.student.named_parameters():
        expected = sum(each[name] for each in gradients) / 3
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-4, atol=1e-7, msg=name)
    for term, value in result.terms.items():
        assert value == pytest.approx(sum(one.terms[term] for one in alone) / 3, rel=1e-5)
    assert result.loss == pytest.approx(sum(result.terms.values()), rel=1e-6)
    assert torch.equal(result.dino_terms, torch.cat([one.dino_terms for one in alone], -1))
    assert torch.equal(result.ibot_terms, torch.cat([one.ibot_terms for one in alone]))
    mean = sum(one.centers.dino for one in alone) / 3
    torch.testing.assert_close(result.centers.dino, mean)
    # One update: the teacher has moved once, towards the student as it is now.
    student = pair.student.state_dict()
    for name, now in pair.teacher.state_dict().items():
        torch.testing.assert_close(now, 0.9 * teacher[name] + 0.1 * student[name], msg=name)


@pytest.mark.parametrize(
    ("where", "named"),
    [
        ("local_crops", "DINO"),
        ("global_crops", "DINO and the KoLeo and the iBOT"),
    ],
)
def test_a_term_that_is_not_finite_is_that_of_the_failing_forward(where, named):
    """Named from the losses that failed: the student is not run, nor its drop path drawn, again."""
    config = replace(CONFIG, vit=replace(CONFIG.vit, drop_path=0.3))
    pair, optimiser, centers = new_run(config)
    before = copy.deepcopy(pair.state_dict())
    parts = [part(1), part(2)]
    generators = [seeded(4), seeded(5)]
    other, its_optimiser, _ = new_run(config)
    step_in_parts(other, parts, its_optimiser, VALUES, config, centers, generators=generators)
    after = [generator.get_state() for generator in generators]
    getattr(parts[1], where)[0] = torch.nan
    generators = [seeded(4), seeded(5)]
    with pytest.raises(FloatingPointError, match=f"Not finite: the {named} term. The loss is nan"):
        step_in_parts(pair, parts, optimiser, VALUES, config, centers, generators=generators)
    assert all(torch.equal(tensor, before[name]) for name, tensor in pair.state_dict().items())
    for generator, state in zip(generators, after, strict=True):
        assert torch.equal(generator.get_state(), state)
