"""evaluation/reports.py: intervals against the formula and by what they promise, and the rest."""

import math

import pytest
import torch

from dino_core.evaluation.reports import confusion_matrix, share, wilson, worst_mistakes


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (5, 5), (1, 2), (37, 60), (1393, 2000)])
def test_wilson_is_the_formula(hits: int, count: int) -> None:
    p, z = hits / count, 1.959964
    middle = p + z**2 / (2 * count)
    half = z * math.sqrt(p * (1 - p) / count + z**2 / (4 * count**2))
    scale = 1 + z**2 / count
    expected = max((middle - half) / scale, 0), min((middle + half) / scale, 1)
    assert wilson(hits, count) == pytest.approx(expected, abs=1e-6)


def test_nothing_counted_says_nothing() -> None:
    assert wilson(0, 0) == (0, 1)
    assert share(0, 0) is None
    assert share(1, 4) == 0.25


def test_confusions_and_mistakes_by_hand() -> None:
    probabilities = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.95, 0.05]])
    labels = torch.tensor([0, 0, 1, 1, 1])
    assert confusion_matrix(probabilities.argmax(1), labels, 2).tolist() == [[1, 1], [2, 1]]
    assert worst_mistakes(probabilities, labels) == [4, 1, 2]
    assert worst_mistakes(probabilities, labels, 2) == [4, 1]
