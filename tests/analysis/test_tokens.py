import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from dino_core.analysis.inspection import Inspection, inspect
from dino_core.analysis.outliers import find_outliers
from dino_core.analysis.tokens import (
    filter_components,
    neighbour_cosines,
    offset_effect,
    ordinary_patches,
    patch_embeddings,
    position_tables,
    register_cosines,
    relative_updates,
    sampling_places,
    stream_norms,
)
from dino_core.config import ViTConfig
from dino_core.vit import VisionTransformer

PLAIN = ViTConfig(dim=24, depth=3, heads=3, image_size=112)  # 8 x 8 positions, offset 0.1
REGISTERS = replace(PLAIN, registers=2, position_offset=0.0, position_antialias=True)


def tiny_vit(config: ViTConfig) -> VisionTransformer:
    """In float64, every parameter random: no zero or 1e-6 hides a mistake."""
    vit = VisionTransformer(config).requires_grad_(False).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in vit.parameters():
        parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return vit.double()


def see(config: ViTConfig, rows: int = 3, columns: int = 5) -> tuple[VisionTransformer, Inspection]:
    vit = tiny_vit(config)
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(3, 14 * rows, 14 * columns, generator=generator, dtype=torch.float64)
    return vit, inspect(vit, image)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def length(values: Tensor) -> float:
    return math.sqrt(sum(float(value) ** 2 for value in values))


def cosine(a: Tensor, b: Tensor) -> float:
    dot = sum(float(x) * float(y) for x, y in zip(a, b, strict=True))
    return dot / (length(a) * length(b))


# --- patches


def test_filter_components_are_those_of_scikit_learn() -> None:
    weight = random(40, 3, 4, 4) * torch.linspace(0.1, 2, 48).double().reshape(3, 4, 4)
    found = filter_components(weight, 5)
    peer = PCA(5, svd_solver="full").fit(weight.flatten(1).numpy())
    assert found.filters.shape == (5, 3, 4, 4)
    np.testing.assert_allclose(found.ratio.numpy(), peer.explained_variance_ratio_, rtol=1e-4)
    for ours, theirs in zip(found.filters.flatten(1).numpy(), peer.components_, strict=True):
        sign = np.sign(theirs[np.abs(theirs).argmax()])  # ours: the largest entry is positive
        np.testing.assert_allclose(ours, sign * theirs, atol=2e-4)


@pytest.mark.parametrize("config", [PLAIN, REGISTERS])
def test_patch_embeddings_are_filter_times_pixels_plus_bias(config: ViTConfig) -> None:
    vit = tiny_vit(config)
    image = random(3, 42, 70, seed=1)
    found = patch_embeddings(vit, inspect(vit, image))
    assert found.shape == (15, 24)
    weight, bias = vit.patch_embed.proj.weight, vit.patch_embed.proj.bias
    for row in range(3):
        for column in range(5):
            patch = image[:, 14 * row : 14 * row + 14, 14 * column : 14 * column + 14]
            for k in (0, 7, 23):
                expected = float((weight[k] * patch).sum() + bias[k])
                # Positions are interpolated in float32, whatever the model's precision.
                assert found[5 * row + column, k].item() == pytest.approx(expected, abs=1e-6)


# --- positions


@pytest.mark.parametrize("config", [PLAIN, REGISTERS])
def test_given_positions_are_what_the_model_adds(config: ViTConfig) -> None:
    vit, seen = see(config)
    learned, given = position_tables(vit, (3, 5))
    assert torch.equal(learned[2, 7], vit.pos_embed[0, 1 + 2 * 8 + 7])
    black = torch.zeros(1, 3, 42, 70, dtype=torch.float64)
    added = vit.embed(black)[0, seen.first_patch :] - vit.patch_embed.proj.bias
    torch.testing.assert_close(given.flatten(0, 1), added)


def ramp_model(config: ViTConfig) -> VisionTransformer:
    """Learned positions that say where they are: number 0 is the row, number 1 the column."""
    vit = VisionTransformer(config).requires_grad_(False)
    side = config.position_grid[0]
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    vit.pos_embed.zero_()
    vit.pos_embed[0, 1:, 0] = rows.flatten().float()
    vit.pos_embed[0, 1:, 1] = columns.flatten().float()
    return vit


def cubic(x: float, a: float) -> float:
    """Keys' cubic convolution kernel."""
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0


@pytest.mark.parametrize(("config", "a"), [(PLAIN, -0.75), (REGISTERS, -0.5)])  # PyTorch's kernels
@pytest.mark.parametrize("grid", [(13, 11), (16, 9), (8, 20)])
def test_sampling_places_are_where_the_interpolation_looks(
    config: ViTConfig, a: float, grid: tuple[int, int]
) -> None:
    _, given = position_tables(ramp_model(config), grid)
    for axis in (0, 1):
        places = sampling_places(grid[axis], 8, config.position_offset)
        checked = 0
        for i, place in enumerate(places.tolist()):
            if 1 <= place <= 6:  # all four points of the kernel lie on the table
                expected = sum(cubic(place - k, a) * k for k in range(8))
                found = given[..., axis].movedim(axis, 0)[i]
                assert found.tolist() == pytest.approx([expected] * grid[1 - axis], abs=2e-5)
                checked += 1
        assert checked >= 5


