"""The probes of a gallery: seconds for all layers, and our regressions beside scikit-learn's.

Twelve layers, three kinds of features, k-NN and logistic regression, five folds, as a gallery's
process judges them. Features are drawn, with what matters for the time they take: a long tail of
variances, and classes that overlap. The peer fits each fold by itself on the same features in the
same run, scikit-learn's LogisticRegression as it comes, which stops a little earlier.
"""

import time
import warnings
from collections.abc import Iterator

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from benchmarks.results import Result
from benchmarks.timing import race
from dino_core.evaluation.folds import Fold, folds_of
from dino_core.evaluation.logistic import logistic
from dino_core.evaluation.probes import probe

LAYERS, WIDTH, CLASSES = 12, 384, 10


def run(quick: bool) -> Iterator[Result]:
    yield against_scikit_learn(200 if quick else 1000, seconds=1 if quick else 30)
    if quick:
        yield from all_layers(200, layers=1, at_most=20)
    else:
        yield from all_layers(1000, LAYERS, at_most=20)
        yield from all_layers(10_000, LAYERS, at_most=120)


def against_scikit_learn(n: int, seconds: float) -> Result:
    x, labels = layer_of(n)
    folds = five_folds(labels)

    def peer() -> list[Tensor]:
        return [scikit_learn(x, labels, fold) for fold in folds]

    def ours() -> list[Tensor]:
        return logistic(x, labels, folds, CLASSES)

    shares = [torch.cat(make()) for make in (ours, peer)]
    different = (shares[0].argmax(1) != shares[1].argmax(1)).float().mean().item()
    times = race({"ours": ours, "peer": peer}, seconds)
    return Result(
        name=f"five folds of {n} x {WIDTH}, {CLASSES} classes",
        value=times.ratio("ours", "peer"),
        unit="of scikit-learn",
        at_most=1,
        note=f"{times.note('ours', 'peer')}; {100 * different:.1f} % answer otherwise",
    )


def all_layers(n: int, layers: int, at_most: float) -> Iterator[Result]:
    """Seconds of every probe of a gallery, and until the first one is there."""
    first = 0.0
    spent = 0.0
    for layer in range(layers):
        cls, labels = layer_of(n, seed=2 * layer)
        mean_patch = layer_of(n, seed=2 * layer, noise=2 * layer + 1)[0]
        folds = five_folds(labels)
        for x in (cls, mean_patch, torch.cat([cls, mean_patch], 1)):
            for method in ("knn", "logistic"):
                start = time.perf_counter()
                probe(x, labels, folds, CLASSES, method)
                spent += time.perf_counter() - start
            first = first or spent
    many = f"{n:,}".replace(",", " ")
    yield Result(f"first probes of {many} pictures", first, "s", at_most=2)
    yield Result(f"{layers} layers of {many} pictures", spent, "s", at_most=at_most)


def five_folds(labels: Tensor) -> list[Fold]:
    return folds_of(labels.tolist(), None, torch.Generator().manual_seed(0))


def layer_of(n: int, seed: int = 0, noise: int = 0) -> tuple[Tensor, Tensor]:
    """Features [n, WIDTH] and labels [n]; the same classes lie elsewhere with another seed."""
    labels = torch.arange(n) % CLASSES
    draw = torch.Generator().manual_seed(1 + seed)
    turn = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=draw)).Q
    centres = 0.45 * torch.randn(CLASSES, WIDTH, generator=draw)
    scatter = torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(1000 + seed + noise))
    spread = torch.arange(1, WIDTH + 1) ** -0.7
    return (centres[labels] + scatter) * spread @ turn + 0.5, labels


def scikit_learn(x: Tensor, labels: Tensor, fold: Fold) -> Tensor:
    """What a person would write: probabilities of the test pictures."""
    mean = x[fold.train].mean(0)
    z = ((x - mean) / (x[fold.train] - mean).square().mean().sqrt()).numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the steps were not enough
        model = LogisticRegression(max_iter=1000).fit(z[fold.train], labels[fold.train].numpy())
    return torch.from_numpy(model.predict_proba(z[fold.test]))
