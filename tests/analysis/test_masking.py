import numpy as np
import pytest
import torch

from dino_core.analysis.masking import visible_neighbours


def by_loop(mask: np.ndarray) -> float:
    h, w = mask.shape
    counts = []
    for row, col in np.argwhere(mask):
        around = [(row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)]
        counts.append(sum(0 <= r < h and 0 <= c < w and not mask[r, c] for r, c in around))
    return float(np.mean(counts))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 4), (16, 16)])
@pytest.mark.parametrize("share", [0.2, 0.8])
def test_neighbours_are_counted_as_a_loop_counts_them(shape: tuple[int, int], share: float) -> None:
    mask = np.random.default_rng(0).random(shape) < share
    mask.flat[0] = True  # a corner
    assert visible_neighbours(torch.from_numpy(mask)) == pytest.approx(by_loop(mask), rel=1e-6)


def test_nothing_hidden_everything_hidden_and_one_patch() -> None:
    mask = torch.zeros(5, 5, dtype=torch.bool)
    assert visible_neighbours(mask) == 0
    assert visible_neighbours(~mask) == 0
    mask[2, 2] = True
    assert visible_neighbours(mask) == 4
    mask[2, 3] = True
    assert visible_neighbours(mask) == 3
