"""analysis/propagation.py: the official protocol by plain loops, and a thing that moves."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from dino_core.analysis.propagation import grown, neighbourhood, propagate, to_masks
from dino_core.config import PropagationConfig

GRID = (4, 5)


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_loops(
    frames: list[Tensor], labels: Tensor, grid: tuple[int, int], config: PropagationConfig
) -> list[Tensor]:
    """As in the docstring, patch by patch."""
    h, w = grid
    found = [labels.double()]
    units = [frame / frame.norm(dim=1, keepdim=True) for frame in frames]
    for t in range(1, len(frames)):
        asked = [0, *range(max(1, t - config.queue), t)]
        out = torch.zeros_like(found[0])
        for i in range(h * w):
            weights = []
            for frame in asked:
                for j in range(h * w):
                    down, along = abs(i // w - j // w), abs(i % w - j % w)
                    if max(down, along) <= config.radius:
                        cosine = float(units[t][i] @ units[frame][j])
                        weights.append((math.exp(cosine / config.temperature), frame, j))
            best = sorted(weights, reverse=True)[: config.neighbours]
            total = sum(weight for weight, _, _ in best)
            for weight, frame, j in best:
                out[i] += weight / total * found[frame][j]
        found.append(out)
    return found


@pytest.mark.parametrize(
    "config", [PropagationConfig(5, 1, 2), PropagationConfig(3, 12, 7), PropagationConfig(1, 2, 1)]
)
def test_equals_plain_loops(config: PropagationConfig) -> None:
    frames = [drawn(20, 6, seed=seed) for seed in range(5)]
    labels = torch.nn.functional.one_hot(torch.arange(20) % 3, 3)
    ours = list(propagate(frames, labels, GRID, config))
    for got, wanted in zip(ours, by_loops(frames, labels, GRID, config), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)
        np.testing.assert_allclose(got.sum(1), np.ones(20), atol=1e-5)


def test_the_official_defaults() -> None:
    assert PropagationConfig() == PropagationConfig(5, 12, 7, 0.1)


def test_a_thing_that_moves_keeps_its_label() -> None:
    """A patch of a kind of its own goes one column to the right in each frame."""
    kinds = drawn(2, 8, seed=3)
    frames, places = [], []
    for t in range(4):
        features = kinds[0].repeat(20, 1) + 0.05 * drawn(20, 8, seed=t)
        features[2 * 5 + t] = kinds[1]
        frames.append(features)
        places.append(2 * 5 + t)
    first = torch.zeros(20, 2)
    first[:, 0], first[places[0]] = 1, torch.tensor([0.0, 1.0])
    config = PropagationConfig(neighbours=1)
    for labels, place in zip(propagate(frames, first, GRID, config), places, strict=True):
        assert labels.argmax(1).nonzero()[:, 0].tolist() == [place]


def test_neighbourhood_is_a_square() -> None:
    near = neighbourhood(GRID, 1)[1 * 5 + 2].reshape(GRID)
    assert near.nonzero().tolist() == [[r, c] for r in range(3) for c in (1, 2, 3)]


def test_grown_from_a_patch_as_far_as_it_hangs_together() -> None:
    plan = torch.tensor([[1, 1, 0, 0, 1], [0, 1, 0, 0, 1], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]])
    features = torch.nn.functional.one_hot(plan.flatten(), 2).float()
    found = grown(features, GRID, (0, 0), 0.5).reshape(GRID)
    assert found.nonzero().tolist() == [[0, 0], [0, 1], [1, 1]], "a corner joins nothing"
    with pytest.raises(ValueError, match="no patch 4,0"):
        grown(features, GRID, (4, 0), 0.5)


def test_masks_as_the_official_code_makes_them() -> None:
    labels = torch.rand(20, 3, generator=torch.Generator().manual_seed(0))
    labels[:, 2] = 0  # a label that has been lost
    maps = labels.T.reshape(1, 3, *GRID)
    large = torch.nn.functional.interpolate(maps, scale_factor=7, mode="bilinear")[0]
    for one in large[:2]:
        one -= one.min().clone()
        one /= one.max().clone()
    assert torch.equal(to_masks(labels, GRID, (28, 35)), large.argmax(0))


def test_labels_of_another_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="20 patches, but there are 6"):
        next(propagate([drawn(20, 4, seed=0)], torch.ones(6, 2), GRID))
