"""A finished gallery of pictures that never were: rows drawn around seeded centres.

What follows the embedding depends on the number of rows and on how they cluster, not on pictures,
and a million of those would take a day to embed. Every thumbnail is a square in the colour of its
class, every name says class and number.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from dino_core.gallery.folder import TILE, TILES_A_SIDE
from dino_core.gallery.listing import facts_of_listing
from dino_core.gallery.options import Options
from dino_core.gallery.state import FORMAT
from dino_core.gallery.tiles import encode, join_tiles
from dino_core.jobs import write_json

CLASSES = 40
SPREAD = 0.6  # of a row around its centre, whose coordinates have spread 1
ROWS = 16_384  # written at a time


def clustered_rows(count: int, width: int, seed: int = 0) -> np.ndarray:
    """float32 [count, width]; row i is of class i % CLASSES. Some of them are near-duplicates."""
    return np.concatenate(list(_blocks(count, width, seed)))


def _blocks(count: int, width: int, seed: int) -> Iterator[np.ndarray]:
    centres = np.random.default_rng(seed).normal(size=(CLASSES, width)).astype(np.float32)
    tail = (np.arange(1, width + 1) ** -0.5 * width**0.25).astype(np.float32)
    for start in range(0, count, ROWS):
        generator = np.random.default_rng([seed, start])
        rows = min(ROWS, count - start)
        noise = generator.standard_normal((rows, width), np.float32) * tail
        block = centres[np.arange(start, start + rows) % CLASSES] + SPREAD * noise
        doubled = block[CLASSES::1000]
        doubled[:] = block[::1000][: len(doubled)] + 1e-3  # of the same class, and all but the same
        yield block


def write_gallery(folder: Path, count: int, width: int = 384, seed: int = 0) -> Path:
    """A folder in which everything is that the embedding leaves: maps are still to be made."""
    arrays = folder / "arrays"
    arrays.mkdir(parents=True)
    (folder / "thumbs").mkdir()
    options = Options("synthetic", seed=seed)
    config = {"format": FORMAT, "data": str(folder / "pictures"), "options": asdict(options)}
    write_json(folder / "config.json", config)
    _write_rows(arrays, count, width, seed)
    labels = np.arange(count) % CLASSES
    _write_tiles(folder / "thumbs", labels)
    names = [f"class-{label:02}/{i:07}.jpg" for i, label in enumerate(labels.tolist())]
    facts = {
        **facts_of_listing(folder, names, labels.tolist(), [""] * count),
        "classes": [f"class-{label:02}" for label in range(CLASSES)],
        "layers": 2,
        "dim": width,
        "grid": [2, 2],
        "patch_pictures": 0,
        "model": "synthetic",
        "title": "drawn rows",
        "official": False,
        "size": 224,
    }
    write_json(folder / "facts.json", facts)
    words = "Everything is there."
    state = {"state": "ready", "words": words, "done": count, "total": count}
    write_json(folder / "state.json", state | {"updated": time.time()})
    return folder


def _write_rows(arrays: Path, count: int, width: int, seed: int) -> None:
    shapes = {
        "cls": ((count, width), np.float32),
        "mean_patch": ((count, width), np.float32),
        "layers": ((count, 2, 2, width), np.float16),
        "digests": ((count, 16), np.uint8),
    }
    files = {
        name: np.lib.format.open_memmap(arrays / f"{name}.npy", "w+", dtype, shape)
        for name, (shape, dtype) in shapes.items()
    }
    start = 0
    for block in _blocks(count, width, seed):
        rows = slice(start, start + len(block))
        files["cls"][rows] = block
        files["mean_patch"][rows] = block[:, ::-1]
        files["layers"][rows, 0, 0] = block[:, ::-1]
        files["digests"][rows, :8] = np.arange(rows.start, rows.stop)[:, None].view(np.uint8)
        start = rows.stop
    np.save(arrays / "rows.npy", np.arange(count, dtype=np.int32))
    np.save(arrays / "patches.npy", np.zeros((0, 4, width), np.float16))


def _write_tiles(thumbs: Path, labels: np.ndarray) -> None:
    generator = np.random.default_rng(0)
    colours = generator.integers(60, 230, (CLASSES, 1, 1, 3), dtype=np.uint8)
    files = [encode(np.broadcast_to(one, (TILE, TILE, 3)).copy()) for one in colours]
    each = TILES_A_SIDE**2
    for number, start in enumerate(range(0, len(labels), each)):
        chosen = [files[label] for label in labels[start : start + each].tolist()]
        join_tiles(thumbs / f"tiles-{number}.bin", chosen)
