"""Models, loaded once and shared by all visitors; nothing of a visitor is kept here.

Importing torch takes seconds. The page does not wait for it: scenes are imported by a thread that
starts when the server does, and whoever needs them first waits for that thread.
"""

import json
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.paths import SAMPLES
from app.state.umap_worker import Mapper
from dino_core.scenes.models import describe_model, first_model, load_model, model_choices

if TYPE_CHECKING:
    from PIL.Image import Image

    from dino_core.scenes.picture import OpenPicture
    from dino_core.weights import Backbone

SCENES = (
    *("picture", "strip", "crops", "masks", "tokens", "attention", "features", "packing"),
    *("matching", "comparison"),
)
Progress = Callable[[int, int | None], None]

HEAD_START = 1.0  # seconds that the first page has for itself


class Engine:
    """Loads models when they are first asked for, and lets one picture through at a time."""

    def __init__(self, model: str | None, weights: Path | None, device: str) -> None:
        self.weights = weights
        self.device = device
        self.first = weights.stem if weights else model or first_model()
        known = [choice.name for choice in model_choices()]
        if model and model not in known:
            raise ValueError(f"There is no model {model!r}: it is one of {', '.join(known)}.")
        if weights and not weights.is_file():
            raise ValueError(f"There is no file {weights}.")
        self.asked = model  # the architecture that goes with a file of the user's own
        self._models: dict[str, Backbone] = {}
        self._sample: OpenPicture | None = None
        self.mapper = Mapper()
        self._loading = threading.Lock()
        self._working = threading.Lock()

    def choices(self) -> list[tuple[str, str]]:
        """(label, name) of every model, the user's own file first."""
        own = [(self.first, self.first)] if self.weights else []
        return own + [(choice.label, choice.name) for choice in model_choices()]

    def at_hand(self) -> list[tuple[str, str]]:
        """Those of them that need no download."""
        here = {choice.name for choice in model_choices() if choice.on_disk} | set(self._models)
        return [(label, name) for label, name in self.choices() if name in here]

    def warm_up(self, greet: Callable[[], Any]) -> None:
        """Imports the scenes, loads the first model and looks at the sample, behind the page."""

        def work() -> None:
            for name in SCENES:
                self.scene(name)
            try:
                greet()
            except ValueError as error:
                print(f"The model could not be loaded: {error}", flush=True)

        # Importing torch holds the interpreter, and the first page shall not wait for it.
        later = threading.Timer(HEAD_START, work)
        later.daemon = True
        later.start()

    @staticmethod
    def scene(name: str) -> Any:
        """The module of a screen; the first call in the process waits for torch."""
        return import_module(f"dino_core.scenes.{name}")

    def backbone(
        self, name: str, download: bool = False, progress: Progress | None = None
    ) -> "Backbone":
        """A model by its name in the list, downloaded only when that was somebody's choice.

        ValueError in a plain sentence when that is not possible.
        """
        with self._loading:
            if name not in self._models:
                own = self.weights is not None and name == self.first
                self._models[name] = load_model(
                    self.asked if own else name,
                    self.weights if own else None,
                    device=self.device,
                    download=download and not own,
                    progress=progress,
                )
            return self._models[name]

    def describe(self, name: str) -> list[str]:
        """What to say about a model; a file of the user's own is loaded for it."""
        own = self.weights is not None and name == self.first
        return describe_model(name, self.backbone(name) if own else None)

    def sample(self, path: Path, model: str, size: int) -> "OpenPicture":
        """The sample that greets everybody, looked at once."""
        if self._sample is None:
            self._sample = self.look(self.scene("picture").read_picture(path), model, size)
        return self._sample

    def read_sample(self, file: str) -> "Image":
        """One of the bundled samples by its file's name. ValueError when there is none."""
        credits = json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))
        if file not in [sample["file"] for sample in credits]:
            raise ValueError("There is no such sample.")
        return self.scene("picture").read_picture(SAMPLES / file)

    def look(self, source: "Image", model: str, size: int) -> "OpenPicture":
        """One forward of a picture in a model that is loaded."""
        backbone = self.backbone(model)
        return self.alone(lambda: self.scene("picture").look(backbone.vit, source, size))

    def alone(self, work: Callable[[], Any]) -> Any:
        """Work that takes the whole processor: one at a time."""
        with self._working:
            return work()
