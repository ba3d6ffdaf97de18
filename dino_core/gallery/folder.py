"""A gallery is a folder. Its process writes it, everybody else reads it, and may ask for maps.

    config.json     the source and the options, written once
    state.json      how far it is; replaced as a whole
    facts.json      names, labels, classes, model: there once every picture has been looked at;
                    of more than EXACT_MOST pictures the names lie beside it, see `listing.py`
    arrays/         cls [n, D], mean_patch [n, D] float32; layers [n, T, 2, D] float16 (class
                    token and mean patch after each block); patches [m, P, D] float16 of the
                    first m; rows int32 [n], place in the source; digests uint8 [n, 16], of
                    the pixels
    thumbs/         atlas-K.jpg, 32 x 32 thumbnails of 64 px; of more than EXACT_MOST pictures
                    tiles-K.bin, as many one by one, see `tiles.py`
    maps/           FEATURES-LAYER-METHOD.npz; what could not be made: .txt with the reason
                    and, of more than EXACT_MOST pictures, their graph of neighbours
    requests/       an empty file for each map that somebody wants
    probes.npz      accuracy by layer
    control         "stop": a request from outside
    lock            held by the process

No torch here: a page can watch galleries without loading it.
"""

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from dino_core import jobs
from dino_core.analysis import approximate
from dino_core.gallery.listing import Listing
from dino_core.gallery.options import Options
from dino_core.gallery.state import GalleryState
from dino_core.jobs import read_json, write_json

if TYPE_CHECKING:
    from PIL import Image

    from dino_core.datasets import Pictures

KINDS = ("cls", "mean_patch", "both")
METHODS = ("pca", "umap", "tsne", "hdbscan", "neighbours")  # maps, clusters, a graph
TILE = 64  # px of a thumbnail
TILES_A_SIDE = 32
FILES_NAMED = 100  # of those that are broken or left out, in state.json
EVERY = slice(None)
FACTS = {  # facts.json: name -> what it is
    **dict.fromkeys(("names", "labels", "classes", "splits", "grid"), list),
    **dict.fromkeys(("layers", "dim", "patch_pictures", "size"), int),
    "model": str,
    "title": str,
    "official": bool,
}


