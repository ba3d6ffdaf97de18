"""distillation/student.py against plain loops."""

import torch
from tiny_distillations import RUN

from dino_core.distillation.student import (
    Follower,
    Usual,
    agreement,
    flipped_answers,
    linear,
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_loss_is_that_of_a_loop():
    answers, said = 3 + 2 * random(5, 1 + 6, 8), (random(5, 8, seed=1), random(5, 6, 8, seed=2))
    usual = Usual.of(answers)
    found = agreement(said, usual.standardised(answers), patch_weight=0.5)

    def cosine(a, b):
        return (a @ b) / (a @ a).sqrt() / (b @ b).sqrt()

    tokens, patches = answers[:, 0], answers[:, 1:].reshape(30, 8)
    loss = torch.zeros(())
    for b in range(5):
        wanted = (answers[b, 0] - tokens.mean(0)) / tokens.var(0, correction=0).sqrt()
        loss += (1 - cosine(said[0][b], wanted)) / 5
        for p in range(6):
            wanted = (answers[b, 1 + p] - patches.mean(0)) / patches.var(0, correction=0).sqrt()
            loss += 0.5 * (1 - cosine(said[1][b, p], wanted)) / 30
    torch.testing.assert_close(found.loss, loss)
    torch.testing.assert_close(found.loss, (1 - found.cls) + 0.5 * (1 - found.patches))


def test_a_channel_that_never_changes_does_no_harm():
    answers = random(4, 3, 8)
    answers[..., 2] = 7.0
    cls, patches = Usual.of(answers).standardised(answers)
    assert cls.isfinite().all()
    assert patches.isfinite().all()
    assert patches[..., 2].abs().max() < 1e-3


def test_the_same_answer_to_everything_agrees_by_nothing():
    answers = random(400, 1 + 4, 16)
    wanted = Usual.of(answers).standardised(answers)
    same = random(16, seed=3)
    found = agreement((same.expand(400, 16), same.expand(400, 4, 16)), wanted, 1.0)
    assert abs(found.cls) < 0.05
    assert abs(found.patches) < 0.05


def test_answers_turn_with_their_crops():
    answers = random(2, 1 + 6, 4)
    turned = flipped_answers(answers, torch.tensor([False, True]), (2, 3))
    assert torch.equal(turned[0], answers[0])
    assert torch.equal(turned[1, 0], answers[1, 0])
    for row in range(2):
        for column in range(3):
            patch, mirrored = 1 + 3 * row + column, 1 + 3 * row + (2 - column)
            assert torch.equal(turned[1, patch], answers[1, mirrored])


def test_the_student_has_the_teachers_width():
    student = Follower(RUN.train.vit, 48, torch.Generator().manual_seed(0))
    cls, patches = student(random(3, 3, 16, 16))
    assert (cls.shape, patches.shape) == ((3, 48), (3, 16, 48))
    assert 0.5 < cls.std() < 2  # fan-in weights on normalised tokens


def test_what_is_usual_is_the_population_s():
    """Both ways the cosines are the same, but not the colours, which go back through it."""
    answers = random(3, 1 + 2, 8)
    usual = Usual.of(answers)
    torch.testing.assert_close(usual.std[0], answers[:, 0].std(0, correction=0))
    torch.testing.assert_close(usual.std[1], answers[:, 1:].reshape(6, 8).std(0, correction=0))


def test_maps_begin_with_what_keeps_the_width_of_tokens():
    layer = linear(900, 25, torch.Generator().manual_seed(0))
    assert 0.95 < layer.weight.std() * 30 < 1.05, "1 / sqrt(width in)"
    assert not layer.bias.any()


def test_cosines_are_computed_in_float32():
    """What a student says under autocast is in half precision, the answers are not."""
    wanted = (random(5, 8), random(5, 6, 8, seed=1))
    said = tuple(one.bfloat16() for one in (random(5, 8, seed=2), random(5, 6, 8, seed=3)))
    found = agreement(said, wanted, 1.0)
    whole = agreement(tuple(one.float() for one in said), wanted, 1.0)
    assert torch.equal(found.cls, whole.cls)
    assert torch.equal(found.patches, whole.patches)
