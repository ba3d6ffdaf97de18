"""slow_motion/session.py: a copy of a pair that makes one step after the other."""

import copy
from dataclasses import replace

import pytest
import torch
from tiny_steps import SMALL, small_pictures

from dino_core.crops import sample_crops, stack_crops
from dino_core.schedules import values_at
from dino_core.slow_motion.session import Choices, Session, draw_batch
from dino_core.step.forward import teacher_outputs
from dino_core.step.loader import generator_for
from dino_core.student_teacher import StudentTeacher


@pytest.fixture(scope="module")
def pictures():
    return small_pictures()


@pytest.fixture(scope="module")
def pair():
    return StudentTeacher(SMALL, generator=torch.Generator().manual_seed(1))


def weights(session):
    return torch.cat([p.flatten() for p in session.pair.parameters()]).detach().clone()


def test_pair_that_is_copied_stays_as_it_is(pair, pictures):
    pair.requires_grad_(False).eval()
    before = copy.deepcopy(pair.state_dict())
    session = Session(pair, SMALL, pictures)
    first = session.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in pair.state_dict().items())
    assert not pair.training
    assert not any(p.requires_grad for p in pair.parameters())
    assert all(p.grad is None for p in pair.parameters())
    assert (first.moved.student > 0).all(), "everything learns, whatever was frozen"


def test_recorded_and_passed_over_steps_lead_to_the_same_weights(pair, pictures):
    recorded, passed = (Session(pair, SMALL, pictures) for _ in range(2))
    steps = [recorded.step(), recorded.step()]
    results = [passed.pass_over(), passed.pass_over()]
    assert torch.equal(weights(recorded), weights(passed))
    assert [one.result.loss for one in steps] == [one.loss for one in results]
    assert not torch.equal(steps[0].batch.global_crops, steps[1].batch.global_crops)


def test_first_picture_has_the_crops_of_the_seed(pictures):
    drawn = draw_batch(pictures, SMALL, seed=4, step=2)
    expected = sample_crops(pictures[0], SMALL.crops, torch.Generator().manual_seed(6))
    assert [one.as_dict() for one in drawn.crops] == [one.as_dict() for one in expected]
    globals_, locals_ = stack_crops(expected[:2]), stack_crops(expected[2:])
    assert torch.equal(drawn.batch.global_crops[[0, 3]], globals_)
    assert torch.equal(drawn.batch.local_crops[[0, 3]], locals_)
    masks = [draw_batch(pictures, SMALL, seed=4, step=i).batch.masks for i in range(8)]
    assert max(int(one.any(1).sum()) for one in masks) == 3, "half of the global crops"
    assert all(one[0].any() for one in masks), "the first is always among them"


def test_centres_begin_with_the_teachers_means(pair, pictures):
    session = Session(pair, SMALL, pictures)
    teacher = teacher_outputs(pair.teacher, session.draw().batch, SMALL)
    step = session.step()
    begun = {v.name: v for v in step.visits[0].values}["centers.dino"]
    assert begun.mean == pytest.approx(teacher.logits.mean().item(), abs=1e-6)
    # The mean of the same batch moves a mean nowhere.
    torch.testing.assert_close(step.result.centers.dino, teacher.logits.mean((0, 1)))


