"""The probes of a gallery, made by its process: each layer, the last one first, in probes.npz.

accuracy, low, high    float32 [T, 3, 2]: layer; kind as in KINDS; knn, logistic
predicted, confidence  [T, 3, 2, n], -1 and 0 where not judged
rows                   int64 [m], of a large gallery: a sample, and the others are of these m
"""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import torch

from dino_core.analysis import approximate
from dino_core.evaluation.folds import folds_of
from dino_core.evaluation.probes import CLASSIFIERS, probe
from dino_core.gallery.files import write_arrays
from dino_core.gallery.folder import EVERY, KINDS, GalleryFolder, NotReady
from dino_core.jobs import write_text


def probe_layers(store: GalleryFolder) -> Iterator[int]:
    """Judges one layer at a time, the last one first; yields each when it is in probes.npz."""
    facts, listing = store.facts(), store.listing()
    seed = int(store.read_config()["options"]["seed"])
    labels, classes = listing.labels(), len(facts["classes"])
    rows = rows_judged(labels, seed)
    labels = labels[rows]
    try:
        splits = np.array(listing.splits())[rows].tolist()
        known = splits if any(splits) else None
        folds = folds_of(labels.tolist(), known, torch.Generator().manual_seed(seed))
    except ValueError as error:
        write_text(store.path / "probes.txt", f"{error}\n")
        return
    truth = torch.from_numpy(labels.astype(np.int64))
    judged = torch.cat([fold.test for fold in folds])
    chance = truth[judged].bincount().max().item() / len(judged)
    arrays = _probe_arrays(store, len(labels))
    how = f"{len(folds)} parts of all pictures, judged by turns by what the others taught"
    if len(folds) == 1:
        how = "the given test pictures, judged by what the training pictures taught"
    sample = "" if len(labels) == len(listing) else f", a sample of all {len(listing):,}"
    words = np.array(f"Judged: {how}; {len(judged):,} pictures{sample}.")
    facts_of_all = {"chance": np.array(chance), "pictures": np.array(len(judged)), "words": words}
    if sample:
        facts_of_all["rows"] = rows
    for layer in reversed(range(facts["layers"])):
        if not np.isnan(arrays["accuracy"][layer]).any():
            continue
        store.put_state(doing=f"At work: the probes of layer {layer}.")
        first = np.isnan(arrays["accuracy"]).all()
        for i, kind in enumerate(KINDS):
            chosen = store.features(kind, layer, rows if sample else EVERY)
            features = torch.from_numpy(chosen)
            for j, method in enumerate(CLASSIFIERS):
                found = probe(features, truth, folds, classes, method)
                at = (layer, i, j)
                arrays["accuracy"][at] = found.accuracy
                arrays["low"][at], arrays["high"][at] = found.interval
                arrays["predicted"][at] = found.predicted.numpy()
                arrays["confidence"][at] = found.confidence.numpy()
            if first or kind == KINDS[-1]:
                write_arrays(store.path / "probes.npz", **arrays, **facts_of_all)
        store.put_state(doing="")
        yield layer


def rows_judged(labels: np.ndarray, seed: int) -> np.ndarray:
    """Who takes part, int64, ascending: all of them, or EXACT_MOST of those with a label."""
    most = approximate.EXACT_MOST
    if len(labels) <= most:
        return np.arange(len(labels))
    known = np.flatnonzero(labels >= 0)
    chosen = np.random.default_rng(seed).permutation(known)[:most]
    return np.sort(chosen)


def _probe_arrays(store: GalleryFolder, count: int) -> dict[str, np.ndarray]:
    """Those that are there already, or empty ones."""
    with suppress(NotReady, ValueError):
        if (store.path / "probes.npz").exists():
            found = store.probes()
            names = ("accuracy", "low", "high", "predicted", "confidence")
            return {name: found[name].copy() for name in names}
    shape = (store.facts()["layers"], len(KINDS), 2)
    nothing = np.full(shape, np.nan, np.float32)
    return {
        "accuracy": nothing,
        "low": nothing.copy(),
        "high": nothing.copy(),
        "predicted": np.full((*shape, count), -1, np.int32),
        "confidence": np.zeros((*shape, count), np.float16),
    }
