"""evaluation/logistic.py against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from dino_core.evaluation.logistic import logistic, sklearn_logistic


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blobs(n: int, classes: int = 3, D: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = generator(seed)
    labels = torch.arange(n) % classes
    centres = torch.randn(classes, D, generator=generator(99))
    return centres[labels] + torch.randn(n, D, generator=draw), labels


@pytest.mark.parametrize("C", [0.1, 10.0])
def test_logistic_regression_is_that_of_scikit_learn(C: float) -> None:
    x, labels = blobs(90)
    test, _ = blobs(40, seed=1)
    got = logistic(x, labels, test, 3, C)
    mean = x.mean(0)
    scale = (x - mean).square().mean().sqrt()
    peer = LogisticRegression(C=C, max_iter=5000, tol=1e-10)
    peer.fit(((x - mean) / scale).double().numpy(), labels.numpy())
    expected = peer.predict_proba(((test - mean) / scale).double().numpy())
    np.testing.assert_allclose(got, expected, atol=2e-3)


def test_a_class_without_a_training_picture_gets_nothing() -> None:
    x, labels = blobs(60)
    chosen = labels != 1
    got = sklearn_logistic(x[chosen], labels[chosen], x, 4)
    assert got.shape == (60, 4)
    assert (got[:, [1, 3]] == 0).all()
    np.testing.assert_allclose(got.sum(1), 1, atol=1e-9)
