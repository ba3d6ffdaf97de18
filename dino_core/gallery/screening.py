"""Pictures of a gallery under a screening: which are taken, and what follows for its labels.

Every head, or attention and MLP of every block, is changed one at a time (`dino_core.whatif`).
Where the gallery is labelled, each changed class token is given the class that its 20 nearest
pictures vote for, as in `evaluation/knn.py`. Only the picture that is asked about is changed: its
neighbours are what they were, so the question is whether it is still found where it belongs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dino_core.embedding.preparation import Preparation
from dino_core.evaluation.knn import NEIGHBOURS, Near, near_of, votes_of
from dino_core.gallery.folder import GalleryFolder
from dino_core.whatif import Screened


@dataclass(frozen=True, eq=False)
class Labelled:
    """Labelled pictures as neighbours, and which of them were screened."""

    features: np.ndarray  # float32 [n, D] class tokens after the final norm
    labels: np.ndarray  # int [n], index into the classes
    rows: Sequence[int]  # of the pictures that were screened, in their order


@dataclass(frozen=True, eq=False)
class AccuracyChange:
    """Shares of the screened pictures that are classified rightly."""

    before: float  # as they are
    change: np.ndarray  # float32 [n values, T, units] of the share, by each change


def preparation_of(store: GalleryFolder) -> Preparation:
    """How a gallery has looked at its pictures: the middle square of each."""
    return Preparation(int(store.facts()["size"]))


def evenly(indices: Sequence[int], most: int) -> list[int]:
    """At most so many of them, as far from each other as can be: the same every time."""
    n = min(len(indices), most)
    return [indices[(2 * i + 1) * len(indices) // (2 * n)] for i in range(n)]


def rows_to_screen(store: GalleryFolder, most: int) -> list[int]:
    """At most so many of its pictures, evenly through it; of a labelled gallery labelled ones."""
    known = np.flatnonzero(store.listing().labels() >= 0)
    rows = known if is_labelled(store) else np.arange(store.count())
    return evenly(rows.tolist(), most)


def is_labelled(store: GalleryFolder) -> bool:
    """Whether there are classes to tell apart, and few enough pictures to compare them all."""
    labels = store.listing().labels()
    return not store.is_large() and len(np.unique(labels[labels >= 0])) > 1


def labelled(store: GalleryFolder, rows: Sequence[int]) -> Labelled:
    """The labelled pictures of a gallery; `rows` are among them."""
    labels = store.listing().labels()
    known = np.flatnonzero(labels >= 0)
    features = store.features("cls", None)[known]
    return Labelled(features, labels[known], np.searchsorted(known, rows).tolist())


@torch.inference_mode()
def accuracy_change(
    before: Sequence[Tensor], found: Sequence[Screened], gallery: Labelled
) -> AccuracyChange:
    """20-NN accuracy over the screened pictures, before and after each change.

    before [D] for each picture: its class token as it is. A picture is never its own neighbour.
    """
    bank, labels = torch.from_numpy(gallery.features), torch.from_numpy(gallery.labels).long()
    classes = int(labels.max()) + 1
    right = []
    for plain, one, row in zip(before, found, gallery.rows, strict=True):
        asked = torch.cat([plain[None].float().cpu(), one.cls.flatten(0, -2)])  # [1 + n T units, D]
        near = without(near_of(asked, bank, NEIGHBOURS + 1, exact=True), row)
        shares = votes_of(near, labels, classes, NEIGHBOURS)
        right.append((shares.argmax(1) == labels[row]).float())
    accuracies = torch.stack(right).mean(0)
    change = (accuracies[1:] - accuracies[0]).unflatten(0, found[0].effect_cls.shape)
    return AccuracyChange(float(accuracies[0]), change.numpy().astype(np.float32))


def without(near: Near, row: int) -> Near:
    """One neighbour fewer of each: not this one, or else the furthest."""
    last = (near.indices == row).int().argsort(dim=1, stable=True)[:, :-1]
    return Near(near.similarities.gather(1, last), near.indices.gather(1, last), near.recall)
