"""Predictions against the truth: accuracy, scores of each class, confusions, the worst mistakes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from dino_core.evaluation.reports import confusion_matrix, share, worst_mistakes


def score(
    probabilities: Tensor, labels: Tensor, classes: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    """Everything worth knowing about a test, as plain values for report.json.

    Probabilities [n, classes], labels [n], names of the n files. Confusion rows are the truth,
    columns the prediction. Precision and recall of a class that never comes up are None, not 0.
    """
    predicted = probabilities.argmax(1)
    confusion = confusion_matrix(predicted, labels, len(classes))
    correct = confusion.diagonal()
    truly, said = confusion.sum(1), confusion.sum(0)
    recalls = [share(c, t) for c, t in zip(correct.tolist(), truly.tolist(), strict=True)]
    precisions = [share(c, s) for c, s in zip(correct.tolist(), said.tolist(), strict=True)]
    n = len(labels)
    accuracy = correct.sum().item() / n
    present = [recall for recall in recalls if recall is not None]
    return {
        "pictures": n,
        "accuracy": accuracy,
        "standard_error": math.sqrt(accuracy * (1 - accuracy) / n),
        "balanced_accuracy": sum(present) / len(present),  # mean recall
        "always_the_commonest": truly.max().item() / n,  # what a constant answer would score
        "classes": [
            {"name": name, "pictures": t, "precision": p, "recall": r, "f1": f1(p, r)}
            for name, t, p, r in zip(classes, truly.tolist(), precisions, recalls, strict=True)
        ],
        "confusion": confusion.tolist(),
        "mistakes": mistakes(probabilities, labels, classes, names),
    }


def f1(precision: float | None, recall: float | None) -> float | None:
    if not precision or not recall:
        return None if recall is None else 0.0
    return 2 * precision * recall / (precision + recall)


def mistakes(
    probabilities: Tensor, labels: Tensor, classes: Sequence[str], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Wrong predictions, the most confident first."""
    predicted = probabilities.argmax(1)
    return [
        {
            "file": names[i],
            "true": classes[int(labels[i])],
            "predicted": classes[int(predicted[i])],
            "probabilities": dict(zip(classes, probabilities[i].tolist(), strict=True)),
        }
        for i in worst_mistakes(probabilities, labels)
    ]


def imbalance(labels: Sequence[int], classes: Sequence[str]) -> dict[str, Any]:
    """How unequal the classes are, in numbers and in a sentence."""
    counts = [sum(label == i for label in labels) for i in range(len(classes))]
    return imbalance_of(dict(zip(classes, counts, strict=True)))


def imbalance_of(counts_by_class: Mapping[str, int]) -> dict[str, Any]:
    """The same from how many pictures each class has; ValueError without classes."""
    classes, counts = list(counts_by_class), list(counts_by_class.values())
    largest, smallest = max(counts), min(counts)
    ratio = largest / smallest if smallest else None
    if smallest == 0:
        words = f"{classes[counts.index(0)]} has no picture to learn from."
    elif largest < 2 * smallest:
        words = "The classes are about equally large."
    else:
        words = (
            f"{classes[counts.index(largest)]} has {largest} pictures, "
            f"{classes[counts.index(smallest)]} has {smallest}: accuracy favours the large "
            f"classes, so look at the recall of each."
        )
    return {"counts": dict(counts_by_class), "ratio": ratio, "words": words}
