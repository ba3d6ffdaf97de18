"""The nearest others of every picture of a large gallery: a graph, made by its process.

Maps, neighbours, near-duplicates and unusual pictures of more than EXACT_MOST are read off it.
"""

import json
import os
import time
from pathlib import Path

import numpy as np

from dino_core.analysis.approximate import NEIGHBOURS, Graph, Recall, neighbour_graph
from dino_core.gallery.files import write_arrays
from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.rows import unit_rows
from dino_core.jobs import replacing

METHOD = "neighbours"  # what it is called among the maps of a folder
PARTS = ("indices", "similarities")


def make_neighbours(store: GalleryFolder, features: str, layer: int) -> None:
    """Computes the graph and puts it into the folder."""
    with unit_rows(store, features, layer) as rows:
        make_graph(store, features, layer, rows)


def make_graph(store: GalleryFolder, features: str, layer: int, rows: np.ndarray) -> Graph:
    """The graph of these rows, float32 [n, D] of length 1; put into the folder."""
    start_time = time.monotonic()
    options = store.read_config()["options"]
    threads = threads_of(int(options["threads"]))
    k = min(NEIGHBOURS, len(rows) - 1)
    graph = neighbour_graph(rows, k, seed=int(options["seed"]), threads=threads)
    path = store.map_file(features, layer, METHOD)
    path.parent.mkdir(exist_ok=True)
    for name in PARTS:
        _write(_beside(path, name), getattr(graph, name))
    facts = {
        "seed": int(options["seed"]),
        "recall": graph.recall.as_dict(),
        "seconds": round(time.monotonic() - start_time, 2),
    }
    write_arrays(path, facts=np.array(json.dumps(facts)))  # last: now it is there
    path.with_suffix(".txt").unlink(missing_ok=True)
    return graph


def threads_of(wanted: int) -> int | None:
    """So many as are wanted, where there are as many; None leaves it to the index."""
    mine = getattr(os, "sched_getaffinity", None)
    there = len(mine(0)) if mine else os.cpu_count() or 1
    return wanted if 0 < wanted <= there else None


def stored_graph(store: GalleryFolder, features: str, layer: int) -> Graph | None:
    """The graph, mapped from the disk; None where it is still to be made."""
    path = store.map_file(features, layer, METHOD)
    stored = store.stored(features, layer, METHOD)
    if stored is None:
        return None
    indices, similarities = (np.load(_beside(path, name), mmap_mode="r") for name in PARTS)
    recall = json.loads(str(stored["facts"]))["recall"]
    return Graph(indices, similarities, Recall(**recall))


def _beside(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}-{name}.npy")


def _write(path: Path, array: np.ndarray) -> None:
    with replacing(path) as partial, partial.open("wb") as file:
        np.save(file, array)
