import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity as sklearn_cosine
from torch import Tensor

from dino_core.analysis.similarity import (
    Matches,
    cosine_similarity,
    directions,
    match_patches,
    salient_matches,
    short_directions,
)


def features(n: int, D: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, D, generator=generator) * 3 + 0.5


def test_equals_sklearn() -> None:
    first, second = features(20, 7, 0), features(13, 7, 1)
    ours = cosine_similarity(first, second)
    np.testing.assert_allclose(ours, sklearn_cosine(first.numpy(), second.numpy()), atol=1e-6)
    assert ours.shape == (20, 13)


def test_direction_of_nothing_is_nothing() -> None:
    ours = directions(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    torch.testing.assert_close(ours, torch.tensor([[0.6, 0.8], [0.0, 0.0]]))


def test_short_directions_are_about_as_alike_and_small() -> None:
    """Of features that lie near a plane two numbers say nearly all, and no other two as much."""
    plane = features(40, 2, 0) @ features(2, 16, 1) + features(40, 16, 2)
    codes, scales = short_directions(plane, 2)
    assert (codes.dtype, codes.shape, scales.shape) == (torch.int8, (40, 2), (2,))
    short = codes * scales
    wanted = torch.from_numpy(sklearn_cosine(plane.numpy()))
    off = (short @ short.T - wanted).square().mean()
    values = torch.linalg.eigvalsh(wanted.double())[:-2]  # Eckart and Young: what two cannot say
    assert off == pytest.approx(float(values.square().sum() / 40**2), rel=0.1)
    whole, scales = short_directions(plane, 16)
    torch.testing.assert_close((whole * scales) @ (whole * scales).T, wanted, atol=0.02, rtol=0)


def test_bfloat16_is_compared_in_float32() -> None:
    first = features(9, 5, 0).bfloat16()
    assert cosine_similarity(first, first).dtype == torch.float32
    assert cosine_similarity(first, first).diagonal().sub(1).abs().max() < 1e-6


def test_widths_that_differ_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="width 4 and 5"):
        cosine_similarity(features(3, 4, 0), features(3, 5, 0))


@pytest.mark.parametrize(("n", "m"), [(12, 20), (20, 12), (1, 5)])
def test_matches_by_plain_loops(n: int, m: int) -> None:
    first, second = features(n, 6, 2), features(m, 6, 3)
    table = sklearn_cosine(first.double().numpy(), second.double().numpy())
    ours = match_patches(first, second)
    for i in range(n):
        j = max(range(m), key=lambda j: table[i, j])
        assert ours.forward[i] == j
        assert ours.forward_similarity[i].item() == pytest.approx(table[i, j], abs=1e-6)
        back = max(range(n), key=lambda i: table[i, j])
        assert bool(ours.mutual[i]) == (back == i)
    for j in range(m):
        i = max(range(n), key=lambda i: table[i, j])
        assert ours.backward[j] == i
        assert ours.backward_similarity[j].item() == pytest.approx(table[i, j], abs=1e-6)
    if n > 1:
        assert 0 < ours.mutual.sum() < n, "the case shows both kinds"


def test_a_shuffled_copy_is_matched_back() -> None:
    first = features(30, 8, 4)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    ours = match_patches(first, 5 * first[order])
    assert torch.equal(order[ours.forward], torch.arange(30))
    assert torch.equal(ours.backward, order)
    assert ours.mutual.all()


def test_a_mutual_match_is_one_to_one() -> None:
    ours = match_patches(features(40, 4, 5), features(25, 4, 6))
    ends = ours.forward[ours.mutual]
    assert len(ends) == len(ends.unique())


def matches_with(similarity: list[float], mutual: list[bool]) -> Matches:
    n = len(similarity)
    there = torch.arange(n)
    values = torch.tensor(similarity)
    return Matches(there, values, there, values, torch.tensor(mutual))


def test_suppression_keeps_the_best_of_each_neighbourhood() -> None:
    # fmt: off
    similarity = [
        0.9, 0.8, 0.7, 0.6, 0.95,
        0.1, 0.2, 0.99, 0.3, 0.4,
    ]
    # fmt: on
    mutual = [True] * 7 + [False] + [True] * 2  # the best of all, in the middle, is not mutual
    matches = matches_with(similarity, mutual)
    assert salient_matches(matches, (2, 5), radius=1).tolist() == [4, 0, 2]
    assert salient_matches(matches, (2, 5), radius=2).tolist() == [4, 0]
    everything = salient_matches(matches, (2, 5), radius=0).tolist()
    assert everything == [4, 0, 1, 2, 3, 9, 8, 6, 5]
    kept = torch.ones(10, dtype=torch.bool)
    kept[4] = False
    assert salient_matches(matches, (2, 5), 1, kept).tolist() == [0, 2, 9]
    assert salient_matches(matches, (2, 5), 1, torch.zeros(10, dtype=torch.bool)).tolist() == []


def test_suppression_by_plain_loops() -> None:
    grid = (9, 11)
    matches = match_patches(features(99, 5, 7), features(60, 5, 8))
    for radius in (1, 2):
        wanted: list[int] = []
        for patch in np.argsort(-matches.forward_similarity.numpy(), kind="stable"):
            near = [
                max(abs(patch // 11 - p // 11), abs(patch % 11 - p % 11)) <= radius for p in wanted
            ]
            if matches.mutual[patch] and not any(near):
                wanted.append(int(patch))
        assert salient_matches(matches, grid, radius).tolist() == wanted
        assert len(wanted) > 5
