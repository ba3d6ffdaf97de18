"""Train a simple classifier on the frozen features of A, test it on B: how good are the features?

knn       official `eval/knn.py`: votes of the 10, 20, 100 and 200 nearest class tokens, weighted
          by exp(cos / 0.07); nothing to fit. Above 20 000 training pictures by an index, whose
          recall is measured, unless the search is to be exact
logistic  scikit-learn's LogisticRegression(max_iter=1000), C = 1 or one of your own; with
          C "search" the official `eval/log_regression.py`: the best of 45 values from 1e-6 to
          1e5 on a tenth of the training pictures, tolerance 1e-12, then fitted on all of them
linear    official `eval/linear.py`, see `linear.py` for what differs
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from dino_core.datasets import Pictures
from dino_core.embedding.embed import HasFeatures
from dino_core.evaluation.by_layer import accuracy_by_layer
from dino_core.evaluation.knn import TEMPERATURE, near_of, votes_of
from dino_core.evaluation.linear import linear_probe
from dino_core.evaluation.logistic import sklearn_logistic
from dino_core.evaluation.reports import report, wilson

KS = (10, 20, 100, 200)
HEADLINE = 20  # the k whose accuracy stands for the method
C_GRID = tuple(10 ** (-6 + 11 * i / 44) for i in range(45))
METHODS = ("knn", "logistic", "linear")
FEATURES = ("cls", "mean_patch", "both")

Watch = Callable[[float], None]  # share done of what takes long


@dataclass(frozen=True)
class Protocol:
    """How features become answers."""

    method: Literal["knn", "logistic", "linear"] = "knn"
    features: Literal["cls", "mean_patch", "both"] = "cls"
    ks: tuple[int, ...] = KS
    center: bool = False  # k-NN: subtract the training mean; officially not
    C: float | None = 1.0  # None: the official search
    seed: int = 0  # of what is held out, of the linear classifiers, of the index of k-NN
    exact: bool = False  # k-NN: compare all pairs, however many there are
    by_layer: bool = False  # k-NN of every layer as well

    @property
    def layers(self) -> bool:
        """Whether features of every layer are wanted."""
        return self.method == "linear" or self.by_layer


def labelled(
    source: Pictures,
    split: str,
    per_class: int | None,
    option: str,
    *,
    classes: Sequence[str] = (),
) -> Pictures:
    """The train or test part of a source, the first so many of each class.

    `classes` are those that are known already: then the folder of a single one is enough.
    """
    pictures = source.part(split)
    if pictures.labels is None:
        pictures = pictures.labelled_as(classes)
    if pictures.labels is None:
        raise ValueError(
            f"{source.source} has no labels: {option} wants a folder for each class, with or "
            f"without train/ and test/ around them."
        )
    return pictures if per_class is None else pictures.first(per_class)


def same_classes(train: Pictures, test: Pictures) -> Pictures:
    """The test pictures with the labels of the training classes, matched by name."""
    assert test.labels is not None
    unknown = sorted(set(test.classes) - set(train.classes))
    if unknown:
        raise ValueError(
            f"The test pictures have a class that the training pictures lack: {unknown[0]!r}."
        )
    place = [train.classes.index(name) for name in test.classes]
    labels = tuple(place[label] for label in test.labels)
    return replace(test, labels=labels, classes=train.classes)


def evaluate(
    train: HasFeatures, test: HasFeatures, protocol: Protocol, watch: Watch = lambda share: None
) -> dict[str, Any]:
    """The whole answer as plain values; `accuracy` and intervals from 0 to 1."""
    classes = train.pictures.classes
    labels, truth = labels_of(train), labels_of(test)
    if len(set(labels.tolist())) < 2:
        raise ValueError("The training pictures are all of one class: there is nothing to tell.")
    details: dict[str, Any] = {}
    if protocol.method == "linear":
        generator = torch.Generator().manual_seed(protocol.seed)
        layers = [last_layers(one) for one in (train, test)]
        shares, chosen = linear_probe(
            layers[0], labels, layers[1], len(classes), generator, watch=watch
        )
        details["chosen"] = vars(chosen)
    else:
        x, y = (features_of(one, protocol.features) for one in (train, test))
        if protocol.method == "knn":
            shares, details = by_votes(x, labels, y, truth, len(classes), protocol)
        else:
            C = protocol.C
            if C is None:
                C, details["search"] = search(x, labels, len(classes), protocol.seed, watch)
            tolerance = 1e-12 if protocol.C is None else 1e-4
            shares = sklearn_logistic(x, labels, y, len(classes), C=C, tolerance=tolerance)
            details["C"] = C
    if protocol.by_layer:
        details["layers"] = accuracy_by_layer(train, test, labels, truth)
    details["overlap"] = overlap(train, test)
    return report(shares, truth, classes, test.pictures.names) | details


def by_votes(
    x: Tensor, labels: Tensor, y: Tensor, truth: Tensor, classes: int, protocol: Protocol
) -> tuple[Tensor, dict[str, Any]]:
    """Shares of the vote for the headline's k, and the accuracy for every k."""
    if protocol.center:
        mean = x.float().mean(0)
        x, y = x.float() - mean, y.float() - mean
    near = near_of(y, x, max(protocol.ks), exact=protocol.exact, seed=protocol.seed)
    found = {k: votes_of(near, labels, classes, k) for k in protocol.ks}
    accuracies = {}
    for k, shares in found.items():
        hits = int((shares.argmax(1) == truth).sum())
        accuracies[str(k)] = {
            "accuracy": hits / len(truth),
            "interval": list(wilson(hits, len(truth))),
        }
    k = HEADLINE if HEADLINE in found else protocol.ks[0]
    facts = {"k": k, "temperature": TEMPERATURE, "center": protocol.center, "by_k": accuracies}
    if near.recall is not None:
        facts["recall"] = near.recall.as_dict() | {"words": near.recall.sentence()}
    return found[k], facts


def search(
    x: Tensor, labels: Tensor, classes: int, seed: int, watch: Watch
) -> tuple[float, list[dict[str, float]]]:
    """The C that is best on a random tenth of the training pictures; the smallest of equals."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    held, rest = order[: max(len(order) // 10, 1)], order[max(len(order) // 10, 1) :]
    tried = []
    for i, C in enumerate(C_GRID):
        shares = sklearn_logistic(x[rest], labels[rest], x[held], classes, C=C, tolerance=1e-12)
        accuracy = (shares.argmax(1) == labels[held]).float().mean().item()
        tried.append({"C": C, "accuracy": accuracy})
        watch((i + 1) / len(C_GRID))
    return max(tried, key=lambda one: one["accuracy"])["C"], tried


def features_of(embedded: HasFeatures, kind: str) -> Tensor:
    """float32 [n, D], or [n, 2 D] for both."""
    if kind == "both":
        return torch.cat([features_of(embedded, one) for one in ("cls", "mean_patch")], 1)
    return torch.from_numpy(embedded.array(kind))


def last_layers(embedded: HasFeatures, count: int = 4) -> Tensor:
    """float16 [n, count, 2, D]: as many as the linear classifiers look at."""
    parts = [torch.from_numpy(part[:, -count:].copy()) for part in embedded.slices("layers")]
    return torch.cat(parts)


def overlap(train: HasFeatures, test: HasFeatures) -> int:
    """Test pictures that were learned from as well, byte for byte."""
    learned = {content.tobytes() for content in train.contents}
    return sum(content.tobytes() in learned for content in test.contents)


def labels_of(embedded: HasFeatures) -> Tensor:
    assert embedded.pictures.labels is not None
    return torch.tensor(embedded.pictures.labels)
