"""What the attention screen is given is the model's own attention."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.analysis.inspection import Inspection
from dino_core.scenes.attention import (
    heads_scene,
    layer_scene,
    overview_scene,
    query_scene,
    rollout_scene,
)
from dino_core.scenes.picture import look

CONFIGS = {
    "plain": TINY,
    "registers": replace(TINY, registers=2, position_offset=0.0, position_antialias=True),
}


@pytest.fixture(scope="module", params=CONFIGS)
def seen(request: pytest.FixtureRequest) -> Inspection:
    noise = np.random.default_rng(0).integers(0, 256, (30, 60, 3), np.uint8)
    return look(tiny_vit(CONFIGS[request.param]), Image.fromarray(noise), 28).seen  # 2 x 4


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def test_a_page_can_compute_every_row(seen: Inspection) -> None:
    for layer in range(seen.layers):
        scene = layer_scene(seen, layer)
        assert (scene.layer, scene.grid, scene.registers) == (layer, (2, 4), seen.registers)
        assert scene.scale == pytest.approx(1 / np.sqrt(16))
        scores = np.einsum("and,amd->anm", scene.queries, scene.keys) * scene.scale
        np.testing.assert_allclose(softmax(scores), seen.attention(layer).numpy(), atol=1e-5)


@pytest.mark.parametrize("place", [(-1, -1), (0, 0), (1, 2)])
def test_a_query_is_a_row_of_the_full_map(seen: Inspection, place: tuple[int, int]) -> None:
    row, column = place
    scene = query_scene(seen, 1, row, column)
    token = 0 if row < 0 else 1 + seen.registers + 4 * row + column
    assert scene.token == token
    wanted = seen.attention(1)[:, token, 1 + seen.registers :].reshape(3, 2, 4)
    np.testing.assert_allclose(scene.rows, wanted.numpy(), atol=1e-6)


def test_overview_heads_and_rollout_against_the_full_maps(seen: Inspection) -> None:
    maps = torch.stack([seen.attention(layer) for layer in range(seen.layers)]).double().numpy()
    first, N = 1 + seen.registers, maps.shape[-1]
    overview = overview_scene(seen)
    np.testing.assert_allclose(overview.rows, maps[:, :, 0, first:].reshape(2, 3, 2, 4), atol=1e-6)
    assert (overview.row, overview.column) == (-1, -1)
    patch = overview_scene(seen, 1, 2)  # one query everywhere: any patch in all layers and heads
    np.testing.assert_allclose(
        patch.rows, maps[:, :, first + 4 + 2, first:].reshape(2, 3, 2, 4), atol=1e-6
    )
    with pytest.raises(ValueError, match="no patch 2,0"):
        overview_scene(seen, 2, 0)
    entropy = -(maps * np.log(maps)).sum(-1)  # [L, A, N]
    np.testing.assert_allclose(overview.entropy, entropy[:, :, 0], atol=1e-4)
    assert overview.largest_entropy == pytest.approx(np.log(N))

    heads = heads_scene(seen, 1)
    np.testing.assert_allclose(heads.entropy, entropy[1].mean(-1), atol=1e-4)
    places = np.array([(14 * row, 14 * col) for row in range(2) for col in range(4)])
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1))
    among = maps[1][:, first:, first:]
    among = among / among.sum(-1, keepdims=True)
    np.testing.assert_allclose(heads.distance, (among * apart).sum(-1).mean(-1), rtol=1e-4)

    product = np.eye(N)
    for layer in range(seen.layers):
        product = (maps[layer].mean(0) + np.eye(N)) / 2 @ product
    rollout = rollout_scene(seen).rollout
    np.testing.assert_allclose(rollout, product[0, first:].reshape(2, 4), atol=1e-5)


def test_what_is_not_there_is_said_in_words(seen: Inspection) -> None:
    for layer in (-1, seen.layers):
        for ask in (layer_scene, heads_scene, query_scene):
            with pytest.raises(ValueError, match=f"layers 0 to 1; there is no {layer}"):
                ask(seen, layer)
    for row, column in [(2, 0), (0, 4), (-1, 0)]:
        with pytest.raises(ValueError, match="2 x 4 patches"):
            query_scene(seen, 0, row, column)