def test_sampling_places_by_hand() -> None:
    assert sampling_places(4, 8, 0.0).tolist() == [0.5, 2.5, 4.5, 6.5]
    assert sampling_places(8, 8, 0.0).tolist() == list(range(8))
    expected = [0.5 * 37 / 16.1 - 0.5, 15.5 * 37 / 16.1 - 0.5]
    assert sampling_places(16, 37, 0.1)[[0, 15]].tolist() == pytest.approx(expected)


def test_offset_effect_is_the_mean_relative_change() -> None:
    vit, _ = see(PLAIN)
    _, given = position_tables(vit, (3, 5))
    table = vit.pos_embed[:, 1:].float().reshape(1, 8, 8, 24).permute(0, 3, 1, 2)
    exact = torch.nn.functional.interpolate(table, size=(3, 5), mode="bicubic")[0]
    changes = [
        length(given[r, c] - exact[:, r, c]) / length(exact[:, r, c])
        for r in range(3)
        for c in range(5)
    ]
    assert offset_effect(vit, (3, 5)) == pytest.approx(statistics.mean(changes), rel=1e-5)
    assert statistics.mean(changes) > 0.01


def test_no_offset_no_effect() -> None:
    vit, _ = see(PLAIN)
    assert offset_effect(vit, (8, 8)) == 0  # the learned grid is left as it is
    assert offset_effect(see(REGISTERS)[0], (3, 5)) == 0


# --- norms


@pytest.mark.parametrize("config", [PLAIN, REGISTERS])
def test_norms_updates_and_register_cosines_token_by_token(config: ViTConfig) -> None:
    _, seen = see(config)
    R, N = config.registers, 1 + config.registers + 15
    norms, updates, cosines = stream_norms(seen), relative_updates(seen), register_cosines(seen)
    stream = [seen.embedded, *seen.tokens]
    assert (norms.shape, updates.shape, cosines.shape) == ((4, N), (3, 2, N), (4, R))
    for step, tokens in enumerate(stream):
        for token in range(N):
            assert norms[step, token].item() == pytest.approx(length(tokens[token]))
        for register in range(R):
            expected = cosine(tokens[1 + register], tokens[0])
            assert cosines[step, register].item() == pytest.approx(expected)
    for layer in range(3):
        for branch in range(2):
            for token in range(N):
                expected = seen.update_norms[layer, branch, token].item() / norms[layer, token]
                assert updates[layer, branch, token].item() == pytest.approx(expected.item())


def test_outliers_of_seven_numbers_by_hand() -> None:
    norms = torch.tensor([3.0, 1.0, 2.0, 3.0, 4.0, 100.0, 5.0])
    found = find_outliers(norms, 2.0)  # median 3, |x - 3| = 0 0 1 1 2 2 97, their median 1
    assert found.median.item() == 3
    assert found.sigma.item() == pytest.approx(1.4826)
    assert found.threshold.item() == pytest.approx(3 + 2 * 1.4826)
    assert found.mask.tolist() == [False] * 5 + [True, False]


def test_outliers_of_many_layers_as_one_by_one() -> None:
    norms = random(3, 50).abs() ** 2
    found = find_outliers(norms)
    assert 0 < found.mask.sum() < 30
    for layer in range(3):
        values = norms[layer].tolist()
        median = statistics.median(values)
        sigma = 1.4826 * statistics.median(abs(value - median) for value in values)
        assert found.sigma[layer].item() == pytest.approx(sigma)
        assert found.mask[layer].tolist() == [value > median + 4 * sigma for value in values]


def test_a_normal_distribution_has_sigma_one_and_next_to_no_outliers() -> None:
    found = find_outliers(10 + random(100_000))
    assert found.sigma.item() == pytest.approx(1, abs=0.02)
    assert found.mask.sum() <= 12  # 3.2 are expected beyond 4 sigma


def test_equal_tokens_are_no_outliers_by_rounding() -> None:
    norms = torch.full((64,), 7.0)
    norms[3] = torch.nextafter(norms[3], torch.tensor(8.0))
    assert not find_outliers(norms).mask.any()


@pytest.mark.parametrize("grid", [(3, 4), (1, 3), (3, 1), (1, 1)])
def test_neighbour_cosines_patch_by_patch(grid: tuple[int, int]) -> None:
    h, w = grid
    patches = random(2, h * w, 6)
    found = neighbour_cosines(patches, grid)
    assert found.shape == (2, h * w, 4)
    for layer in range(2):
        for row in range(h):
            for column in range(w):
                places = [
                    (row - 1, column),
                    (row, column + 1),
                    (row + 1, column),
                    (row, column - 1),
                ]
                for side, (r, c) in enumerate(places):
                    here = found[layer, row * w + column, side].item()
                    if 0 <= r < h and 0 <= c < w:
                        expected = cosine(
                            patches[layer, row * w + column], patches[layer, r * w + c]
                        )
                        assert here == pytest.approx(expected)
                    else:
                        assert math.isnan(here)


def test_ordinary_patches_are_those_that_are_no_longer_than_the_rest() -> None:
    _, seen = see(REGISTERS)
    tokens = seen.tokens.clone()
    tokens[1, seen.first_patch + 3] *= 50
    tokens[1, 0] *= 900  # the class token is no patch
    found = ordinary_patches(replace(seen, tokens=tokens), 1)
    assert (~found).nonzero()[:, 0].tolist() == [3]
