"""What a backbone makes of a few chosen pictures, kept at every milestone of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dino_core.analysis.alignment import colour_places
from dino_core.analysis.inspection import inspect
from dino_core.analysis.pca import colour_features, fit_pca
from dino_core.config import PCAConfig
from dino_core.embedding.preparation import middle_square
from dino_core.images import to_tensor
from dino_core.masks import sample_block_mask
from dino_core.runs.presets import RunConfig
from dino_core.step.loader import generator_for
from dino_core.vit import VisionTransformer
from dino_core.writing import replacing

KEPT = 32  # components of the patch features: all that three colours could be turned from


@torch.inference_mode()
def probe(
    vit: VisionTransformer,
    pictures: Sequence[tuple[str, Image.Image]],
    size: int,
    masks: RunConfig | None = None,
) -> dict[str, np.ndarray]:
    """What a backbone makes of a few pictures, as plain arrays for an NPZ.

    names       [n] str                          as they were given
    pictures    [n, size, size, 3] uint8         the model's input
    attention   [n, A, h, w] float32             last block, class token's softmax row, patches
    pca         [n, h, w, 3] float32 in 0 to 1   one PCA for all of them, all patches
    foreground  [n, h, w] float32                first component, standard deviations
    features    [n, h, w, m] float16             patches along the first components of all of them,
                                                 for colours that other milestones share
    masks       [n, h, w] bool                   a block mask for each, the same every time
    """
    was_training = vit.training
    vit.eval()
    patch = vit.config.patch_size
    inputs = [middle_square(picture, size, patch) for _, picture in pictures]
    seen = [inspect(vit, to_tensor(picture)) for picture in inputs]
    vit.train(was_training)
    grids = [one.grid for one in seen]
    colours = colour_features(
        [one.patches() for one in seen], grids, PCAConfig(foreground=False)
    ).pictures
    arrays = {
        "names": np.array([name for name, _ in pictures]),
        "pictures": np.stack([np.asarray(picture) for picture in inputs]),
        "attention": np.stack([_array(one.on_grid(one.cls_rows()[-1])) for one in seen]),
        "pca": np.stack([_array(one.colours) for one in colours]),
        "foreground": np.stack([_array(one.first) for one in colours]),
        "features": _along_components([one.patches() for one in seen], grids[0]),
    }
    if masks is not None:
        config = masks.train.masks
        share = sum(config.ratio) / 2
        arrays["masks"] = np.stack(
            [
                sample_block_mask(
                    (h, w), int(h * w * share), config, generator_for(masks.seed, "probe", i)
                ).mask.numpy()
                for i, (h, w) in enumerate(grids)
            ]
        )
    return arrays


def _along_components(patches: Sequence[Tensor], grid: tuple[int, int]) -> np.ndarray:
    """Patch features [P, D] of n pictures -> [n, h, w, m]: as much as a PCA of them needs."""
    together = torch.cat(list(patches)).float()
    scores = fit_pca(together, KEPT).project(together)  # [n P, m]
    return _array(scores.unflatten(0, (len(patches), *grid))).astype(np.float16)


def in_colours_of(
    arrays: Mapping[str, np.ndarray], home: Mapping[str, np.ndarray]
) -> np.ndarray | None:
    """PCA colours [n, h, w, 3] in 0 to 1, turned onto those of another milestone or run.

    The pictures that both hold have one basis, brought to that of `home` by orthogonal Procrustes
    (`analysis/alignment.py`): which colour stands for what is the same in both, and what is alike
    stays exactly as alike. Pictures that `home` has not keep their own colours. None where there is
    nothing in common, or where one of them was kept before features were.
    """
    if "features" not in arrays or "features" not in home:
        return None
    mine, theirs = arrays["names"].tolist(), home["names"].tolist()
    common = [name for name in theirs if name in mine]
    if not common:
        return None
    at = [mine.index(name) for name in common]
    chosen = (arrays["features"][at], home["features"][[theirs.index(n) for n in common]])
    family = colour_places(
        [torch.from_numpy(one.astype(np.float32)).flatten(0, 2) for one in chosen],
        [[one.shape[1:3]] * len(common) for one in chosen],
        PCAConfig(foreground=False),
        method="rotation",
    )
    colours = arrays["pca"].astype(np.float32)
    colours[at] = _array(family.maps[0].colours).reshape(colours[at].shape)
    return colours


def same_colours(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """PCA colours [n, h, w, 3], each turned over where that makes it more like an earlier one.

    A component's sign is arbitrary, and pictures side by side in time should not flicker.
    """
    if now.shape != before.shape:
        return now
    axes = (0, 1, 2)
    agreement = ((now - now.mean(axes)) * (before - before.mean(axes))).sum(axes)  # [3]
    return np.where(agreement < 0, 1 - now, now)


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """An NPZ, there as a whole or not at all."""
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
