"""Models, loaded once and shared by all visitors; nothing of a visitor is kept here.

A visitor's own checkpoint is a model too, under a name that follows from its bytes: whoever asks
for one says who asks, and is refused where it is another's.

One model runs at a time, on pictures of a bounded number of patches, and only so many wait for it:
what others look up meanwhile is answered.

Importing torch takes seconds. The page does not wait for it: scenes are imported inside functions,
first by a thread that starts when the server does, and whoever needs them earlier waits for it.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.paths import SAMPLES
from app.state.checkpoints import Checkpoints, is_checkpoint
from app.state.model_list import ModelList
from dino_core.scenes.models import (
    describe_checkpoint,
    describe_model,
    load_model,
    weights_file,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from dino_core.scenes.picture import OpenPicture
    from dino_core.weights import Backbone

Progress = Callable[[int, int | None], None]  # bytes so far, and of the whole file
Result = TypeVar("Result")

HEAD_START = 1.0  # seconds that the first page has for itself
MAX_SIZE = 518  # px of a picture's short side; a long picture has no more pixels for it
MAX_WAITING = 12  # requests that may wait for the processor; each holds one of the server's threads
PATIENCE = 60.0  # seconds that one of them may wait
LONGEST = 300.0  # seconds that a forward may take
ASK_EVERY = 0.05  # seconds between two questions whether anybody still waits for it
MAX_PATCHES = 64**2  # of a square picture: a checkpoint may have the smallest patches
MOST_OWN = 3  # checkpoints of visitors in memory; the one that was not used for longest goes
UNUSED = 1800.0  # seconds after which a model that nobody uses is let go of
TOO_LONG = "This takes longer than this server allows: choose a smaller model or input size."
BUSY = "Others are being served: try again in a moment."


class Gone(Exception):  # noqa: N818  nobody is left to hear of it
    """Who asked has left before there was an answer."""


@dataclass
class LoadedModel:
    """A model by its name; who needs it while it is loaded waits for it, and for no other."""

    loading: threading.Lock = field(default_factory=threading.Lock)
    backbone: "Backbone | None" = None
    used: float = field(default_factory=time.monotonic)


class GivingUp:
    """Ends work between two blocks of a forward: nobody waits for it, or it takes too long."""

    def __init__(self, is_gone: Callable[[], bool]) -> None:
        self._is_gone = is_gone
        self._begun = self._asked = time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._begun > LONGEST:
            raise ValueError(TOO_LONG)
        if now - self._asked > ASK_EVERY:  # the answer comes from the server's own thread
            self._asked = now
            if self._is_gone():
                raise Gone


class Models(ModelList):
    """Loads models when they are first needed, and runs one at a time.

    Which there are, and what they are called, is in `model_list.py`.
    """

    def __init__(
        self,
        model: str | None,
        weights: Path | None,
        device: str,
        *,
        allow_downloads: bool = True,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        super().__init__(model, weights, checkpoints)
        self.device = device
        self.allow_downloads = allow_downloads
        self._loaded: dict[str, LoadedModel] = {}
        self._lock = threading.Lock()
        self._running = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MAX_WAITING)
        self._wanted = 0  # requests that wait for the processor now

    def preload(self, first_picture: Callable[[], Any]) -> None:
        """Imports the scenes and opens the first picture, in a thread behind the page."""

        def work() -> None:
            import_scenes()
            try:
                first_picture()
            except ValueError as error:
                print(f"The model could not be loaded: {error}", flush=True)

        # Importing torch holds the interpreter, and the first page shall not wait for it.
        later = threading.Timer(HEAD_START, work)
        later.daemon = True
        later.start()

    def backbone(
        self,
        name: str,
        download: bool = False,
        progress: Progress | None = None,
        *,
        owner: str = "",
    ) -> "Backbone":
        """A model by its name in the list, downloaded only when that was somebody's choice.

        ValueError in a plain sentence when that is not possible, and for a checkpoint of which
        `owner` is not the owner.
        """
        file = self.checkpoint(owner, name)[0] if is_checkpoint(name) else None
        with self._lock:
            loaded = self._loaded.setdefault(name, LoadedModel())
        try:
            with loaded.loading:
                if loaded.backbone is None:
                    loaded.backbone = (
                        self._load_file(file) if file else self._load(name, download, progress)
                    )
                loaded.used = time.monotonic()
                self._bound_checkpoints()
                return loaded.backbone
        except ValueError:
            with self._lock:  # names that are none would add up
                if self._loaded.get(name) is loaded and loaded.backbone is None:
                    del self._loaded[name]
            raise

    def _load(self, name: str, download: bool, progress: Progress | None) -> "Backbone":
        own, file = self.is_own_file(name), self.weights
        if not own:
            file = weights_file(name)
            download = download and self.allow_downloads
            if file is None and not download:
                raise ValueError(
                    f"The weights of {name} are not on this disk: choose a model that is"
                    + (", or this one in the list of models." if self.allow_downloads else ".")
                )
        try:
            return load_model(
                self.architecture if own else name,
                self.weights if own else None,
                device=self.device,
                download=download and not own,
                progress=progress,
            )
        except ValueError as error:  # folders of this machine are nobody's business
            message = str(error)
            raise ValueError(message.replace(str(file), file.name) if file else message) from None

    def _load_file(self, file: Path) -> "Backbone":
        try:
            return load_model(None, file, device=self.device)
        except ValueError as error:
            raise ValueError(str(error).replace(str(file), file.name)) from None

    def _bound_checkpoints(self) -> None:
        with self._lock:
            own = [
                (loaded.used, name)
                for name, loaded in self._loaded.items()
                if is_checkpoint(name) and loaded.backbone is not None
            ]
            for _, name in sorted(own)[:-MOST_OWN]:
                del self._loaded[name]

    def release_unused(self) -> None:
        """Lets go of models that nobody has used for a while; they are loaded again when needed."""
        oldest = time.monotonic() - UNUSED
        with self._lock:
            for name, loaded in list(self._loaded.items()):
                if name != self.default and loaded.used < oldest and loaded.backbone is not None:
                    del self._loaded[name]

    def describe(self, name: str, owner: str = "") -> list[str]:
        """What to say about a model; a file of the user's own is loaded for it."""
        if is_checkpoint(name):
            facts = self.checkpoint(owner, name)[1]
            return describe_checkpoint(facts, facts["digest"], facts["bytes"])
        return describe_model(name, self.backbone(name) if self.is_own_file(name) else None)

    def classifier_words(self, name: str, owner: str = "") -> str:
        """What a classifier beside a model's backbone reads, in a sentence; "" where none is."""
        classifier = self.backbone(name, owner=owner).classifier
        return classifier.words if classifier else ""

    def inspect(
        self,
        source: "Image",
        model: str,
        size: int,
        *,
        owner: str = "",
        is_gone: Callable[[], bool] = lambda: False,
    ) -> "OpenPicture":
        """One forward of a picture in a model that is on this machine, for `owner`.

        `size` is what its short side becomes, in pixels. ValueError for one that is too large for a
        page, and when too many wait; Gone when `is_gone` says so before the forward has ended.
        """
        from dino_core.scenes import picture

        check_side(size)
        vit = self.backbone(model, owner=owner).vit
        check_patches(size, vit.config.patch_size)
        return self.exclusive(lambda: picture.look(vit, source, size), is_gone=is_gone)

    def exclusive(
        self, work: Callable[[], Result], *, is_gone: Callable[[], bool] = lambda: False
    ) -> Result:
        """Does work that takes the whole processor: one at a time.

        ValueError in a sentence when too many wait, for too long, or the work takes too long; Gone
        when `is_gone` says so. Forwards are asked that before each block, and end there.
        """
        from dino_core.scenes.picture import between_blocks

        if not self._waiting.acquire(blocking=False):
            raise ValueError(BUSY)
        self._want(1)
        try:
            self._wait_for_turn(is_gone)
        finally:
            self._want(-1)
            self._waiting.release()
        try:
            with between_blocks(GivingUp(is_gone)):
                return work()
        finally:
            self._running.release()

    def giving_way(self, work: Callable[[], Result], check: Callable[[], None]) -> Result:
        """Does long work behind the page: before each block whoever waits goes first.

        `check` is called there too, and ends the work by raising.
        """
        from dino_core.scenes.picture import between_blocks

        def between() -> None:
            check()
            if not self._wanted:
                return
            self._running.release()
            try:
                while self._wanted:
                    time.sleep(ASK_EVERY / 10)
            finally:
                self._running.acquire()

        with self._running, between_blocks(between):
            return work()

    def _want(self, more: int) -> None:
        with self._lock:
            self._wanted += more

    def _wait_for_turn(self, is_gone: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not self._running.acquire(timeout=0.2):
            if is_gone():
                raise Gone
            if time.monotonic() > end:
                raise ValueError(BUSY)
        if is_gone():
            self._running.release()
            raise Gone


def check_side(size: int) -> None:
    """ValueError for a short side, in px, that is longer than those of a page."""
    if not 1 <= size <= MAX_SIZE:
        raise ValueError(f"The input size is from 1 to {MAX_SIZE} px, not {size}.")


def check_patches(size: int, patch: int) -> None:
    """ValueError for more patches than a page's forward may have; both in px."""
    if (size // patch) ** 2 > MAX_PATCHES:
        raise ValueError(
            f"With patches of {patch} px this model cuts {size} px into {(size // patch) ** 2:,}, "
            f"more than the {MAX_PATCHES:,} that this page takes: choose a smaller input size."
        )


def import_scenes() -> None:
    """Imports what the screens compute, and with it torch."""
    from dino_core.scenes import (  # noqa: F401
        attention,
        comparison,
        crops,
        features,
        masks,
        matching,
        packing,
        picture,
        strip,
        tokens,
    )


def sample_file(name: str) -> Path:
    """One of the bundled samples by its file's name. ValueError when there is none."""
    credits = json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))
    if name not in [sample["file"] for sample in credits]:
        raise ValueError("There is no such sample.")
    return SAMPLES / name


def read_sample(file: str) -> "Image":
    """The same, decoded."""
    from dino_core.scenes import picture

    return picture.read_picture(sample_file(file))
