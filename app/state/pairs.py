"""Pairs of student and teacher, opened once for everybody, with the samples as reference pictures.

A pair is `preview`, `cifar`, `run:NAME` or a visitor's checkpoint. Pairs and what they make of the
samples are shared by all who may ask for them; what they make of a visitor's picture is kept with
that picture.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.state.checkpoints import is_checkpoint
from app.state.models import Models, check_patches
from dino_core.scenes.models import PREVIEW

if TYPE_CHECKING:
    from PIL.Image import Image

    from dino_core.scenes.pairs import OpenPair, ReferenceSample
    from dino_core.step.loss_inspection import PictureLogits

CAPACITY = 2  # pairs in memory
RUN = "run:"


@dataclass(frozen=True)
class LoadedPair:
    """A pair in memory; a run that goes on is another pair at each step."""

    key: tuple[str, int]  # its name, and the step of a run
    pair: "OpenPair"
    references: "tuple[ReferenceSample, ...]"  # the samples as this pair sees them


class Pairs:
    """Opens pairs when they are first needed. `find_run` gives a run's folder, or ValueError."""

    def __init__(self, models: Models, find_run: Callable[[str], Path]) -> None:
        self._models, self._find_run = models, find_run
        self._loaded: OrderedDict[tuple[str, int], LoadedPair] = OrderedDict()
        self._lock = threading.Lock()

    def choices(self, runs: Mapping[str, str], owner: str = "") -> list[dict[str, Any]]:
        """Name, title and newest step of each; runs without a checkpoint are left out.

        `runs`: the titles of the pre-training runs by their names. `owner`: whose checkpoints.
        """
        from dino_core.scenes import pairs

        titles = {name: title for name, (_, title) in pairs.BUNDLED.items()}
        titles |= {RUN + name: f"Run {title}" for name, title in runs.items()}
        every = [{"name": n, "title": t, "step": self.key(n)[1]} for n, t in titles.items()]
        kept = self._models.checkpoints
        brought = [one for one in kept.everything(owner) if one["pair"]] if kept else []
        own = [{"name": one["name"], "title": one["title"], "step": 0} for one in brought]
        return [one for one in every if one["step"] or one["name"] in pairs.BUNDLED] + own

    def of_model(self, model: str, owner: str = "") -> str | None:
        """The pair whose heads read this model's features, if there is one.

        ValueError for a checkpoint that is not `owner`'s.
        """
        if is_checkpoint(model):
            return model if self._models.checkpoint(owner, model)[1]["pair"] else None
        return "preview" if model == PREVIEW else None

    def key(self, name: str) -> tuple[str, int]:
        """Name and step. ValueError for a run that is none."""
        from dino_core.scenes import pairs

        folder = self._folder(name)
        return name, pairs.newest_step(folder) if folder else 0

    def find(self, name: str, owner: str = "") -> LoadedPair:
        """ValueError in a sentence when there is no such pair, or it is not `owner`'s."""
        from dino_core.scenes import pairs

        key, open_pair = self.key(name), self._opener(name, owner)
        with self._lock:
            if key not in self._loaded:
                pair = open_pair()
                references = self._models.exclusive(lambda: pairs.references_of(pair))
                self._loaded[key] = LoadedPair(key, pair, references)
            self._loaded.move_to_end(key)
            while len(self._loaded) > CAPACITY:
                self._loaded.popitem(last=False)
            return self._loaded[key]

    def outputs(
        self,
        loaded: LoadedPair,
        source: "Image",
        seed: int,
        *,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> "PictureLogits":
        """What a pair makes of a picture: the forwards."""
        from dino_core.scenes import pairs

        def work() -> "PictureLogits":
            return pairs.pair_outputs(loaded.pair, source, seed)

        return self._models.exclusive(work, is_gone=is_gone)

    def _opener(self, name: str, owner: str) -> "Callable[[], OpenPair]":
        """How a pair is opened. ValueError for what is no pair of this visitor's."""
        from dino_core.scenes import pairs

        if is_checkpoint(name):
            file, facts = self._models.checkpoint(owner, name)
            patch = facts["patch_size"]
            check_patches(pairs.crop_config(patch_size=patch).global_size, patch)
            return lambda: pairs.open_checkpoint(file, facts["title"], facts["file"])
        folder = self._folder(name)
        return lambda: pairs.open_run(folder) if folder else pairs.open_bundled(name)

    def _folder(self, name: str) -> Path | None:
        """Of a run; None for a pair that comes with the project."""
        return self._find_run(name.removeprefix(RUN)) if name.startswith(RUN) else None
