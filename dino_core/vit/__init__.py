"""The vision transformer of DINOv2: `block` is one block, `transformer` the whole of it,
`edits` what may be changed in it.

Official file: `dinov2/models/vision_transformer.py` and `dinov2/layers/`. Parameter names are the
official ones, so that a released file loads as it is. Followed with ViT-S/14 at 224 px:

    images        [B, 3, 224, 224]
    patches       [B, 256, 384]      one vector for each of the 16 x 16 patches
    + class token [B, 257, 384]      then the position embedding is added
    12 blocks     [B, 257, 384]      x + attention(norm(x)), then x + mlp(norm(x))
    final norm    [B, 257, 384]

A model with registers has 4 more tokens, after the class token and without a position: 261.

There is one walk over the blocks. What is to be seen of it is asked for by argument and answered in
a dataclass:

    out = vit(images, trace=[0, 5, 11])
    out.traces[5].attention          # [B, A, N, N], rows sum to 1
    vit(images, rows=[0]).rows       # [B, T, A, 1, N], the class token's row alone, in all blocks
    vit(images, edits=[Edit("head", 0.0, block=11, unit=3)])
    vit.resume(out.traces[5].tokens, out.grid, first=6)    # the blocks from 6 on alone
"""

from dino_core.vit.block import (
    Attention,
    Block,
    BlockOutput,
    BlockRequest,
    BlockTrace,
    LayerScale,
    Mlp,
    SwiGLU,
    attention_rows,
    attention_weights,
    drop_path,
)
from dino_core.vit.edits import (
    SITES,
    Edit,
    SiteName,
    by_block,
    check_edits,
    check_range,
    registers_out,
)
from dino_core.vit.transformer import (
    PatchEmbed,
    VisionTransformer,
    ViTOutput,
    interpolate_positions,
)

__all__ = [
    "SITES",
    "Attention",
    "Block",
    "BlockOutput",
    "BlockRequest",
    "BlockTrace",
    "Edit",
    "LayerScale",
    "Mlp",
    "PatchEmbed",
    "SiteName",
    "SwiGLU",
    "ViTOutput",
    "VisionTransformer",
    "attention_rows",
    "attention_weights",
    "by_block",
    "check_edits",
    "check_range",
    "drop_path",
    "interpolate_positions",
    "registers_out",
]
