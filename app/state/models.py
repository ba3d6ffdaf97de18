"""Models, loaded once and shared by all visitors; nothing of a visitor is kept here.

Importing torch takes seconds. The page does not wait for it: scenes are imported inside functions,
first by a thread that starts when the server does, and whoever needs them earlier waits for it.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.paths import SAMPLES
from dino_core.scenes.models import (
    describe_model,
    first_model,
    load_model,
    model_choices,
    weights_file,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from dino_core.scenes.picture import OpenPicture
    from dino_core.weights import Backbone

Progress = Callable[[int, int | None], None]  # bytes so far, and of the whole file
Result = TypeVar("Result")

HEAD_START = 1.0  # seconds that the first page has for itself


class Models:
    """Loads models when they are first needed, and runs one at a time.

    `default` is the model with which the page begins. `weights` is a file of the user's own, known
    under the file's name; `architecture` is what the user said it is, None to read it off the file.
    """

    def __init__(self, model: str | None, weights: Path | None, device: str) -> None:
        known = [choice.name for choice in model_choices()]
        if model and model not in known:
            raise ValueError(f"There is no model {model!r}: it is one of {', '.join(known)}.")
        if weights and not weights.is_file():
            raise ValueError(f"There is no file {weights}.")
        self.weights = weights
        self.architecture = model
        self.device = device
        self.default = weights.stem if weights else model or first_model()
        self._loaded: dict[str, Backbone] = {}
        self._loading = threading.Lock()
        self._running = threading.Lock()

    def choices(self) -> list[tuple[str, str]]:
        """(label, name) of every model, the user's own file first."""
        own = [(self.default, self.default)] if self.weights else []
        return own + [(choice.label, choice.name) for choice in model_choices()]

    def available(self) -> list[tuple[str, str]]:
        """Those of them that need no download."""
        here = {choice.name for choice in model_choices() if choice.on_disk} | set(self._loaded)
        here |= {self.default} if self.weights else set()
        return [(label, name) for label, name in self.choices() if name in here]

    def is_own_file(self, name: str) -> bool:
        """Whether a name stands for the user's own file."""
        return self.weights is not None and name == self.default

    def default_weights(self) -> Path | None:
        """The file of the model with which the page begins; None when it is not on this disk."""
        return self.weights or weights_file(self.default)

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
        self, name: str, download: bool = False, progress: Progress | None = None
    ) -> "Backbone":
        """A model by its name in the list, downloaded only when that was somebody's choice.

        ValueError in a plain sentence when that is not possible.
        """
        with self._loading:
            if name not in self._loaded:
                own = self.is_own_file(name)
                self._loaded[name] = load_model(
                    self.architecture if own else name,
                    self.weights if own else None,
                    device=self.device,
                    download=download and not own,
                    progress=progress,
                )
            return self._loaded[name]

    def describe(self, name: str) -> list[str]:
        """What to say about a model; a file of the user's own is loaded for it."""
        return describe_model(name, self.backbone(name) if self.is_own_file(name) else None)

    def inspect(self, source: "Image", model: str, size: int) -> "OpenPicture":
        """One forward of a picture in a model that is on this machine."""
        from dino_core.scenes import picture

        vit = self.backbone(model).vit
        return self.exclusive(lambda: picture.look(vit, source, size))

    def exclusive(self, work: Callable[[], Result]) -> Result:
        """Does work that takes the whole processor: one at a time."""
        with self._running:
            return work()


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


def read_sample(file: str) -> "Image":
    """One of the bundled samples by its file's name. ValueError when there is none."""
    from dino_core.scenes import picture

    credits = json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))
    if file not in [sample["file"] for sample in credits]:
        raise ValueError("There is no such sample.")
    return picture.read_picture(SAMPLES / file)
