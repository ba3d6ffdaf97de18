"""What the screen What if is given: before and after, with one basis of colours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.analysis.effects import effects
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.analysis.pca import colour_features
from dino_core.config import PCA_PRESETS
from dino_core.datasets import find_pictures
from dino_core.draw.encode import pack
from dino_core.gallery.screening import AccuracyChange
from dino_core.images import to_tensor
from dino_core.scenes.features import COMPONENTS, features_scene
from dino_core.scenes.packing import packed
from dino_core.scenes.pairs import ReferenceSample, open_bundled
from dino_core.scenes.whatif import (
    changed,
    parse_changes,
    prototypes_scene,
    sources_of,
    whatif_scene,
)
from dino_core.scenes.whatif_screening import screening_scene
from dino_core.step.loss_inspection import reference_batch
from dino_core.vit import Edit, VisionTransformer
from dino_core.weights import load_backbone, save_backbone
from dino_core.whatif import Plan, Screened, Sources, centers_of, heads_say

CONFIG = replace(TINY, depth=3, registers=2)


@pytest.fixture(scope="module")
def vit() -> VisionTransformer:
    return tiny_vit(CONFIG).requires_grad_(False)


@pytest.fixture(scope="module")
def seen(vit: VisionTransformer) -> Inspection:
    pixels = np.random.default_rng(0).integers(0, 90, (56, 84, 3), np.uint8)
    pixels[14:42, 28:70] += 150
    return inspect(vit, to_tensor(Image.fromarray(pixels)))


def test_before_and_after_of_one_layer(vit: VisionTransformer, seen: Inspection) -> None:
    changes = parse_changes(["head:1=zero", "scores:2=cls!registers"])
    scene = whatif_scene(changed(vit, seen, changes, Sources()), changes)
    edits = [
        Edit("head", 0.0, block=1),
        Edit("scores", -torch.inf, block=2, tokens=[0], keys=[1, 2]),
    ]
    after = effects(vit, seen, edits).after
    assert (scene.changes, scene.entry, scene.layer) == (
        ["head:1=zero", "scores:2=cls!registers"],
        1,
        2,
    )
    np.testing.assert_array_equal(scene.cls_after, after.normed[0])
    np.testing.assert_array_equal(scene.attention_before, seen.on_grid(seen.rows(0)[2]))
    np.testing.assert_array_equal(scene.attention_after, after.on_grid(after.attention(2)[:, 0]))
    np.testing.assert_allclose(
        scene.attention_after.sum((1, 2)), 1 - after.attention(2)[:, 0, 0], atol=1e-6
    )
    a, b = seen.patches().double(), after.patches().double()
    cosine = (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
    np.testing.assert_allclose(scene.patch_cosine.ravel(), cosine, atol=1e-6)
    assert scene.patch_cosine_mean == pytest.approx(float(cosine.mean()), abs=1e-6)
    assert scene.cls_cosine == scene.cls_cosine_by_layer[-1] < 0.9999
    earlier = whatif_scene(changed(vit, seen, changes, Sources()), changes, layer=0)
    assert (earlier.patch_cosine == 1).all()
    np.testing.assert_array_equal(earlier.colours_before, earlier.colours_after)


def test_colours_are_those_of_before(vit: VisionTransformer, seen: Inspection) -> None:
    changes = parse_changes(["mlp:0[0,0;1,3]=zero"])
    found = changed(vit, seen, changes, Sources())
    scene = whatif_scene(found, changes, layer=0)
    np.testing.assert_array_equal(scene.colours_before, features_scene(seen, 0).colours)
    same = np.ones((4, 6), bool)
    same[0, 0] = same[1, 3] = False
    np.testing.assert_array_equal(scene.colours_after[same], scene.colours_before[same])
    result = colour_features([seen.patches(0)], [seen.grid], PCA_PRESETS["paper"], COMPONENTS)
    view = result.pictures[0]
    inside = view.scores[..., :3][view.foreground]
    scores = result.pca.project(found.after.patches(0))[:, :3].unflatten(0, (4, 6))
    theirs = ((scores - inside.amin(0)) / (inside.amax(0) - inside.amin(0))).clamp(0, 1)
    theirs = theirs * view.foreground[..., None]
    np.testing.assert_allclose(scene.colours_after / 255, theirs, atol=0.5 / 255 + 1e-6)


def test_without_a_change(vit: VisionTransformer, seen: Inspection) -> None:
    scene = whatif_scene(changed(vit, seen, [], Sources()), [])
    assert (scene.entry, scene.cls_cosine, scene.patch_cosine_mean) == (3, 1, 1)
    np.testing.assert_array_equal(scene.colours_before, scene.colours_after)
    np.testing.assert_array_equal(scene.attention_before, scene.attention_after)


def test_the_chart_is_what_has_changed(vit: VisionTransformer, seen: Inspection) -> None:
    changes = parse_changes(["mlp:1=zero"])
    scene = whatif_scene(changed(vit, seen, changes, Sources()), changes)
    cls, patches = scene.charts("light")["spread"].data
    np.testing.assert_allclose(cls.y, 1 - scene.cls_cosine_by_layer, rtol=1e-2)
    np.testing.assert_allclose(patches.y, 1 - scene.patch_cosine_by_layer, rtol=1e-2)
    assert cls.y[0] == 0
    assert cls.x == (0, 1, 2)
    assert len(pack(scene)) < 20_000
    assert packed(scene, "chart")


def test_what_is_not_there_is_said(vit: VisionTransformer, seen: Inspection) -> None:
    with pytest.raises(ValueError, match=r"head:5\.0=zero: .*blocks 0 to 2"):
        changed(vit, seen, parse_changes(["head:5.0=zero"]), Sources())
    with pytest.raises(ValueError, match="layers 0 to 2"):
        whatif_scene(changed(vit, seen, [], Sources()), [], layer=3)


def test_sources_are_looked_for_only_where_they_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    save_backbone(tiny_vit(CONFIG), tmp_path / "tiny.safetensors")
    backbone = load_backbone(weights=tmp_path / "tiny.safetensors")
    for seed in range(2):
        noise = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{seed}.png")
    pictures = find_pictures(tmp_path)
    seen = inspect(backbone.vit, to_tensor(Image.open(tmp_path / "0.png").resize((42, 28))))

    def found(text: str) -> Sources:
        return sources_of(backbone, seen, parse_changes([text]), seed=4, pictures=pictures)

    for text in ("mlp:0=zero", "registers=out", "scores:0=temperature 2", "positions=mean"):
        assert (found(text).statistics, found(text).other) == (None, None)
    assert found("mlp:0=noise").statistics is not None
    assert found("mlp:0=noise").other is None
    assert found("mlp:0=other").other is not None
    assert found("mlp:0=other").seed == 4


# --- many parts, one at a time


def made_up(seed: int, width: int = 8) -> Screened:
    """Effects of two values on 3 layers of 2 units."""
    generator = torch.Generator().manual_seed(seed)
    cls, patches = (torch.rand(2, 3, 2, generator=generator) for _ in range(2))
    return Screened(cls, patches, torch.randn(2, 3, 2, width, generator=generator))


def test_screenings_of_several_pictures(vit: VisionTransformer) -> None:
    found = [made_up(seed) for seed in range(4)]
    scene = screening_scene(vit, Plan("blocks", ("mean", "zero")), found)
    for part in ("cls", "patches"):
        every = np.stack([getattr(one, f"effect_{part}").numpy() for one in found])
        np.testing.assert_array_equal(getattr(scene, f"effect_{part}"), np.moveaxis(every, 0, -1))
        np.testing.assert_allclose(getattr(scene, f"mean_{part}"), every.mean(0), rtol=1e-6)
        np.testing.assert_allclose(getattr(scene, f"spread_{part}"), every.std(0), rtol=1e-5)
        shock = (every[:, 1] - every[:, 0]).mean(0)
        np.testing.assert_allclose(getattr(scene, f"shock_{part}"), shock, atol=1e-6)
    assert (scene.units, scene.pictures, scene.accuracy) == (["attention", "MLP"], 4, None)
    assert scene.accuracy_change is None
    change = AccuracyChange(0.75, np.full((2, 3, 2), -0.25, np.float32))
    counted = screening_scene(
        vit, Plan("blocks", ("mean", "zero")), found, references=8, accuracy=change
    )
    assert (counted.references, counted.accuracy) == (8, 0.75)
    np.testing.assert_array_equal(counted.accuracy_change, change.change)
    assert list(scene.charts("dark")) == [
        *("cls_mean", "cls_zero", "cls_shock", "patches_mean", "patches_zero", "patches_shock")
    ]
    alone = screening_scene(vit, Plan("blocks", ("mean", "other")), found)
    assert alone.shock_cls is None
    assert packed(alone, "page")
    assert screening_scene(vit, Plan("heads", ("mean",)), found).units == [
        f"head {head}" for head in range(3)
    ]


def test_what_the_heads_of_a_pair_say() -> None:
    opened = open_bundled("cifar")
    backbone = opened.pair.teacher.backbone
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    seen = inspect(backbone, to_tensor(Image.fromarray(pixels)))
    changes = parse_changes(["mlp:0=zero"])
    answers = reference_batch(opened.pair, opened.config, [Image.fromarray(pixels[::-1])])
    references = [ReferenceSample("a.jpg", "a", one) for one in answers]
    found = changed(backbone, seen, changes, Sources())
    scene = prototypes_scene(opened, references, found)
    said = heads_say(opened.pair, opened.config, found, centers_of(answers))
    assert (scene.title, scene.dino, scene.ibot) == (opened.title, said.dino, said.ibot)
    np.testing.assert_array_equal(scene.prototypes, said.prototypes)
    np.testing.assert_array_equal(scene.probabilities, said.probabilities)
    assert packed(scene, "npz")
