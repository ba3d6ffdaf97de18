"""HDBSCAN's clusters of a gallery, made by its process and kept in its folder."""

import json

import numpy as np

from dino_core.analysis.clustering import HDBSCAN_DIMENSIONS, check_hdbscan, hdbscan
from dino_core.gallery.files import write_arrays
from dino_core.gallery.folder import GalleryFolder

SMALLEST_GROUP = 5  # pictures


def make_hdbscan(store: GalleryFolder, features: str, layer: int) -> None:
    """Computes HDBSCAN's clusters and puts them into the folder."""
    check_hdbscan(store.count(), SMALLEST_GROUP)
    labels = hdbscan(store.features(features, layer), SMALLEST_GROUP)
    noise = int((labels < 0).sum())
    facts = {
        "parameters": {
            "smallest group": SMALLEST_GROUP,
            "principal components": HDBSCAN_DIMENSIONS,
        },
        "seed": None,
        "noise": noise,
        "words": f"HDBSCAN finds dense groups and leaves out the rest: {noise:,} of "
        f"{len(labels):,} pictures are in none.",
    }
    path = store.map_file(features, layer, "hdbscan")
    write_arrays(path, labels=labels, facts=np.array(json.dumps(facts)))
    path.with_suffix(".txt").unlink(missing_ok=True)
