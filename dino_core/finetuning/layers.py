"""What simple classifiers read off each layer of the backbone that a fine-tuning begins with.

A test says how well one set of weights does with these pictures. Whether another layer of the same
weights would have done better stands in layers.json, beside the test:

    accuracy, low, high  [T][3][2], 0 to 1: layer; one of FEATURES; one of CLASSIFIERS
    chance               what always naming the commonest class scores
    pictures             test pictures that were judged
    words                how, in a sentence

The classifiers learn from the training pictures and are judged on the test pictures of the run, as
the probes of a gallery are that has such parts.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dino_core.embedding.embed import LayerFeatures
from dino_core.evaluation.by_layer import TITLES
from dino_core.evaluation.folds import Fold
from dino_core.evaluation.knn import FEATURES
from dino_core.evaluation.probes import CLASSIFIERS, probe
from dino_core.jobs import read_json
from dino_core.runs.folder import RunFolder, write_json

FILE = "layers.json"
WORDS = {**TITLES, "knn": "k-NN", "logistic": "logistic regression"}


def is_judged(run: RunFolder) -> bool:
    return read_json(run.path / FILE) is not None


def judge_layers(
    run: RunFolder,
    learned: LayerFeatures,
    tested: LayerFeatures,
    classes: int,
    *,
    watch: Callable[[int], None] = lambda layer: None,
) -> None:
    """Writes layers.json. `watch` is called before each layer, and may raise to stop."""
    n, m = len(learned.labels), len(tested.labels)
    labels = torch.cat([learned.labels, tested.labels])
    fold = Fold(torch.arange(n), torch.arange(n, n + m))
    accuracy, low, high = [], [], []
    for layer in range(learned.values.shape[1]):
        watch(layer)
        both = torch.cat([learned.values[:, layer], tested.values[:, layer]]).float()  # [n+m, 2, D]
        found = [
            [probe(_of_kind(both, kind), labels, [fold], classes, method) for method in CLASSIFIERS]
            for kind in FEATURES
        ]
        accuracy.append([[one.accuracy for one in row] for row in found])
        low.append([[one.interval[0] for one in row] for row in found])
        high.append([[one.interval[1] for one in row] for row in found])
    words = (
        f"Judged: {m:,} test pictures, by what {n:,} training pictures taught; the backbone as it "
        f"came."
    )
    chance = labels[n:].bincount().max().item() / m
    facts = {"chance": chance, "pictures": m, "words": words}
    write_json(run.path / FILE, {"accuracy": accuracy, "low": low, "high": high, **facts})


def _of_kind(both: Tensor, kind: str) -> Tensor:
    """[n, 2, D] -> [n, D], or [n, 2 D] of both."""
    return both.flatten(1) if kind == "both" else both[:, FEATURES.index(kind)]


def best_sentence(run: RunFolder) -> str:
    """ "best at layer 7: 41.0 % (k-NN on the mean patch)"; "" where nothing was judged."""
    values = read_json(run.path / FILE)
    if values is None:
        return ""
    layer, features, classifier, accuracy = best_layer(values)
    how = f"{WORDS[classifier]} on the {WORDS[features]}"
    return f"best at layer {layer}: {100 * accuracy:.1f} % ({how})"


def best_layer(values: dict[str, Any]) -> tuple[int, str, str, float]:
    """layers.json -> (layer, features, classifier, accuracy) of the best, the first of equals."""
    every = [
        (layer, features, classifier, accuracy)
        for layer, of_layer in enumerate(values["accuracy"])
        for features, of_features in zip(FEATURES, of_layer, strict=True)
        for classifier, accuracy in zip(CLASSIFIERS, of_features, strict=True)
    ]
    return max(every, key=lambda one: one[3])
