"""initialisation.py: the numbers that a seed gives."""

import torch

from dino_core.initialisation import truncated_normal


def drawn(*shape: int, std: float = 0.02) -> torch.Tensor:
    parameter = torch.empty(shape)
    truncated_normal(parameter, std, torch.Generator().manual_seed(0))
    return parameter


def test_a_seed_gives_the_same_weights_with_every_version_of_torch() -> None:
    first = torch.tensor([-0.00018766950, 0.01466006599, -0.02700380981])
    torch.testing.assert_close(drawn(4, 5)[0, :3], first, rtol=1e-6, atol=0)


def test_spread_and_bounds() -> None:
    many = drawn(100_000)
    assert abs(many.mean()) < 3 * 0.02 / 100_000**0.5
    assert abs(many.std() / 0.02 - 1) < 0.01
    wide = drawn(100_000, std=2.0)
    assert wide.abs().max() <= 2
    assert abs(wide.std() - 1.0796) < 0.01  # of a normal distribution of std 2, cut at one std
