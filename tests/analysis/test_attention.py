import math

import pytest
import torch
from scipy.stats import entropy as scipy_entropy
from torch import Tensor

from dino_core.analysis.attention import entropy, mean_distance, patch_distances, rollout


def random_rows(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(shape, generator=generator, dtype=torch.float64)).softmax(-1)


def test_entropy() -> None:
    rows = random_rows(3, 4, 7)
    expected = torch.from_numpy(scipy_entropy(rows.numpy(), axis=-1))
    torch.testing.assert_close(entropy(rows), expected)
    assert entropy(torch.full((10,), 0.1)).item() == pytest.approx(math.log(10))
    assert entropy(torch.tensor([0.0, 1.0, 0.0])).item() == 0  # 0 ln 0 is 0


def test_patch_distances() -> None:
    distances = patch_distances((2, 3), 14)
    for a in range(6):
        for b in range(6):
            there = math.dist((a // 3 * 14, a % 3 * 14), (b // 3 * 14, b % 3 * 14))
            assert distances[a, b].item() == pytest.approx(there)


@pytest.mark.parametrize("registers", [0, 4])
def test_mean_distance_against_loops(registers: int) -> None:
    h, w, A, first = 3, 4, 2, 1 + registers
    attention = random_rows(A, first + h * w, first + h * w)
    expected = []
    for head in attention.tolist():
        total = 0.0
        for a in range(h * w):
            row = head[first + a][first:]
            for b in range(h * w):
                weight = row[b] / sum(row)
                total += weight * 14 * math.hypot(a // w - b // w, a % w - b % w) / (h * w)
        expected.append(total)
    ours = mean_distance(attention, (h, w), first, 14)
    torch.testing.assert_close(ours, torch.tensor(expected, dtype=torch.float64))


def test_mean_distance_when_no_patch_is_attended_to() -> None:
    attention = torch.zeros(1, 5, 5)
    attention[..., 0] = 1  # everything on the class token
    assert mean_distance(attention, (2, 2), 1, 14).tolist() == [0]


@pytest.mark.parametrize("token", [0, 5])
def test_rollout_is_the_product_of_all_layers(token: int) -> None:
    L, A, N, d = 4, 3, 9, 8
    generator = torch.Generator().manual_seed(3)
    queries, keys = torch.randn(2, L, A, N, d, generator=generator, dtype=torch.float64)
    product = torch.eye(N, dtype=torch.float64)
    for layer in range(L):
        scores = (queries[layer] @ keys[layer].mT / math.sqrt(d)).exp()
        mean = (scores / scores.sum(-1, keepdim=True)).mean(0)
        product = (mean + torch.eye(N)) / 2 @ product
    row = rollout(queries, keys, token)
    torch.testing.assert_close(row, product[token])
    assert row.sum().item() == pytest.approx(1)
