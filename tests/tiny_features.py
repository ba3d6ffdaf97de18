"""Features of a few classes that overlap, for tests of neighbours."""

import torch
from torch import Tensor


def features(n: int, seed: int, D: int = 8) -> tuple[Tensor, Tensor]:
    """Features [n, D] around the centres of four classes, and the labels [n]."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (n,), generator=generator)
    centres = torch.randn(4, D, generator=torch.Generator().manual_seed(9))
    return centres[labels] + 1.5 * torch.randn(n, D, generator=generator) + 1, labels


def cosine(x: Tensor, y: Tensor) -> float:
    return float(x.double() @ y.double() / x.double().norm() / y.double().norm())
