"""What the page's arithmetic must give: scenes as the server would send them, and the truth.

The page computes rows of attention, cosines and embeddings from what a scene holds. The truth comes
by another way: the attention of the forward itself, scikit-learn's cosines of features as they
left the model, the convolution that embeds patches.

`PYTHONPATH=.:tests python tests/script_golden.py` writes it; a test says when it is out of date.
"""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load
from sklearn.metrics.pairwise import cosine_similarity
from tiny_models import TINY, tiny_vit

from dino_core.draw.encode import pack
from dino_core.images import to_tensor
from dino_core.scenes import attention, features, tokens
from dino_core.scenes.picture import OpenPicture, look
from dino_core.vit import VisionTransformer

FILE = Path(__file__).resolve().parents[1] / "static/js/test/golden.json"
DIGITS = 7  # after the point
LAYER = 1
CONFIG = replace(TINY, dim=8, heads=2, patch_size=4, image_size=12, registers=1)


def opened(vit: VisionTransformer, seed: int) -> OpenPicture:
    """A picture of 2 x 3 patches."""
    noise = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), np.uint8)
    return look(vit, Image.fromarray(noise), 8)


@torch.inference_mode()
def golden() -> dict[str, dict[str, Any]]:
    """Each part of the page's arithmetic: the scenes it is given, and what it must make of them."""
    vit = tiny_vit(CONFIG)
    one, two = opened(vit, 0), opened(vit, 1)
    images = to_tensor(one.fitted.picture)[None]
    maps = vit(images, trace=[LAYER]).traces[LAYER].attention[0]  # [A, N, N]
    layers = [picture.seen.patches(LAYER).numpy() for picture in (one, two)]
    learned, given = tokens.position_tables(vit, one.seen.grid)
    patches = tokens.patches_scene(vit, one)
    patches = replace(patches, components=patches.components[:3], ratio=patches.ratio[:3])
    components = torch.from_numpy(patches.components)
    return {
        "attention": {
            "scenes": [attention.layer_scene(one.seen, LAYER)],
            "rows": maps.transpose(0, 1),  # [N, A, N]: what each token attends to
            "means": maps.mean(0),  # [N, N]
        },
        "features": {
            "scenes": [features.patches_scene(it.seen, LAYER) for it in (one, two)],
            "cosines": cosine_similarity(layers[0], layers[1]),  # [P, P]
        },
        "positions": {
            "scenes": [tokens.positions_scene(vit, one.seen)],
            "learned": cosine_similarity(learned.flatten(0, 1).numpy()),  # [r * c, r * c]
            "given": cosine_similarity(given.flatten(0, 1).numpy()),  # [P, P]
        },
        "patches": {
            "scenes": [patches],
            "embeddings": vit.patch_embed.proj(images)[0].flatten(1).T,  # [P, D]
            "components": torch.conv2d(images, components, stride=CONFIG.patch_size)[0].flatten(1),
        },
    }


def unpacked(text: str) -> tuple[dict[str, np.ndarray], Any]:
    """Arrays and facts of a scene in the file."""
    raw = base64.b64decode(text)
    length = int.from_bytes(raw[:8], "little")
    return load(raw), json.loads(json.loads(raw[8 : 8 + length])["__metadata__"]["facts"])


def as_json(parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Scenes as the base64 of what is sent, numbers as rounded lists."""
    return {
        name: {
            key: [base64.b64encode(pack(scene)).decode() for scene in value]
            if key == "scenes"
            else np.asarray(value, np.float64).round(DIGITS).tolist()
            for key, value in part.items()
        }
        for name, part in parts.items()
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(as_json(golden()), separators=(",", ":")) + "\n")
