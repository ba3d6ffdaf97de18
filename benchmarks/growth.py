"""What grows with the number of pictures, and how fast: 1 000, 10 000, 100 000 of them.

An exponent is the slope between the last two sizes on doubly logarithmic paper: 1 is linear, 2 all
pairs. n log n has 1.10 between 10 000 and 100 000. What follows the embedding is measured on rows
drawn around centres (`synthetic.py`), for so many pictures would take a day to embed; embedding
itself on small pictures, at 28 px, for its growth, and on photos of 224 px beside bare forwards.

Time after the embedding is that of the processor, all cores together: growth is a matter of work,
and who else is at work on the machine does not count.

Memory is what the process holds beyond what it held before, at its peak; that of the server beyond
what it held after somebody had looked at the gallery of the samples in the same ways.
"""

import math
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]

from benchmarks.embedding import throughput, write_photos
from benchmarks.page import serve
from benchmarks.results import Result
from benchmarks.synthetic import write_gallery
from dino_core.analysis.approximate import graph_duplicates
from dino_core.analysis.projection import pca_scores, umap_of_graph
from dino_core.datasets import find_pictures
from dino_core.embedding.cache import FeatureCache
from dino_core.embedding.embed import embed
from dino_core.embedding.preparation import Preparation
from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.neighbours import make_graph, stored_graph
from dino_core.gallery.projection import extended, make_map
from dino_core.gallery.rows import unit_rows
from dino_core.weights import load_backbone
from dino_core.weights.variants import PREVIEW

SIZES = (1000, 10_000, 100_000)
MILLION = 1_000_000
WIDTH = 384
SERVER_MB = 300  # for an open gallery, whatever its size
FLAT_MB = 60  # by which embedding many times as many may hold more
THUMBNAIL = (96, 77)  # px of the pictures that are seen at 28 px
GALLERY = "shown-0-gallery"
# What the page asks for when it opens a gallery and somebody looks around in it.
LOOKS = (
    *("pictures", "part/0", "names?of=1,500,900", "tiles.jpg?of=1,500,900", "search?text=77"),
    *("clusters?method=kmeans&k=40", "neighbours/7?k=10", "neighbours/7?k=50"),
    *("duplicates?threshold=0.95", "outliers"),
)


def run(quick: bool, million: bool = False) -> Iterator[Result]:
    sizes = (500, 2000) if quick else (*SIZES, MILLION) if million else SIZES
    yield from growth_of_embedding((40, 80) if quick else SIZES)
    if not quick:
        yield throughput(count=64, seconds=60)
    with tempfile.TemporaryDirectory() as folder:
        yield from growth_after_it(Path(folder), sizes)


@dataclass
class Peak:
    """Bytes that this process held at most beyond those at the beginning."""

    held: int = 0


@contextmanager
def peak_memory(process: psutil.Process | None = None) -> Iterator[Peak]:
    """Looks every 20 ms."""
    watched, peak, done = process or psutil.Process(), Peak(), threading.Event()
    before = watched.memory_info().rss

    def look() -> None:
        while not done.wait(0.02):
            peak.held = max(peak.held, watched.memory_info().rss - before)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()
        peak.held = max(peak.held, watched.memory_info().rss - before)


def exponent(sizes: tuple[int, ...], values: list[float]) -> float:
    """The slope between the last two."""
    return math.log(values[-1] / values[-2]) / math.log(sizes[-1] / sizes[-2])


def n_log_n(sizes: tuple[int, ...]) -> float:
    """The exponent of n log n between the last two."""
    return exponent(sizes, [n * math.log(n) for n in sizes])


def spelt(count: int) -> str:
    return f"{count:,}".replace(",", " ")


# --- embedding


def growth_of_embedding(sizes: tuple[int, ...]) -> Iterator[Result]:
    seconds: list[float] = []
    peaks: list[float] = []
    backbone, preparation = load_backbone(PREVIEW), Preparation(28)
    config = backbone.vit.config
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_copies(root / "photos", max(sizes))
        pictures = find_pictures(root / "photos")
        for count in (sizes[0], *sizes):  # once to warm up
            cache = FeatureCache(root / f"{len(peaks)}.sqlite", config.dim, config.depth)
            some = pictures.subset(range(count))
            start = time.perf_counter()
            with peak_memory() as peak:
                found = embed(backbone, some, preparation, cache, batch_size=32)
            seconds.append(time.perf_counter() - start)
            assert found.computed == count
            peaks.append(peak.held / 2**20)
            cache.close()
    several = ", ".join(f"{t:.1f} s" for t in seconds[1:])
    yield Result(
        f"embed {spelt(sizes[-2])} and {spelt(sizes[-1])} at 28 px",
        exponent(sizes, seconds[1:]),
        "exponent",
        at_most=1.05,
        note=f"{several}; {sizes[-1] / seconds[-1]:.0f} pictures a second",
    )
    yield Result(
        f"memory for {sizes[-1] // sizes[0]} times as many",
        max(peaks[-1] - peaks[1], 0.0),
        "MB more",
        at_most=FLAT_MB,
        note=", ".join(f"{one:.0f} MB" for one in peaks[1:]),
    )


