"""One transformer block: attention, then an MLP, each added to the stream of tokens.

Official files in `dinov2/layers/`. What is to be seen or changed of a block comes in a
`BlockRequest`, and what was seen goes out in a `BlockOutput`:

    block(tokens, BlockRequest(traced=True)).trace.attention    # [B, A, N, N], rows sum to 1
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dino_core.config import ViTConfig
from dino_core.vit.edits import UNEDITED, Edit, EditsBySite, edited


@dataclass(frozen=True)
class BlockRequest:
    """What one block is asked for besides its tokens."""

    traced: bool = False
    rows: Sequence[int] = ()  # tokens whose attention is wanted
    edits: EditsBySite = UNEDITED


@dataclass(frozen=True)
class BlockTrace:
    """What one block did. Queries and keys are kept: any row of attention follows from them."""

    tokens: Tensor  # [B, N, D] the residual stream that leaves the block
    queries: Tensor  # [B, A, N, d]
    keys: Tensor  # [B, A, N, d]
    update_norms: Tensor  # [B, 2, N] lengths of what attention and then the MLP added to each token
    scores: Sequence[Edit] = ()  # how the scores were changed

    @property
    def attention(self) -> Tensor:
        """[B, A, N, N], every row sums to 1. N * N numbers a head: 45 MB for ViT-S at 518 px."""
        return attention_weights(self.queries, self.keys, self.scores)

    def rows(self, tokens: Sequence[int]) -> Tensor:
        """What the named tokens attend to: [B, A, len(tokens), N], every row sums to 1."""
        return attention_rows(self.queries, self.keys, tokens, self.scores)


class BlockOutput(NamedTuple):
    """What leaves a block, and what was asked for."""

    tokens: Tensor  # [B, N, D] the residual stream
    trace: BlockTrace | None
    rows: Tensor | None  # [B, A, n, N] what the n tokens asked about attend to


def attention_weights(queries: Tensor, keys: Tensor, edits: Sequence[Edit] = ()) -> Tensor:
    """softmax(q k^T / sqrt(d)): [B, A, n, d], [B, A, N, d] -> [B, A, n, N], rows sum to 1.

    Edits of the scores hold before the softmax. ValueError where they leave a query no key.
    """
    scale = queries.shape[-1] ** -0.5
    scores = (queries * scale) @ keys.transpose(-2, -1)
    if edits:
        scores = edited(scores, edits)
        blind = (scores == -torch.inf).all(-1).nonzero()
        if len(blind):
            raise ValueError(
                f"{edits[0].place}: token {int(blind[0, -1])} is left no token to see: let it see "
                f"one, for example itself."
            )
    return scores.softmax(dim=-1)


def attention_rows(
    queries: Tensor, keys: Tensor, tokens: Sequence[int], edits: Sequence[Edit] = ()
) -> Tensor:
    """What the named tokens attend to: [B, A, N, d], [B, A, N, d] -> [B, A, len(tokens), N]."""
    if edits:  # they may look at all scores
        return attention_weights(queries, keys, edits)[:, :, tokens]
    return attention_weights(queries[:, :, tokens], keys)


class Attention(nn.Module):
    """Multi-head self-attention; hands back its queries and keys, which cost nothing."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.fused = config.fused_attention
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.proj = nn.Linear(config.dim, config.dim)

    def split(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[B, N, D] -> queries, keys and values [B, A, N, d]."""
        B, N, D = tokens.shape
        qkv = self.qkv(tokens).reshape(B, N, 3, self.heads, D // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # [B, N, 3, A, d] -> 3 x [B, A, N, d]
        return q, k, v

    def forward(
        self, tokens: Tensor, edits: EditsBySite = UNEDITED
    ) -> tuple[Tensor, Tensor, Tensor]:
        """[B, N, D] -> the update [B, N, D], queries and keys [B, A, N, d]."""
        N, D = tokens.shape[1:]
        q, k, v = self.split(tokens)
        if self.fused and not edits.scores:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = attention_weights(q, k, edits.scores) @ v
        mixed = edited(mixed, edits.head)
        mixed = mixed.transpose(1, 2).reshape(-1, N, D)  # [B, A, N, d] -> [B, N, D]
        return self.proj(mixed), q, k


def quick_gelu(values: Tensor) -> Tensor:
    """x sigmoid(1.702 x), the approximation of GELU that CLIP was trained with."""
    return values * torch.sigmoid(1.702 * values)


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "quick_gelu": quick_gelu,
    "relu": F.relu,
    "silu": F.silu,
}


class Mlp(nn.Module):
    """Two linear maps with a GELU between them (or what the configuration names instead)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.fc1 = nn.Linear(config.dim, config.hidden)
        self.fc2 = nn.Linear(config.hidden, config.dim)

    def forward(self, tokens: Tensor, edits: Sequence[Edit] = ()) -> Tensor:
        return self.fc2(edited(self.activation(self.fc1(tokens)), edits))


class SwiGLU(nn.Module):
    """silu(x W1) * (x W2) W3, with the hidden width cut to two thirds and rounded up to 8.

    Two thirds keep the parameters of the plain MLP although there are three matrices.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.w12 = nn.Linear(config.dim, 2 * config.hidden)
        self.w3 = nn.Linear(config.hidden, config.dim)

    def forward(self, tokens: Tensor, edits: Sequence[Edit] = ()) -> Tensor:
        gate, value = self.w12(tokens).chunk(2, dim=-1)
        return self.w3(edited(F.silu(gate) * value, edits))


class LayerScale(nn.Module):
    """A learned factor for each channel of a residual branch (Touvron et al. 2021)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(dim))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.gamma


