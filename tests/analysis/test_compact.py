"""analysis/compact.py: attention from small integers, and how far off it says it is."""

import numpy as np
import pytest
import torch
from tiny_models import TINY, tiny_vit
from torch import Tensor

from dino_core.analysis.compact import as_integers, balanced, compact_attention
from dino_core.analysis.inspection import inspect
from dino_core.vit import attention_weights


def drawn(seed: int) -> Tensor:
    scales = torch.logspace(1, -1, 8)  # channels of very different size
    values = torch.randn(2, 3, 20, 8, generator=torch.Generator().manual_seed(seed))
    return values * scales + 2


def test_balancing_changes_no_attention() -> None:
    queries, keys = drawn(0).double(), drawn(1).double()
    other = attention_weights(*balanced(queries, keys))
    torch.testing.assert_close(other, attention_weights(queries, keys), atol=1e-9, rtol=0)
    large = [part.abs().amax(-2) for part in balanced(queries, keys)]
    torch.testing.assert_close(large[0], large[1])


def test_integers_reach_their_levels_and_round_to_half_a_step() -> None:
    values = drawn(2)
    small, scale = as_integers(values, 31)
    assert small.abs().amax(-1).eq(31).all()
    apart = (small * scale[..., None] - values).abs()
    assert (apart <= 0.5001 * scale[..., None]).all()


def test_the_error_that_is_told_is_the_largest_of_all_rows() -> None:
    seen = inspect(
        tiny_vit(TINY), torch.randn(3, 42, 56, generator=torch.Generator().manual_seed(0))
    )
    rough, fine = compact_attention(seen, 15), compact_attention(seen)
    for compact in (rough, fine):
        worst = 0.0
        for layer in range(seen.layers):
            q = compact.queries[layer] * compact.query_scales[layer][..., None]
            k = compact.keys[layer] * compact.key_scales[layer][..., None]
            logits = q.astype(np.float64) @ k.transpose(0, 2, 1) * q.shape[-1] ** -0.5
            rows = np.exp(logits - logits.max(-1, keepdims=True))
            rows /= rows.sum(-1, keepdims=True)
            worst = max(worst, float(np.abs(rows - seen.attention(layer).numpy()).max()))
        assert compact.error == pytest.approx(worst, abs=1e-6)
    assert fine.error < 0.02
    assert fine.error < rough.error / 3
    with pytest.raises(ValueError, match="1 to 127 levels, not 128"):
        compact_attention(seen, 128)
