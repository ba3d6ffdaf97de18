"""Panels of views, looked at from outside: numbers, marks, legends, and the files they become."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core import figures
from dino_core.analysis.depth import attention_by_layer, layers_in_colours
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.analysis.side_by_side import compared
from dino_core.config import PCA_PRESETS
from dino_core.draw.colours import cluster_colour
from dino_core.figures.files import label_of
from dino_core.figures.panels import Entry, in_lines
from dino_core.images import to_tensor

MM = 25.4


def look(seed: int, width: int = 84, height: int = 56) -> Inspection:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return inspect(tiny_vit(TINY), to_tensor(Image.fromarray(values)))


@pytest.fixture(scope="module")
def seen() -> Inspection:
    return look(0)  # 4 x 6 patches, 2 layers, 3 heads


def titles(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts[1:]]


def marks(figure: Figure) -> list[tuple[float, float]]:
    squares = [square for axes in figure.axes for square in axes.patches]
    return [one.get_xy() for one in squares if one.get_gid() == "query-white"]


def values_of(figure: Figure) -> list[np.ndarray]:
    arrays = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    return [array for array in arrays if array.ndim == 2]


def test_one_head_one_patch_five_pictures(seen: Inspection) -> None:
    pictures = [seen, *(look(seed) for seed in range(1, 5))]
    figure = figures.attention_of_pictures(pictures, (1, 3), layer=1, heads=[2])
    maps = values_of(figure)
    assert len(maps) == 5
    for one, drawn in zip(pictures, maps, strict=True):
        np.testing.assert_allclose(drawn, one.on_grid(one.rows(one.token_at(1, 3))[1, 2]))
    assert marks(figure) == [(3, 1)] * 10, "in each picture and in each map"
    assert [title for title in titles(figure) if title.startswith("picture")] == [
        f"picture {i}" for i in range(5)
    ]
    assert "layer 1 of 0–1, query: patch 1,3" in label_of(figure)
    with pytest.raises(ValueError, match="heads 0 to 2"):
        figures.attention_of_pictures([seen], heads=[3])


def test_columns_of_both_widths_in_mm(seen: Inspection) -> None:
    for width, wanted in (("column", 89), ("page", 183), (85, 85), (170, 170)):
        figure = figures.patch_values([seen], [np.eye(4, 6)], "Rollout", "weight", width=width)
        assert figure.get_size_inches()[0] * MM == pytest.approx(wanted)


def test_layers_in_colours_and_attention_by_layer(seen: Inspection) -> None:
    family = layers_in_colours(seen, PCA_PRESETS["all-patches"])
    figure = figures.layers_in_colours(seen, family)
    drawn = [axes.images[0].get_array() for axes in figure.axes]
    for view, colours in zip(family.maps, drawn[1:], strict=True):
        np.testing.assert_allclose(colours, view.colours, atol=1e-6)
    view = family.maps[0]
    assert f"layer 0, {view.cosine:.2f}, {100 * view.variance:.0f} %" in titles(figure)
    figure = figures.attention_by_layer(seen, (2, 0), head=1)
    np.testing.assert_allclose(
        values_of(figure)[:2], attention_by_layer(seen, (2, 0), head=1), rtol=1e-6
    )
    assert marks(figure) == [(0, 2)] * 3


def test_clusters_have_a_legend_in_their_colours(seen: Inspection) -> None:
    labels = np.array([[0] * 6] * 2 + [[1] * 6] + [[2] * 6])
    figure = figures.clusters([seen], [labels])
    assert titles(figure)[-3:] == ["cluster 0, 50 %", "cluster 1, 25 %", "cluster 2, 25 %"]
    swatches = [axes for axes in figure.axes if axes.get_gid() == "legend"]
    for i, axes in enumerate(swatches):
        assert tuple(np.asarray(axes.images[0].get_array())[0, 0]) == cluster_colour(i)
    drawn = np.asarray(figure.axes[1].images[0].get_array())
    assert tuple(drawn[3, 0]) == cluster_colour(2)


def test_a_legend_in_lines_that_fit() -> None:
    entries = [Entry((0, 0, 0), f"cluster {i}, 10 %") for i in range(9)]
    lines = in_lines(entries, 89)
    assert sum(map(len, lines)) == 9
    assert len(lines) > 1
    for line in lines:
        left, entry = line[-1]
        assert left + 3 + len(entry.words) * 1.1 < 89
    assert in_lines([], 89) == []


def test_lines_of_matches_start_and_end_in_the_middle_of_patches(seen: Inspection) -> None:
    second = look(5, 56, 112)  # 8 x 4 patches, drawn as tall as the first: half as large
    pairs = [((0, 2), (7, 1), 0.9), ((3, 5), (0, 0), 0.5)]
    figure = figures.matches(seen, second, pairs)
    (axes,) = figure.axes
    lines = [one for one in axes.patches if isinstance(one, ConnectionPatch)]
    assert [line.get_gid() for line in lines] == ["match-0", "match-1"]
    gap = 6 / 20
    assert lines[0].xy1 == (2.5, 0.5)
    assert lines[0].xy2 == pytest.approx((6 + gap + 1.5 / 2, 7.5 / 2))
    assert lines[1].xy2 == pytest.approx((6 + gap + 0.25, 0.25))
    assert "2 mutual matches, cosine 0.50 to 0.90" in label_of(figure)


def test_what_stands_out_is_framed(seen: Inspection) -> None:
    lengths = np.arange(48, dtype=float).reshape(2, 4, 6)
    out = np.zeros((2, 4, 6), bool)
    out[1, 2, 5] = True
    figure = figures.norms(seen, lengths, out)
    assert marks(figure) == [(5, 2)]
    assert titles(figure)[:3] == ["input", "embedded, 0–23", "layer 0, 24–47"]


def test_comparison_and_grid_say_cka(seen: Inspection) -> None:
    features = [seen.patches(0), seen.patches(1)]
    found = compared(*features, [seen.grid] * 2, PCA_PRESETS["all-patches"])
    figure = figures.comparison(seen, found, ("layer 0", "layer 1"))
    assert f"CKA {found.cka:.3f}" in label_of(figure)
    maps = [[np.eye(4, 6), 2 * np.eye(4, 6)]] * 2
    figure = figures.model_grid(
        seen,
        maps,
        ["one", "other"],
        [[0, 1]] * 2,
        cka=np.array([[0.1, 0.2], [0.3, 1.0]]),
        header="Attention",
        query=(1, 1),
    )
    assert titles(figure)[:6] == [
        "one",
        "layer 0, 0.10",
        "layer 1, 0.20",
        "other",
        "layer 0, 0.30",
        "layer 1, 1.00",
    ]
    assert marks(figure) == [(1, 1)] * 6


# --- files


@pytest.mark.parametrize("ending", ["svg", "pdf", "png", "html"])
def test_a_caption_is_in_the_file(seen: Inspection, tmp_path: Path, ending: str) -> None:
    figure = figures.attention(seen, (1, 2))
    caption = "Layer 1 <of> 2. Repeated by: python -m dino_core attention 'a b.png'"
    path = figures.save(figure, tmp_path / f"a.{ending}", caption=caption)
    if ending == "png":
        with Image.open(path) as picture:
            assert picture.info["Description"] == caption
    elif ending == "pdf":
        assert b"python -m dino_core attention" in path.read_bytes()
    else:
        text = path.read_text(encoding="utf-8")
        assert "Layer 1 &lt;of&gt; 2. Repeated by" in text


def test_a_panel_as_a_page_is_its_svg_with_words_and_nothing_from_elsewhere(
    seen: Inspection, tmp_path: Path
) -> None:
    figure = figures.attention(seen, (1, 2))
    page = figures.save(figure, tmp_path / "a.html", caption="Words.").read_text(encoding="utf-8")
    assert page.count("<svg ") == 1
    assert ">input</text>" in page, "text is text"
    assert "<figcaption>Words.</figcaption>" in page
    links = re.findall(r"""(?:src|href)=["']([^"']{0,20})""", page)
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)


def test_each_model_of_a_grid_has_its_own_layers(seen: Inspection) -> None:
    maps = [[np.random.default_rng(i).random((*seen.grid, 3))] * 2 for i in range(2)]
    figure = figures.model_grid(
        seen, maps, ["small", "large"], [[0, 1], [4, 23]], cka=np.ones((2, 2)), header="x"
    )
    words = [text.get_text() for text in figure.texts]
    for layer in (0, 1, 4, 23):
        assert f"layer {layer}, 1.00" in words
