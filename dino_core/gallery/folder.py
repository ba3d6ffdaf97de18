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
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from dino_core import interruption, jobs
from dino_core.analysis import approximate
from dino_core.gallery.listing import Listing
from dino_core.interruption import INTERRUPTED
from dino_core.jobs import number_in, read_json, write_json, write_text

if TYPE_CHECKING:
    from PIL import Image

    from dino_core.datasets import Pictures

FORMAT = 1
Watch = Callable[[dict[str, Any]], None]
KINDS = ("cls", "mean_patch", "both")
METHODS = ("pca", "umap", "tsne", "hdbscan", "neighbours")  # maps, clusters, a graph
TILE = 64  # px of a thumbnail
TILES_A_SIDE = 32
STARTING = 60  # s that a process may take until it holds the lock
FILES_NAMED = 100  # of those that are broken or left out, in state.json
EVERY = slice(None)
UNFINISHED = ("waiting", "embedding", "mapping")


STATES = (*UNFINISHED, "ready", "failed", "stopped")
MAP_FILE = re.compile(r"(cls|mean_patch|both)-(\d{1,4})-(\w+)\.npz")
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


class Stopped(Exception):  # noqa: N818  (nothing went wrong)
    """Somebody asked the process to stop."""


@dataclass(frozen=True)
class Options:
    """How a gallery is made."""

    model: str | None = None  # a name from the catalogue; None: the one on this disk
    weights: str | None = None  # a file instead
    size: int = 224  # px, the middle square of every picture
    seed: int = 0  # of UMAP, t-SNE, k-means and the folds of the probes
    device: str = "cpu"
    threads: int = 0  # 0: as many as the processor has
    patch_megabytes: int = 1024  # patch features kept on disk, for the search of similar patches
    include: tuple[str, ...] = ()  # what is taken, left out and how, see `datasets.find_pictures`
    exclude: tuple[str, ...] = ()
    stretch: bool = False

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):  # lists, when they come from a file
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.weights is not None:  # whoever goes on may stand in another folder
            absolute = str(Path(self.weights).expanduser().absolute())
            object.__setattr__(self, "weights", absolute)

    def arguments(self) -> list[str]:
        """As options of the command; what is as ever is left out."""
        words: list[str] = []
        for name, value in asdict(self).items():
            if value != getattr(Options, name):
                values = value if isinstance(value, tuple) else (() if value is True else (value,))
                words += [f"--{name.replace('_', '-')}", *map(str, values)]
        return words

    def choice(self) -> dict[str, Any]:
        """Which pictures of the source, and how they are decoded: for `sources.pictures_of`."""
        return {"include": self.include, "exclude": self.exclude, "stretch": self.stretch}


@dataclass(frozen=True)
class StoredMap:
    """A map as it lies in maps/."""

    xy: np.ndarray  # float32 [n, 2]
    features: str
    layer: int
    method: str
    facts: dict[str, Any]


def _is_named(one: Any) -> bool:
    """Whether it is [name, why], as of a broken picture."""
    return isinstance(one, list) and [type(part) for part in one] == [str, str]


def _is_text(one: Any) -> bool:
    return isinstance(one, str)


