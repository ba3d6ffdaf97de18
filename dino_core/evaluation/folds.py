"""Who learns and who is judged: the given parts, or cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

FOLDS = 5
MOST_TO_LEARN = 4000  # pictures that a fold's classifier learns from: it stays a matter of seconds


@dataclass(frozen=True)
class Fold:
    """Who learns and who is judged: indices int64."""

    train: Tensor
    test: Tensor


def folds_of(
    labels: Sequence[int], splits: Sequence[str] | None, generator: torch.Generator
) -> list[Fold]:
    """The given train and test pictures, or up to 5 parts that are judged by turns.

    Each part has its share of every class. Pictures without a label (-1) take no part, neither do
    classes of one picture. ValueError when nothing can be judged.
    """
    known = torch.tensor([label >= 0 for label in labels])
    all_labels = torch.tensor(labels)
    if splits is not None and {"train", "test"} <= set(splits):
        test = torch.tensor([split == "test" for split in splits])
        train, test = (known & ~test).nonzero()[:, 0], (known & test).nonzero()[:, 0]
        if len(all_labels[train].unique()) < 2 or len(test) == 0:
            raise ValueError(
                "A probe wants training pictures of two classes or more to tell apart."
            )
        return [Fold(some_of(train, all_labels, generator), test)]
    counts = torch.bincount(all_labels[known]) if known.any() else torch.zeros(0)
    if (counts >= 2).sum() < 2:
        raise ValueError(
            "A probe wants two classes or more with two pictures or more in each: a folder for "
            "each class."
        )
    count = min(FOLDS, int(counts[counts >= 2].min()))
    part = torch.full((len(labels),), -1)
    turn = 0
    for label in (counts >= 2).nonzero()[:, 0].tolist():
        members = (all_labels == label).nonzero()[:, 0]
        members = members[torch.randperm(len(members), generator=generator)]
        part[members] = (torch.arange(len(members)) + turn) % count
        turn += len(members)  # or the first part would get the odd one of every class
    every = (part >= 0).nonzero()[:, 0]
    return [
        Fold(some_of(every[part[every] != i], all_labels, generator), every[part[every] == i])
        for i in range(count)
    ]


def some_of(indices: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """At most MOST_TO_LEARN of them, of each class alike as far as it has any."""
    if len(indices) <= MOST_TO_LEARN:
        return indices
    order = indices[torch.randperm(len(indices), generator=generator)]
    place = torch.empty_like(order)  # how many of its class come before
    for label in labels[order].unique():
        members = labels[order] == label
        place[members] = torch.arange(int(members.sum()))
    return order[place.argsort(stable=True)[:MOST_TO_LEARN]].sort().values
