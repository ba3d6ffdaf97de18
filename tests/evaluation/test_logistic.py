"""evaluation/logistic.py against scikit-learn, fold by fold."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from dino_core.evaluation import logistic as module
from dino_core.evaluation.folds import Fold, folds_of
from dino_core.evaluation.logistic import Regressions, logistic, sklearn_logistic


def features_of(n: int, D: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """What layers give: a long tail of variances, one large direction that all share, overlap."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (n,), generator=draw)
    turn = torch.linalg.qr(torch.randn(D, D, generator=draw)).Q
    spread = torch.arange(1, D + 1) ** -0.7
    centres = 0.5 * torch.randn(classes, D, generator=draw)
    x = (centres[labels] + torch.randn(n, D, generator=draw)) * spread
    return x @ turn + 3, labels


def folds_for(labels: Tensor) -> list[Fold]:
    return folds_of(labels.tolist(), None, torch.Generator().manual_seed(0))


def optimum(x: Tensor, labels: Tensor, fold: Fold, C: float) -> tuple[np.ndarray, float]:
    """scikit-learn's probabilities of the test pictures, and the objective that it reaches."""
    mean = x[fold.train].mean(0)
    z = (x - mean) / (x[fold.train] - mean).square().mean().sqrt()
    z, y = z.double().numpy(), labels.numpy()
    model = LogisticRegression(C=C, max_iter=10_000, tol=1e-9).fit(z[fold.train], y[fold.train])
    shares = model.predict_proba(z[fold.train])
    fit = -np.log(shares[np.arange(len(shares)), y[fold.train]]).sum()
    return model.predict_proba(z[fold.test]), fit + (model.coef_**2).sum() / (2 * C)


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(("n", "D"), [(300, 24), (150, 200)])
def test_all_folds_reach_the_optimum_of_scikit_learn(n: int, D: int, C: float) -> None:
    x, labels = features_of(n, D, 4)
    folds = folds_for(labels)
    expected = [optimum(x, labels, fold, C) for fold in folds]
    reached = Regressions(x, labels, folds, 4, C).solve()[2]
    assert reached == pytest.approx(sum(loss for _, loss in expected), rel=1e-4)
    for fold, got, (shares, _) in zip(
        folds, logistic(x, labels, folds, 4, C=C), expected, strict=True
    ):
        np.testing.assert_allclose(got, shares, atol=0.02)
        right = [(p.argmax(1) == labels[fold.test].numpy()).mean() for p in (got.numpy(), shares)]
        assert abs(right[0] - right[1]) <= 1 / len(fold.test)  # one picture on the edge


def test_the_gradient_is_that_of_the_loss() -> None:
    x, labels = features_of(60, 5, 3)
    problem = Regressions(x, labels, folds_for(labels)[:2], 3, 0.5)
    draw = np.random.default_rng(0)
    at = draw.normal(size=(5 + 1) * 2 * 3)
    _, gradient = problem.loss(at)
    for i in range(len(at)):
        step = np.zeros_like(at)
        step[i] = 1e-2
        slope = (problem.loss(at + step)[0] - problem.loss(at - step)[0]) / 2e-2
        assert gradient[i] == pytest.approx(slope, rel=2e-2, abs=2e-2)


def test_folds_together_or_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x, labels = features_of(200, 12, 3)
    folds = folds_for(labels)
    together = logistic(x, labels, folds, 3)
    monkeypatch.setattr(module, "ELEMENTS", 1)
    for got, expected in zip(logistic(x, labels, folds, 3), together, strict=True):
        np.testing.assert_allclose(got, expected, atol=0.01)


def test_a_fold_learns_from_its_own_pictures_only() -> None:
    """What the other folds learn from changes nothing: labels of the test pictures least of all."""
    x, labels = features_of(200, 12, 3)
    folds = folds_for(labels)
    before = logistic(x, labels, folds, 3)[0]
    spoilt = labels.clone()
    spoilt[folds[0].test] = (labels[folds[0].test] + 1) % 3
    np.testing.assert_allclose(logistic(x, spoilt, folds, 3)[0], before, atol=0.01)


def test_a_few_steps_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The valley is round: 40 steps reach what 10 000 of scikit-learn's reach."""
    x, labels = features_of(400, 96, 10)
    folds = folds_for(labels)
    best = sum(optimum(x, labels, fold, 1.0)[1] for fold in folds)
    monkeypatch.setattr(module, "STEPS", 40)
    assert Regressions(x, labels, folds, 10, 1.0).solve()[2] == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_features_that_tell_nothing_give_the_shares_of_the_classes(value: float) -> None:
    labels = torch.tensor([0] * 30 + [1] * 10)
    got = logistic(torch.full((40, 6), value), labels, folds_for(labels), 2)
    np.testing.assert_allclose(torch.cat(got)[:, 0], 0.75, atol=0.01)


def test_a_class_without_a_training_picture_gets_next_to_nothing() -> None:
    x, labels = features_of(90, 6, 3)
    chosen = (labels != 1).nonzero()[:, 0]
    (got,) = logistic(x, labels, [Fold(chosen, torch.arange(90))], 3)
    assert (got[:, 1] < 0.02).all()
    shares = sklearn_logistic(x[chosen], labels[chosen], x, 4)
    assert shares.shape == (90, 4)
    assert (shares[:, [1, 3]] == 0).all()
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-9)


def test_without_a_word_the_weight_of_the_penalty_is_one() -> None:
    generator = torch.Generator().manual_seed(0)
    x, labels = torch.randn(40, 4, generator=generator), torch.arange(40) % 3
    folds = [Fold(torch.arange(30), torch.arange(30, 40))]
    [plain], [one] = logistic(x, labels, folds, 3), logistic(x, labels, folds, 3, C=1.0)
    assert torch.equal(plain, one)
    assert not torch.equal(plain, logistic(x, labels, folds, 3, C=1.1)[0])
