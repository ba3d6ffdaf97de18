"""Linear classifiers on frozen features: the grid of the official evaluation, without its crops.

Official file: `eval/linear.py`. Inputs: the class tokens of the last 1 or 4 blocks, with or without
the mean patch of the last one; 13 learning rates each; SGD with momentum 0.9, no weight decay,
cosine to 0, batches of 128, weights from N(0, 0.01). The best of the 52 is chosen.

Two things differ, and both make the figure a little lower: features are computed once, from the
middle of each picture (officially every epoch sees new random crops), and the choice is made on a
tenth of the training pictures (officially on the very pictures that are reported).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

RATES = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1)
BATCH = 128
EPOCHS = 10  # officially 10 times 1250 batches of 128 on each GPU, whatever the data
STEPS = 12_500
HELD_OUT = 10  # one of so many chooses


@dataclass(frozen=True)
class Candidate:
    """One classifier of the grid."""

    blocks: int  # class tokens of the last so many
    mean_patch: bool  # with the mean patch of the last one
    rate: float  # before it is scaled by the batch size
    accuracy: float  # on the held-out training pictures


def linear_input(layers: Tensor, blocks: int, mean_patch: bool) -> Tensor:
    """[n, T, 2, D] -> float32 [n, blocks * D (+ D)]."""
    parts = [layers[:, -blocks:, 0].flatten(1)]  # [n, blocks, D] -> [n, blocks * D]
    return torch.cat([*parts, layers[:, -1, 1]] if mean_patch else parts, 1).float()


def linear_probe(
    train: Tensor,
    labels: Tensor,
    test: Tensor,
    classes: int,
    generator: torch.Generator,
    *,
    steps: int = STEPS,
    watch: Callable[[float], None] = lambda share: None,
) -> tuple[Tensor, Candidate]:
    """Layers [n, T, 2, D], labels [n], layers [m, T, 2, D] -> [m, classes], the winner."""
    order = torch.randperm(len(labels), generator=generator)
    held, rest = order[: len(order) // HELD_OUT], order[len(order) // HELD_OUT :]
    if len(held) == 0:
        held = rest
    best: tuple[Candidate, Tensor] | None = None
    grid = [(blocks, mean) for blocks in (1, 4) for mean in (False, True)]
    grid = [one for one in grid if one[0] <= train.shape[1]]
    for number, (blocks, mean_patch) in enumerate(grid):
        x = linear_input(train, blocks, mean_patch)
        weight, bias = train_rates(x[rest], labels[rest], classes, generator, steps)
        scores = accuracies(x[held], labels[held], weight, bias)  # [13]
        at = int(scores.argmax())
        if best is None or scores[at] > best[0].accuracy:
            y = linear_input(test, blocks, mean_patch)
            logits = y @ weight[at].T + bias[at]
            found = Candidate(blocks, mean_patch, RATES[at], scores[at].item())
            best = found, logits.softmax(1)
        watch((number + 1) / len(grid))
    assert best is not None
    return best[1], best[0]


def train_rates(
    features: Tensor, labels: Tensor, classes: int, generator: torch.Generator, steps: int
) -> tuple[Tensor, Tensor]:
    """All learning rates at once, which see the same batches: weights [13, Y, F], and biases.

    Biases are [13, Y]. At most EPOCHS times through the pictures. The gradient of the mean
    cross-entropy of a linear map is (softmax - one hot)^T x / B.
    """
    n, width = features.shape
    rates = torch.tensor(RATES).mul(BATCH / 256).view(-1, 1, 1)  # scaled as officially
    steps = min(steps, -(-n * EPOCHS // BATCH))
    weight = 0.01 * torch.randn(1, classes, width, generator=generator)
    weight = weight.repeat(len(RATES), 1, 1)
    bias = torch.zeros(len(RATES), classes)
    moments = [torch.zeros_like(weight), torch.zeros_like(bias)]
    order = torch.empty(0, dtype=torch.int64)
    for step in range(steps):
        if len(order) < min(BATCH, n):
            order = torch.cat([order, torch.randperm(n, generator=generator)])
        chosen, order = order[:BATCH], order[BATCH:]
        x, target = features[chosen], F.one_hot(labels[chosen], classes)
        # [B, F] with [13 * Y, F] -> [B, 13, Y]
        logits = (x @ weight.flatten(0, 1).T).unflatten(1, bias.shape) + bias
        error = (logits.softmax(2) - target[:, None]) / len(chosen)
        gradients = (error.flatten(1).T @ x).unflatten(0, bias.shape), error.sum(0)
        cosine = 0.5 * (1 + torch.cos(torch.tensor(step / steps * torch.pi)))
        for parameter, moment, gradient in zip((weight, bias), moments, gradients, strict=True):
            moment.mul_(0.9).add_(gradient)
            rate = rates if parameter.ndim == 3 else rates[:, 0]
            parameter.sub_(cosine * rate * moment)
    return weight, bias


def accuracies(features: Tensor, labels: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """[n, F], [n], [13, Y, F], [13, Y] -> [13], 0 to 1."""
    hits = [
        (features @ w.T + b).argmax(1).eq(labels).float().mean()
        for w, b in zip(weight, bias, strict=True)
    ]
    return torch.stack(hits)
