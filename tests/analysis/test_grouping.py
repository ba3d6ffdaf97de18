"""analysis/grouping.py: groups that are there are found, and what belongs to none is left out."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from dino_core.analysis import grouping
from dino_core.analysis.grouping import by_size, hdbscan


def test_groups_and_noise() -> None:
    draw = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [40, 25, 15])
    axes = np.eye(60)
    points = axes[59] + 0.5 * axes[truth] + 0.02 * draw.normal(size=(80, 60))
    lonely = -axes[59] + 0.5 * axes[10:14]  # far from all, and too few to be a group
    labels = hdbscan(np.concatenate([points, lonely]).astype(np.float32), 5)
    assert labels.dtype == np.int32
    assert adjusted_rand_score(truth, labels[:80]) > 0.95
    assert (labels[80:] == -1).all()
    assert np.bincount(labels[labels >= 0]).tolist() == sorted(
        np.bincount(labels[labels >= 0]).tolist(), reverse=True
    )


def test_the_largest_comes_first_and_noise_stays() -> None:
    assert by_size(np.array([2, -1, 0, 0, 2, 1, 0])).tolist() == [1, -1, 0, 0, 1, 2, 0]
    assert by_size(np.array([5, 3])).tolist() == [0, 1]
    assert by_size(np.array([-1, -1])).tolist() == [-1, -1]


def test_limits_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="at least 10 pictures here, there are 9"):
        hdbscan(np.eye(9, dtype=np.float32), 5)
    monkeypatch.setattr(grouping, "MOST", 20)
    with pytest.raises(ValueError, match="use k-means"):
        hdbscan(np.eye(21, dtype=np.float32), 5)
