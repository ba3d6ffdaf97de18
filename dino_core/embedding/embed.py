"""Pictures -> features, streaming: memory does not grow with their number, and nothing is lost.

    embedded = embed(backbone, pictures, Preparation(224), cache)
    for slice_ in embedded.slices("cls"):      # [at most 1024, D], in the order of the pictures
        ...

Everything goes through the cache. Whoever is interrupted starts again, and what is done is not done
again; the batches, and so the numbers, are those of a run that was never interrupted.
"""

import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from dino_core.datasets import Pictures
from dino_core.embedding.cache import FeatureCache, cache_file
from dino_core.embedding.features import LAYERS_AT_ONCE, Clock, encode
from dino_core.embedding.preparation import Preparation
from dino_core.embedding.reading import DIGEST_BYTES, Reader
from dino_core.vit import VisionTransformer
from dino_core.weights import Backbone

SLICE = 1024  # pictures in memory when features are read again

Progress = Callable[[int], None]  # pictures done: since the last call, or in all


class HasFeatures(Protocol):
    """Features of pictures, in order, wherever they are kept."""

    @property
    def pictures(self) -> Pictures: ...

    @property
    def contents(self) -> np.ndarray: ...

    @property
    def broken(self) -> tuple[tuple[str, str], ...]: ...

    def slices(self, column: str, /) -> Iterator[np.ndarray]: ...

    def array(self, column: str, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Embedded:
    """The pictures that could be read, in order; their features lie in the cache."""

    pictures: Pictures  # those alone
    contents: np.ndarray  # uint8 [n, 16]
    broken: tuple[tuple[str, str], ...]  # (name, why)
    computed: int  # forwards that were needed now
    cache: FeatureCache

    def slices(self, column: str) -> Iterator[np.ndarray]:
        """ "cls", "mean_patch": float32 [.., D]; "layers": float16 [.., T, 2, D]."""
        for start in range(0, len(self.contents), SLICE):
            yield self.cache.rows(self.contents[start : start + SLICE], column)

    def array(self, column: str) -> np.ndarray:
        """All of them at once: [n, ...]."""
        return np.concatenate(list(self.slices(column)))


@contextmanager
def cache_for(
    backbone: Backbone,
    preparation: Preparation,
    layers: bool = False,
    instead: Path | None = None,
) -> Iterator[FeatureCache]:
    """The cache of this model and preparation. `instead`: a file beside this one, gone after."""
    config = backbone.vit.config
    path = cache_file(backbone, preparation)
    if instead is not None:
        path = instead.with_name(f".{instead.name}.{secrets.token_hex(4)}.sqlite")
    cache = FeatureCache(path, config.dim, config.depth, layers)
    try:
        yield cache
    finally:
        cache.close()
        if instead is not None:
            path.unlink(missing_ok=True)


def embed(
    backbone: Backbone,
    pictures: Pictures,
    preparation: Preparation,
    cache: FeatureCache,
    *,
    batch_size: int = 32,
    threads: int = 2,
    progress: Progress = lambda count: None,
    clock: Clock | None = None,
    none_is_fine: bool = False,
) -> Embedded:
    """Features of all pictures that can be read; with those of every layer if the cache wants them.

    threads   that decode; the forward has torch's own
    clock     where the seconds are counted
    ValueError when no picture can be read, unless `none_is_fine`. `progress` may raise to stop.
    """
    vit = backbone.vit
    preparation.check(vit.config.patch_size)
    if cache.layers:
        batch_size = min(batch_size, LAYERS_AT_ONCE)
    reader = Reader(
        pictures, preparation, vit.config.patch_size, shape_of=cache.shape_of, threads=threads
    )
    contents = np.zeros((len(pictures), DIGEST_BYTES), np.uint8)
    broken: dict[int, str] = {}
    computed = 0
    for seen, features in encode(vit, reader, batch_size, layers=cache.layers, clock=clock):
        if features is not None:
            new = [one.digest for one in seen if one.pixels is not None]
            cache.put(new, seen[0].shape, features)
            computed += len(new)
        for one in seen:
            if one.broken:
                broken[one.index] = one.broken
            else:
                contents[one.index] = np.frombuffer(one.digest, np.uint8)
        progress(len(seen))
    kept, named = usable(pictures, broken, none_is_fine)
    return Embedded(pictures.subset(kept), contents[kept], named, computed, cache)


def usable(
    pictures: Pictures, broken: dict[int, str], none_is_fine: bool = False
) -> tuple[list[int], tuple[tuple[str, str], ...]]:
    """Indices of the pictures that could be read, and (name, why) of the others.

    ValueError when there is none, unless that is fine.
    """
    if len(broken) == len(pictures) and not none_is_fine:
        first = broken[0] if broken else "there is none."
        raise ValueError(
            f"None of the {len(pictures)} pictures in {pictures.source} can be read. The first "
            f"says: {first}"
        )
    kept = [i for i in range(len(pictures)) if i not in broken]
    return kept, tuple((pictures.names[i], why) for i, why in sorted(broken.items()))


# --- few enough for memory


@dataclass(frozen=True)
class LayerFeatures:
    """Those after every block, of some pictures of a set."""

    values: Tensor  # float16 [m, T, 2, D], as in `features.Features`
    labels: Tensor  # int64 [m]


@dataclass(frozen=True)
class FeatureSet:
    """Features of a set of pictures, in memory. Broken files are left out, and named."""

    cls: Tensor  # float32 [n, D] class tokens after the final norm
    mean_patch: Tensor  # float32 [n, D] mean of the patch tokens
    labels: Tensor  # int64 [n], -1 without labels
    names: tuple[str, ...]
    broken: tuple[tuple[str, str], ...]  # (name, why)
    layers: LayerFeatures | None = None

    @property
    def both(self) -> Tensor:
        """[n, 2 D]"""
        return torch.cat([self.cls, self.mean_patch], dim=1)


def embed_in_memory(
    vit: VisionTransformer,
    pictures: Pictures,
    size: int,
    batch_size: int = 64,
    progress: Progress = lambda done: None,
    *,
    layers_of: Collection[int] = (),
) -> FeatureSet:
    """Features of the middle squares of all pictures that can be read, in their order.

    `layers_of` are the pictures, as indices, of which those after every block are kept as well.
    `progress` is called with the number of pictures done after each batch; it may raise to stop.
    ValueError when no picture can be read.
    """
    reader = Reader(pictures, Preparation(size), vit.config.patch_size)
    cls, means, layers = [], [], []
    layered: list[int] = []
    broken: dict[int, str] = {}
    done = 0
    if layers_of:
        batch_size = min(batch_size, LAYERS_AT_ONCE)
    for seen, features in encode(vit, reader, batch_size, once=False, layers=bool(layers_of)):
        if features is not None:
            cls.append(features.cls)
            means.append(features.mean_patch)
        if features is not None and features.layers is not None:
            chosen = [place for place, one in enumerate(seen) if one.index in layers_of]
            layers.append(features.layers[chosen])
            layered += [seen[place].index for place in chosen]
        broken |= {one.index: one.broken for one in seen if one.broken}
        done += len(seen)
        progress(done)
    kept, named = usable(pictures, broken)
    labels = [-1 if pictures.labels is None else pictures.labels[i] for i in kept]
    names = tuple(pictures.names[i] for i in kept)
    found = FeatureSet(torch.cat(cls), torch.cat(means), torch.tensor(labels), names, named)
    if not layers:
        return found
    places = torch.searchsorted(torch.tensor(kept), torch.tensor(layered, dtype=torch.int64))
    return replace(found, layers=LayerFeatures(torch.cat(layers), found.labels[places]))
