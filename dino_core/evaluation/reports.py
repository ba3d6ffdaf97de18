"""Predictions against the truth: accuracy with its interval, confusions, the worst mistakes."""

from collections.abc import Sequence
from typing import Any

import torch
from scipy.stats import binomtest
from torch import Tensor

MISTAKES = 60


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval (1927) of a share: (low, high), 0 to 1.

    It is honest for few pictures, which p +- 1.96 sqrt(p (1 - p) / n) is not. Everything is
    possible when nothing was counted.
    """
    if count == 0:
        return 0.0, 1.0
    interval = binomtest(hits, count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def confusion_matrix(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """[n], [n] -> counts [classes, classes], rows the truth, columns the prediction."""
    flat = labels * classes + predicted
    return torch.bincount(flat, minlength=classes**2).reshape(classes, classes)


def worst_mistakes(probabilities: Tensor, labels: Tensor, most: int = MISTAKES) -> list[int]:
    """Probabilities [n, classes], labels [n] -> who is wrong, the most confident first."""
    confidence, predicted = probabilities.max(1)
    wrong = (predicted != labels).nonzero()[:, 0]
    order = confidence[wrong].argsort(descending=True, stable=True)
    return wrong[order][:most].tolist()


def share(part: int, whole: int) -> float | None:
    """0 to 1; None of nothing."""
    return part / whole if whole else None


def report(
    probabilities: Tensor, labels: Tensor, classes: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    """Probabilities [n, classes], labels [n], names of the n files -> plain values for JSON."""
    confidence, predicted = probabilities.max(1)
    count = len(labels)
    hits = int((predicted == labels).sum())
    confusion = confusion_matrix(predicted, labels, len(classes))
    return {
        "accuracy": hits / count,
        "interval": list(wilson(hits, count)),
        "pictures": count,
        "always_the_commonest": labels.bincount().max().item() / count,
        "classes": list(classes),
        "confusion": confusion.tolist(),
        "by_class": [
            {"name": name, "pictures": int(row.sum()), "recall": share(int(row[i]), int(row.sum()))}
            for i, (name, row) in enumerate(zip(classes, confusion, strict=True))
        ],
        "mistakes": [
            {
                "file": names[i],
                "true": classes[int(labels[i])],
                "predicted": classes[int(predicted[i])],
                "confidence": float(confidence[i]),
            }
            for i in worst_mistakes(probabilities, labels)
        ],
    }