class GalleryFolder:
    """The files of one gallery."""

    def __init__(self, folder: str | Path, watch: Watch | None = None) -> None:
        self.path = Path(folder).expanduser().absolute()
        self._watch = watch  # is told every state that is put down

    # --- how it was made and how far it is

    def read_config(self) -> dict[str, Any]:
        """ValueError when there is no gallery here."""
        path = self.path / "config.json"
        config = read_json(path)
        if config is None and not path.exists():
            raise ValueError(f"{self.path} holds no gallery: there is no config.json in it.")
        config = config or {}
        if config.get("format", FORMAT) != FORMAT:
            raise ValueError(f"{self.path} is not of this version of the project: build it again.")
        data, options = config.get("data"), config.get("options")
        known = {field.name for field in fields(Options)}
        if (
            not isinstance(data, str)
            or not isinstance(options, dict)
            or not options.keys() <= known
        ):
            raise ValueError(f"{path} is damaged: build the gallery again in a new folder.")
        return config

    def create(self, data: str, options: Options) -> None:
        """A new gallery, or the same one again. ValueError when something else is in the folder."""
        if self.check(data, options):
            self.path.mkdir(parents=True, exist_ok=True)
            config = {"format": FORMAT, "data": data, "options": asdict(options)}
            write_json(self.path / "config.json", config)

    def check(self, data: str, options: Options) -> bool:
        """Whether it would be a new one. ValueError when something else is in the folder."""
        if (self.path / "config.json").exists():
            config, now = self.read_config(), asdict(options)
            before = asdict(Options(**config["options"]))
            free = ("device", "threads")  # they change no number
            other = [name for name in now if before[name] != now[name] and name not in free]
            if config["data"] != data or other:
                what = f"--{other[0].replace('_', '-')}" if config["data"] == data else "pictures"
                raise ValueError(
                    f"{self.path} holds a gallery with other {what}: name a new folder."
                )
            return False
        if self.path.exists() and {entry.name for entry in self.path.iterdir()} - {
            "lock",
            "holder.json",
        }:
            raise ValueError(f"{self.path} is not empty and holds no gallery: name a new folder.")
        return True

    def put_state(self, **changes: Any) -> None:
        values = read_json(self.path / "state.json") or {}
        values |= {"pid": os.getpid(), "updated": time.time(), **changes}
        write_json(self.path / "state.json", values)
        if self._watch is not None:
            self._watch(values)

    def state(self) -> dict[str, Any]:
        """What `scenes.gallery.state_of` describes."""
        self.read_config()
        values = self._last_state()
        alive = self.is_alive() or self._just_started()
        if values["state"] in UNFINISHED and not alive:
            values["state"] = "stopped"
            values["words"] = "Its process ended without a word; it can go on where it was."
        if not alive:
            values |= {"seconds_left": None, "doing": ""}
        values["alive"] = alive
        values["can_resume"] = not alive and values["state"] in ("stopped", "failed")
        found = (MAP_FILE.fullmatch(path.name) for path in sorted(self.path.glob("maps/*.npz")))
        values["maps"] = [[one[1], int(one[2]), one[3]] for one in found if one]
        return values

    def _last_state(self) -> dict[str, Any]:
        """state.json; what makes no sense in it counts as not there."""
        values = read_json(self.path / "state.json") or {}
        known: dict[str, Any] = {
            "state": "waiting",
            "words": "The gallery is about to start.",
            "done": 0,
            "total": 0,
            "seconds_left": None,
            "broken": [],
            "broken_count": 0,
            "left_out": [],
            "left_out_count": 0,
            "notes": [],
            "doing": "",
        }
        for name in ("done", "total", "seconds_left", "broken_count", "left_out_count"):
            known[name] = number_in(values, name) or known[name]
        known |= {n: values[n] for n in ("words", "doing") if isinstance(values.get(n), str)}
        if values.get("state") in STATES:
            known["state"] = values["state"]
        for name, fits in (("broken", _is_named), ("left_out", _is_named), ("notes", _is_text)):
            if isinstance(values.get(name), list):
                known[name] = [one for one in values[name] if fits(one)]
        return known

    def ask_to_stop(self) -> None:
        self.read_config()
        write_text(self.path / "control", "stop\n")

    def stop_requested(self) -> bool:
        return (self.path / "control").exists()

    def clear_stop(self) -> None:
        (self.path / "control").unlink(missing_ok=True)

    # --- who is at work

    def locked(self) -> AbstractContextManager[None]:
        """Holds the gallery. ValueError when another process has it."""
        return jobs.locked(
            self.path, f"Another process is at work on {self.path}: wait for it, or stop it."
        )

    def is_alive(self) -> bool:
        """Whether a process holds the lock."""
        return jobs.is_alive(self.path)

    def _just_started(self) -> bool:
        """A process was started that may not have come to its lock yet."""
        started = read_json(self.path / "started.json") or {}
        pid, at = number_in(started, "pid"), number_in(started, "time")
        if pid is None or at is None or time.time() - at > STARTING:
            return False
        said = (read_json(self.path / "state.json") or {}).get("pid")
        return said != pid and jobs.is_running(int(pid), self.path.name)

    def at_work(self) -> bool:
        return self.is_alive() or self._just_started()

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
            parts = [self.features(part, at, rows) for part in ("cls", "mean_patch")]
            return np.concatenate(parts, axis=1)
        if at == self.facts()["layers"] - 1:  # the others are kept in half precision
            return np.array(self.array(kind)[rows])
        place = ("cls", "mean_patch").index(kind)
        return self.array("layers")[rows, at, place].astype(np.float32)

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
        from dino_core.datasets import SAMPLES, Pictures, Places

        config, facts = self.read_config(), self.facts()
        data, stretch = config["data"], Options(**config["options"]).stretch
        name = (self.listing().name(index),)
        if within := facts.get("within"):
            row = np.array(self.array("places")[[index]])
            places = Places(Path(within["root"]), tuple(within["files"]), row, within["column"])
            return Pictures(Path(data), name, stretch=stretch, places=places)
        source = SAMPLES if data == "samples" else Path(data)
        if not source.exists():
            raise ValueError("The folder or zip of these pictures is no longer there.")
        return Pictures(source, name, stretch=stretch)

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


@contextmanager
def stop_on_signals(store: GalleryFolder) -> Iterator[set[int]]:
    """A polite kill or the first Ctrl-C asks it to stop; yields the numbers of what was heard.

    Ctrl-C waits a moment for the batch or the map that is being computed. Then, or by the second
    one, the process ends where it stands: what is on the disk is whole, a batch is lost.
    """
    heard: set[int] = set()
    timers: list[threading.Timer] = []

    def report() -> None:
        words = "Interrupted; it can go on from the last batch."
        with suppress(OSError):
            store.put_state(state="stopped", words=words, doing="")
            os.write(2, f"\n{words}\n".encode())
        interruption.said.set()

    def give_up() -> None:
        report()
        interruption.end(INTERRUPTED)

    def notice(number: int, _: object) -> None:
        if number in heard and number == signal.SIGINT:
            raise KeyboardInterrupt
        heard.add(number)
        store.ask_to_stop()
        if number == signal.SIGINT:
            timers.append(jobs.after_grace(give_up))

    try:
        with jobs.signals_heard(notice), interruption.before_the_end(report):
            yield heard
    finally:
        for timer in timers:
            timer.cancel()