class NotReady(Exception):  # noqa: N818  (nothing went wrong)
    """It is being computed: ask again in a moment. `words` says what is waited for."""

    def __init__(self, words: str, progress: float | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.progress = progress  # 0 to 1, where it is known


@dataclass(frozen=True)
class StoredMap:
    """A map as it lies in maps/."""

    xy: np.ndarray  # float32 [n, 2]
    features: str
    layer: int
    method: str
    facts: dict[str, Any]


class GalleryFolder(GalleryState):
    """The files of one gallery."""

    # --- what is in it

    def facts(self) -> dict[str, Any]:
        """facts.json. NotReady while it is still to come, ValueError when it never will."""
        path = self.path / "facts.json"
        facts = read_json(path)
        if facts is None and not path.exists():
            state = self.state()
            if state["state"] in ("failed", "stopped"):
                raise ValueError(state["words"])
            progress = state["done"] / state["total"] if state["total"] else None
            raise NotReady(state["words"], progress)
        if facts is None or not all(isinstance(facts.get(n), kind) for n, kind in FACTS.items()):
            raise ValueError(f"{path} is damaged: build the gallery again.")
        lengths = {len(facts[name]) for name in ("names", "labels", "splits")}
        if len(lengths) > 1 or not isinstance(facts.get("count", 0), int):
            raise ValueError(f"{path} is damaged: build the gallery again.")
        return facts

    def listing(self) -> Listing:
        """What its pictures are called."""
        return Listing(self.path, self.facts())

    def count(self) -> int:
        return len(self.listing())

    def is_large(self) -> bool:
        """Whether it is too large for comparing all pairs, and for holding all features."""
        return self.count() > approximate.EXACT_MOST

    def layer(self, layer: int | None) -> int:
        """None -> the last layer. ValueError when there is no such layer."""
        count = self.facts()["layers"]
        layer = count - 1 if layer is None else layer
        if not 0 <= layer < count:
            raise ValueError(f"The model has layers 0 to {count - 1}, and no layer {layer}.")
        return layer

    def array(self, name: str) -> np.ndarray:
        """One of arrays/, read-only, mapped from the disk, cut to the pictures that are there."""
        count = self.count()
        return np.load(self.path / "arrays" / f"{name}.npy", mmap_mode="r")[:count]

    def features(
        self, kind: str, layer: int | None, rows: slice | np.ndarray = EVERY
    ) -> np.ndarray:
        """float32 [n, D], or [n, 2 D] for both; of these rows only."""
        if kind not in KINDS:
            raise ValueError(f"Features are {', '.join(KINDS)}, but not {kind!r}.")
        at = self.layer(layer)
        if kind == "both":
            return self._both(at, rows)
        if at == self.facts()["layers"] - 1:  # the others are kept in half precision
            return np.array(self.array(kind)[rows])
        place = ("cls", "mean_patch").index(kind)
        return self.array("layers")[rows, at, place].astype(np.float32)

    def _both(self, at: int, rows: slice | np.ndarray) -> np.ndarray:
        """float32 [n, 2 D], filled half by half."""
        cls = self.features("cls", at, rows)
        width = cls.shape[1]
        both = np.empty((len(cls), 2 * width), np.float32)
        both[:, :width] = cls
        del cls  # before as much is read again
        both[:, width:] = self.features("mean_patch", at, rows)
        return both

    def pictures(self) -> "Pictures":
        """The source. ValueError when it is gone or has changed."""
        from dino_core.gallery.sources import pictures_of

        config = self.read_config()
        found = pictures_of(config["data"], **Options(**config["options"]).choice())
        fingerprint = (read_json(self.path / "source.json") or {}).get("fingerprint")
        if fingerprint not in (None, found.fingerprint):
            raise ValueError("The folder or zip has changed since: build the gallery again.")
        return found

    def one(self, index: int) -> "Pictures":
        """A single picture of the source, found without looking through all of it."""
        return self.some([index])

    def some(self, indices: Sequence[int]) -> "Pictures":
        """Several of them, in this order. ValueError when the source is gone."""
        from dino_core.datasets import SAMPLES, Pictures, Places

        config, facts, listing = self.read_config(), self.facts(), self.listing()
        data, stretch = config["data"], Options(**config["options"]).stretch
        names = tuple(listing.name(index) for index in indices)
        if within := facts.get("within"):
            rows = np.array(self.array("places")[list(indices)])
            places = Places(Path(within["root"]), tuple(within["files"]), rows, within["column"])
            return Pictures(Path(data), names, stretch=stretch, places=places)
        source = SAMPLES if data == "samples" else Path(data)
        if not source.exists():
            raise ValueError("The folder or zip of these pictures is no longer there.")
        return Pictures(source, names, stretch=stretch)

    def find(self, digest: str) -> int | None:
        """Where the picture with these pixels is, by what `digest_of` says of it."""
        digests = self.array("digests")  # uint8 [n, 16]
        key = np.frombuffer(bytes.fromhex(digest), np.uint8)
        if key.shape != digests.shape[1:]:
            return None
        found = (digests == key).all(1).nonzero()[0]
        return int(found[0]) if len(found) else None

    def atlas(self, number: int) -> Path:
        path = self.path / "thumbs" / f"atlas-{number}.jpg"
        if number < 0 or not path.is_file():
            raise ValueError(f"There are no thumbnails number {number}.")
        return path

    def probes(self) -> dict[str, np.ndarray]:
        """probes.npz. NotReady before the first layer, ValueError when there will be none."""
        path, reason = self.path / "probes.npz", self.path / "probes.txt"
        if path.is_file():
            with np.load(path, allow_pickle=False) as arrays:
                return dict(arrays)
        if reason.is_file():
            raise ValueError(reason.read_text(encoding="utf-8").strip())
        self.facts()  # a gallery without features says so itself
        self.keep_going()
        raise NotReady("The probes are still to come.")

    # --- maps, and requests for them

    def map_file(self, features: str, layer: int, method: str) -> Path:
        return self.path / "maps" / f"{features}-{layer}-{method}.npz"

    def stored(self, features: str, layer: int, method: str) -> dict[str, np.ndarray] | None:
        """What was made of a request. ValueError with the reason when it could not be."""
        path = self.map_file(features, layer, method)
        if path.is_file():
            with np.load(path, allow_pickle=False) as arrays:
                return dict(arrays)
        reason = path.with_suffix(".txt")
        if reason.is_file():
            raise ValueError(reason.read_text(encoding="utf-8").strip())
        return None

    def request(self, features: str, layer: int, method: str) -> NoReturn:
        """Raises NotReady, after having seen to it that a process will make it."""
        if features not in KINDS or method not in METHODS:
            raise ValueError(f"There is no map of {features!r} by {method!r}.")
        path = self.path / "requests" / f"{features}-{layer}-{method}"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        self.keep_going()
        doing = self.state()["doing"]
        raise NotReady(f"This is being computed in the background. {doing}".strip())

    def requests(self) -> list[tuple[str, int, str]]:
        """What is asked for, the oldest request first."""
        with suppress(FileNotFoundError):
            found = sorted((self.path / "requests").iterdir(), key=lambda p: p.stat().st_mtime)
            parted = [path.name.split("-") for path in found]
            return [(one, int(layer), how) for one, layer, how in parted]
        return []

    def forget_request(self, features: str, layer: int, method: str) -> None:
        (self.path / "requests" / f"{features}-{layer}-{method}").unlink(missing_ok=True)

    def keep_going(self) -> None:
        """Starts its process again where there is none, as after a restart of the server."""
        if not self.at_work():
            config = self.read_config()
            start_process(config["data"], self.path, Options(**config["options"]))


def start_process(data: str | Path, folder: str | Path, options: Options) -> int:
    """Starts `python -m dino_core gallery`; its id. What it prints goes to launch.txt."""
    from dino_core.gallery.sources import pictures_of

    data = str(data) if str(data) == "samples" else str(Path(data).expanduser().absolute())
    pictures_of(data, **options.choice())  # a refusal is said to whoever asked, not to a log
    store = GalleryFolder(folder)
    if store.at_work():
        raise ValueError(f"Another process is at work on {store.path}: wait for it, or stop it.")
    store.create(data, options)
    store.clear_stop()
    words = ["gallery", data, "--output", str(store.path), *options.arguments()]
    pid = jobs.start_command(words, store.path / "launch.txt")
    write_json(store.path / "started.json", {"pid": pid, "time": time.time()})
    return pid


def digest_of(picture: "Image.Image") -> str:
    """A picture's pixels as 32 hexadecimal digits: the same for the same decoded picture."""
    pixels = np.asarray(picture.convert("RGB"))
    digest = hashlib.blake2b(f"{pixels.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
