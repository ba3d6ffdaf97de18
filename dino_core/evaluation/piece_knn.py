"""k-NN over pieces: pictures without classes, told apart by what is cut from them.

Where nobody has labelled anything, the picture itself is the class. Squares are cut from each of n
pictures: from its left half those that are labelled, from its right half those that are asked
about, so that no pixel is in both. In a loop:

    for each piece of a right half:
        near  = the k pieces of the left halves with the largest cos
        named = argmax_i sum(exp(cos / 0.07) for the pieces in near of picture i)
        right = named == the picture that it was cut from

Votes and features are those of `knn.py`. By chance 1 / n are right. What is recognised is the
photo, not what is in it. A few photos differ in their colours alone, for which nothing need be
learnt: in colour raw pixels name 39 % of the pieces of the eight samples, random weights 46 to 60
and the teacher 66. So pieces are grey: pixels 14, random weights 22 to 27, the teacher 58. And they
are shown at three quarters of a whole picture's side, about the scale that is learnt from.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dino_core.crops import Box
from dino_core.datasets import Pictures
from dino_core.embedding.preparation import Preparation
from dino_core.evaluation.knn import FEATURES, knn
from dino_core.evaluation.patch_matching import evenly_spread
from dino_core.step.loader import generator_for
from dino_core.vit import VisionTransformer

PICTURES = 32  # evenly spread over the set
PIECES = 16  # of each half; so many neighbours vote, for a picture has no more pieces
SIDE = (0.8, 1.0)  # of the shorter side of a half
SHOWN = 0.75  # px a side at which a backbone sees a piece, of those of a whole picture
SEED = 0  # the same pieces at every milestone and in every run
PIXELS = 32  # px a side at which raw pixels are compared


@dataclass(frozen=True)
class Recognised:
    """Shares of pieces whose picture is named, in per cent: by kind of features."""

    pictures: int
    shares: dict[str, float]


def piece_knn(
    vit: VisionTransformer, pictures: Pictures, size: int, *, seed: int = SEED
) -> Recognised | None:
    """What a backbone recognises that sees whole pictures at `size` px: by class token, mean patch
    and both together. None where fewer than two pictures can be cut."""
    was_training, side = vit.training, shown_size(size, vit.config.patch_size)
    vit.eval()
    tokens = [_tokens(vit, pieces) for pieces in cut_pieces(pictures, side, seed)]
    vit.train(was_training)
    if len(tokens) < 2:
        return None
    cls, mean = (torch.stack(one) for one in zip(*tokens, strict=True))  # [n, 2, m, D] each
    both = torch.cat([cls, mean], dim=-1)
    of = dict(zip(FEATURES, (cls, mean, both), strict=True))
    return Recognised(len(tokens), {name: share_right(one) for name, one in of.items()})


def pixel_knn(pictures: Pictures, *, seed: int = SEED) -> float | None:
    """The same of raw pixels, in per cent. None where fewer than two pictures can be cut."""
    pieces = [torch.from_numpy(one) for one in cut_pieces(pictures, PIXELS, seed)]
    return share_right(torch.stack(pieces).flatten(3).float()) if len(pieces) > 1 else None


def shown_size(size: int, patch: int) -> int:
    """Px a side at which a piece is shown, in whole patches: 112 px of 14 px patches -> 84."""
    return max(round(SHOWN * size / patch), 1) * patch


def share_right(features: Tensor) -> float:
    """Features [n, 2, m, D] of labelled pieces and of those that are asked about -> per cent."""
    n, _, m, _ = features.shape
    picture = torch.arange(n).repeat_interleave(m)
    labelled, asked = features.unbind(1)  # [n, m, D] each
    train, test = labelled.flatten(0, 1), asked.flatten(0, 1)  # [n m, D] each
    shares = knn(train, picture, test, classes=n, ks=(m,), center=True)[m]
    return 100 * (shares.argmax(1) == picture).float().mean().item()


@torch.inference_mode()
def _tokens(vit: VisionTransformer, pieces: np.ndarray) -> tuple[Tensor, Tensor]:
    """Pieces uint8 [2, m, H, W, 3] -> class tokens and mean patches, float32 [2, m, D] each."""
    images = Preparation().images(pieces.reshape(-1, *pieces.shape[2:]), vit.pos_embed)
    out = vit(images)
    both = (out.cls, out.patches.mean(1))
    cls, mean = (one.float().cpu().unflatten(0, pieces.shape[:2]) for one in both)
    return cls, mean


# --- cutting


def cut_pieces(pictures: Pictures, size: int, seed: int = SEED) -> Iterator[np.ndarray]:
    """Of each picture uint8 [2, m, size, size, 3], grey: pieces of the left half, of the right.

    Pictures that cannot be read, or have no halves, are left out.
    """
    for index in evenly_spread(len(pictures), PICTURES):
        with suppress(ValueError):
            picture = pictures.picture(index).convert("L").convert("RGB")
            boxes = draw_boxes(*picture.size, generator_for(seed, "pieces", index))
            yield np.stack([[_piece(picture, box, size) for box in half] for half in boxes])


def draw_boxes(width: int, height: int, generator: torch.Generator) -> list[list[Box]]:
    """The squares in px of the left half and of the right one; a column between them is in neither.

    ValueError for a picture of a single column.
    """
    if width < 2:
        raise ValueError(f"A picture of {width} x {height} px has no halves.")
    short, drawn = min(width // 2, height), []
    for first in (0, width - width // 2):
        boxes = []
        for share, right, down in torch.rand(PIECES, 3, generator=generator).tolist():
            side = max(round(short * (SIDE[0] + (SIDE[1] - SIDE[0]) * share)), 1)
            left = first + int(right * (width // 2 - side + 1))
            top = int(down * (height - side + 1))
            boxes.append((left, top, left + side, top + side))
        drawn.append(boxes)
    return drawn


def _piece(picture: Image.Image, box: Box, size: int) -> np.ndarray:
    """uint8 [size, size, 3]. Cut first: a filter that is only told the box looks beyond it."""
    return np.asarray(picture.crop(box).resize((size, size), Image.Resampling.BICUBIC))
