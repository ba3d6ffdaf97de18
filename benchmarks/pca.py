"""One PCA over 16 pictures of 518 px, beside scikit-learn's, both to three components."""

from collections.abc import Iterator

import numpy as np
import torch
from sklearn.decomposition import PCA

from benchmarks.results import Result
from benchmarks.timing import race
from dino_core.analysis.pca import fit_pca


def run(quick: bool) -> Iterator[Result]:
    pictures = 2 if quick else 16
    n, D = pictures * 37 * 37, 384
    generator = torch.Generator().manual_seed(0)
    strength = 10 / torch.arange(1, D + 1)  # a spectrum that falls, as that of features does
    mixing = torch.linalg.qr(torch.randn(D, D, generator=generator)).Q
    features = (torch.randn(n, D, generator=generator) * strength) @ mixing  # [n, D]
    array = features.numpy()

    ours = fit_pca(features).project(features).numpy()
    theirs = PCA(3).fit_transform(array)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), rtol=0, atol=0.02)  # signs are free

    times = race(
        {
            "ours": lambda: fit_pca(features).project(features),
            "scikit-learn": lambda: PCA(3).fit_transform(array),
        },
        seconds=2 if quick else 20,
    )
    yield Result(
        name=f"{pictures} pictures, {n} x {D} to 3",
        value=times.ratio("ours", "scikit-learn"),
        unit="of scikit-learn",
        at_most=0.9,
        note=times.note("ours", "scikit-learn"),
    )
