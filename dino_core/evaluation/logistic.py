"""Multinomial logistic regression on frozen features, all folds of a cross-validation at once.

    minimise   sum over i of cross-entropy(W z_i + b, label of i) + |W|^2 / 2C

on z = (x - mean) / scale of a fold's training pictures, one scale for all D (the root of their mean
square), so that one C suits all layers. This is scikit-learn's objective, and has one optimum; what
makes it quick is only the way there:

    together    the folds share most of their pictures, so one product [n, D] x [D, folds * classes]
                gives the logits of all of them; in float32
    conditioned L-BFGS wants a round valley, and features have variances from 1 to 1/10000. In units
                in which X^T X, by one factorisation for all folds, is about the identity the valley
                is round: 20 to 40 steps instead of 200
    stopped     when a step lowers the loss by less than a millionth, which is beyond the digits of
                an accuracy

Nothing is carried over from one set of features to the next: whoever goes on after a stop gets the
same numbers as who was never stopped.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.analysis.threads import limited_threads
from dino_core.evaluation.folds import Fold

CURVATURE = 0.002  # mean p (1 - p) near the optimum, where most pictures are sure of their class
STEPS = 300
SMALLEST_GAIN = 1e-6  # of the loss, by one step
ELEMENTS = 2**25  # logits at a time, 128 MB; more folds than that are fitted one after the other


def logistic(
    features: Tensor, labels: Tensor, folds: Sequence[Fold], classes: int, *, C: float = 1.0
) -> list[Tensor]:
    """Features [n, D], labels [n] -> for each fold the probabilities of its test pictures.

    Each [m, classes], float32, rows sum to 1.
    """
    shares: list[Tensor] = []
    at_once = max(ELEMENTS // (len(features) * classes), 1)
    for start in range(0, len(folds), at_once):
        some = folds[start : start + at_once]
        problem = Regressions(features, labels, some, classes, C)
        weight, bias, _ = problem.solve()
        for i, fold in enumerate(some):
            logits = features[fold.test].float() @ weight[i].T + bias[i]
            shares.append(logits.softmax(1))
    return shares


class Regressions:
    """One regression for each fold, in units in which they are easy to solve.

    Of each fold z = (x - mean) / scale, and z W^T = (x - mean) T V / scale, where T [D, D] holds
    the directions of X^T X, each divided by the square root of how fast the loss is expected to
    curve along it. V [D, folds, classes] and the offsets [folds, classes] are what L-BFGS sees.
    """

    def __init__(
        self, features: Tensor, labels: Tensor, folds: Sequence[Fold], classes: int, C: float
    ) -> None:
        rows = torch.cat([fold.train for fold in folds]).unique()
        x = features[rows].float()
        self.centre = x.mean(0)
        x = x - self.centre  # nothing changes, and the sums below lose fewer digits
        learns = torch.stack([torch.isin(rows, fold.train) for fold in folds], 1).float()
        counts = learns.sum(0)  # [folds]
        self.means = (learns.T @ x) / counts[:, None]  # [folds, D]
        power = (learns.T @ x.square().sum(1)) / counts - self.means.square().sum(1)
        self.scale = (power / x.shape[1]).clamp_min(1e-24).sqrt()  # [folds]

        values, directions = torch.linalg.eigh(x.T @ x)
        # As much of the spectrum as a fold sees, in its units.
        values = values.clamp_min(0) * (counts.mean() / len(x)) / self.scale.square().mean()
        units = (CURVATURE * values + 1 / C).rsqrt()  # [D]
        self.basis = directions * units  # T
        self.penalty = (units.square() / C)[:, None, None]
        self.bias_unit = (CURVATURE * counts).rsqrt()[:, None]
        self.x = x @ self.basis  # [n, D]
        self.shift = self.means @ self.basis  # [folds, D]
        self.learns = learns[:, :, None]  # [n, folds, 1]
        self.targets = F.one_hot(labels[rows], classes)[:, None].float() * self.learns
        self.shape = (x.shape[1], len(folds), classes)

    def split(self, flat: np.ndarray) -> tuple[Tensor, Tensor]:
        """One vector of float64 -> V [D, folds, classes], offsets [folds, classes]."""
        values = torch.from_numpy(flat).float()
        count = self.shape[0] * self.shape[1] * self.shape[2]
        return values[:count].view(self.shape), values[count:].view(self.shape[1:])

    def loss(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """The sum of all folds' objectives, and its gradient."""
        V, offsets = self.split(flat)
        scale = self.scale[:, None]  # [folds, 1]
        constant = offsets * self.bias_unit - torch.einsum("fd,dfc->fc", self.shift, V) / scale
        logits = (self.x @ V.flatten(1)).view(len(self.x), *self.shape[1:]) / scale + constant
        log_shares = logits.log_softmax(2)  # [n, folds, classes]
        value = (self.penalty * V.square()).sum(dtype=torch.float64) / 2
        value = value - (log_shares * self.targets).sum(dtype=torch.float64)

        error = log_shares.exp_().mul_(self.learns).sub_(self.targets)
        total = error.sum(0)  # [folds, classes]
        slope = (self.x.T @ error.flatten(1)).view(self.shape)
        slope = (slope - self.shift.T[:, :, None] * total) / scale + self.penalty * V
        gradient = torch.cat([slope.flatten(), (total * self.bias_unit).flatten()])
        return value.item(), gradient.double().numpy()

    def solve(self) -> tuple[Tensor, Tensor, float]:
        """Weights [folds, classes, D] and biases [folds, classes] for the features as they came,
        and the sum of the objectives."""
        from scipy.optimize import minimize

        D, folds, classes = self.shape
        start = np.zeros((D + 1) * folds * classes)
        options = {"maxiter": STEPS, "ftol": SMALLEST_GAIN, "gtol": 0.0}
        with limited_threads(1, of="blas"):  # SciPy's part is small: torch has the threads
            found = minimize(self.loss, start, jac=True, method="L-BFGS-B", options=options)
        V, offsets = self.split(found.x)
        weight = torch.einsum("ed,dfc->fce", self.basis, V) / self.scale[:, None, None]
        centres = self.means + self.centre  # [folds, D]
        bias = offsets * self.bias_unit - torch.einsum("fce,fe->fc", weight, centres)
        return weight, bias, float(found.fun)


def sklearn_logistic(
    train: Tensor,
    labels: Tensor,
    test: Tensor,
    classes: int,
    *,
    C: float = 1.0,
    tolerance: float = 1e-4,
    steps: int = 1000,
) -> Tensor:
    """scikit-learn's LogisticRegression on the features as they are -> probabilities [m, classes].

    Float64: with a tolerance of 1e-12 float32 would stop for want of digits.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, max_iter=steps, tol=tolerance)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that `steps` were not enough
        model.fit(train.double().numpy(), labels.numpy())
        found = model.predict_proba(test.double().numpy())
    shares = np.zeros((len(test), classes))
    shares[:, model.classes_] = found
    return torch.from_numpy(shares)
