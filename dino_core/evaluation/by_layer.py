"""What k-NN reads off every layer: whether another one of the same weights would do better.

An accuracy is of one layer, the last. A model that reads "72 % wrong" there may know more two
layers earlier, and that is said beside it. The best of many is chosen on the test pictures
themselves, so it flatters a little; layers count from 0.
"""

from typing import Any

import torch

from dino_core.embedding.embed import HasFeatures
from dino_core.evaluation.knn import FEATURES, NEIGHBOURS, near_of, votes_of

TITLES = {
    "cls": "class token",
    "mean_patch": "mean patch",
    "both": "class token and mean patch",
}


def accuracy_by_layer(
    train: HasFeatures, test: HasFeatures, labels: torch.Tensor, truth: torch.Tensor
) -> dict[str, Any]:
    """Accuracy of 20-NN, 0 to 1, of T layers by kind of features; and which is the best.

    Features of every layer must be there. Of equals the first layer is the best.
    """
    stacks = [torch.from_numpy(one.array("layers")) for one in (train, test)]  # [n, T, 2, D] each
    classes, accuracies = len(train.pictures.classes), []
    for layer in range(stacks[0].shape[1]):
        of_layer = {}
        for kind in FEATURES:
            x, y = (
                part.flatten(1) if kind == "both" else part[:, FEATURES.index(kind)]
                for part in (stack[:, layer].float() for stack in stacks)
            )
            shares = votes_of(near_of(y, x, NEIGHBOURS), labels, classes, NEIGHBOURS)
            of_layer[kind] = (shares.argmax(1) == truth).double().mean().item()
        accuracies.append(of_layer)
    every = [(a, layer, kind) for layer, of in enumerate(accuracies) for kind, a in of.items()]
    accuracy, layer, kind = max(every, key=lambda one: one[0])
    best = {"layer": layer, "features": kind, "accuracy": accuracy}
    return {"k": NEIGHBOURS, "accuracy": accuracies, "best": best}


def best_sentence(found: dict[str, Any]) -> str:
    """ "best at layer 7: 41.0 % (20-NN on the mean patch)"."""
    best = found["best"]
    how = f"{found['k']}-NN on the {TITLES[best['features']]}"
    return f"best at layer {best['layer']}: {100 * best['accuracy']:.1f} % ({how})"
