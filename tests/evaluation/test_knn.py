"""evaluation/knn.py: votes against loops and scikit-learn, and the accuracy of a backbone."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from tiny_features import cosine, features
from tiny_models import tiny_vit
from tiny_runs import coloured, files

from dino_core.analysis import neighbours
from dino_core.datasets import find_pictures
from dino_core.evaluation.knn import LabelledSet, knn, knn_accuracy, votes


@pytest.fixture(params=[7, 1024])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In slices, and at once."""
    monkeypatch.setattr(neighbours, "ROWS", request.param)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("center", [True, False])
def test_knn_votes_as_in_plain_loops(center: bool) -> None:
    train, labels = features(60, 0)
    test, _ = features(25, 1)
    found = knn(train, labels, test, classes=4, ks=(1, 20, 100), center=center)
    mean = train.double().mean(0) if center else torch.zeros(8)
    for k, shares in found.items():
        for x, got in zip(test, shares, strict=True):
            scores = [
                (cosine(x - mean, y - mean), int(c)) for y, c in zip(train, labels, strict=True)
            ]
            weights = [0.0] * 4
            for score, label in sorted(scores, reverse=True)[:k]:
                weights[label] += math.exp(score / 0.07)
            np.testing.assert_allclose(got, np.array(weights) / sum(weights), atol=1e-4)


def test_knn_agrees_with_scikit_learn() -> None:
    train, labels = features(80, 2)
    test, _ = features(40, 3)
    peer = KNeighborsClassifier(
        20, metric="cosine", weights=lambda distance: np.exp((1 - distance) / 0.07)
    ).fit(train.numpy(), labels.numpy())
    found = knn(train, labels, test, classes=4)[20]
    np.testing.assert_allclose(found, peer.predict_proba(test.numpy()), atol=1e-4)


def test_a_cold_vote_does_not_overflow() -> None:
    found = votes(torch.tensor([[1.0, 0.99, -1.0]]), torch.tensor([[2, 0, 1]]), 3, 1e-5)
    assert found.tolist() == [[0, 0, 1]]


def test_fewer_pictures_than_neighbours() -> None:
    train, labels = features(5, 0)
    assert knn(train, labels, train, classes=4)[20].shape == (5, 4)


def test_accuracy_of_what_is_easy_and_of_what_has_no_answer(tmp_path: Path) -> None:
    data = LabelledSet.of(find_pictures(files(tmp_path, coloured(10))))
    assert (len(data.train), len(data.test)) == (21, 9)
    assert not set(data.train.names) & set(data.test.names)
    scores = knn_accuracy(tiny_vit(), data, 28)
    assert set(scores) == {"cls", "mean_patch", "both"}
    assert all(33 < score <= 100 for score in scores.values())  # three colours: chance is a third


def test_given_splits_and_limits_hold(tmp_path: Path) -> None:
    contents = coloured(5, "train/") | coloured(4, "test/")
    data = LabelledSet.of(find_pictures(files(tmp_path, contents)), 3, 2)
    assert data.train.names[:3] == tuple(f"train/blue/0{i}.png" for i in range(3))
    assert (len(data.train), len(data.test)) == (9, 6)
    with pytest.raises(ValueError, match="no labels"):
        LabelledSet.of(find_pictures(tmp_path / "train" / "red"))
