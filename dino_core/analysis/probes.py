"""What simple classifiers read off frozen features: figures with intervals, fitted without peeking.

Wilson's interval (1927) for a share p of n: the p' for which p is just not surprising at 95 %:

    (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n),   z = 1.96

It stays inside 0 to 1 and is honest for few pictures, which p +- 1.96 sqrt(p (1 - p) / n) is not.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dino_core.analysis.neighbours import knn

Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
NEIGHBOURS = 20
FOLDS = 5
MOST_TO_LEARN = 4000  # pictures that a fold's classifier learns from: it stays a matter of seconds


def wilson(hits: int, count: int) -> tuple[float, float]:
    """(low, high), 0 to 1; everything is possible when nothing was counted."""
    if count == 0:
        return 0.0, 1.0
    p = hits / count
    middle = p + Z**2 / (2 * count)
    half = Z * math.sqrt(p * (1 - p) / count + Z**2 / (4 * count**2))
    scale = 1 + Z**2 / count
    return max((middle - half) / scale, 0.0), min((middle + half) / scale, 1.0)


@dataclass(frozen=True)
class Fold:
    """Who learns and who is judged: indices int64."""

    train: Tensor
    test: Tensor


def folds_of(
    labels: Sequence[int], splits: Sequence[str] | None, generator: torch.Generator
) -> list[Fold]:
    """The given train and test pictures, or up to 5 parts that are judged by turns.

    Each part has its share of every class. Pictures without a label (-1) take no part, neither do
    classes of one picture. ValueError when nothing can be judged.
    """
    known = torch.tensor([label >= 0 for label in labels])
    all_labels = torch.tensor(labels)
    if splits is not None and {"train", "test"} <= set(splits):
        test = torch.tensor([split == "test" for split in splits])
        train, test = (known & ~test).nonzero()[:, 0], (known & test).nonzero()[:, 0]
        if len(all_labels[train].unique()) < 2 or len(test) == 0:
            raise ValueError(
                "A probe wants training pictures of two classes or more to tell apart."
            )
        return [Fold(some_of(train, all_labels, generator), test)]
    counts = torch.bincount(all_labels[known]) if known.any() else torch.zeros(0)
    if (counts >= 2).sum() < 2:
        raise ValueError(
            "A probe wants two classes or more with two pictures or more in each: a folder for "
            "each class."
        )
    count = min(FOLDS, int(counts[counts >= 2].min()))
    part = torch.full((len(labels),), -1)
    turn = 0
    for label in (counts >= 2).nonzero()[:, 0].tolist():
        members = (all_labels == label).nonzero()[:, 0]
        members = members[torch.randperm(len(members), generator=generator)]
        part[members] = (torch.arange(len(members)) + turn) % count
        turn += len(members)  # or the first part would get the odd one of every class
    every = (part >= 0).nonzero()[:, 0]
    return [
        Fold(some_of(every[part[every] != i], all_labels, generator), every[part[every] == i])
        for i in range(count)
    ]


def some_of(indices: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """At most MOST_TO_LEARN of them, of each class alike as far as it has any."""
    if len(indices) <= MOST_TO_LEARN:
        return indices
    order = indices[torch.randperm(len(indices), generator=generator)]
    place = torch.empty_like(order)  # how many of its class come before
    for label in labels[order].unique():
        members = labels[order] == label
        place[members] = torch.arange(int(members.sum()))
    return order[place.argsort(stable=True)[:MOST_TO_LEARN]].sort().values


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
    for fold in folds:
        train, test = features[fold.train].float(), features[fold.test].float()
        known = labels[fold.train]
        if method == "knn":
            shares = knn(train, known, test, classes=classes, ks=(NEIGHBOURS,))[NEIGHBOURS]
        else:
            shares = logistic(train, known, test, classes)
        confidence[fold.test], predicted[fold.test] = shares.max(1)
    judged = torch.cat([fold.test for fold in folds])
    hits = int((predicted[judged] == labels[judged]).sum())
    return Judged(predicted, confidence, hits / len(judged), wilson(hits, len(judged)), len(judged))


def logistic(
    train: Tensor, labels: Tensor, test: Tensor, classes: int, C: float = 1.0, steps: int = 200
) -> Tensor:
    """Multinomial logistic regression -> probabilities [m, classes].

        minimise   sum over i of cross-entropy(W x_i + b, label of i) + |W|^2 / 2C

    scikit-learn's objective with C, on features that are centred and divided by one number, the
    root of their mean square, so that one C suits all layers. The same L-BFGS, at most `steps`
    steps, without what scikit-learn checks each time: probes are many and small.
    """
    from scipy.optimize import minimize

    mean = train.mean(0)
    scale = (train - mean).square().mean().sqrt().clamp_min(1e-12)
    x, y = (((one - mean) / scale).double().numpy() for one in (train, test))
    D = x.shape[1]
    wanted = np.eye(classes)[labels.numpy()]  # [n, classes]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight, bias = flat[:-classes].reshape(classes, D), flat[-classes:]
        logits = x @ weight.T + bias
        logits -= logits.max(1, keepdims=True)
        shares = np.exp(logits)
        totals = shares.sum(1, keepdims=True)
        value = np.log(totals).sum() - (logits * wanted).sum() + (weight**2).sum() / (2 * C)
        error = shares / totals - wanted
        slope = error.T @ x + weight / C
        return value, np.concatenate([slope.ravel(), error.sum(0)])

    options = {"maxiter": steps, "gtol": 1e-4, "ftol": 1e-9}
    start = np.zeros(classes * (D + 1))
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    weight, bias = best[:-classes].reshape(classes, D), best[-classes:]
    logits = torch.from_numpy(y @ weight.T + bias)
    return logits.softmax(1).float()


def sklearn_logistic(
    train: Tensor,
    labels: Tensor,
    test: Tensor,
    classes: int,
    *,
    C: float = 1.0,
    tolerance: float = 1e-4,
    steps: int = 1000,
) -> Tensor:
    """scikit-learn's LogisticRegression on the features as they are -> probabilities [m, classes].

    Float64: with a tolerance of 1e-12 float32 would stop for want of digits.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, max_iter=steps, tol=tolerance)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that `steps` were not enough
        model.fit(train.double().numpy(), labels.numpy())
        found = model.predict_proba(test.double().numpy())
    shares = np.zeros((len(test), classes))
    shares[:, model.classes_] = found
    return torch.from_numpy(shares)
