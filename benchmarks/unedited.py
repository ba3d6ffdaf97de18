"""The model as it would be if nothing in it could be changed: what places for edits cost.

    plain = without_edits(copy.deepcopy(vit))

The same modules and weights, each with a forward in which edits, traces and rows have no place: no
check, no look-up, no call of `edited`. What is left of a forward is the arithmetic. Numbers are the
same to the last bit, which whoever compares times asserts first.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.vit import VisionTransformer, ViTOutput
from dino_core.vit.block import Attention, Block, BlockOutput, Mlp, attention_weights


class PlainAttention(Attention):
    """Attention without places for edits."""

    def forward(self, tokens: Tensor, *_: object) -> tuple[Tensor, Tensor, Tensor]:
        B, N, D = tokens.shape
        qkv = self.qkv(tokens).reshape(B, N, 3, self.heads, D // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # [B, N, 3, A, d] -> 3 x [B, A, N, d]
        if self.fused:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = attention_weights(q, k) @ v
        mixed = mixed.transpose(1, 2).reshape(-1, N, D)  # [B, A, N, d] -> [B, N, D]
        return self.proj(mixed), q, k


class PlainMlp(Mlp):
    """The MLP without places for edits."""

    def forward(self, tokens: Tensor, *_: object) -> Tensor:
        update: Tensor = self.fc2(self.activation(self.fc1(tokens)))
        return update


class PlainBlock(Block):
    """A block without places for edits, and of which nothing is asked."""

    def attention_branch(self, tokens: Tensor, *_: object) -> tuple[Tensor, Tensor, Tensor]:
        update, q, k = self.attn(self.norm1(tokens))
        return self.ls1(update), q, k

    def mlp_branch(self, tokens: Tensor, *_: object) -> Tensor:
        update: Tensor = self.ls2(self.mlp(self.norm2(tokens)))
        return update

    def forward(self, tokens: Tensor, *_: object) -> BlockOutput:
        tokens = tokens + self.attention_branch(tokens)[0]
        return BlockOutput(tokens + self.mlp_branch(tokens), None, None)


class PlainTransformer(VisionTransformer):
    """Pictures in, tokens out, and nothing to ask for."""

    def forward(
        self,
        images: Tensor,
        masks: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        **_: object,
    ) -> ViTOutput:
        tokens = embedded = self.plain_embedding(images, masks)
        stochastic = self.training and self.config.drop_path > 0
        for block in self.blocks:
            assert isinstance(block, PlainBlock)
            tokens = block.train_forward(tokens, generator) if stochastic else block(tokens).tokens
        return ViTOutput(
            tokens=tokens,
            normed=self.norm(tokens),
            embedded=embedded,
            grid=self.patch_grid(images),
            registers=self.config.registers,
            traces={},
            rows=None,
        )

    def plain_embedding(self, images: Tensor, masks: Tensor | None) -> Tensor:
        """[B, C, H, W] -> [B, N, D], for a model without registers."""
        B, patches = len(images), self.patch_embed(images)
        if masks is not None:
            masked = masks.reshape(B, -1, 1)  # [B, h, w] -> [B, P, 1]
            patches = torch.where(masked, self.mask_token.to(patches.dtype), patches)
        tokens = torch.cat([self.cls_token.expand(B, -1, -1).to(patches.dtype), patches], dim=1)
        return tokens + self.positions(self.patch_grid(images)).to(tokens.dtype)


def without_edits(vit: VisionTransformer) -> VisionTransformer:
    """Makes this very model one in which nothing can be changed. For those without registers and
    SwiGLU alone."""
    assert vit.register_tokens is None
    vit.__class__ = PlainTransformer
    for block in vit.blocks:
        assert isinstance(block, Block)
        assert isinstance(block.mlp, Mlp)
        block.__class__ = PlainBlock
        block.attn.__class__ = PlainAttention
        block.mlp.__class__ = PlainMlp
    return vit