def write_copies(folder: Path, count: int) -> None:
    """Small photos, each a file of its own with other bytes."""
    write_photos(folder, 40, THUMBNAIL)
    sources = [path.read_bytes() for path in sorted(folder.iterdir())]
    for path in list(folder.iterdir()):
        path.unlink()
    for i in range(count):  # what follows the end of a JPEG is not looked at
        (folder / f"{i:06}.jpg").write_bytes(sources[i % len(sources)] + i.to_bytes(4, "little"))


# --- what follows it


LEAST = 0.5  # s of processor, up to which what takes no time is done again and again


@dataclass
class Taken:
    """Seconds of the processor for each size."""

    graph: list[float]
    duplicates: list[float]
    pca: list[float]
    umap: list[float]


def growth_after_it(root: Path, sizes: tuple[int, ...]) -> Iterator[Result]:
    taken, recalls = Taken([], [], [], []), []
    warm_up(root)
    for n in sizes:
        folder = write_gallery(root / str(n) / "gallery", n, WIDTH)
        store = GalleryFolder(folder)
        with unit_rows(store, "cls", 1) as rows:
            recalls.append(measure_rows(store, rows, taken))
        words = f"{spelt(n)} rows"
        yield Result(f"recall of the {words}", recalls[-1], "of the true 30", at_least=0.9)
        for name, several in vars(taken).items():
            ms = 1000 * several[-1]
            yield Result(f"{NAMES[name]}, {words}", ms, "ms of processor")
        yield from server_memory(folder, n)
    for name, several in vars(taken).items():
        yield Result(
            f"{NAMES[name]}: growth to {spelt(sizes[-1])}",
            exponent(sizes, several),
            "exponent",
            at_most=n_log_n(sizes),
        )


NAMES = {
    "graph": "graph of neighbours",
    "duplicates": "near-duplicates of the graph",
    "pca": "PCA",
    "umap": "UMAP of the graph",
}


def measure_rows(store: GalleryFolder, rows: np.ndarray, taken: Taken) -> float:
    """Adds the seconds of one size; the recall of its graph."""

    taken.graph.append(processor_seconds(lambda: make_graph(store, "cls", 1, rows)))
    graph = stored_graph(store, "cls", 1)
    assert graph is not None

    def duplicates() -> object:
        return graph_duplicates(graph.indices, graph.similarities, 0.95, 1000)

    taken.duplicates.append(processor_seconds_of_one(duplicates))
    scores = pca_scores(rows)[0]
    taken.pca.append(processor_seconds(lambda: pca_scores(rows)))
    taken.umap.append(processor_seconds(lambda: umap_of_graph(graph, extended(scores))))
    return graph.recall.value


def processor_seconds(work: Callable[[], object]) -> float:
    """Of this process, all of its threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def processor_seconds_of_one(work: Callable[[], object]) -> float:
    """The mean of as many as take LEAST together."""

    def several() -> None:
        for _ in range(count):
            work()

    count = 1
    while (seconds := processor_seconds(several)) < LEAST:
        count *= 2
    return seconds / count


def warm_up(root: Path) -> None:
    """What compiles itself has done so."""
    store = GalleryFolder(write_gallery(root / "warm", 500, WIDTH))
    with unit_rows(store, "cls", 1) as rows:
        measure_rows(store, rows, Taken([], [], [], []))


def server_memory(folder: Path, n: int) -> Iterator[Result]:
    """What a server holds more while somebody looks around in the gallery."""
    make_map(GalleryFolder(folder), "cls", 1, "pca")
    with serve("--gallery", str(folder)) as url:
        # What the server loads once, a model and libraries among it, is no part of a gallery.
        for path in LOOKS:
            fetch(url, path, "samples")
        server = settled(server_at(url))
        start = time.perf_counter()
        fetch(url, "pictures")
        fetch(url, "part/0" if n > 20_000 else "points")
        opened = time.perf_counter() - start
        with peak_memory(server) as peak:
            for path in LOOKS:
                fetch(url, path)
    words = f"{spelt(n)} pictures"
    yield Result(f"first points of {words}", opened, "s", at_most=3)
    yield Result(f"server with {words} open", peak.held / 2**20, "MB more", at_most=SERVER_MB)


def settled(server: psutil.Process) -> psutil.Process:
    """The same, once what it holds has not grown for three seconds."""
    before, still = server.memory_info().rss, 0
    while still < 3:
        time.sleep(1)
        now = server.memory_info().rss
        still = still + 1 if now < before + 2**21 else 0
        before = now
    return server


def fetch(url: str, path: str, gallery: str = GALLERY) -> int:
    """Bytes of the answer; 202 and refusals are answers too."""
    try:
        with urllib.request.urlopen(f"{url}/galleries/{gallery}/{path}", timeout=600) as response:
            return len(response.read())
    except urllib.error.HTTPError as error:
        return len(error.read())


def server_at(url: str) -> psutil.Process:
    """The child of this process that listens there."""
    port = int(url.rsplit(":", 1)[1])
    for child in psutil.Process().children(recursive=True):
        if any(one.laddr.port == port for one in child.net_connections() if one.status == "LISTEN"):
            return child
    raise RuntimeError(f"Nobody listens at {url}.")
