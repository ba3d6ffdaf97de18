"""A tray as a figure: numbers, marks, scales and words, looked at from outside."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core import figures
from dino_core.analysis.inspection import inspect
from dino_core.analysis.tray import Tray, fill_tray
from dino_core.analysis.tray_columns import column_of
from dino_core.figures.files import label_of
from dino_core.images import to_tensor

WORDS = ("input", "pca", "attention:1.2", "similar@1:2,3", "clusters", "norms:0")
NAMES = ("one.png", "two.png")
MM = 25.4


@pytest.fixture(scope="module")
def filled() -> Tray:
    seen = []
    for height, width in ((56, 84), (70, 56)):
        pixels = np.random.default_rng(height).integers(0, 255, (height, width, 3), np.uint8)
        seen.append(inspect(tiny_vit(TINY), to_tensor(Image.fromarray(pixels))))
    return fill_tray(2, lambda row: [seen[row]], [column_of(word) for word in WORDS])


def test_the_figure_shows_the_numbers_of_the_tray(filled: Tray) -> None:
    figure = figures.tray(filled, NAMES)
    assert figure.get_size_inches()[0] * MM == pytest.approx(183)
    bars = [axes for axes in figure.axes if axes.get_gid() == "colour-bar"]
    cells = [axes for axes in figure.axes if axes.get_gid() is None]
    assert len(bars) == 3
    assert len(cells) == 12
    for row in range(2):
        for number, column in enumerate(filled.columns):
            drawn = np.asarray(cells[6 * row + number].images[-1].get_array())
            if column.limits:
                np.testing.assert_allclose(drawn, column.maps[row])
                assert cells[6 * row + number].images[0].get_clim() == column.limits
            elif column.column.view == "pca":
                np.testing.assert_allclose(drawn, column.maps[row])
    squares = [
        [one.get_xy() for one in axes.patches if one.get_gid() == "query-white"] for axes in cells
    ]
    assert [i for i, found in enumerate(squares) if found] == [6, 9], "the picture, and its map"
    assert squares[6] == squares[9] == [(3, 2)]


def test_words_name_rows_columns_and_what_is_joint(filled: Tray) -> None:
    figure = figures.tray(filled, NAMES)
    words = [text.get_text() for text in figure.texts]
    for wanted in ("0  one.png", "1  two.png", "PCA", "layer 1, head 2", "similar to 1: 2,3"):
        assert wanted in words
    assert "−1 to 1" in words
    assert label_of(figure).startswith("2 pictures; PCA of layer 1, all pictures together: ")
    shares = [word for word in words if word.startswith("cluster ")]
    assert len(shares) == 6
    assert sum(int(one.split()[2]) for one in shares) in range(98, 103)


def test_columns_that_have_no_room(filled: Tray) -> None:
    with pytest.raises(ValueError, match="6 columns are too many for 89 mm, where 5 have room"):
        figures.tray(filled, NAMES, width="column")
    with pytest.raises(ValueError, match="6 columns are too many for 80 mm, where 5 have room"):
        figures.tray(filled, NAMES, width=80)


def test_the_picture_is_marked_for_columns_of_its_own_model(filled: Tray) -> None:
    columns = [
        replace(one, column=replace(one.column, model=int(one.column.view != "input")))
        for one in filled.columns
    ]
    figure = figures.tray(replace(filled, columns=tuple(columns)), NAMES)
    cells = [axes for axes in figure.axes if axes.get_gid() is None]
    marked = [i for i, axes in enumerate(cells) if axes.patches]
    assert marked == [9], "the other model may cut it into other patches"
