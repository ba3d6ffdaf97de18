"""What the process does once the features are there: maps, clusters, probes, and wishes.

Wishes first, then what everybody wants, then the probes, the last layer first. What cannot be made
leaves its reason in the folder, and the rest goes on.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from dino_core.gallery.files import write_arrays
from dino_core.gallery.folder import KINDS, GalleryFolder, NotReady, Stopped
from dino_core.jobs import write_text

NAMES = {"umap": "UMAP", "tsne": "t-SNE", "hdbscan": "HDBSCAN", "pca": "PCA"}


def work_on_maps(store: GalleryFolder, linger: float) -> None:
    """Wishes first, then what everybody wants, then the probes; "ready" when nothing is left."""
    from dino_core.gallery.maps import aligned_map

    last = store.layer(None)
    aligned_map(store, "cls", last, "pca")  # what every other map is turned onto
    waiting = [("cls", last, method) for method in ("hdbscan", "umap", "tsne")]
    probes = probe_layers(store)
    idle_since: float | None = None
    while True:
        if store.stop_wished():
            if idle_since is not None:  # there is nothing left to stop
                return
            raise Stopped
        wish = next(iter(store.wishes()), None) or (waiting.pop(0) if waiting else None)
        if wish is not None:
            grant(store, *wish)
            idle_since = None
        elif next(probes, None) is None:
            if idle_since is None:
                idle_since = time.monotonic()
                words = "Everything is there: maps, clusters and probes."
                store.put_state(state="ready", words=words, doing="", seconds_left=None)
            if time.monotonic() - idle_since >= linger:
                return
            time.sleep(0.1)


def grant(store: GalleryFolder, features: str, layer: int, method: str) -> None:
    """Makes what is wished for, unless it is there; the reason is kept where it cannot be made."""
    from dino_core.gallery.groups import make_hdbscan
    from dino_core.gallery.maps import make

    path = store.map_file(features, layer, method)
    if not path.exists() and not path.with_suffix(".txt").exists():
        kind = {"cls": "class token", "mean_patch": "mean patch", "both": "both"}[features]
        store.put_state(doing=f"At work: {NAMES[method]} of layer {layer} ({kind}).")
        try:
            if method == "hdbscan":
                make_hdbscan(store, features, layer)
            else:
                make(store, features, layer, method)
        except ValueError as error:
            refuse(path, str(error))
        except Exception as error:  # whatever the compiled code meets: the rest goes on
            refuse(path, f"{NAMES[method]} found no map ({type(error).__name__}: {error}).")
    store.grant(features, layer, method)
    store.put_state(doing="")


def refuse(path: Path, words: str) -> None:
    path.parent.mkdir(exist_ok=True)
    write_text(path.with_suffix(".txt"), words + "\n")


def probe_layers(store: GalleryFolder) -> Iterator[int]:
    """Judges one layer at a time, the last one first; yields each when it is in probes.npz."""
    import torch

    from dino_core.evaluation.probes import folds_of, probe

    facts = store.facts()
    seed = int(store.read_config()["options"]["seed"])
    labels, classes = facts["labels"], len(facts["classes"])
    try:
        splits = facts["splits"] if any(facts["splits"]) else None
        folds = folds_of(labels, splits, torch.Generator().manual_seed(seed))
    except ValueError as error:
        write_text(store.path / "probes.txt", f"{error}\n")
        return
    truth = torch.tensor(labels)
    judged = torch.cat([fold.test for fold in folds])
    chance = truth[judged].bincount().max().item() / len(judged)
    arrays = _probe_arrays(store, len(labels))
    how = f"{len(folds)} parts of all pictures, judged by turns by what the others taught"
    if len(folds) == 1:
        how = "the given test pictures, judged by what the training pictures taught"
    words = np.array(f"Judged: {how}; {len(judged):,} pictures.")
    for layer in reversed(range(facts["layers"])):
        if not np.isnan(arrays["accuracy"][layer]).any():
            continue
        store.put_state(doing=f"At work: the probes of layer {layer}.")
        for i, kind in enumerate(KINDS):
            features = torch.from_numpy(store.features(kind, layer))
            for j, method in enumerate(("knn", "logistic")):
                found = probe(features, truth, folds, classes, method)
                at = (layer, i, j)
                arrays["accuracy"][at] = found.accuracy
                arrays["low"][at], arrays["high"][at] = found.interval
                arrays["predicted"][at] = found.predicted.numpy()
                arrays["confidence"][at] = found.confidence.numpy()
        write_arrays(
            store.path / "probes.npz",
            **arrays,
            chance=np.array(chance),
            pictures=np.array(len(judged)),
            words=words,
        )
        store.put_state(doing="")
        yield layer


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