def test_choices_are_what_the_step_goes_by(pair, pictures):
    choices = Choices(0, "sinkhorn_knopp", 0.1, 1e-5, ibot_weight=0.0, koleo_weight=2.0)
    step = Session(pair, SMALL, pictures, choices).step()
    assert step.values.learning_rate == 1e-5 == step.values.last_layer_learning_rate
    assert step.values.teacher_temperature == 0.1
    assert step.teacher.patch_logits is None
    assert step.result.terms["ibot"] == 0
    assert step.gradients.norms[:, 3].sum() == 0
    assert any(v.within == "sinkhorn_knopp" for v in step.visits)
    weighted = 2 * step.result.koleo_terms.mean(dim=1).sum().item()
    assert step.result.terms["koleo"] == pytest.approx(weighted, rel=1e-6)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (Choices(targets="both"), "not by 'both'"),
        (Choices(temperature=0.0), "above 0"),
        (Choices(learning_rate=-1.0), "learning rate"),
        (Choices(koleo_weight=1e9), "weight"),
        (Choices(dino_weight=0, ibot_weight=0, koleo_weight=0), "nothing to learn from"),
        (Choices(learning_rate=float("nan")), "learning rate"),
    ],
)
def test_odd_choices_are_refused_in_a_sentence(pair, pictures, choices, words):
    with pytest.raises(ValueError, match=words):
        Session(pair, SMALL, pictures, choices)


def test_one_picture_is_no_batch(pair, pictures):
    with pytest.raises(ValueError, match="at least one other"):
        Session(pair, SMALL, pictures[:1])


def test_pair_without_local_crops(pair, pictures):
    config = replace(SMALL, crops=replace(SMALL.crops, local_count=0))
    step = Session(pair, config, pictures).step()
    assert step.result.dino_terms.shape == (2, 2, 3)
    assert step.gradients.norms[:, 1].sum() == 0


def test_dropped_paths_have_a_seed_of_their_own(pair, pictures):
    """As in a run: neither the masks' numbers nor those of the step before."""
    session = Session(pair, SMALL, pictures, Choices(seed=4))
    session.pass_over()
    wanted = generator_for(4, "drop path", 1)
    assert torch.equal(session._paths().get_state(), wanted.get_state())


def test_the_teacher_learns_nothing(pair, pictures):
    session = Session(pair, SMALL, pictures)
    assert not any(p.requires_grad for p in session.pair.teacher.parameters())
    assert all(p.requires_grad for p in session.pair.student.parameters())


def test_it_stands_nine_tenths_through_the_schedules_of_its_pair():
    """Unless something else is chosen, which is at the learning rate of all layers alike."""
    schedule = SMALL.schedule
    config, values = Choices().settle(SMALL)
    at = int(0.9 * schedule.steps)
    assert values == values_at(at, schedule) != values_at(at + 1, schedule)
    assert (config.loss.centering, config.loss.koleo_weight) == ("centering", 0.1)
    _, chosen = Choices(temperature=0.06, learning_rate=1e-3).settle(SMALL)
    assert chosen == replace(
        values, teacher_temperature=0.06, learning_rate=1e-3, last_layer_learning_rate=1e-3
    )


@pytest.mark.parametrize(
    ("choice", "taken", "refused"),
    [
        ("temperature", (1e-6, 1.0), (0.0, 1.01, -0.1)),
        ("learning_rate", (0.0, 1.0), (-1e-9, 1.01)),
        ("dino_weight", (0.0, 100.0), (-0.1, 100.1)),
        ("ibot_weight", (0.0, 100.0), (-0.1, 100.1)),
        ("koleo_weight", (0.0, 100.0), (-0.1, 100.1)),
    ],
)
def test_choices_go_so_far(choice, taken, refused):
    for value in taken:
        Choices(**{choice: value}).settle(SMALL)
    for value in refused:
        with pytest.raises(ValueError, match="is a number"):
            Choices(**{choice: value}).settle(SMALL)
    with pytest.raises(ValueError, match="nothing to learn from"):
        Choices(dino_weight=0, ibot_weight=0, koleo_weight=0).settle(SMALL)


def test_every_picture_and_every_step_is_drawn_anew(pictures):
    """Also where the pictures are the same."""
    first, second = (draw_batch([pictures[0]] * 3, SMALL, seed=4, step=i).batch for i in range(2))
    crops = first.global_crops[:3]
    assert not any(torch.equal(crops[i], crops[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert not torch.equal(first.masks, second.masks)
    assert not torch.equal(first.global_crops[1], second.global_crops[1])