def drop_path(
    tokens: Tensor,
    branch: Callable[[Tensor], Tensor],
    probability: float,
    generator: torch.Generator | None,
) -> Tensor:
    """Stochastic depth (Huang et al. 2016): tokens + branch(tokens), the branch left out at random.

    As the official code: above 0.1 the branch is computed only for a random subset of the batch,
    of a fixed size B' = max(1, int(B (1 - p))), and scaled by B / B'; up to 0.1 every picture
    tosses its own coin and survivors are scaled by 1 / (1 - p).
    """
    B = tokens.shape[0]
    if probability > 0.1:
        kept = max(1, int(B * (1 - probability)))
        chosen = torch.randperm(B, generator=generator)[:kept].to(tokens.device)
        # Not tokens[chosen], whose backward is twice as slow: it expects to meet indices twice.
        update = branch(tokens.index_select(0, chosen)).to(tokens.dtype)
        return tokens.index_add(0, chosen, update, alpha=B / kept)
    survives = torch.rand(B, 1, 1, generator=generator) >= probability
    factor = survives.to(tokens) / (1 - probability)
    return tokens + branch(tokens) * factor


class Block(nn.Module):
    """x + ls1(attention(norm1(x))), then x + ls2(mlp(norm2(x))).

    Each branch is written once; adding them up is written twice. `forward` can be looked into and
    changed. `train_forward` leaves branches out at random, which means for a part of the batch
    alone, so that there is no whole queries, keys or updates to look at.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        scaled = config.layer_scale_init is not None
        self.drop_path = config.drop_path
        self.norm1 = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.attn = Attention(config)
        self.ls1 = LayerScale(config.dim) if scaled else nn.Identity()
        self.norm2 = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.mlp = SwiGLU(config) if config.ffn == "swiglu" else Mlp(config)
        self.ls2 = LayerScale(config.dim) if scaled else nn.Identity()

    def attention_branch(
        self, tokens: Tensor, edits: EditsBySite = UNEDITED
    ) -> tuple[Tensor, Tensor, Tensor]:
        """[B, N, D] -> what attention adds [B, N, D], its queries and keys [B, A, N, d]."""
        update, q, k = self.attn(self.norm1(tokens), edits)
        return edited(self.ls1(update), edits.attention), q, k

    def queries_and_keys(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """[B, N, D] -> queries and keys [B, A, N, d] alone: nothing is mixed or added."""
        return self.attn.split(self.norm1(tokens))[:2]

    def mlp_branch(self, tokens: Tensor, edits: EditsBySite = UNEDITED) -> Tensor:
        """[B, N, D] -> what the MLP adds [B, N, D]."""
        return edited(self.ls2(self.mlp(self.norm2(tokens), edits.neuron)), edits.mlp)

    def forward(self, tokens: Tensor, request: BlockRequest = BlockRequest()) -> BlockOutput:
        """[B, N, D] -> the stream that leaves the block, and what was asked for."""
        edits = request.edits
        tokens = edited(tokens, edits.tokens)
        update, q, k = self.attention_branch(tokens, edits)
        rows = attention_rows(q, k, request.rows, edits.scores) if request.rows else None
        seen = (q, k, update.norm(dim=-1)) if request.traced else None
        del q, k  # their memory serves what follows, while it is still in the cache
        tokens = tokens + update
        del update
        update = self.mlp_branch(tokens, edits)
        tokens = tokens + update
        if seen is None:
            return BlockOutput(tokens, None, rows)
        q, k, by_attention = seen
        lengths = torch.broadcast_tensors(by_attention, update.norm(dim=-1))  # 2 x [B, N]
        norms = torch.stack(lengths, dim=1)  # 2 x [B, N] -> [B, 2, N]
        return BlockOutput(tokens, BlockTrace(tokens, q, k, norms, edits.scores), rows)

    def train_forward(self, tokens: Tensor, generator: torch.Generator | None) -> Tensor:
        """The same with stochastic depth on both branches: [B, N, D] -> [B, N, D]."""
        tokens = drop_path(tokens, lambda x: self.attention_branch(x)[0], self.drop_path, generator)
        return drop_path(tokens, self.mlp_branch, self.drop_path, generator)
