"""Features of many photos from their files, beside bare forwards of the same decoded pictures.

Ours reads, decodes and scales each file, computes, and stores what comes out; the peer has its
batches ready in memory. Decoding runs in threads while the model computes, so it should cost next
to nothing. With one thread the clock of that thread would not see the others, so it is skipped.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.results import Result, Skipped
from benchmarks.timing import race
from dino_core.datasets import find_pictures, sample_pictures
from dino_core.embedding.cache import FeatureCache
from dino_core.embedding.embed import embed
from dino_core.embedding.preparation import Preparation
from dino_core.weights import load_backbone
from dino_core.weights.variants import PREVIEW

BATCH = 32
PHOTO = (320, 256)  # px, what a typical set of small photos has


def run(quick: bool) -> Iterator[Result]:
    if torch.get_num_threads() == 1 and not quick:
        raise Skipped("with one thread only the forward would be timed, not the decoding")
    yield throughput(count=8 if quick else 2 * BATCH, seconds=2 if quick else 60)


def throughput(count: int, seconds: float) -> Result:
    backbone, preparation = load_backbone(PREVIEW), Preparation(224)
    vit = backbone.vit
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_photos(root / "photos", count)
        pictures = find_pictures(root / "photos")
        decoded = [preparation.pixels(pictures.picture(i), 14) for i in range(count)]
        batches = [
            preparation.images(np.stack(decoded[i : i + BATCH]), vit.pos_embed)
            for i in range(0, count, BATCH)
        ]
        turns = iter(range(10**9))

        def ours() -> None:
            cache = FeatureCache(
                root / f"{next(turns)}.sqlite", vit.config.dim, vit.config.depth
            )  # empty: nothing is known before
            found = embed(backbone, pictures, preparation, cache, batch_size=BATCH)
            assert found.computed == count
            cache.close()

        def bare() -> None:
            with torch.inference_mode():
                for images in batches:
                    vit(images)

        times = race({"ours": ours, "bare": bare}, seconds)
    rate = count / times.seconds("ours")
    return Result(
        name=f"embed {count} photos, ViT-S, 224 px",
        value=times.ratio("ours", "bare"),
        unit="of bare forwards",
        at_most=1.05,
        note=f"{rate:.1f} pictures a second, {times.note('ours', 'bare')}",
    )


def write_photos(folder: Path, count: int, size: tuple[int, int] = PHOTO) -> None:
    """JPEGs cut out of the samples, each another piece."""
    samples = sample_pictures()
    folder.mkdir()
    for i in range(count):
        picture = samples.picture(i % len(samples))
        width, height = picture.width * 3 // 4, picture.height * 3 // 4
        left = (picture.width - width) * (i // len(samples)) // max(count // len(samples), 1)
        part = picture.crop((left, left * height // width // 2, left + width, height))
        part.resize(size, Image.Resampling.BICUBIC).save(folder / f"{i:03}.jpg", quality=90)
