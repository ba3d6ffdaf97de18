"""One picture in several models and layers: each cell against the model itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.analysis.comparison import linear_cka, relation_difference, to_grid
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.analysis.model_grid import View, models_by_layers, place_in
from dino_core.config import PCA_PRESETS, ViTConfig
from dino_core.images import to_tensor

COARSE = replace(TINY, dim=12, depth=3, registers=1)
FINE = ViTConfig(dim=16, depth=2, heads=2, patch_size=7, image_size=28)
LAYERS = [[2, 0], [1, 0]]


@pytest.fixture(scope="module")
def seen() -> list[Inspection]:
    """A picture of 4 x 5 patches in one model, 8 x 10 in the other."""
    pixels = np.random.default_rng(0).integers(0, 120, (56, 70, 3), np.uint8)
    pixels[:28, 28:] += 120
    image = to_tensor(Image.fromarray(pixels))
    found = []
    for seed, config in enumerate((COARSE, FINE)):
        vit = tiny_vit(config, seed).requires_grad_(False)
        vit.patch_embed.proj.weight.mul_(0.05)
        found.append(inspect(vit, image))
    return found


def test_cka_is_of_each_cell_with_the_last_of_all(seen: list[Inspection]) -> None:
    found = models_by_layers(seen, LAYERS, View("attention"))
    last = seen[1].patches(0)
    for i, row in enumerate(LAYERS):
        for j, layer in enumerate(row):
            own = to_grid(seen[i].patches(layer), seen[i].grid, (8, 10))
            assert float(found.cka[i, j]) == pytest.approx(linear_cka(last, own), abs=1e-6)
    assert float(found.cka[1, 1]) == pytest.approx(1, abs=1e-5)
    assert len(set(found.cka.flatten().tolist())) == 4


@pytest.mark.parametrize("query", [None, (3, 1)])
def test_attention_is_the_mean_of_all_heads_at_the_same_place(
    seen: list[Inspection], query: tuple[int, int] | None
) -> None:
    found = models_by_layers(seen, LAYERS, View("attention", query))
    for i, row in enumerate(LAYERS):
        place = query if query is None or i == 0 else (7, 3)  # the middle of 3.5 of 4, 1.5 of 5
        token = 0 if place is None else seen[i].token_at(*place)
        for j, layer in enumerate(row):
            rows = seen[i].attention(layer)[:, token, seen[i].first_patch :].mean(0)
            torch.testing.assert_close(found.maps[i][j].flatten(), rows, rtol=1e-4, atol=1e-6)
            assert found.maps[i][j].shape == seen[i].grid
    assert (found.cosine, found.note) == ([], "")


def test_likeness_is_the_cosine_with_the_patch_at_the_same_place(seen: list[Inspection]) -> None:
    found = models_by_layers(seen, LAYERS, View("similar", (0, 4)))
    for i, (place, row) in enumerate(zip(((0, 4), (1, 9)), LAYERS, strict=True)):
        for j, layer in enumerate(row):
            patches = seen[i].patches(layer).double()
            one = patches[place[0] * seen[i].grid[1] + place[1]]
            wanted = patches @ one / (patches.norm(dim=1) * one.norm())
            torch.testing.assert_close(
                found.maps[i][j].flatten().double(), wanted, rtol=0, atol=1e-5
            )


def test_pca_is_one_family_in_the_colours_of_the_last(seen: list[Inspection]) -> None:
    from dino_core.analysis.alignment import colour_family
    from dino_core.analysis.tokens import ordinary_patches

    places = [(0, 2), (0, 0), (1, 1), (1, 0)]
    config = replace(PCA_PRESETS["all-patches"], flip=True)
    for robust in (False, True):
        view = View("pca", config=config, method="signs", robust=robust)
        found = models_by_layers(seen, LAYERS, view)
        family = colour_family(
            [seen[i].patches(layer) for i, layer in places],
            [seen[i].grid for i, _ in places],
            config,
            method="signs",
            asked=[ordinary_patches(seen[i], at) for i, at in places] if robust else None,
        )
        cells = [cell for row in found.maps for cell in row]
        for cell, one in zip(cells, family.maps, strict=True):
            torch.testing.assert_close(cell, one.colours)
        assert [len(row) for row in found.maps] == [2, 2]
        assert [c for row in found.cosine for c in row] == [one.cosine for one in family.maps]
        assert found.cosine[1][1] == 1


def test_the_patch_of_another_grid_holds_the_middle_of_this_one() -> None:
    for grid, target in (((4, 5), (8, 10)), ((8, 10), (4, 5)), ((3, 7), (5, 4)), ((2, 2), (2, 2))):
        for row in range(grid[0]):
            for column in range(grid[1]):
                middle = (row + 0.5) / grid[0], (column + 0.5) / grid[1]
                tall, wide = place_in((row, column), grid, target)
                assert tall / target[0] <= middle[0] < (tall + 1) / target[0]
                assert wide / target[1] <= middle[1] < (wide + 1) / target[1]


def test_what_is_not_there_is_said(seen: list[Inspection]) -> None:
    for place in ((4, 0), (0, 5), (-1, 0), (0, -1)):
        with pytest.raises(ValueError, match="4 x 5 patches, there is no"):
            models_by_layers(seen, LAYERS, View("attention", place))
    with pytest.raises(ValueError, match="similar to which patch"):
        models_by_layers(seen, LAYERS, View("similar"))
    with pytest.raises(ValueError, match="one of pca, attention, similar, not 'norms'"):
        models_by_layers(seen, LAYERS, View("norms"))  # type: ignore[arg-type]


def test_relations_differ_as_a_loop_over_patches_says() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(5, d, generator=generator).double() for d in (3, 7))
    found = relation_difference(first, second)
    for i in range(5):
        rows = []
        for x in (first, second):
            others = [j for j in range(5) if j != i]
            rows.append([float(x[i] @ x[j] / (x[i].norm() * x[j].norm())) for j in others])
        assert float(found[i]) == pytest.approx(1 - np.corrcoef(rows)[0, 1], abs=1e-5)
    torch.testing.assert_close(
        relation_difference(first, 3 * first), torch.zeros(5), atol=1e-6, rtol=0
    )
    assert relation_difference(first[:3], second[:3]).shape == (3,)
    with pytest.raises(ValueError, match="at least 3 patches, there are 2"):
        relation_difference(first[:2], second[:2])
