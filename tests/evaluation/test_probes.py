"""evaluation/probes.py: folds and classifiers against scikit-learn, and no peeking."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from dino_core.evaluation import probes
from dino_core.evaluation.probes import folds_of, probe
from dino_core.evaluation.reports import wilson


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blobs(n: int, classes: int = 3, D: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = generator(seed)
    labels = torch.arange(n) % classes
    centres = torch.randn(classes, D, generator=generator(99))
    return centres[labels] + torch.randn(n, D, generator=draw), labels


def test_every_picture_is_judged_once_by_those_who_have_not_seen_it() -> None:
    labels = [0] * 23 + [1] * 11 + [2] * 6 + [-1] * 4 + [3]  # one class has a single picture
    folds = folds_of(labels, None, generator())
    assert len(folds) == 5
    judged = torch.cat([fold.test for fold in folds])
    assert sorted(judged.tolist()) == list(range(40))
    for fold in folds:
        assert sorted(torch.cat([fold.train, fold.test]).tolist()) == list(range(40))
        counts = torch.tensor(labels)[fold.test].bincount(minlength=3).tolist()
        assert all(abs(got - all_ / 5) < 1 for got, all_ in zip(counts, (23, 11, 6), strict=True))
    same = folds_of(labels, None, generator())
    assert all(torch.equal(a.test, b.test) for a, b in zip(folds, same, strict=True))


def test_given_splits_hold_and_unlabelled_pictures_take_no_part() -> None:
    labels = [0, 1, 0, 1, -1, 0]
    splits = ["train", "train", "test", "test", "test", "train"]
    (fold,) = folds_of(labels, splits, generator())
    assert (fold.train.tolist(), fold.test.tolist()) == ([0, 1, 5], [2, 3])


@pytest.mark.parametrize("labels", [[], [0, 0, 0], [0, 1], [-1, -1], [0, 0, 1]])
def test_what_cannot_be_judged_is_said(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="two classes"):
        folds_of(labels, None, generator())
    with pytest.raises(ValueError, match="training pictures"):
        folds_of([0, 0, 0, 1], ["train", "train", "test", "test"], generator())


def test_tiny_classes_make_fewer_folds() -> None:
    assert len(folds_of([0, 0, 0, 1, 1], None, generator())) == 2


def test_a_crowd_is_thinned_out_class_by_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "MOST_TO_LEARN", 60)
    labels = [0] * 300 + [1] * 200 + [2] * 20
    for fold in folds_of(labels, None, generator()):
        assert torch.tensor(labels)[fold.train].bincount().tolist() == [22, 22, 16]


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
