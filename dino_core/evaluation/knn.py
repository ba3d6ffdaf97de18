"""k-NN: a picture gets the class that its nearest neighbours among the labelled ones vote for.

Nothing is trained and nothing tuned. Votes as in the official `eval/knn.py` (Wu et al. 2018):

    votes[c] = sum over the k nearest neighbours j of class c of exp(cos(x, x_j) / 0.07)

Up to EXACT_MOST training features the search is exact. Above, `Near.recall` says how many of the
true nearest an index found.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dino_core.analysis import approximate
from dino_core.analysis.approximate import Recall
from dino_core.analysis.neighbours import nearest
from dino_core.datasets import Pictures
from dino_core.embedding.embed import embed_in_memory
from dino_core.vit import VisionTransformer

TEMPERATURE = 0.07
NEIGHBOURS = 20
FEATURES = ("cls", "mean_patch", "both")


def votes(
    similarities: Tensor, labels: Tensor, classes: int, temperature: float = TEMPERATURE
) -> Tensor:
    """Similarities [m, k] and labels [m, k] of the neighbours -> shares of the vote [m, classes].

    Rows sum to 1. The largest similarity is taken off first: a common factor, and no overflow.
    """
    weights = ((similarities - similarities[:, :1]) / temperature).exp()
    totals = weights.new_zeros(len(weights), classes).scatter_add_(1, labels, weights)
    return totals / totals.sum(1, keepdim=True)


def knn(
    train: Tensor,
    labels: Tensor,
    test: Tensor,
    *,
    classes: int,
    ks: tuple[int, ...] = (NEIGHBOURS,),
    temperature: float = TEMPERATURE,
    center: bool = False,
) -> dict[int, Tensor]:
    """Features [n, D], labels [n], features [m, D] -> for every k the shares [m, classes].

    center  subtract the mean of the training features first; the official evaluation does not
    """
    if center:
        mean = train.float().mean(0)
        train, test = train.float() - mean, test.float() - mean
    near = near_of(test, train, max(ks), exact=True)
    return {k: votes_of(near, labels, classes, k, temperature=temperature) for k in ks}


@dataclass(frozen=True)
class Near:
    """The nearest training features of each test feature, the most similar first."""

    similarities: Tensor  # float32 [m, k]
    indices: Tensor  # int64 [m, k]
    recall: Recall | None  # None: the search was exact


def near_of(test: Tensor, train: Tensor, k: int, *, exact: bool = False, seed: int = 0) -> Near:
    """Features [m, D], [n, D] -> the k nearest of n.

    By an index above EXACT_MOST training features, unless `exact`, or where there is no index.
    """
    if exact or len(train) <= max(approximate.EXACT_MOST, k) or not approximate.is_installed():
        return Near(*nearest(test, train, k), None)
    queries, base = (approximate.unit(one.numpy()) for one in (test, train))
    values, found, recall = approximate.search(queries, base, k, seed=seed)
    return Near(torch.from_numpy(values), torch.from_numpy(found), recall)


def votes_of(
    near: Near, labels: Tensor, classes: int, k: int, *, temperature: float = TEMPERATURE
) -> Tensor:
    """The shares [m, classes] of the vote of the first k."""
    return votes(near.similarities[:, :k], labels[near.indices[:, :k]], classes, temperature)


# --- of a backbone, during a run


@dataclass(frozen=True)
class LabelledSet:
    """Training and test pictures for k-NN, few enough to be looked at during a run."""

    train: Pictures
    test: Pictures

    @classmethod
    def of(
        cls, pictures: Pictures, per_class: int = 500, test_per_class: int = 200, seed: int = 0
    ) -> "LabelledSet":
        """The first so many of each class, in the order of their names."""
        if pictures.labels is None:
            raise ValueError(
                f"{pictures.source} has no labels: k-NN wants a folder for each class, with or "
                f"without train/ and test/ around them."
            )
        if pictures.splits is None:
            train, test = pictures.divide(0.3, seed)
        else:
            train, test = pictures.part("train"), pictures.part("test")
        return cls(train.first(per_class), test.first(test_per_class))


def knn_accuracy(vit: VisionTransformer, data: LabelledSet, size: int) -> dict[str, float]:
    """20-NN accuracy in per cent for class token, mean patch and both together.

    The mean of the training features is subtracted first, which is not done officially: features of
    small models share one large direction, and it is worth several points there; on good ones it
    costs nothing.
    """
    train, test = (embed_in_memory(vit, part, size) for part in (data.train, data.test))
    accuracies = {}
    for name in FEATURES:
        shares = knn(
            getattr(train, name),
            train.labels,
            getattr(test, name),
            classes=len(data.train.classes),
            center=True,
        )[NEIGHBOURS]
        accuracies[name] = 100 * (shares.argmax(1) == test.labels).float().mean().item()
    return accuracies
