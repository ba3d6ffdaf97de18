"""Batches of pictures -> what is kept of each forward. There is one such loop in the project."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dino_core.embedding.reading import Group, Reader, Seen, batches
from dino_core.vit import VisionTransformer

LAYERS_AT_ONCE = 16  # pictures in one forward whose layers are wanted


@dataclass
class Clock:
    """Where the time of a loop over pictures goes."""

    pictures: int = 0
    seconds: float = 0.0  # in all
    waited: float = 0.0  # of them for files that were still read and decoded


@dataclass(frozen=True)
class Features:
    """Everything after the final norm, float32 unless said otherwise, on the CPU."""

    cls: Tensor  # [B, D]
    mean_patch: Tensor  # [B, D]
    layers: Tensor | None  # float16 [B, T, 2, D]: class token and mean patch after each block
    patches: Tensor | None  # float16 [B, P, D]


def encode(
    vit: VisionTransformer,
    reader: Reader,
    batch_size: int,
    *,
    first: int = 0,
    once: bool = True,
    layers: bool = False,
    patch_pictures: int = 0,
    clock: Clock | None = None,
) -> Iterator[tuple[list[Seen], Features | None]]:
    """Files that were looked at together, and the features of those among them that are new.

    first, once     as in `reading.batches`
    patch_pictures  patch features come with the first so many pictures, and what is batched with
                    them
    clock           is counted on
    Broken files, and copies with `once`, come alone and without features. The model is in `eval`
    meanwhile.
    """
    was_training = vit.training
    vit.eval()
    encoded = 0
    try:
        for found in timed(batches(reader, batch_size, first, once), clock or Clock()):
            if not isinstance(found, Group):
                yield [found], None
            elif not found.new:
                yield found.seen, None
            else:
                images = reader.preparation.images(found.pixels(), vit.pos_embed)
                yield found.seen, features_of(vit, images, layers, encoded < patch_pictures)
                encoded += len(found.new)
    finally:
        vit.train(was_training)


def timed(found: Iterator[Group | Seen], clock: Clock) -> Iterator[Group | Seen]:
    """The same, with the seconds that were spent waiting for it on the clock."""
    while True:
        begun = time.perf_counter()
        one = next(found, None)
        got = time.perf_counter()
        clock.waited += got - begun
        if one is None:
            clock.seconds += got - begun
            return
        clock.pictures += len(one.seen) if isinstance(one, Group) else 1
        yield one
        clock.seconds += time.perf_counter() - begun


@torch.inference_mode()
def features_of(
    vit: VisionTransformer, images: Tensor, layers: bool = False, patches: bool = False
) -> Features:
    """Normalised [B, 3, H, W] -> Features.

    Layers are traced, which holds queries, keys and tokens of all blocks until the end: 19 MB a
    picture for ViT-S at 224 px. Callers that want them take small batches (`LAYERS_AT_ONCE`).
    """
    depth = vit.config.depth
    out = vit(images, trace=range(depth) if layers else ())
    by_layer = None
    if layers:
        kept = []
        for index in range(depth):
            normed = vit.norm(out.traces[index].tokens)  # [B, N, D]
            kept.append(torch.stack([normed[:, 0], normed[:, out.first_patch :].mean(1)], 1))
        by_layer = torch.stack(kept, 1).half().cpu()  # T x [B, 2, D] -> [B, T, 2, D]
    return Features(
        cls=out.cls.float().cpu(),
        mean_patch=out.patches.float().mean(1).cpu(),
        layers=by_layer,
        patches=out.patches.half().cpu() if patches else None,
    )
