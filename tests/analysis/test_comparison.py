from itertools import permutations

import numpy as np
import pytest
import torch
from torch import Tensor

from dino_core.analysis.comparison import (
    align_components,
    cka_matrix,
    correlations,
    linear_cka,
    to_grid,
)


def features(n: int, D: int, seed: int) -> Tensor:
    return torch.randn(n, D, generator=torch.Generator().manual_seed(seed)) + 2


def hsic_biased(K: np.ndarray, L: np.ndarray) -> float:
    H = np.eye(len(K)) - 1 / len(K)
    return np.trace(K @ H @ L @ H)


def hsic_unbiased(K: np.ndarray, L: np.ndarray) -> float:
    """Song et al. 2012, equation 5."""
    n = len(K)
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    one = np.ones(n)
    return (
        np.trace(K @ L)
        + (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ K @ L @ one)
    ) / (n * (n - 3))


@pytest.mark.parametrize("debiased", [True, False])
def test_cka_equals_its_definition(debiased: bool) -> None:
    X = features(30, 9, 0)
    Y = torch.cat([X[:, :4], features(30, 3, 1)], 1)
    hsic = hsic_unbiased if debiased else hsic_biased
    K, L = (Z.double().numpy() @ Z.double().numpy().T for Z in (X, Y))
    wanted = hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))
    assert linear_cka(X, Y, debiased) == pytest.approx(wanted, abs=1e-5)
    assert 0.2 < wanted < 0.9


def test_biased_cka_as_a_norm_of_the_cross_product() -> None:
    X, Y = features(25, 6, 2), features(25, 8, 3)
    x, y = (Z - Z.mean(0) for Z in (X, Y))
    wanted = (y.T @ x).norm() ** 2 / ((x.T @ x).norm() * (y.T @ y).norm())
    assert linear_cka(X, Y, debiased=False) == pytest.approx(wanted.item(), abs=1e-5)


@pytest.mark.parametrize("debiased", [True, False])
def test_rotation_scale_and_shift_change_nothing(debiased: bool) -> None:
    X = features(40, 6, 4)
    turn = torch.linalg.qr(features(6, 6, 5)).Q
    assert linear_cka(X, 3 * X @ turn + 10, debiased) == pytest.approx(1, abs=1e-5)
    Y = features(40, 5, 6)
    assert linear_cka(X @ turn, 0.1 * Y - 3, debiased) == pytest.approx(
        linear_cka(X, Y, debiased), abs=1e-5
    )


def test_independent_features_are_alike_by_chance_only_in_the_biased_one() -> None:
    X, Y = features(256, 384, 7), features(256, 384, 8)
    assert linear_cka(X, Y, debiased=False) > 0.55
    assert abs(linear_cka(X, Y)) < 0.03


def test_matrix_holds_every_pair() -> None:
    first = [features(20, 5, seed) for seed in range(3)]
    second = [features(20, 7, seed) for seed in (10, 11)]
    table = cka_matrix(first, second)
    assert table.shape == (3, 2)
    for i in range(3):
        for j in range(2):
            assert table[i, j].item() == pytest.approx(linear_cka(first[i], second[j]), abs=1e-6)
    itself = cka_matrix(first)
    torch.testing.assert_close(itself, itself.T)
    torch.testing.assert_close(itself.diagonal(), torch.ones(3))


def test_cka_refuses_in_words() -> None:
    with pytest.raises(ValueError, match="same patches"):
        linear_cka(features(10, 3, 0), features(12, 3, 0))
    with pytest.raises(ValueError, match="at least 4"):
        linear_cka(features(3, 3, 0), features(3, 3, 0))


def test_shuffled_and_turned_components_are_put_back() -> None:
    reference = features(60, 4, 9)
    scores = torch.stack([-reference[:, 2], features(60, 1, 1)[:, 0], 5 * reference[:, 0]], 1)
    scores = torch.cat([scores, reference[:, [3]], -0.1 * reference[:, [1]] + 4], 1)
    alignment = align_components(reference, scores)
    assert alignment.order.tolist() == [2, 4, 0, 3]
    assert alignment.signs.tolist() == [1, -1, -1, 1]
    torch.testing.assert_close(alignment.correlation, torch.ones(4))


def test_alignment_is_the_best_of_all_assignments() -> None:
    reference, scores = features(30, 3, 11), features(30, 5, 12)
    table = np.abs(np.corrcoef(reference.T.numpy(), scores.T.numpy())[:3, 3:])
    best = max(permutations(range(5), 3), key=lambda p: sum(table[i, j] for i, j in enumerate(p)))
    alignment = align_components(reference, scores)
    assert alignment.order.tolist() == list(best)
    greedy = table.argmax(1).tolist()
    assert len(set(greedy)) < 3, "the case needs more than each taking its favourite"
    wanted = [table[i, j] for i, j in enumerate(best)]
    np.testing.assert_allclose(alignment.correlation, wanted, atol=1e-6)


def test_correlations_with_what_does_not_vary_are_zero() -> None:
    first = torch.cat([features(20, 1, 0), torch.full((20, 1), 3.0)], 1)
    table = correlations(first, first)
    torch.testing.assert_close(table, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(ValueError, match="cannot be found"):
        align_components(first, first[:, :1])


def test_grids_are_brought_together() -> None:
    """A linear ramp stays one, whatever the grid; at the border the nearest value is repeated."""
    rows, cols = torch.meshgrid(torch.arange(4.0), torch.arange(6.0), indexing="ij")
    ramp = torch.stack([rows + 0.5, cols + 0.5], -1).reshape(-1, 2)  # places of patch centres
    assert to_grid(ramp, (4, 6), (4, 6)) is ramp
    finer = to_grid(ramp, (4, 6), (8, 12)).unflatten(0, (8, 12))
    wanted = (torch.arange(12) + 0.5) / 2
    torch.testing.assert_close(finer[3, 1:-1, 1], wanted[1:-1])
    coarse = to_grid(ramp, (4, 6), (2, 3)).unflatten(0, (2, 3))
    # A triangle 4 wide; at the border what is left of it, .75, .75 and .25, over .5, 1.5 and 2.5.
    edge = (0.75 * 0.5 + 0.75 * 1.5 + 0.25 * 2.5) / 1.75
    torch.testing.assert_close(coarse[0, :, 1], torch.tensor([edge, 3.0, 6 - edge]))
