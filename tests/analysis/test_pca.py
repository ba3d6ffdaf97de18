import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import median_filter
from sklearn.decomposition import PCA as SklearnPCA  # noqa: N811
from torch import Tensor

from dino_core.analysis.pca import (
    border_patches,
    colour_features,
    fit_pca,
    largest_eigenvectors,
    median3,
    split_foreground,
)
from dino_core.config import PCA_PRESETS, PCAConfig

ALL = PCA_PRESETS["all-patches"]


def correlated(n: int, D: int, seed: int = 0) -> Tensor:
    """Features of very different variances, far from the origin, as real ones are."""
    generator = torch.Generator().manual_seed(seed)
    scales = torch.logspace(1, -1, D)
    turn = torch.linalg.qr(torch.randn(D, D, generator=generator)).Q
    return torch.randn(n, D, generator=generator) * scales @ turn + 5


def object_on_ground(grid: tuple[int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    """Features [P, 16] with an object in the middle, and where it is: bool [h, w]."""
    h, w = grid
    inside = torch.zeros(h, w, dtype=torch.bool)
    inside[h // 4 : h * 3 // 4, w // 4 : w * 3 // 4] = True
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(h * w, 16, generator=generator)
    features[:, 0] += 20 * inside.flatten()
    features[:, 1] += torch.linspace(-6, 6, h * w) * inside.flatten()  # the parts of the object
    return features, inside


@pytest.mark.parametrize(("n", "D", "k"), [(300, 40, 5), (30, 60, 3), (5000, 8, 8)])
def test_equals_sklearn(n: int, D: int, k: int) -> None:
    features = correlated(n, D)
    theirs = SklearnPCA(k, svd_solver="full").fit(features.double().numpy())
    ours = fit_pca(features, k)
    signs = np.sign((ours.components.numpy() * theirs.components_).sum(1))[:, None]
    np.testing.assert_allclose(ours.components, signs * theirs.components_, atol=2e-4)
    variance = theirs.explained_variance_
    np.testing.assert_allclose(ours.variance, variance, rtol=1e-4, atol=1e-7 * variance[0])
    np.testing.assert_allclose(ours.ratio, theirs.explained_variance_ratio_, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(ours.mean, theirs.mean_, rtol=1e-5)
    expected = theirs.transform(features.numpy()) * signs.T
    np.testing.assert_allclose(ours.project(features), expected, atol=1e-3 * np.abs(expected).max())
    whitened = ours.project(features, whiten=True)
    np.testing.assert_allclose(whitened.std(0), np.ones(k), rtol=1e-3)


def test_components_are_orthonormal_and_at_most_as_many_as_channels() -> None:
    pca = fit_pca(correlated(50, 4), 9)
    np.testing.assert_allclose(pca.components @ pca.components.T, np.eye(4), atol=1e-6)
    assert pca.ratio.sum().item() == pytest.approx(1)


def test_signs_do_not_depend_on_the_features_signs_or_order() -> None:
    features = correlated(200, 12)
    pca = fit_pca(features)
    assert (pca.components.gather(1, pca.components.abs().argmax(1, keepdim=True)) > 0).all()
    order = torch.randperm(200, generator=torch.Generator().manual_seed(0))
    for other in (features[order], -features):
        torch.testing.assert_close(fit_pca(other).components, pca.components, rtol=0, atol=1e-4)


def test_joint_pca_is_the_pca_of_all_patches_together() -> None:
    grids = [(6, 8), (5, 3)]
    features = [object_on_ground(grid, seed)[0] for seed, grid in enumerate(grids)]
    joint = colour_features(features, grids, ALL)
    pca = fit_pca(torch.cat(features))
    torch.testing.assert_close(joint.pca.components, pca.components)
    scores = pca.project(torch.cat(features))
    low, high = scores.amin(0), scores.amax(0)
    for picture, part, (h, w) in zip(
        joint.pictures, ((scores - low) / (high - low)).split([48, 15]), grids, strict=True
    ):
        assert picture.colours.shape == (h, w, 3)
        torch.testing.assert_close(picture.colours, part.reshape(h, w, 3), rtol=0, atol=1e-5)
        assert picture.foreground.all()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("preset", ["paper", "dinov2-notebook", "dinov3-notebook"])
def test_the_object_is_found_whatever_the_sign(preset: str, sign: int) -> None:
    features, inside = object_on_ground((16, 20))
    view = colour_features([sign * features], [(16, 20)], PCA_PRESETS[preset]).pictures[0]
    if preset == "dinov3-notebook":  # the median rounds the object's four corners off
        assert (view.foreground ^ inside).sum() == 4
    else:
        assert torch.equal(view.foreground, inside)
    assert (view.colours[~view.foreground] == 0).all()
    assert ((view.colours >= 0) & (view.colours <= 1)).all()
    assert (view.first[view.foreground] > 0).all()


def test_the_whole_border_decides_and_not_its_corners() -> None:
    features, inside = object_on_ground((16, 20))
    for row, column in ((0, 0), (0, 19), (15, 0), (15, 19)):  # pieces of the object lie there
        features[row * 20 + column, 0] += 20
        inside[row, column] = True
    view = colour_features([features], [(16, 20)], PCAConfig()).pictures[0]
    assert torch.equal(view.foreground, inside)


def test_second_pca_is_of_the_foreground_alone() -> None:
    features, inside = object_on_ground((16, 20))
    result = colour_features([features], [(16, 20)], PCAConfig())
    again = fit_pca(features[inside.flatten()])
    torch.testing.assert_close(result.pca.components, again.components)
    scores = again.project(features).reshape(16, 20, 3)
    torch.testing.assert_close(result.pictures[0].scores, scores)
    low, high = scores[inside].amin(0), scores[inside].amax(0)
    colours = (scores[inside] - low) / (high - low)
    torch.testing.assert_close(result.pictures[0].colours[inside], colours)
    assert abs(result.pca.components[0, 1]) > 0.9  # the direction of the object's parts


def test_flip_takes_the_other_side() -> None:
    features, inside = object_on_ground((16, 20))
    view = colour_features([features], [(16, 20)], PCAConfig(flip=True)).pictures[0]
    assert torch.equal(view.foreground, ~inside)


@pytest.mark.parametrize("grid", [(2, 6), (6, 2), (1, 12)])
def test_where_all_patches_lie_along_the_border_rounding_decides_nothing(
    grid: tuple[int, int],
) -> None:
    """The mean over all of them is 0, whose sign is that of its rounding."""
    features = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    score = fit_pca(features, 1).project(features)[:, 0]
    found, other = (
        [
            colour_features([part], [grid], PCAConfig(flip=flip)).pictures[0].foreground.flatten()
            for part in (features, features * 3, features + 7, features.roll(1, 0).roll(-1, 0))
        ]
        for flip in (False, True)
    )
    for one, two in zip(found, other, strict=True):
        assert torch.equal(one, score > 0)
        assert torch.equal(two, score < 0)


def test_threshold_is_in_standard_deviations() -> None:
    features, _ = object_on_ground((16, 20))
    first = fit_pca(features, 1).project(features)[:, 0]
    first = first / first.std()
    for threshold in (-0.5, 0.4, 1.0):
        view = colour_features([features], [(16, 20)], PCAConfig(threshold=threshold)).pictures[0]
        kept = first > threshold if view.first.flatten() @ first > 0 else -first > threshold
        assert torch.equal(view.foreground.flatten(), kept)


def test_whitened_sigmoid_colours_and_chosen_components() -> None:
    features = correlated(48, 10)
    config = replace(ALL, whiten=True, colours="sigmoid", components=(3, 0, 1))
    view = colour_features([features], [(6, 8)], config).pictures[0]
    scores = SklearnPCA(4, whiten=True, svd_solver="full").fit_transform(features.double().numpy())
    expected = 1 / (1 + np.exp(-2 * scores[:, [3, 0, 1]]))
    ours = view.colours.reshape(48, 3).numpy()
    for channel in range(3):  # a sign turns s into 1 - s
        best = min(
            np.abs(ours[:, channel] - e).max()
            for e in (expected[:, channel], 1 - expected[:, channel])
        )
        assert best < 1e-3


def test_presets_as_published() -> None:
    assert PCA_PRESETS["dinov2-notebook"].threshold == 0.05
    assert PCA_PRESETS["dinov2-notebook"].short_side == 448
    v3 = PCA_PRESETS["dinov3-notebook"]
    assert (v3.median, v3.whiten, v3.colours, v3.short_side) == (True, True, "sigmoid", 768)
    assert not ALL.foreground


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 5)])
def test_median_against_scipy(shape: tuple[int, int]) -> None:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    expected = median_filter(values.numpy(), 3, mode="nearest")
    np.testing.assert_array_equal(median3(values).reshape(shape), expected)


def test_border() -> None:
    assert border_patches((3, 4)).tolist() == [True] * 5 + [False] * 2 + [True] * 5
    assert border_patches((2, 2)).all()
    assert border_patches((1, 5)).all()


def test_too_few_foreground_patches_are_said_and_all_are_kept() -> None:
    features, _ = object_on_ground((8, 8))
    result = colour_features([features], [(8, 8)], PCAConfig(threshold=50.0))
    assert result.pictures[0].foreground.all()
    assert "Too few foreground" in result.note
    assert colour_features([features], [(8, 8)], PCAConfig()).note == ""


def test_one_patch_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 patches"):
        colour_features([torch.ones(1, 8)], [(1, 1)], ALL)


@pytest.mark.parametrize("preset", list(PCA_PRESETS))
@pytest.mark.parametrize("grid", [(1, 2), (2, 2), (5, 6)])
def test_constant_features_give_finite_colours(preset: str, grid: tuple[int, int]) -> None:
    features = torch.full((grid[0] * grid[1], 6), 0.3)
    result = colour_features([features], [grid], PCA_PRESETS[preset])
    assert result.pictures[0].colours.isfinite().all()
    assert result.pca.ratio.tolist() == [0, 0, 0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_refused_in_words(bad: float) -> None:
    features = correlated(30, 6)
    features[4, 2] = bad
    with pytest.raises(ValueError, match="not a number"):
        colour_features([features], [(5, 6)], PCAConfig())


def test_bfloat16_features_are_analysed_in_float32() -> None:
    features = correlated(120, 12).bfloat16()
    rough = colour_features([features], [(10, 12)], ALL)
    exact = colour_features([features.float()], [(10, 12)], ALL)
    assert torch.equal(rough.pictures[0].colours, exact.pictures[0].colours)


def test_eigenvectors_are_the_same_whoever_computes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.linalg

    drawn = torch.randn(40, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix = drawn.T @ drawn
    values, vectors = largest_eigenvectors(matrix, 3)
    assert scipy.linalg
    monkeypatch.delitem(sys.modules, "scipy.linalg")
    others, other_vectors = largest_eigenvectors(matrix, 3)
    torch.testing.assert_close(values, others)
    torch.testing.assert_close((vectors * other_vectors).sum(0).abs(), torch.ones(3).double())
    torch.testing.assert_close(matrix @ other_vectors, other_vectors * others)
    upper = matrix.triu() + 7 * torch.ones(12, 12, dtype=torch.float64).tril(-1)
    torch.testing.assert_close(largest_eigenvectors(upper, 3)[0], values)
    sys.modules["scipy.linalg"] = scipy.linalg
    torch.testing.assert_close(largest_eigenvectors(upper, 3)[0], values)


def test_where_all_patches_lie_along_the_border_nothing_is_turned() -> None:
    """Their mean is 0 but for a rounding, which would turn the colours of one machine alone."""
    grids, config = [(2, 3)], replace(PCA_PRESETS["paper"], median=False)
    for rounding in (1e-6, -1e-6):
        score = torch.tensor([-3.0, -1, 0, 0, 1, 3]) + rounding
        turned, _ = split_foreground(score, grids, replace(config, flip=False))
        assert torch.equal(turned, score)
        flipped, _ = split_foreground(score, grids, replace(config, flip=True))
        assert torch.equal(flipped, -score)
    inside = torch.tensor([1.0] * 4 + [-8] + [1] * 4)  # 3 x 3: the border is the background
    assert torch.equal(split_foreground(inside, [(3, 3)], config)[0], -inside)
