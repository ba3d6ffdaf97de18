"""The features' screen: what it is given is what the analysis says, cut and named for the page."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load

from dino_core.analysis.comparison import linear_cka, to_grid
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.pca import colour_features
from dino_core.analysis.similarity import match_patches
from dino_core.config import PCA_PRESETS, ViTConfig
from dino_core.draw.encode import pack
from dino_core.scenes.comparison import comparison_scene, likeness_scene
from dino_core.scenes.features import (
    COMPONENTS,
    clusters_scene,
    features_scene,
    map_scene,
    patches_scene,
    settings,
)
from dino_core.scenes.matching import matches_scene
from dino_core.scenes.packing import packed
from dino_core.scenes.picture import look
from dino_core.vit import VisionTransformer

CONFIG = ViTConfig(dim=24, depth=3, heads=3, image_size=112)
OTHER = replace(CONFIG, dim=36, depth=2, patch_size=28)
RNG = np.random.default_rng(0)


def open_in(config: ViTConfig, picture: Image.Image, seed: int = 0) -> Inspection:
    vit = VisionTransformer(config).requires_grad_(False).eval()
    generator = torch.Generator().manual_seed(seed)
    for parameter in vit.parameters():
        parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return look(vit, picture, 112).seen


def picture(width: int, height: int, seed: int) -> Image.Image:
    """Noise with a bright square in the middle."""
    values = np.random.default_rng(seed).integers(0, 90, (height, width, 3), np.uint8)
    values[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] += 150
    return Image.fromarray(values)


@pytest.fixture(scope="module")
def seen() -> Inspection:
    return open_in(CONFIG, picture(168, 112, 0))  # 8 x 12 patches


@pytest.fixture(scope="module")
def second() -> Inspection:
    return open_in(CONFIG, picture(112, 140, 1))  # 10 x 8 patches


def test_one_picture(seen: Inspection) -> None:
    scene = features_scene(seen, 1)
    result = colour_features([seen.patches(1)], [seen.grid], PCA_PRESETS["paper"], COMPONENTS)
    view = result.pictures[0]
    np.testing.assert_array_equal(scene.scores, view.scores[..., :3])
    np.testing.assert_array_equal(scene.foreground, view.foreground)
    np.testing.assert_allclose(scene.colours / 255, view.colours, atol=0.5 / 255 + 1e-6)
    assert scene.ratio.shape == (COMPONENTS,)
    assert 0 < scene.ratio.sum() <= 1 + 1e-6
    assert (scene.second_colours, scene.second_grid) == (None, None)
    assert scene.config["threshold"] == 0


def test_a_chart_of_what_the_components_explain(seen: Inspection) -> None:
    scene = features_scene(seen, 1, components=(1, 0, 2))
    [bars] = json.loads(packed(scene, "chart")[0])["variance"]["data"]
    np.testing.assert_allclose(bars["y"], 100 * scene.ratio, rtol=1e-5)
    assert bars["x"][0] == "component 0, green"


def test_two_pictures_share_one_pca(seen: Inspection, second: Inspection) -> None:
    scene = features_scene(seen, 2, "all-patches", False, second)
    both = colour_features(
        [seen.patches(2), second.patches(2)], [seen.grid, second.grid], PCA_PRESETS["all-patches"]
    )
    np.testing.assert_allclose(scene.scores, both.pictures[0].scores, atol=1e-4)
    assert scene.second_scores is not None
    np.testing.assert_allclose(scene.second_scores, both.pictures[1].scores, atol=1e-4)
    assert scene.second_grid == (10, 8)
    names = load(pack(scene))
    assert names["second_colours"].shape == (10, 8, 3)
    assert json.loads(json.dumps(scene.config))["foreground"] is False


def test_what_a_person_changes_about_a_preset(seen: Inspection) -> None:
    changes = {"threshold": 0.4, "components": (4, 1, 0), "whiten": True, "colours": "sigmoid"}
    scene = features_scene(seen, 1, "paper", True, **changes)
    config = replace(PCA_PRESETS["paper"], flip=True, **changes)
    view = colour_features([seen.patches(1)], [seen.grid], config, COMPONENTS).pictures[0]
    np.testing.assert_array_equal(scene.scores, view.scores[..., [4, 1, 0]])
    np.testing.assert_array_equal(scene.foreground, view.foreground)
    assert scene.config["components"] == (4, 1, 0)


@pytest.mark.parametrize(
    ("preset", "changes", "words"),
    [
        ("mine", {}, "A preset is one of paper"),
        ("paper", {"colours": "rainbow"}, "minmax or sigmoid"),
        ("paper", {"threshold": 6.0}, "from -5 to 5"),
        ("paper", {"threshold": float("nan")}, "from -5 to 5"),
        ("paper", {"components": (0, 1, 8)}, "components 0 to 7"),
        ("paper", {"components": (0, 1)}, "all three"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(
    preset: str, changes: dict, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        settings(preset, **changes)


def test_a_small_foreground_is_kept_as_long_as_it_gives_three_components(seen: Inspection) -> None:
    scores = colour_features([seen.patches(1)], [seen.grid], PCA_PRESETS["paper"]).pictures[0].first
    threshold = scores.flatten().sort(descending=True).values[4].item()
    scene = features_scene(seen, 1, threshold=threshold + 1e-4)
    assert (scene.foreground.sum(), scene.note) == (4, "")


def test_directions(seen: Inspection) -> None:
    scene = patches_scene(seen, 0)
    np.testing.assert_allclose(np.linalg.norm(scene.directions, axis=1), np.ones(96), atol=1e-5)
    ratio = seen.patches(0).numpy() / scene.directions
    np.testing.assert_allclose(ratio, ratio[:, :1].repeat(24, 1), rtol=2e-3)


def test_clusters(seen: Inspection) -> None:
    scene = clusters_scene(seen, 1, 4, 7)
    assert scene.labels.shape == seen.grid
    assert np.bincount(scene.labels.flatten()).tolist() == scene.sizes
    assert scene.sizes == sorted(scene.sizes, reverse=True)
    assert len(scene.colours) == len({*scene.colours}) == 4
    np.testing.assert_array_equal(scene.labels, clusters_scene(seen, 1, 4, 7).labels)
    for k in (1, 13):
        with pytest.raises(ValueError, match=f"2 to 12, not {k}"):
            clusters_scene(seen, 1, k, 0)


def test_maps(seen: Inspection) -> None:
    flat = map_scene(seen, 1)
    directions = patches_scene(seen, 1).directions
    centred = directions - directions.mean(0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(flat.points), np.abs(centred @ axes[:2].T), atol=1e-4)
    wanted = values[:2] ** 2 / (values**2).sum()
    np.testing.assert_allclose(flat.parameters["ratio"], wanted, rtol=1e-3)

    asked = []

    def fit(*request):
        asked.append(request)
        return request[1] * 2

    other = map_scene(seen, 1, fit, 20, 0.3, 5)
    np.testing.assert_array_equal(other.points, 2 * flat.points)
    np.testing.assert_array_equal(asked[0][0], directions)
    assert asked[0][2:] == (20, 0.3, 5)
    assert (flat.method, other.method) == ("pca", "umap")
    assert other.parameters == {"neighbours": 20, "min_distance": 0.3, "seed": 5}


def test_matches(seen: Inspection, second: Inspection) -> None:
    scene = matches_scene(seen, second, 2, object_only=False)
    wanted = match_patches(seen.patches(2), second.patches(2))
    np.testing.assert_array_equal(scene.forward, wanted.forward)
    np.testing.assert_array_equal(scene.backward, wanted.backward)
    np.testing.assert_array_equal(scene.mutual, wanted.mutual)
    assert scene.count == wanted.mutual.sum()
    assert (scene.grid, scene.second_grid) == (seen.grid, second.grid)
    assert scene.mutual[scene.lines].all()
    similarity = scene.forward_similarity[scene.lines]
    assert (np.diff(similarity) <= 0).all()

    inside = matches_scene(seen, second, 2)
    joint = features_scene(seen, 2, second=second)
    assert joint.second_foreground is not None
    assert joint.foreground.flatten()[inside.lines].all()
    assert joint.second_foreground.flatten()[inside.forward[inside.lines]].all()
    np.testing.assert_array_equal(inside.forward, scene.forward)
    assert 0 < len(inside.lines) < len(scene.lines)


def test_a_picture_matches_itself(seen: Inspection) -> None:
    scene = matches_scene(seen, seen, 1, object_only=False)
    np.testing.assert_array_equal(scene.forward, np.arange(96))
    assert scene.count == 96


def test_models_of_different_width_have_no_matches(seen: Inspection) -> None:
    other = open_in(OTHER, picture(168, 112, 0))
    for make in (
        lambda: matches_scene(seen, other, 1),
        lambda: features_scene(seen, 1, second=other),
    ):
        with pytest.raises(ValueError, match="width 24 and 36"):
            make()


def test_a_layer_compared_with_itself_is_the_same(seen: Inspection) -> None:
    scene = comparison_scene(seen, 1, seen, 1)
    assert scene.cka == pytest.approx(1, abs=1e-5)
    assert (scene.order, scene.signs) == ([0, 1, 2], [1, 1, 1])
    np.testing.assert_allclose(scene.correlation, [1, 1, 1], atol=1e-4)
    np.testing.assert_allclose(scene.second_scores, scene.scores, atol=1e-3)
    off = np.abs(scene.colours.astype(int) - scene.second_colours.astype(int))
    assert off.max() <= 1


def test_two_layers(seen: Inspection) -> None:
    scene = comparison_scene(seen, 2, seen, 0)
    assert scene.cka == pytest.approx(linear_cka(seen.patches(2), seen.patches(0)), abs=1e-6)
    kept = features_scene(seen, 2).foreground.astype(bool)
    for channel in range(3):
        pair = np.corrcoef(scene.scores[kept][:, channel], scene.second_scores[kept][:, channel])
        assert pair[0, 1] == pytest.approx(scene.correlation[channel], abs=1e-3)
        assert pair[0, 1] >= 0, "signs are turned"
    assert (scene.second_colours[~kept] == 0).all()


def test_two_models_with_patches_of_different_size(seen: Inspection) -> None:
    other = open_in(OTHER, picture(168, 112, 0), seed=3)
    assert other.grid == (4, 6)
    scene = comparison_scene(seen, 2, other, 1)
    assert scene.colours.shape == (8, 12, 3)
    assert scene.second_colours.shape == (4, 6, 3)
    shared = to_grid(other.patches(1), (4, 6), (8, 12))
    assert scene.cka == pytest.approx(linear_cka(seen.patches(2), shared), abs=1e-6)
    table = likeness_scene(seen, other)
    assert (table.cka.shape, table.same) == ((3, 2), False)
    assert table.cka[2, 1] == pytest.approx(scene.cka, abs=1e-5)


def test_likeness_of_all_layers(seen: Inspection) -> None:
    table = likeness_scene(seen)
    assert table.same
    np.testing.assert_allclose(np.diag(table.cka), np.ones(3), atol=1e-5)
    assert table.cka[0, 2] == pytest.approx(linear_cka(seen.patches(0), seen.patches(2)), abs=1e-5)


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_that_is_not_there_is_refused(seen: Inspection, layer: int) -> None:
    for make in (
        lambda: features_scene(seen, layer),
        lambda: patches_scene(seen, layer),
        lambda: clusters_scene(seen, layer, 3, 0),
        lambda: map_scene(seen, layer),
        lambda: matches_scene(seen, seen, layer),
        lambda: comparison_scene(seen, 0, seen, layer),
    ):
        with pytest.raises(ValueError, match="layer"):
            make()
