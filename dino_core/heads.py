"""Projection heads: a token in, one logit for each prototype out ("prototype scores" in the paper).

Paper, section 4; official file `dinov2/layers/dino_head.py`, whose parameter names are kept.
Class tokens go through the DINO head, masked patch tokens through the iBOT head, or both through
one shared head. Followed with the official numbers for ViT-S:

    tokens     [n, 384]
    MLP        [n, 2048] -> [n, 2048] -> [n, 256]    GELU between
    on sphere  [n, 256]      divided by its length
    logits     [n, 65536]    g_k cos(token, prototype k)
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dino_core.config import HeadConfig
from dino_core.initialisation import truncated_normal


class Prototypes(nn.Module):
    """A linear map without bias whose rows have length g (weight normalisation).

    logit_k = g_k <x, v_k / |v_k|>: only the direction of v_k counts. The official code starts
    from g = 1 and trains it.
    """

    def __init__(self, width: int, prototypes: int) -> None:
        super().__init__()
        self.weight_g = nn.Parameter(torch.empty(prototypes, 1))
        self.weight_v = nn.Parameter(torch.empty(prototypes, width))

    def forward(self, x: Tensor) -> Tensor:
        """[n, width] -> [n, K]."""
        # v * g / |v| in one pass over the [K, width] matrix; both of PyTorch's own weight_norm
        # modules end in this call, but neither keeps the official parameter names for good.
        return F.linear(x, torch._weight_norm(self.weight_v, self.weight_g, 0))


class ProjectionHead(nn.Module):
    """Linear maps with GELU between them, the unit sphere, the prototypes.

    `generator` draws the initial weights; the global generator is not touched. `device="meta"`
    allocates nothing and is meant for weights that are about to be loaded.
    """

    def __init__(
        self,
        width: int,
        config: HeadConfig,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.config = config
        if config.layers < 1:
            raise ValueError(f"A head needs at least 1 layer, {config.layers} were asked for.")
        with torch.device("meta"):  # as in `vit`: memory and numbers come below
            widths = [width, *[config.hidden] * (config.layers - 1), config.bottleneck]
            layers: list[nn.Module] = []
            for before, after in pairwise(widths):
                layers += [nn.Linear(before, after, bias=config.mlp_bias), nn.GELU()]
            layers.pop()  # no GELU before the sphere
            # A single map is called `mlp.weight`, several are `mlp.0.weight`, `mlp.2.weight`, ...
            self.mlp = layers[0] if len(layers) == 1 else nn.Sequential(*layers)
            self.last_layer = Prototypes(config.bottleneck, config.prototypes)
        if torch.device(device).type != "meta":
            self.to_empty(device=device)
            self.init_weights(generator)

    @torch.no_grad()
    def init_weights(self, generator: torch.Generator | None = None) -> None:
        """Draws every parameter anew, from the given generator alone."""
        generator = generator or torch.Generator().manual_seed(0)
        for module in self.mlp.modules():
            if isinstance(module, nn.Linear):
                std = self.config.linear_std or module.in_features**-0.5
                truncated_normal(module.weight, std, generator)
                if module.bias is not None:
                    module.bias.zero_()
        self.last_layer.weight_g.fill_(1)
        v = self.last_layer.weight_v
        if self.config.prototype_std is not None:
            v.copy_(torch.randn(v.shape, generator=generator) * self.config.prototype_std)
        else:
            bound = 1 / math.sqrt(v.shape[1])
            v.copy_((2 * torch.rand(v.shape, generator=generator) - 1) * bound)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens [n, D] -> logits [n, K], each within +-g of its prototype."""
        x = self.mlp(tokens)
        x = F.normalize(x, dim=-1, eps=1e-6 if x.dtype == torch.float16 else 1e-12)
        return self.last_layer(x)
