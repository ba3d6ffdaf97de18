"""How weights are drawn before anything has been learnt."""

import math

import torch
from torch import Tensor


def truncated_normal(parameter: Tensor, std: float, generator: torch.Generator) -> None:
    """Fills a parameter with a normal distribution of the given std, cut at +-2 (not 2 std).

    What `torch.nn.init.trunc_normal_` computed up to PyTorch 2.11: the inverse of the distribution
    function of uniform numbers. Later ones draw others from the same seed, and a run would depend
    on the version.
    """
    bound = math.erf(2 / (std * math.sqrt(2)))  # 1 for any small std
    draw = torch.empty(parameter.shape).uniform_(-bound, bound, generator=generator)
    draw.erfinv_().mul_(std * math.sqrt(2)).clamp_(-2, 2)
    parameter.copy_(draw)
