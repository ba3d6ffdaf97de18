"""Before and after as a panel: the numbers of the screen What if, and what stands above them."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core import figures
from dino_core.analysis.effects import Effects, effects
from dino_core.analysis.inspection import inspect
from dino_core.figures.files import label_of
from dino_core.images import to_tensor
from dino_core.scenes.whatif import parse_changes, whatif_scene
from dino_core.vit import Edit


@pytest.fixture(scope="module")
def found() -> list[Effects]:
    vit, every = tiny_vit(TINY), []
    for seed in range(2):
        pixels = np.random.default_rng(seed).integers(0, 90, (56, 84, 3), np.uint8)
        pixels[14:42, 28:70] += 150
        seen = inspect(vit, to_tensor(Image.fromarray(pixels)))
        every.append(effects(vit, seen, [Edit("head", 0.0, block=1, unit=2)]))
    return every


def drawn(figure: Figure) -> list[np.ndarray]:
    """What each cell shows, without the colour bar."""
    cells = [axes for axes in figure.axes if axes.get_gid() != "colour-bar"]
    return [np.asarray(axes.images[0].get_array()) for axes in cells]


def test_the_numbers_are_those_of_the_screen(found: list[Effects]) -> None:
    scene = whatif_scene(found[0], parse_changes(["head:1.2=zero"]))
    figure = figures.before_and_after(found[:1], "head:1.2=zero")
    _, before, after, change, first, second = drawn(figure)
    np.testing.assert_allclose(before, scene.attention_before.mean(0), rtol=1e-5)
    np.testing.assert_allclose(after, scene.attention_after.mean(0), rtol=1e-5)
    np.testing.assert_allclose(change, 1 - scene.patch_cosine, atol=1e-6)
    np.testing.assert_allclose(255 * first, scene.colours_before, atol=1)
    np.testing.assert_allclose(255 * second, scene.colours_after, atol=1)
    one, two = (figure.axes[at].images[0].get_clim() for at in (1, 2))
    assert one == two == (0, pytest.approx(max(before.max(), after.max())))
    words = label_of(figure)
    assert "What if: head:1.2=zero. Layer 1 of 0–1" in words
    assert f"class token {scene.cls_cosine:.3f}, patches {scene.patch_cosine_mean:.3f}" in words
    own = drawn(figures.before_and_after(found[:1], "", head=2, layer=1))[2]
    np.testing.assert_allclose(own, scene.attention_after[2], rtol=1e-5)
    np.testing.assert_array_less(0, np.abs(own - after).max())


def test_each_picture_has_a_row_of_its_own_where_there_is_room(found: list[Effects]) -> None:
    figure = figures.before_and_after(found, "head:1.2=zero")
    assert len(drawn(figure)) == 12
    tops = [round(axes.get_position().y1, 3) for axes in figure.axes[:12]]
    assert len(set(tops[:6])) == len(set(tops[6:])) == 1
    narrow = figures.before_and_after(found, "head:1.2=zero", width="column")
    tops = [round(axes.get_position().y1, 3) for axes in narrow.axes[:12]]
    assert [tops.count(one) for one in sorted(set(tops), reverse=True)] == [3, 3, 3, 3]
    assert len(drawn(narrow)) == 12


def test_what_is_not_there_is_said(found: list[Effects]) -> None:
    with pytest.raises(ValueError, match="heads 0 to 2, not 3"):
        figures.before_and_after(found, "", head=3)
    with pytest.raises(ValueError, match="no layer 2"):
        figures.before_and_after(found, "", layer=2)
    with pytest.raises(ValueError, match="one picture or more"):
        figures.before_and_after([], "")


def test_one_scale_and_the_last_block_s_cosines_also_of_a_large_change() -> None:
    """Whichever of the two looks harder; and the words are of the end, not of the first layer."""
    vit = tiny_vit(TINY)
    pixels = np.random.default_rng(3).integers(0, 255, (56, 84, 3), np.uint8)
    seen = inspect(vit, to_tensor(Image.fromarray(pixels)))
    for temperature in (0.2, 5.0):
        sharper = Edit("scores", lambda scores, t=temperature: scores / t, block=1)
        one = effects(vit, seen, [sharper, Edit("mlp", 0.0, block=1)])
        assert float(one.patch_cosine_by_layer[0]) == pytest.approx(1)
        figure = figures.before_and_after([one], "")
        _, before, after, *_ = drawn(figure)
        most = max(before.max(), after.max())
        assert [figure.axes[at].images[0].get_clim()[1] for at in (1, 2)] == pytest.approx(
            [most] * 2
        )
        assert f"patches {one.patch_cosine_by_layer[-1]:.3f}" in label_of(figure)
        assert f"{one.patch_cosine_by_layer[-1]:.3f}" != "1.000"
