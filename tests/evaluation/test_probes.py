"""evaluation/probes.py: folds and classifiers against scikit-learn, and no peeking."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from dino_core.evaluation.folds import folds_of
from dino_core.evaluation.probes import probe
from dino_core.evaluation.reports import wilson


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blobs(n: int, classes: int = 3, D: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = generator(seed)
    labels = torch.arange(n) % classes
    centres = torch.randn(classes, D, generator=generator(99))
    return centres[labels] + torch.randn(n, D, generator=draw), labels


@pytest.mark.parametrize("method", ["knn", "logistic"])
def test_nothing_is_learned_from_noise(method: str) -> None:
    """Wide noise with arbitrary labels: whoever peeks is always right."""
    x = torch.randn(200, 300, generator=generator())
    labels = torch.randint(4, (200,), generator=generator(1))
    found = probe(x, labels, folds_of(labels.tolist(), None, generator()), 4, method)
    assert 0.12 < found.accuracy < 0.4
    assert found.interval[0] < 0.25 < found.interval[1] + 0.06


def test_knn_probe_is_that_of_scikit_learn() -> None:
    x, labels = blobs(120)
    folds = folds_of(labels.tolist(), None, generator())
    found = probe(x, labels, folds, 3, "knn")
    for fold in folds:
        peer = KNeighborsClassifier(
            20, metric="cosine", weights=lambda distance: np.exp((1 - distance) / 0.07)
        ).fit(x[fold.train].numpy(), labels[fold.train].numpy())
        shares = peer.predict_proba(x[fold.test].numpy())
        assert found.predicted[fold.test].tolist() == shares.argmax(1).tolist()
        np.testing.assert_allclose(found.confidence[fold.test], shares.max(1), atol=1e-4)
    hits = (found.predicted == labels).float().mean().item()
    assert found.accuracy == pytest.approx(hits)
    assert 0.4 < found.accuracy < 1
    assert found.interval == pytest.approx(wilson(round(hits * 120), 120))


def test_pictures_that_are_not_judged_have_no_answer() -> None:
    x, labels = blobs(30)
    splits = ["train"] * 20 + ["test"] * 10
    found = probe(x, labels, folds_of(labels.tolist(), splits, generator()), 3, "logistic")
    assert (found.predicted[:20] == -1).all()
    assert (found.confidence[:20] == 0).all()
    assert (found.predicted[20:] >= 0).all()
    assert found.count == 10
