"""Fine-tuned models that somebody tries: opened once, as long as their file stays the same."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from app.state.models import Models

if TYPE_CHECKING:
    from PIL.Image import Image

    from dino_core.scenes.predicting import PredictScene, TunedModel

CAPACITY = 2  # in memory


class Classifiers:
    """Asks the classifiers of runs, one forward at a time with all others of the page."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._opened: OrderedDict[tuple[Path, int], TunedModel] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, folder: Path) -> "TunedModel":
        """The classifier of a run's folder. ValueError in a sentence where there is none."""
        from dino_core.scenes import predicting

        try:
            written = predicting.model_file(folder).stat().st_mtime_ns
        except OSError:
            written = 0
        with self._lock:
            key = (folder, written)
            if key not in self._opened:
                self._opened[key] = predicting.open_tuned(folder, self._models.device)
            self._opened.move_to_end(key)
            while len(self._opened) > CAPACITY:
                self._opened.popitem(last=False)
            return self._opened[key]

    def predict(self, folder: Path, picture: "Image", count: int) -> "PredictScene":
        """What it says of a picture: the `count` likeliest classes. ValueError in a sentence."""
        from dino_core.scenes import predicting

        model = self.find(folder)
        return self._models.exclusive(lambda: predicting.predict_scene(model, picture, count))
