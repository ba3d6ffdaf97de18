"""What simple classifiers read off frozen features: every picture judged by who has not seen it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dino_core.evaluation.folds import Fold
from dino_core.evaluation.knn import NEIGHBOURS, knn
from dino_core.evaluation.logistic import logistic
from dino_core.evaluation.reports import wilson

CLASSIFIERS = ("knn", "logistic")


@dataclass(frozen=True)
class Judged:
    """A classifier's answers. -1 and 0 where a picture was not judged."""

    predicted: Tensor  # int64 [n]
    confidence: Tensor  # float32 [n], of that answer
    accuracy: float
    interval: tuple[float, float]
    count: int


def probe(
    features: Tensor, labels: Tensor, folds: Sequence[Fold], classes: int, method: str
) -> Judged:
    """Features [n, D], labels [n]; `method` is knn (20 neighbours) or logistic."""
    predicted = torch.full((len(labels),), -1)
    confidence = torch.zeros(len(labels))
    shares = (by_knn if method == "knn" else logistic)(features, labels, folds, classes)
    for fold, found in zip(folds, shares, strict=True):
        confidence[fold.test], predicted[fold.test] = found.max(1)
    judged = torch.cat([fold.test for fold in folds])
    hits = int((predicted[judged] == labels[judged]).sum())
    return Judged(predicted, confidence, hits / len(judged), wilson(hits, len(judged)), len(judged))


def by_knn(
    features: Tensor, labels: Tensor, folds: Sequence[Fold], classes: int
) -> Iterator[Tensor]:
    """For each fold the shares of the vote of its test pictures, [m, classes]."""
    for fold in folds:
        train, test = features[fold.train], features[fold.test]
        yield knn(train, labels[fold.train], test, classes=classes)[NEIGHBOURS]
