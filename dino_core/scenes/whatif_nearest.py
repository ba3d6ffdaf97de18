"""Screen What if: which pictures of a gallery are nearest, before and after."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dino_core.analysis.approximate import exact_nearest, unit
from dino_core.analysis.effects import Effects
from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.rows import feature_slices

NEAREST = 5


@dataclass(frozen=True)
class NearestScene:
    """The gallery stays as it is: only the picture that is looked at has changed."""

    pictures: int  # of the gallery, without the picture itself
    names: list[list[str]]  # before and after, as in the folder or zip
    indices: np.ndarray  # int32 [2, k] before and after, the nearest first
    similarities: np.ndarray  # float32 [2, k] cosine of class tokens after the final norm


def nearest_scene(
    folder: str | Path, model: str, found: Effects, itself: int | None = None, k: int = NEAREST
) -> NearestScene:
    """The k nearest, exactly. `itself`: where the picture is in the gallery, which is left out.

    ValueError for a gallery of another model; NotReady while its pictures are being embedded.
    """
    store = GalleryFolder(folder)
    facts, listing = store.facts(), store.listing()
    if facts["model"] != model:
        raise ValueError(
            f"The pictures of this gallery were seen with {facts['model']}, and this one with "
            f"{model}: their features cannot be compared."
        )
    queries = torch.stack([one.normed[0].float() for one in (found.before, found.after)])
    values, indices = _nearest(store, unit(queries.cpu().numpy()), k + (itself is not None))
    others = [row[row != itself][:k] for row in indices]
    return NearestScene(
        pictures=len(listing) - (itself is not None),
        names=[[listing.name(int(index)) for index in row] for row in others],
        indices=np.stack(others).astype(np.int32),
        similarities=np.stack(
            [one[row != itself][:k] for one, row in zip(values, indices, strict=True)]
        ),
    )


def _nearest(store: GalleryFolder, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Of unit queries [m, D]: similarities float32 [m, k] and indices int64 [m, k]; a slice at a
    time, so that a large gallery is never held as a whole."""
    values = np.empty((len(queries), 0), np.float32)
    indices = np.empty((len(queries), 0), np.int64)
    for rows, part in feature_slices(store, "cls", None):
        near, at = exact_nearest(queries, unit(part), k)
        values = np.concatenate([values, near], axis=1)
        indices = np.concatenate([indices, at + rows.start], axis=1)
        order = np.argsort(-values, axis=1, kind="stable")[:, :k]
        values = np.take_along_axis(values, order, 1)
        indices = np.take_along_axis(indices, order, 1)
    return values, indices
