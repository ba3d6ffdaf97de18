"""Classifiers that somebody tries: of runs, opened once as long as their file stays the same, and
of models of the page's list, beside their backbones."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from app.state.models import Models, check_patches

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
        """What a run's classifier says of a picture: the `count` likeliest classes.

        ValueError in a sentence.
        """
        return self._ask(self.find(folder), picture, count)

    def predict_by_model(
        self, name: str, owner: str, picture: "Image", count: int
    ) -> "PredictScene":
        """The same of the classifier beside a model of the list, for who may see that model.

        ValueError in a sentence, also for a model without one.
        """
        from dino_core.scenes import predicting

        backbone = self._models.backbone(name, owner=owner)
        model = predicting.brought_model(backbone)
        check_patches(model.classifier.size, backbone.vit.config.patch_size)
        return self._ask(model, picture, count)

    def _ask(self, model: "TunedModel", picture: "Image", count: int) -> "PredictScene":
        from dino_core.scenes import predicting

        return self._models.exclusive(lambda: predicting.predict_scene(model, picture, count))
