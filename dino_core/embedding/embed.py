"""Pictures -> features, streaming: memory does not grow with their number, and nothing is lost.

    embedded = embed(backbone, pictures, Preparation(224), cache)
    for slice_ in embedded.slices("cls"):      # [at most 1024, D], in the order of the pictures
        ...

Everything goes through the cache. Whoever is interrupted starts again, and what is done is not done
again; the batches, and so the numbers, are those of a run that was never interrupted.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dino_core.datasets import Pictures
from dino_core.embedding.cache import FeatureCache, cache_file
from dino_core.embedding.features import LAYERS_AT_ONCE, features_of
from dino_core.embedding.preparation import Preparation
from dino_core.embedding.reading import DIGEST_BYTES, Group, Reader, batches
from dino_core.weights import Backbone

SLICE = 1024  # pictures in memory when features are read again

Progress = Callable[[int], None]  # pictures done since the last call


@dataclass(frozen=True)
class Embedded:
    """The pictures that could be read, in order; their features lie in the cache."""

    pictures: Pictures  # those alone
    contents: np.ndarray  # uint8 [n, 16]
    broken: tuple[tuple[str, str], ...]  # (name, why)
    computed: int  # forwards that were needed now
    cache: FeatureCache

    def slices(self, column: str) -> Iterator[np.ndarray]:
        """ "cls", "mean_patch": float32 [.., D]; "layers": float16 [.., L, 2, D]."""
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
) -> Embedded:
    """Features of all pictures that can be read; with those of every layer if the cache wants them.

    threads   that decode; the forward has torch's own
    ValueError when no picture can be read. `progress` may raise to stop.
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
    for found in batches(reader, batch_size):
        members = found.seen if isinstance(found, Group) else [found]
        if isinstance(found, Group) and found.new:
            features = features_of(
                vit, preparation.images(found.pixels(), vit.pos_embed), cache.layers
            )
            cache.put([one.digest for one in found.new], found.shape, features)
            computed += len(found.new)
        for one in members:
            if one.broken:
                broken[one.index] = one.broken
            else:
                contents[one.index] = np.frombuffer(one.digest, np.uint8)
        progress(len(members))
    kept = [i for i in range(len(pictures)) if i not in broken]
    if not kept:
        raise ValueError(
            f"None of the {len(pictures)} pictures in {pictures.source} can be read. The first "
            f"says: {broken[0]}"
        )
    named = tuple((pictures.names[i], why) for i, why in sorted(broken.items()))
    return Embedded(pictures.subset(kept), contents[kept], named, computed, cache)
