"""Nearest neighbours, exactly, and what follows from them: votes, odd ones, doubles.

    cos(x, y) = x . y / (|x| |y|)

In slices, so that memory grows with the number of features and not with its square. k-NN votes as
in the official `eval/knn.py` (Wu et al. 2018):

    votes[c] = sum over the k nearest neighbours j with label c of exp(cos(x, x_j) / 0.07)
"""

import torch
import torch.nn.functional as F
from torch import Tensor

TEMPERATURE = 0.07
ROWS = 1024  # queries at a time: their similarities to 60 000 features are 246 MB


def nearest(
    queries: Tensor, features: Tensor, k: int, *, themselves: bool = False
) -> tuple[Tensor, Tensor]:
    """[m, D], [n, D] -> the k nearest of n, similarities float32 [m, k] and indices int64 [m, k].

    The most similar first. `themselves`: queries are the features, and none is its own neighbour.
    Fewer than k come back when there are fewer.
    """
    base = F.normalize(features.float(), dim=1)
    ordered = base if queries is features else F.normalize(queries.float(), dim=1)
    k = min(k, len(base) - themselves)
    values = torch.empty(len(ordered), k)
    indices = torch.empty(len(ordered), k, dtype=torch.int64)
    for start in range(0, len(ordered), ROWS):
        similarity = ordered[start : start + ROWS] @ base.T  # [rows, n]
        if themselves:
            own = torch.arange(start, start + len(similarity))
            similarity[own - start, own] = -torch.inf
        found = similarity.topk(k, dim=1)
        values[start : start + ROWS] = found.values
        indices[start : start + ROWS] = found.indices
    return values, indices


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
    ks: tuple[int, ...] = (20,),
    temperature: float = TEMPERATURE,
    center: bool = False,
) -> dict[int, Tensor]:
    """Features [n, D], labels [n], features [m, D] -> for every k the shares of the vote [m, C].

    center  subtract the mean of the training features first; the official evaluation does not
    """
    if center:
        mean = train.float().mean(0)
        train, test = train.float() - mean, test.float() - mean
    similarities, found = nearest(test, train, max(ks))
    return {k: votes(similarities[:, :k], labels[found[:, :k]], classes, temperature) for k in ks}


def recall_at(features: Tensor, labels: Tensor, ks: tuple[int, ...] = (1, 5, 10)) -> list[float]:
    """Share of the features that have one of their own label among their k nearest, for every k."""
    _, found = nearest(features, features, max(ks), themselves=True)
    hits = labels[found] == labels[:, None]  # [n, k]
    return [hits[:, :k].any(1).float().mean().item() for k in ks]


def outlier_scores(features: Tensor, k: int = 10) -> Tensor:
    """[n, D] -> float32 [n]: mean of 1 - cos over the k nearest others, 0 to 2. 0 for one alone."""
    if len(features) < 2:
        return torch.zeros(len(features))
    similarities, _ = nearest(features, features, k, themselves=True)
    return 1 - similarities.mean(1)


def near_duplicates(
    features: Tensor, threshold: float, most: int = 1000
) -> tuple[Tensor, Tensor, int]:
    """Pairs i < j with cos >= threshold: pairs int64 [m, 2], similarities float32 [m], the most
    similar first, at most `most` of them; and how many there are in all."""
    base = F.normalize(features.float(), dim=1)
    pairs, values = torch.empty(0, 2, dtype=torch.int64), torch.empty(0)
    total = 0
    for start in range(0, len(base), ROWS):
        similarity = base[start : start + ROWS] @ base[start:].T  # later ones only
        rows, columns = torch.nonzero((similarity >= threshold).triu(1), as_tuple=True)
        total += len(rows)
        values = torch.cat([values, similarity[rows, columns]])
        pairs = torch.cat([pairs, torch.stack([rows, columns], 1) + start])
        order = values.argsort(descending=True, stable=True)[:most]
        values, pairs = values[order], pairs[order]
    return pairs, values.clamp(max=1), total
