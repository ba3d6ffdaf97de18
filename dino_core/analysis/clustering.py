"""k-means over patch features (Lloyd 1982, k-means++ seeding of Arthur and Vassilvitskii 2007).

    minimise   sum over i of |x_i - c_(label of i)|^2

by turns: every patch goes to its nearest centre, every centre to the mean of its patches. For
features of length 1, |x - y|^2 = 2 - 2 cos(x, y): near means similar.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Clusters:
    """k clusters of n features, the largest first; equal sizes by their first member."""

    labels: Tensor  # int64 [n], 0 to k - 1
    centres: Tensor  # float32 [k, D]
    sizes: Tensor  # int64 [k]
    inertia: float  # the sum that is minimised
    explained: float  # 1 - inertia / (the same with one centre for all), 0 to 1


def kmeans(
    features: Tensor, k: int, generator: torch.Generator, restarts: int = 4, steps: int = 100
) -> Clusters:
    """Features [n, D] -> the best of `restarts` runs of at most `steps` turns each.

    The same generator state gives the same clusters. Fewer than k clusters come back when there
    are fewer than k different features. ValueError unless 1 <= k <= n.
    """
    n = len(features)
    if not 1 <= k <= n:
        raise ValueError(f"{n} patches can be parted into 1 to {n} clusters, not {k}.")
    points = features.detach().cpu().float()
    if not points.isfinite().all():
        raise ValueError("Some features are infinite or not a number: they have no clusters.")
    mean = points.mean(0)
    points = points - mean  # distances stay, and squares of small numbers lose less
    runs = [lloyd(points, plus_plus(points, k, generator), steps) for _ in range(restarts)]
    labels, centres, inertia = min(runs, key=lambda run: run[2])
    labels, order = by_size(labels, k)
    total = points.double().square().sum().item()
    return Clusters(
        labels=labels,
        centres=(centres[order] + mean).float(),
        sizes=torch.bincount(labels, minlength=len(order)),
        inertia=inertia,
        explained=1 - inertia / total if total > 0 else 1.0,
    )


def plus_plus(points: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Centres to begin with, [k, D]: each new one is drawn from the points with a probability
    that grows with its squared distance from the nearest centre so far. Fewer than k come back
    when there are fewer different points."""
    chosen = int(torch.randint(len(points), (1,), generator=generator))
    centres = [points[chosen]]
    nearest = (points - centres[0]).square().sum(1)  # [n]
    while len(centres) < k and nearest.any():
        chosen = int(torch.multinomial(nearest, 1, generator=generator))
        centres.append(points[chosen])
        nearest = torch.minimum(nearest, (points - centres[-1]).square().sum(1))
    return torch.stack(centres)


def lloyd(points: Tensor, centres: Tensor, steps: int = 100) -> tuple[Tensor, Tensor, float]:
    """Turns until no label changes -> labels [n], centres [k, D], inertia.

    A centre that has lost all its points stays where it is.
    """
    labels = torch.full((len(points),), -1)
    for _ in range(steps):
        # |x|^2 is the same for all centres, so the nearest one follows from the rest.
        new = (centres.square().sum(1) / 2 - points @ centres.T).argmin(1)
        if torch.equal(new, labels):
            break
        labels = new
        counts = torch.bincount(labels, minlength=len(centres))[:, None]
        sums = torch.zeros_like(centres).index_add_(0, labels, points)
        centres = torch.where(counts > 0, sums / counts.clamp_min(1), centres)
    inertia = (points - centres[labels]).double().square().sum().item()
    return labels, centres, inertia


def by_size(labels: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Labels [n] -> labels by size, and the old numbers in the new order; empty ones are gone."""
    sizes = torch.bincount(labels, minlength=k).tolist()
    numbers = labels.tolist()
    first = {number: place for place, number in reversed(list(enumerate(numbers)))}
    order = sorted(first, key=lambda number: (-sizes[number], first[number]))
    place = torch.zeros(k, dtype=torch.int64)
    place[order] = torch.arange(len(order))
    return place[labels], torch.tensor(order)
