"""Play through depth: every layer is what the analysis says of it, in the family's colours."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.analysis.alignment import colour_family
from dino_core.analysis.clustering import kmeans
from dino_core.analysis.depth import layers_in_colours
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.pca import colour_features
from dino_core.analysis.similarity import directions
from dino_core.analysis.tokens import ordinary_patches
from dino_core.config import PCA_PRESETS
from dino_core.scenes.attention import overview_scene
from dino_core.scenes.depth import depth_attention_scene, depth_clusters_scene, depth_scene
from dino_core.scenes.picture import look


@pytest.fixture(scope="module")
def seen() -> Inspection:
    pixels = np.random.default_rng(0).integers(0, 90, (84, 112, 3), np.uint8)
    pixels[28:56, 28:84] += 150
    return look(tiny_vit(TINY), Image.fromarray(pixels), 84).seen  # 6 x 8 patches, 2 layers


def test_the_last_layer_has_the_colours_that_it_has_alone(seen: Inspection) -> None:
    scene = depth_scene(seen, "all-patches")
    alone = colour_features([seen.patches().float()], [seen.grid], PCA_PRESETS["all-patches"])
    expected = np.rint(alone.pictures[0].colours.numpy() * 255)
    assert np.abs(scene.colours[-1].astype(int) - expected).max() <= 1
    assert scene.colours.shape == (seen.layers, *seen.grid, 3)
    assert scene.cosine[-1] == 1


def test_one_foreground_for_all_layers_and_its_swap(seen: Inspection) -> None:
    scene, swapped = depth_scene(seen), depth_scene(seen, flip=True)
    assert (scene.colours.any(-1) <= scene.foreground.astype(bool)).all()
    np.testing.assert_array_equal(swapped.foreground, 1 - scene.foreground)
    assert (scene.flip, swapped.flip) == (False, True)


def test_a_method_and_robust_are_handed_on(seen: Inspection) -> None:
    maps = [seen.patches(layer).float() for layer in range(seen.layers)]
    asked = [ordinary_patches(seen, layer) for layer in range(seen.layers)]
    config = PCA_PRESETS["paper"]
    family = colour_family(maps, [seen.grid] * len(maps), config, method="signs", asked=asked)
    scene = depth_scene(seen, method="signs", robust=True)
    assert scene.cosine == [view.cosine for view in family.maps]
    with pytest.raises(ValueError, match="not by 'flow'"):
        depth_scene(seen, method="flow")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="layers 0 to 1; there is no layer 2"):
        layers_in_colours(seen, config, layers=[0, 2])


def test_clusters_are_k_means_in_numbers_that_stay(seen: Inspection) -> None:
    scene = depth_clusters_scene(seen, 3, seed=0)
    for layer in range(seen.layers):
        found = kmeans(directions(seen.patches(layer)).numpy(), 3, 0)
        pairs = set(zip(found.labels, scene.labels[layer].reshape(-1), strict=True))
        assert len(pairs) == 3, "the same groups under other numbers"
    np.testing.assert_array_equal(scene.labels[-1].reshape(-1), found.labels)
    assert scene.kept[-1] == 1
    assert scene.kept[0] == (scene.labels[0] == scene.labels[1]).mean()
    with pytest.raises(ValueError, match="2 to 12, not 1"):
        depth_clusters_scene(seen, 1, 0)


def test_attention_is_that_of_the_overview(seen: Inspection) -> None:
    rows = overview_scene(seen, 2, 5).rows
    np.testing.assert_array_equal(depth_attention_scene(seen, 2, 5, head=1).attention, rows[:, 1])
    np.testing.assert_allclose(depth_attention_scene(seen, 2, 5).attention, rows.mean(1), rtol=1e-6)
    own = overview_scene(seen).rows[:, 0]
    np.testing.assert_array_equal(depth_attention_scene(seen, head=0).attention, own)
    assert not torch.equal(torch.tensor(own), torch.tensor(rows[:, 0]))
