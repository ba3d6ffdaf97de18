"""Play through depth: how far neighbouring frames of the film are apart in colour."""

from collections.abc import Iterator

import torch

from benchmarks.results import Result
from dino_core.analysis.alignment import colour_family
from dino_core.analysis.inspection import inspect
from dino_core.analysis.pca import colour_features
from dino_core.assets import SAMPLES
from dino_core.config import PCA_PRESETS
from dino_core.images import fit_to_patches, open_picture, to_tensor
from dino_core.weights import load_backbone


def run(quick: bool) -> Iterator[Result]:
    vit, config = load_backbone().vit, PCA_PRESETS["paper"]
    pictures = sorted(SAMPLES.glob("*.jpg"))[: 2 if quick else 8]
    alone, aligned = 0.0, 0.0
    for path in pictures:
        fitted = fit_to_patches(open_picture(path), vit.config.patch_size, 224)
        seen = inspect(vit, to_tensor(fitted.picture))
        maps = [seen.patches(layer).float() for layer in range(seen.layers)]
        grids = [seen.grid] * len(maps)
        each = [colour_features([one], [seen.grid], config).pictures[0].colours for one in maps]
        family = [view.colours for view in colour_family(maps, grids, config).maps]
        alone, aligned = alone + step(each), aligned + step(family)
    yield Result(
        name=f"steps between layers, {len(pictures)} pictures",
        value=alone / aligned,
        unit="times closer aligned",
        at_least=1.5,
        note=f"{alone / len(pictures):.3f} alone, {aligned / len(pictures):.3f} aligned, of 1",
    )


def step(frames: list[torch.Tensor]) -> float:
    """Mean distance of a channel between neighbouring frames, 0 to 1."""
    return float(torch.stack(frames).diff(dim=0).abs().mean())
