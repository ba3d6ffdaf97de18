"""Many pictures: how much simple classifiers read off each layer, and what they predict."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from dino_core.figures.layers import probe_accuracy
from dino_core.figures.theme import Theme
from dino_core.gallery.folder import KINDS, GalleryFolder, NotReady
from dino_core.scenes.gallery import Kind

if TYPE_CHECKING:
    import plotly.graph_objects as go

PROBES = ("knn", "logistic")  # the two classifiers, in the order of the last axis of `Probe`


@dataclass(frozen=True)
class Probe:
    """How well simple classifiers do on frozen features. NaN: not computed yet."""

    accuracy: np.ndarray  # float32 [T, 3, 2]: layer; kind as in KINDS; knn, logistic. 0 to 1
    low: np.ndarray  # float32 [T, 3, 2], 95 % Wilson interval
    high: np.ndarray  # float32 [T, 3, 2]
    chance: float  # the share of the commonest class: what a constant answer scores
    pictures: int  # judged
    complete: bool  # False while layers are still to come
    words: str  # how it was judged: the given test pictures, or so many folds
    kinds: tuple[str, ...] = tuple(KINDS)
    methods: tuple[str, ...] = PROBES

    def charts(self, theme: Theme) -> "dict[str, go.Figure]":
        """Accuracy by layer of each classifier, with intervals; a gap where it is still to come."""
        return {
            method: probe_accuracy(
                self.accuracy[..., at],
                self.low[..., at],
                self.high[..., at],
                kinds=self.kinds,
                chance=self.chance,
                theme=theme,
            )
            for at, method in enumerate(self.methods)
        }


def probe(folder: str | Path) -> Probe:
    """Accuracy by layer; the last layers come first. NotReady before the first of them.

    ValueError when the pictures have no labels, or too few of them.
    """
    stored = GalleryFolder(folder).probes()
    return Probe(
        accuracy=stored["accuracy"],
        low=stored["low"],
        high=stored["high"],
        chance=float(stored["chance"]),
        pictures=int(stored["pictures"]),
        complete=bool(not np.isnan(stored["accuracy"]).any()),
        words=str(stored["words"]),
    )


@dataclass(frozen=True)
class Predictions:
    """What a probe says of each picture, fitted without it. -1: not judged (it was learned from,
    or has no label)."""

    labels: np.ndarray  # int32 [n], index into the gallery's classes
    confidence: np.ndarray  # float32 [n], 0 to 1, of that label; 0 where not judged
    mistakes: np.ndarray  # int32 [m], indices of wrong ones, the most confident first
    words: str


def predictions(
    folder: str | Path,
    layer: int | None = None,
    kind: Kind = "cls",
    method: Literal["knn", "logistic"] = "knn",
) -> Predictions:
    """NotReady until the probe of that layer is there."""
    store = GalleryFolder(folder)
    stored, at = store.probes(), store.layer(layer)
    place = (at, list(KINDS).index(kind), PROBES.index(method))
    if np.isnan(stored["accuracy"][place]):
        raise NotReady(f"The probe of layer {at} is still to come.")
    listing = store.listing()
    rows = stored.get("rows", slice(None))  # of a large gallery a sample was judged
    labels = np.full(len(listing), -1, np.int32)
    confidence = np.zeros(len(listing), np.float32)
    labels[rows] = stored["predicted"][place]
    confidence[rows] = stored["confidence"][place]
    wrong = np.flatnonzero((labels >= 0) & (labels != listing.labels()))
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")].astype(np.int32)
    return Predictions(labels, confidence, wrong, str(stored["words"]))
