"""The plain forward of ViT-S/14 in float32, beside timm's with the same weights."""

from collections.abc import Iterator

import torch

from benchmarks.others import timm_vit
from benchmarks.results import Result
from benchmarks.timing import race
from dino_core.config import VIT_SMALL
from dino_core.vit import VisionTransformer


def run(quick: bool) -> Iterator[Result]:
    vit = VisionTransformer(VIT_SMALL).eval()
    for size, batch in ((224, 1),) if quick else ((224, 1), (518, 1), (224, 8)):
        yield forward(vit, size, batch, seconds=2 if quick else 30)


@torch.inference_mode()
def forward(vit: VisionTransformer, size: int, batch: int, seconds: float) -> Result:
    peer = timm_vit(vit, size)
    images = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(vit(images).normed, peer.forward_features(images), rtol=0, atol=1e-3)
    times = race(
        {"ours": lambda: vit(images), "timm": lambda: peer.forward_features(images)}, seconds
    )
    return Result(
        name=f"ViT-S, {size} px" + (f", {batch} pictures" if batch > 1 else ""),
        value=times.ratio("ours", "timm"),
        unit="of timm",
        at_most=1.03,
        note=times.note("ours", "timm"),
    )
