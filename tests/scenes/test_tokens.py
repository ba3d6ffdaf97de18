import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load
from torch import Tensor

from dino_core.config import ViTConfig
from dino_core.draw.encode import npz, pack
from dino_core.images import fit_to_patches, to_tensor
from dino_core.scenes.packing import packed
from dino_core.scenes.picture import OpenPicture, look
from dino_core.scenes.tokens import blocks_scene, fit_facts, patches_scene, positions_scene
from dino_core.vit import VisionTransformer

PLAIN = ViTConfig(dim=24, depth=3, heads=3, image_size=112)  # 8 x 8 positions, offset 0.1
REGISTERS = replace(PLAIN, registers=2, position_offset=0.0, position_antialias=True, ffn="swiglu")


def picture(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(noise)


def open_in(config: ViTConfig, size: int = 56) -> tuple[VisionTransformer, OpenPicture]:
    vit = VisionTransformer(config).requires_grad_(False).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in vit.parameters():
        parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return vit, look(vit, picture(90, 60), size)


@pytest.mark.parametrize("config", [PLAIN, REGISTERS])
def test_a_page_can_compute_every_embedding(config: ViTConfig) -> None:
    vit, opened = open_in(config)
    scene = patches_scene(vit, opened)
    assert scene.grid == (4, 6)
    assert scene.pixels.shape == (56, 84, 3)
    assert (scene.source_size, scene.input_size) == ((90, 60), (84, 56))
    expected = vit.patch_embed(to_tensor(opened.fitted.picture)[None])[0]  # [P, D]
    values = (scene.pixels / 255 - np.array(scene.mean)) / np.array(scene.std)  # [H, W, 3]
    for row in range(4):
        for column in range(6):
            patch = values[14 * row : 14 * row + 14, 14 * column : 14 * column + 14]
            found = np.einsum("dcyx,yxc->d", scene.filters, patch) + scene.bias
            at = 6 * row + column
            np.testing.assert_allclose(found, expected[at].numpy(), atol=1e-4)
            assert scene.embedding_norms[at] == pytest.approx(np.linalg.norm(found), rel=1e-5)
    tokens = vit.embed(to_tensor(opened.fitted.picture)[None])[0, 1 + config.registers :]
    np.testing.assert_allclose(scene.token_norms, tokens.norm(dim=-1).numpy(), rtol=1e-6)
    np.testing.assert_allclose(
        scene.position_norms, (tokens - expected).norm(dim=-1).numpy(), rtol=1e-4
    )


def test_components_span_most_of_the_filters() -> None:
    vit, opened = open_in(PLAIN)
    scene = patches_scene(vit, opened)
    flat = scene.components.reshape(28, -1)
    assert scene.components.shape == (28, 3, 14, 14)
    # 24 filters about their mean span 23 dimensions: so many components rebuild them all.
    filters = scene.filters.reshape(24, -1)
    centred = filters - filters.mean(0)
    np.testing.assert_allclose(centred @ flat[:23].T @ flat[:23], centred, atol=1e-4)
    assert scene.ratio[:23].sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("source", "how", "size", "words"),
    [
        # 60 px -> 56: both sides by 56 / 60. 90 px -> 84, a multiple of 14.
        ((90, 60), "resize", (84, 56), "All is seen; shapes are stretched by 0.0 %."),
        # 100 px -> 93.3, to the nearest multiple 98: 0.98 against 0.9333.
        ((100, 60), "resize", (98, 56), "All is seen; shapes are stretched by 5.0 %."),
        ((100, 60), "pad", (98, 56), "All is seen; 5 px of grey on the right, 0 px below."),
        ((60, 100), "pad", (56, 98), "All is seen; 0 px of grey on the right, 5 px below."),
        # 93.3 px cut to 84: 90 of 100 source pixels.
        ((100, 60), "crop", (84, 56), "90.0 % of the picture is seen, the middle of it."),
    ],
)
def test_fitting_in_numbers_and_words(
    source: tuple[int, int], how: str, size: tuple[int, int], words: str
) -> None:
    facts = fit_facts(picture(*source), 14, 56, how)
    assert (facts.input_size, facts.words) == (size, words)
    assert facts.grid == (size[1] // 14, size[0] // 14)
    assert facts.scale == fit_to_patches(picture(*source), 14, 56, how).scale


def test_a_picture_too_narrow_to_be_cropped_says_so() -> None:
    facts = fit_facts(picture(2000, 10), 14, 10, "crop")
    assert facts.input_size is None
    assert "smaller than a patch" in facts.words
    json.dumps(facts.__dict__)


@pytest.mark.parametrize("config", [PLAIN, REGISTERS])
def test_positions_are_directions_of_the_model_s_own(config: ViTConfig) -> None:
    vit, opened = open_in(config)
    scene = positions_scene(vit, opened.seen)
    learned = vit.pos_embed[0, 1:]
    for a, b in ((0, 0), (3, 60), (63, 8)):
        expected = torch.cosine_similarity(learned[a], learned[b], dim=0).item()
        assert float(scene.learned[a] @ scene.learned[b]) == pytest.approx(expected, abs=1e-6)
    assert scene.learned_norms[9] == pytest.approx(learned[9].norm().item())
    black = torch.zeros(1, 3, 56, 84)
    given = (vit.embed(black) - vit.patch_embed.proj.bias)[0, 1 + config.registers :]
    np.testing.assert_allclose(scene.given * scene.given_norms[:, None], given.numpy(), atol=1e-5)
    assert (scene.learned_grid, scene.untouched) == ((8, 8), False)
    offset = config.position_offset
    assert scene.scale == ((4 + offset) / 8, (6 + offset) / 8)
    assert scene.rows[0] == pytest.approx(0.5 * 8 / (4 + offset) - 0.5)
    assert (scene.effect > 0) == (offset > 0)


def test_on_the_learned_grid_nothing_is_interpolated() -> None:
    vit, _ = open_in(PLAIN)
    scene = positions_scene(vit, look(vit, picture(112, 112), 112).seen)
    assert (scene.untouched, scene.effect, scene.scale) == (True, 0, (1, 1))
    assert np.array_equal(scene.given, scene.learned)
    assert scene.rows.tolist() == scene.columns.tolist() == list(range(8))


@pytest.mark.parametrize("config", [PLAIN, REGISTERS])
def test_blocks_say_what_the_stream_is(config: ViTConfig) -> None:
    vit, opened = open_in(config)
    seen, R = opened.seen, config.registers
    scene = blocks_scene(vit, seen)
    assert scene.norms.shape == (4, 1 + R + 24)
    assert scene.norms[0, 2] == pytest.approx(seen.embedded[2].norm().item())
    assert scene.norms[3, 5] == pytest.approx(seen.tokens[2, 5].norm().item())
    patches = scene.norms[:, 1 + R :]
    median = np.median(patches, axis=1)
    sigma = 1.4826 * np.median(abs(patches - median[:, None]), axis=1)
    np.testing.assert_allclose(scene.median, median, rtol=1e-6)
    np.testing.assert_allclose(scene.threshold, median + 4 * sigma, rtol=1e-5)
    assert scene.register_cosines.shape == (4, R)

    def cosine(a: Tensor, b: Tensor) -> float:
        return torch.cosine_similarity(a, b, dim=0).item()

    tokens = seen.tokens[1, seen.first_patch :]
    # Patch 13 stands in row 2, column 1: patch 14 is on its right, patch 7 above it.
    assert scene.neighbours[2, 13, 1] == pytest.approx(cosine(tokens[13], tokens[14]), abs=1e-6)
    embedded = vit.patch_embed(to_tensor(opened.fitted.picture)[None])[0]
    expected = cosine(embedded[13], embedded[7])
    assert scene.embedding_neighbours[13, 0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("config", [PLAIN, REGISTERS])
def test_the_walk_tells_the_shapes_of_a_real_forward(config: ViTConfig) -> None:
    vit, opened = open_in(config)
    shapes = {step["name"]: step["shape"] for step in blocks_scene(vit, opened.seen).steps}
    hidden: list[int] = []
    last = vit.blocks[1].mlp.w3 if config.ffn == "swiglu" else vit.blocks[1].mlp.fc2
    last.register_forward_hook(lambda module, inputs, output: hidden.extend(inputs[0].shape))
    image = to_tensor(opened.fitted.picture)[None]
    out = vit(image, trace=[1])
    assert shapes["picture"] == list(image.shape[1:])
    assert shapes["patch embedding"] == list(vit.patch_embed(image).shape[1:])
    assert shapes["queries, keys, values, each"] == list(out.traces[1].keys.shape[1:])
    assert shapes["attention maps"] == list(out.traces[1].attention.shape[1:])
    assert shapes["+ the MLP's update"] == list(out.tokens.shape[1:])
    assert shapes["inside the MLP"] == hidden[1:]
    assert shapes["class token"] == list(out.cls.shape[1:])
    assert shapes["patches, as a map"] == [*out.grid, config.dim]
    assert shapes["+ positions"] == [1 + 24, 24]
    assert shapes.get("+ registers") == ([3 + 24, 24] if config.registers else None)


@pytest.mark.parametrize("config", [PLAIN, REGISTERS])
def test_scenes_can_be_sent(config: ViTConfig) -> None:
    vit, opened = open_in(config)
    scenes = (patches_scene(vit, opened), positions_scene(vit, opened.seen))
    for scene in (*scenes, blocks_scene(vit, opened.seen)):
        arrays = load(pack(scene))
        assert all(array.dtype in (np.float32, np.uint8) for array in arrays.values())
        assert npz(scene)
    assert arrays["register_cosines"].shape == (4, config.registers)


def test_charts_of_the_walk_through_the_blocks() -> None:
    vit, opened = open_in(REGISTERS)
    scene = blocks_scene(vit, opened.seen)
    charts = json.loads(packed(scene, "chart")[0])
    assert list(charts) == ["lengths", "updates"]
    median = next(t for t in charts["lengths"]["data"] if t["meta"]["part"] == "median")
    np.testing.assert_allclose(median["y"], scene.median, rtol=1e-5)
    assert len(charts["updates"]["data"][0]["y"]) == 1 + len(scene.updates)
