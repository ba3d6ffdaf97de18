"""evaluation/patch_matching.py: where patches of the second view lie, and what counts as found."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from dino_core.config import ViTConfig
from dino_core.evaluation.patch_matching import (
    dense_measures,
    evenly_spread,
    matching_accuracy,
    true_places,
    two_views,
)
from dino_core.vit import VisionTransformer

SIDE, PATCH = 8, 4
CONFIG = ViTConfig(dim=16, depth=1, heads=2, patch_size=PATCH, image_size=SIDE * PATCH)


def gradient(size: int) -> Image.Image:
    """A picture whose red says how far right, and whose green how far down, a pixel lies."""
    ramp = np.linspace(0, 255, size)
    pixels = np.zeros((size, size, 3))
    pixels[..., 0], pixels[..., 1] = ramp[None, :], ramp[:, None]
    return Image.fromarray(pixels.round().astype(np.uint8))


def test_true_places_are_those_of_the_pixels():
    """Read off the colours that the second view has in the middle of each patch."""
    size = SIDE * 20
    _, second = two_views(gradient(size))
    pixels = np.asarray(second, dtype=float)
    places = true_places(SIDE).reshape(SIDE, SIDE, 2)
    for row in range(SIDE):
        for col in range(SIDE):
            red, green, _ = pixels[20 * row + 10, 20 * col + 10] / 255 * SIDE
            assert places[row, col].tolist() == pytest.approx([green, red], abs=0.1)


class Told(VisionTransformer):
    """A model whose patch features are what a test says."""

    def __init__(self, features: torch.Tensor) -> None:
        super().__init__(CONFIG)
        self.told = features

    def forward(self, images, *args, **options):
        from types import SimpleNamespace

        return SimpleNamespace(patches=self.told)


def test_all_some_and_none_are_found():
    P = SIDE * SIDE
    first = torch.eye(P)
    nearest = torch.cdist(true_places(SIDE), centres()).argmin(1)
    right = first[nearest]
    picture = gradient(SIDE * PATCH)
    everything = matching_accuracy(Told(torch.stack([first, right])), [picture], SIDE * PATCH)
    assert everything == 100
    corner = first[torch.zeros(P, dtype=torch.int64)]  # everything looks like the first patch
    expected = (true_places(SIDE) - 0.5).norm(dim=1) <= 1
    found = matching_accuracy(Told(torch.stack([first, corner])), [picture], SIDE * PATCH)
    assert found == pytest.approx(100 * expected.float().mean().item())
    assert found < 100 * 2 * math.pi / P


def test_the_cosine_is_that_of_different_patches_of_the_first_view():
    features = torch.randn(2, SIDE * SIDE, 5, generator=torch.Generator().manual_seed(0))
    found = dense_measures(Told(features), [gradient(SIDE * PATCH)], SIDE * PATCH)
    one = torch.nn.functional.normalize(features[0], dim=-1)
    pairs = [float(one[i] @ one[j]) for i in range(len(one)) for j in range(i)]
    assert found.cosine == pytest.approx(np.mean(pairs), abs=1e-6)
    same = features[:, :1].expand_as(features)
    alike = dense_measures(Told(same), [gradient(SIDE * PATCH)], SIDE * PATCH)
    assert alike.cosine == pytest.approx(1, abs=1e-6)


def centres() -> torch.Tensor:
    return torch.cartesian_prod(torch.arange(SIDE) + 0.5, torch.arange(SIDE) + 0.5)


def test_the_model_is_left_in_its_mode():
    vit = VisionTransformer(CONFIG).train()
    assert 0 <= matching_accuracy(vit, [gradient(40), gradient(50)], SIDE * PATCH) <= 100
    assert vit.training


def test_pictures_are_taken_from_the_whole_set():
    assert evenly_spread(3, 5) == [0, 1, 2]
    assert evenly_spread(9, 5) == [0, 1, 3, 5, 7]
    assert evenly_spread(0, 5) == []
