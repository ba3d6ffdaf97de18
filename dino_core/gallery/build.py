"""The process that fills a gallery: embedding, then maps and probes, then what is asked for.

    embedding   features, thumbnails and digests (`embedding.py`)
    mapping     HDBSCAN, UMAP and t-SNE of the class token, probes layer by layer; of a large
                gallery the graph of neighbours before them. What somebody has asked for comes
                first. What cannot be made leaves its reason in the folder, and the rest goes on
    ready       started by a page, it waits a while for more requests: UMAP is warm by now

torch is loaded only once the folder is locked.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from dino_core.gallery.folder import FILES_NAMED, GalleryFolder
from dino_core.gallery.options import Options
from dino_core.gallery.sources import SAMPLES, pictures_of
from dino_core.gallery.state import Watch
from dino_core.gallery.stopping import Stopped, stop_on_signals
from dino_core.jobs import read_json, write_text

LINGER = 60.0  # s that a page's process waits for another request
NAMES = {
    "umap": "UMAP",
    "tsne": "t-SNE",
    "hdbscan": "HDBSCAN",
    "pca": "PCA",
    "neighbours": "the neighbours",
}


def build(
    data: str | Path, folder: str | Path, options: Options, watch: Watch | None = None
) -> str:
    """Fills the folder, from wherever it is; "ready", "stopped", or "interrupted" by Ctrl-C.

    ValueError in words; the folder says so too. `watch` is told every state on the way.
    """
    store = GalleryFolder(folder, watch)
    data = str(data) if str(data) == SAMPLES else str(Path(data).expanduser().absolute())
    if not (store.path / "config.json").exists():
        pictures_of(data, **options.choice())  # nothing is begun with pictures that are refused
    store.check(data, options)  # before the lock, which would stay behind
    if options.device != "cpu":
        from dino_core.weights.devices import check_device

        check_device(options.device)
    with store.locked():
        store.create(data, options)
        started = read_json(store.path / "started.json") or {}
        by_page = started.get("pid") == os.getpid()
        if not by_page:  # a page forgets an old request before it starts us
            store.clear_stop()
        with stop_on_signals(store) as signals:
            try:
                _build(store, data, options, by_page)
                return "ready"
            except Stopped:
                store.put_state(
                    state="stopped", words="Stopped as asked; it can go on from here.", doing=""
                )
                return "interrupted" if signal.SIGINT in signals else "stopped"
            except (Exception, KeyboardInterrupt) as error:
                with suppress(OSError):
                    store.put_state(state="failed", words=_message_of(error), doing="")
                raise


def _message_of(error: BaseException) -> str:
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted; it can go on from the last batch."
    if isinstance(error, OSError):
        return f"{error.filename or 'The system says'}: {error.strerror or error}."
    if isinstance(error, MemoryError) or "memory" in str(error):
        return "There is not enough memory: choose a smaller size or model."
    return f"An error of the program: {type(error).__name__}: {error}"


def _build(store: GalleryFolder, data: str, options: Options, by_page: bool) -> None:
    import torch

    if by_page:
        with suppress(OSError, AttributeError):  # Windows has no such thing
            os.nice(5)  # the page comes first
    if options.threads:
        torch.set_num_threads(options.threads)
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        threadpool_limits(options.threads)
    if not (store.path / "facts.json").exists():
        pictures = pictures_of(data, **options.choice())
        store.put_state(
            state="embedding",
            words="The model is being loaded.",
            total=len(pictures),
            left_out=pictures.left_out[:FILES_NAMED],
            left_out_count=len(pictures.left_out),
            notes=pictures.summary(),
        )
        from dino_core.gallery.embedding import Embedding
        from dino_core.weights import load_backbone

        backbone = load_backbone(options.model, options.weights, device=options.device)
        Embedding(store, pictures, backbone, options).run()
    store.put_state(
        state="mapping", words="The map is there; more maps and the probes follow.", seconds_left=0
    )
    make_the_rest(store, LINGER if by_page else 0.0)


# --- maps, clusters, probes


def make_the_rest(store: GalleryFolder, linger: float) -> None:
    """Requests first, then what everybody wants, then probes; "ready" when nothing is left."""
    from dino_core.gallery.probes import probe_layers
    from dino_core.gallery.projection import reference_of

    last = store.layer(None)
    reference_of(store)
    methods = ["hdbscan", "umap", "tsne"]
    if store.is_large():  # the last two only say that there are too many
        methods = ["neighbours", "umap", "tsne", "hdbscan"]
    waiting = [("cls", last, method) for method in methods]
    probes = probe_layers(store)
    idle_since: float | None = None
    while True:
        if store.stop_requested():
            if idle_since is not None:  # there is nothing left to stop
                return
            raise Stopped
        wanted = next(iter(store.requests()), None) or (waiting.pop(0) if waiting else None)
        if wanted is not None:
            make(store, *wanted)
            idle_since = None
        elif next(probes, None) is None:
            if idle_since is None:
                idle_since = time.monotonic()
                words = "Everything is there: maps, clusters and probes."
                store.put_state(state="ready", words=words, doing="", seconds_left=None)
            if time.monotonic() - idle_since >= linger:
                return
            time.sleep(0.1)


def make(store: GalleryFolder, features: str, layer: int, method: str) -> None:
    """Makes what is asked for, unless it is there; keeps the reason where it cannot be made."""
    from dino_core.gallery.clusters import make_hdbscan
    from dino_core.gallery.neighbours import make_neighbours
    from dino_core.gallery.projection import make_map

    path = store.map_file(features, layer, method)
    if not path.exists() and not path.with_suffix(".txt").exists():
        kind = {"cls": "class token", "mean_patch": "mean patch", "both": "both"}[features]
        store.put_state(doing=f"At work: {NAMES[method]} of layer {layer} ({kind}).")
        try:
            if method == "hdbscan":
                make_hdbscan(store, features, layer)
            elif method == "neighbours":
                make_neighbours(store, features, layer)
            else:
                make_map(store, features, layer, method)
        except ValueError as error:
            keep_reason(path, str(error))
        except Exception as error:  # whatever the compiled code meets: the rest goes on
            keep_reason(path, f"{NAMES[method]} found no map ({type(error).__name__}: {error}).")
    store.forget_request(features, layer, method)
    store.put_state(doing="")


def keep_reason(path: Path, message: str) -> None:
    path.parent.mkdir(exist_ok=True)
    write_text(path.with_suffix(".txt"), message + "\n")
