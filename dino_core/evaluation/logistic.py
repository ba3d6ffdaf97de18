"""Multinomial logistic regression on frozen features."""

import warnings

import numpy as np
import torch
from torch import Tensor


def logistic(
    train: Tensor, labels: Tensor, test: Tensor, classes: int, C: float = 1.0, steps: int = 200
) -> Tensor:
    """Multinomial logistic regression -> probabilities [m, classes].

        minimise   sum over i of cross-entropy(W x_i + b, label of i) + |W|^2 / 2C

    scikit-learn's objective with C, on features that are centred and divided by one number, the
    root of their mean square, so that one C suits all layers. The same L-BFGS, at most `steps`
    steps, without what scikit-learn checks each time: probes are many and small.
    """
    from scipy.optimize import minimize

    mean = train.mean(0)
    scale = (train - mean).square().mean().sqrt().clamp_min(1e-12)
    x, y = (((one - mean) / scale).double().numpy() for one in (train, test))
    D = x.shape[1]
    wanted = np.eye(classes)[labels.numpy()]  # [n, classes]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight, bias = flat[:-classes].reshape(classes, D), flat[-classes:]
        logits = x @ weight.T + bias
        logits -= logits.max(1, keepdims=True)
        shares = np.exp(logits)
        totals = shares.sum(1, keepdims=True)
        value = np.log(totals).sum() - (logits * wanted).sum() + (weight**2).sum() / (2 * C)
        error = shares / totals - wanted
        slope = error.T @ x + weight / C
        return value, np.concatenate([slope.ravel(), error.sum(0)])

    options = {"maxiter": steps, "gtol": 1e-4, "ftol": 1e-9}
    start = np.zeros(classes * (D + 1))
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    weight, bias = best[:-classes].reshape(classes, D), best[-classes:]
    logits = torch.from_numpy(y @ weight.T + bias)
    return logits.softmax(1).float()


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
