"""On a GPU: forwards beside timm, training steps, and features of photos beside bare forwards.

What is timed is compared: tokens with timm's, and the first loss of a small model in float32 with
the same on the processor. Matrix products in float32 are exact (no TF32).
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.embedding import write_photos
from benchmarks.others import timm_vit
from benchmarks.results import Result, Skipped
from benchmarks.timing import race
from benchmarks.training import SMALL, TINY, Case, our_step, random_batch
from dino_core.config import VIT_LARGE, VIT_SMALL, TrainConfig
from dino_core.datasets import find_pictures
from dino_core.embedding.cache import FeatureCache
from dino_core.embedding.embed import embed
from dino_core.embedding.preparation import Preparation
from dino_core.vit import VisionTransformer
from dino_core.weights import load_backbone
from dino_core.weights.variants import PREVIEW

GPU = "cuda"
STEPS_COMPARED = 3


def run(quick: bool) -> Iterator[Result]:
    if not torch.cuda.is_available():
        raise Skipped("this machine has no GPU that torch can use")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    seconds = 2 if quick else 10
    for size, batch in ((224, 1), (518, 1), (224, 64), (518, 16)):
        for dtype in (torch.float32, torch.bfloat16):
            yield forward(size, batch, dtype, seconds)
    yield same_as_on_the_processor()
    large = replace(SMALL, name="ViT-L", vit=VIT_LARGE, pictures=32)
    for case in (replace(SMALL, pictures=64), large):
        yield from steps(case, seconds)
    yield photos(256 if quick else 2048, seconds)


# --- forwards


@torch.inference_mode()
def forward(size: int, batch: int, dtype: torch.dtype, seconds: float) -> Result:
    """The whole forward with the same weights; in bfloat16 by autocast, as both train."""
    vit = VisionTransformer(VIT_SMALL).eval()
    peer = timm_vit(vit, size).to(GPU)
    vit.to(GPU)
    images = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(0)).to(GPU)
    torch.testing.assert_close(vit(images).normed, peer.forward_features(images), rtol=0, atol=1e-3)

    def autocast(work: Callable[[], object]) -> Callable[[], object]:
        def finished() -> None:
            with torch.autocast(GPU, dtype, enabled=dtype != torch.float32):
                work()
            torch.cuda.synchronize()

        return finished

    contestants = {
        "ours": autocast(lambda: vit(images)),
        "timm": autocast(lambda: peer.forward_features(images)),
    }
    times = race(contestants, seconds)
    return Result(
        name=f"ViT-S, {batch} x {size} px, {name_of(dtype)}",
        value=times.ratio("ours", "timm"),
        unit="of timm",
        at_most=1.03,
        note=f"{batch / times.seconds('ours'):.0f} a second, {times.note('ours', 'timm')}",
    )


def name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


# --- training


def same_as_on_the_processor() -> Result:
    """The relative difference of the first loss, which a later one no longer tells.

    From the first update on, two correct machines part: AdamW divides by gradients whose last
    digits they round differently. What came of it is in the note. KoLeo is left out: to new weights
    all noise looks alike, and the logarithm of a distance near 0 is that of its rounding (on the
    processor 1.79 in float32 and 1.86 in float64).
    """
    batch = random_batch(TINY)
    config = replace(TINY.config, loss=replace(TINY.config.loss, koleo_weight=0.0))
    here, there = our_step(config, batch), step_on_gpu(TINY, config)
    losses = [(here(), there()) for _ in range(STEPS_COMPARED)]
    differences = [abs(a - b) / abs(a) for a, b in losses]
    return Result(
        name=f"first loss, {TINY}",
        value=differences[0],
        unit="from the processor's",
        at_most=1e-5,
        note=f"{differences[0]:.1e}; {differences[-1]:.1e} after {STEPS_COMPARED} steps",
    )


def step_on_gpu(case: Case, config: TrainConfig) -> Callable[[], float]:
    return our_step(config, random_batch(case).to(GPU), GPU)


def steps(case: Case, seconds: float) -> Iterator[Result]:
    """A whole step with bfloat16 beside float32, and its memory."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    half = step_on_gpu(case, replace(case.config, bfloat16=True))
    half()
    memory = torch.cuda.max_memory_allocated() / 2**30
    times = race({"bfloat16": half, "float32": step_on_gpu(case, case.config)}, seconds)
    yield Result(
        name=f"step of {case.pictures} pictures, {case}",
        value=times.ratio("bfloat16", "float32"),
        unit="of its float32",
        note=f"{case.pictures / times.seconds('bfloat16'):.0f} pictures a second in "
        f"{memory:.1f} GB, {times.note('bfloat16', 'float32')}",
    )


# --- pictures from files


def photos(count: int, seconds: float) -> Result:
    """Features of JPEGs, from their files, beside the forwards alone with all in memory."""
    backbone, preparation = load_backbone(PREVIEW, device=GPU), Preparation(224)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_photos(root / "photos", count)
        pictures = find_pictures(root / "photos")
        batches = [
            preparation.images(
                np.stack([preparation.pixels(pictures.picture(i), 14) for i in range(64)]),
                backbone.vit.pos_embed,
            )
        ] * (count // 64)
        turns = iter(range(10**9))

        def ours() -> None:
            file = root / f"{next(turns)}.sqlite"  # empty: nothing is known before
            cache = FeatureCache(file, backbone.vit.config.dim, backbone.vit.config.depth)
            embed(backbone, pictures, preparation, cache, batch_size=64)
            cache.close()

        def bare() -> None:
            with torch.inference_mode():
                for images in batches:
                    backbone.vit(images)
            torch.cuda.synchronize()

        times = race({"ours": ours, "bare": bare}, seconds)
    return Result(
        name=f"embed {count} photos, ViT-S, 224 px",
        value=times.ratio("ours", "bare"),
        unit="of bare forwards",
        note=f"{count / times.seconds('ours'):.0f} pictures a second, {times.note('ours', 'bare')}",
    )
