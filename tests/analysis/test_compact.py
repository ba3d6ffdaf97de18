"""analysis/compact.py: attention from small integers, and how far off it is."""

import numpy as np
import pytest
import torch
from tiny_models import TINY, tiny_vit

from dino_core.analysis.compact import (
    LARGEST,
    Balanced,
    balanced,
    compact_attention,
    largest_error,
)
from dino_core.analysis.inspection import Inspection, inspect


@pytest.fixture(scope="module")
def seen() -> Inspection:
    images = torch.randn(3, 42, 56, generator=torch.Generator().manual_seed(0))
    return inspect(tiny_vit(TINY), images)


def rows(queries: np.ndarray, keys: np.ndarray, scale: float) -> np.ndarray:
    """softmax(q k^T scale) of [..., N, c]."""
    scores = queries.astype(np.float64) @ np.swapaxes(keys, -1, -2).astype(np.float64) * scale
    out = np.exp(scores - scores.max(-1, keepdims=True))
    return out / out.sum(-1, keepdims=True)


def test_balancing_changes_no_attention_and_parts_the_channels(seen: Inspection) -> None:
    parts = balanced(seen)
    got = rows(parts.queries.numpy(), parts.keys.numpy(), parts.scale)
    wanted = torch.stack([seen.attention(layer) for layer in range(seen.layers)]).numpy()
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    own = parts.queries.mT @ parts.queries
    torch.testing.assert_close(own, parts.keys.mT @ parts.keys)
    largest = own.diagonal(dim1=-2, dim2=-1)[..., 0]
    torch.testing.assert_close(own, torch.diag_embed(own.diagonal(dim1=-2, dim2=-1)))
    assert (own.amax((-2, -1)) == largest).all(), "the first channel has the most to say"


def test_the_noise_is_the_one_that_was_asked_for() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(2, 2, 3, 60, 16, generator=generator, dtype=torch.float64)
    drawn *= torch.logspace(1, 0, 16)  # channels of different size
    parts = Balanced(drawn[0], drawn[1], 16**-0.5)
    for noise in (0.01, 0.1):
        compact = compact_attention(parts, noise)
        step = compact.steps[..., None, None]
        queries, keys = (np.swapaxes(one, -1, -2) * step for one in (compact.queries, compact.keys))
        got = queries @ np.swapaxes(keys, -1, -2) * parts.scale
        exact = (parts.queries @ parts.keys.mT * parts.scale).numpy()
        assert np.sqrt(np.square(got - exact).mean()) == pytest.approx(noise, rel=0.1)
    with pytest.raises(ValueError, match="above 0, not 0"):
        compact_attention(parts, 0)


def test_no_integer_is_too_large_for_its_bytes() -> None:
    queries = torch.ones(1, 1, 5, 2, dtype=torch.float64)
    queries[0, 0, 0, 0] = 1e9
    compact = compact_attention(Balanced(queries, queries, 1.0), 1e-3)
    assert compact.queries.max() == LARGEST
    assert compact.queries[0, 0, 0, 0] * compact.steps[0, 0] == pytest.approx(1e9)


def test_the_error_that_is_told_is_the_largest_of_all_rows(seen: Inspection) -> None:
    errors = []
    for noise in (0.001, 0.1):
        compact, worst = compact_attention(balanced(seen), noise), 0.0
        for layer in range(seen.layers):
            step = compact.steps[layer][:, None, None]
            q, k = (
                np.swapaxes(one[layer], -1, -2) * step for one in (compact.queries, compact.keys)
            )
            off = np.abs(rows(q, k, compact.scale) - seen.attention(layer).numpy())
            worst = max(worst, float(off.max()))
        errors.append(largest_error(seen, compact))
        assert errors[-1] == pytest.approx(worst, abs=1e-6)
    assert errors[0] < 0.001
    assert errors[0] < errors[1] / 10
