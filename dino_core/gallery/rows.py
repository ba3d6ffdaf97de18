"""The features of a gallery, where they are too many to be held: mapped, or a slice at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dino_core.analysis import approximate
from dino_core.analysis.approximate import slices, unit
from dino_core.gallery.folder import GalleryFolder
from dino_core.writing import take_room


@contextmanager
def unit_rows(store: GalleryFolder, kind: str, layer: int) -> Iterator[np.ndarray]:
    """The features as directions, float32 [n, D] of length 1.

    Of more than EXACT_MOST pictures they are mapped from a file that goes when the block ends.
    """
    if not store.is_large():
        from sklearn.preprocessing import normalize

        yield normalize(store.features(kind, layer))
        return
    with TemporaryDirectory(prefix="rows-", dir=store.path) as folder:
        path = Path(folder) / "unit.npy"
        _write(store, kind, layer, path)
        # Writable, though nobody writes: of arrays that are not, numba would compile all once more.
        yield np.load(path, mmap_mode="c")


def _write(store: GalleryFolder, kind: str, layer: int, path: Path) -> None:
    rows: np.ndarray | None = None
    for part, features in feature_slices(store, kind, layer):
        if rows is None:
            shape = (store.count(), features.shape[1])
            rows = np.lib.format.open_memmap(path, "w+", np.float32, shape)
            with path.open("rb+") as file:
                take_room(file, path.stat().st_size)
        rows[part] = unit(features)


def feature_slices(
    store: GalleryFolder, kind: str, layer: int | None
) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows, features float32 [at most ROWS, D]), one after another.

    The file is mapped anew for each: what has been read does not stay in memory.
    """
    for rows in slices(store.count(), approximate.ROWS):
        yield rows, store.features(kind, layer, rows)
