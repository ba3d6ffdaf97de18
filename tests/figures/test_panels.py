"""Panels for print, looked at from outside: the files are opened and measured."""

import io
import re
import threading
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from dino_core import figures
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.analysis.similarity import cosine_similarity
from dino_core.config import PCA_PRESETS, CropConfig, MaskConfig, ViTConfig
from dino_core.crops import Crop, sample_crops
from dino_core.draw.colours import colour_table
from dino_core.figures import panels
from dino_core.figures.panels import panel_bytes
from dino_core.images import to_tensor
from dino_core.masks import sample_block_mask
from dino_core.vit import VisionTransformer

CONFIG = ViTConfig(dim=24, depth=3, heads=3, image_size=112, patch_size=14)
MM = 25.4


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


@pytest.fixture(scope="module")
def vit() -> VisionTransformer:
    vit = VisionTransformer(CONFIG).requires_grad_(False).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in vit.parameters():
        parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return vit


@pytest.fixture(scope="module")
def seen(vit: VisionTransformer) -> Inspection:
    return inspect(vit, to_tensor(noise(84, 56)))  # 4 x 6 patches


@pytest.fixture(scope="module")
def drawn() -> tuple[Crop, ...]:
    config = CropConfig(global_size=56, local_size=28, local_count=3)
    return sample_crops(noise(120, 90), config, torch.Generator().manual_seed(0))


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def maps_of(figure: Figure) -> list[Any]:
    """The pictures of a figure whose colours stand for numbers, in order."""
    images = [axes.images[0] for axes in figure.axes if axes.images]
    return [image for image in images if np.asarray(image.get_array()).ndim == 2]


def marks_of(figure: Figure) -> list[tuple[float, ...]]:
    """Where squares stand, (left, top, width, height) in patches, one for each pair of edges."""
    squares = [square for axes in figure.axes for square in axes.patches]
    return [
        (*square.get_xy(), square.get_width(), square.get_height())
        for square in squares
        if square.get_gid() == "query-white"
    ]


# --- what is drawn


def test_attention_of_a_patch(seen: Inspection) -> None:
    figure = figures.attention(seen, query=(2, 5), layer=1)
    rows = seen.rows(seen.token_at(2, 5))[1]
    expected = [seen.on_grid(rows)[head].numpy() for head in range(3)]
    expected.append(np.mean(expected, axis=0))
    found = maps_of(figure)
    assert len(found) == 4
    for image, values in zip(found, expected, strict=True):
        np.testing.assert_allclose(image.get_array(), values, rtol=1e-6)
        assert (image.norm.vmin, image.norm.vmax) == (0, pytest.approx(values.max()))
        assert image.get_interpolation() == "none"
        assert image.get_extent() == [0, 6, 4, 0] or tuple(image.get_extent()) == (0, 6, 4, 0)
        np.testing.assert_allclose(image.cmap.colors, colour_table("magma") / 255)
        assert f"to {values.max():.3g}" in words(figure)
    assert "layer 1 of 0–2, query: patch 2,5; 4 × 6 patches of 14 px" in words(figure)
    assert marks_of(figure) == [(5, 2, 1, 1)] * 5, "column 5, row 2: on the input and every map"


def test_the_input_is_what_the_model_was_given(seen: Inspection) -> None:
    figure = figures.attention(seen)
    picture = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(picture, np.asarray(noise(84, 56)))
    assert "query: class token" in words(figure)
    assert not marks_of(figure)


def test_heads_that_were_chosen_on_one_scale(seen: Inspection) -> None:
    figure = figures.attention(seen, heads=[2, 0], shared=True)
    limits = [(image.norm.vmin, image.norm.vmax) for image in maps_of(figure)]
    most = seen.on_grid(seen.cls_rows())[2, [2, 0]].max().item()
    assert limits == [(0, pytest.approx(most))] * 3
    assert f"{most:.3g}" in words(figure).split("\n"), "the bar has the number"
    assert re.findall(r"head \d|mean of these", words(figure)) == [
        "head 2",
        "head 0",
        "mean of these",
    ]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"query": (4, 0)}, "there is no patch 4,0"),
        ({"layer": 3}, "layers 0 to 2, but no layer 3"),
        ({"layer": -1}, "no layer -1"),
        ({"heads": [3]}, "heads 0 to 2"),
        ({"heads": []}, "heads 0 to 2"),
        ({"width": "wide"}, "column or page wide"),
        ({"width": 3}, "30 to 1000 mm"),
    ],
)
def test_what_is_not_there_is_said(seen: Inspection, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        figures.attention(seen, **asked)


def test_similarity_within_a_picture_and_to_another(
    vit: VisionTransformer, seen: Inspection
) -> None:
    other = inspect(vit, to_tensor(noise(56, 70, seed=1)))  # 5 x 4 patches
    figure = figures.similarity(seen, (1, 3), others=[other], layer=0)
    one = seen.patches(0)[[1 * 6 + 3]]
    for image, picture in zip(maps_of(figure), (seen, other), strict=True):
        expected = cosine_similarity(one, picture.patches(0))[0].reshape(picture.grid)
        np.testing.assert_allclose(image.get_array(), expected, atol=1e-6)
        assert (image.norm.vmin, image.norm.vmax) == (-1, 1)
        np.testing.assert_allclose(image.cmap.colors, colour_table("blue-red") / 255)
    assert maps_of(figure)[0].get_array()[1, 3] == pytest.approx(1)
    assert marks_of(figure) == [(3, 1, 1, 1)] * 2, "not on the other picture"
    assert "to patch 1,3, layer 0 of 0–2" in words(figure)


def test_pca_of_pictures_together(vit: VisionTransformer, seen: Inspection) -> None:
    from dino_core.analysis.pca import colour_features

    other = inspect(vit, to_tensor(noise(56, 70, seed=1)))
    config = replace(PCA_PRESETS["all-patches"], components=(1, 0, 2))
    figure = figures.pca([seen, other], layer=1, config=config)
    features = [seen.patches(1), other.patches(1)]
    result = colour_features(features, [seen.grid, other.grid], config)
    shown = [axes.images[0].get_array() for axes in figure.axes]
    np.testing.assert_array_equal(shown[1], np.asarray(noise(56, 70, seed=1)))
    for colours, view in zip(shown[2:], result.pictures, strict=True):
        np.testing.assert_allclose(colours, view.colours, atol=1e-6)
    ratio = 100 * result.pca.ratio
    flat = words(figure).replace("\n", " ")
    assert f"red 1 ({ratio[1]:.1f} %), green 0 ({ratio[0]:.1f} %)" in flat
    assert "2 pictures together" in flat
    with pytest.raises(ValueError, match="one picture or more"):
        figures.pca([])
    paper = PCA_PRESETS["paper"]
    (view,) = colour_features([seen.patches(1)], [seen.grid], paper).pictures
    share = 100 * view.foreground.float().mean()
    assert f"{share:.0f} % foreground" in words(figures.pca([seen], config=paper))


def test_crops_with_their_boxes(drawn: tuple[Crop, ...]) -> None:
    figure = figures.crops(noise(120, 90), drawn)
    boxes = {patch.get_gid(): patch for patch in figure.axes[0].patches}
    assert list(boxes) == ["global-0", "global-1", "local-0", "local-1", "local-2"]
    for crop, axes in zip(drawn, figure.axes[1:], strict=True):
        box = boxes[f"{crop.kind}-{crop.index}"]
        x0, y0, x1, y1 = crop.box
        assert (*box.get_xy(), box.get_width(), box.get_height()) == (x0, y0, x1 - x0, y1 - y0)
        frame = axes.spines["left"].get_edgecolor()
        assert frame == box.get_edgecolor(), "the frame is the legend of the box"
        np.testing.assert_array_equal(axes.images[0].get_array(), crop.pixels)
        assert f"{crop.kind} {crop.index}, {100 * crop.area_fraction:.0f} %" in words(figure)
    assert len({tuple(box.get_edgecolor()) for box in boxes.values()}) == 5
    places = [axes.get_position() for axes in figure.axes[1:]]
    assert [round(one.y0, 4) for one in places[:4]] == [round(places[0].y0, 4)] * 4
    assert sorted(one.x0 for one in places[:4]) == [one.x0 for one in places[:4]], "row by row"
    assert (places[4].x0, places[4].y0 < places[0].y0) == (pytest.approx(places[0].x0), True)
    with pytest.raises(ValueError, match="no crops to show"):
        figures.crops(noise(4, 4), [])


def test_masks_on_a_picture_and_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    masks = [sample_block_mask((4, 6), 9, MaskConfig(min_block=1), generator) for _ in range(2)]
    picture = np.asarray(noise(84, 56))
    covered = figures.masks(masks, picture).axes
    np.testing.assert_array_equal(covered[0].images[0].get_array(), picture)
    for axes, one in zip(covered[1:], masks, strict=True):
        pixels = axes.images[0].get_array()
        for row, column in np.ndindex(4, 6):
            patch = (slice(14 * row, 14 * row + 14), slice(14 * column, 14 * column + 14))
            if one.mask[row, column]:
                assert (pixels[patch] == 128).all()
            else:
                np.testing.assert_array_equal(pixels[patch], picture[patch])
    alone = figures.masks(masks)
    assert "Masks of 9 among 4 × 6 patches" in words(alone)
    assert f"{masks[0].achieved} of 24, {len(masks[0].blocks)} blocks" in words(alone)
    hidden = np.asarray(alone.axes[0].images[0].get_array())[..., 0] == 128
    np.testing.assert_array_equal(hidden, masks[0].mask)
    short = replace(masks[0], target=masks[0].achieved + 3)  # what was wanted was not reached
    assert f"{short.achieved} of 24" in words(figures.masks([short]))


# --- the files


@pytest.mark.slow
@pytest.mark.parametrize(("width", "mm"), [("column", 89), ("page", 183), (120.0, 120)])
def test_widths_in_millimetres(seen: Inspection, tmp_path: Path, width: Any, mm: float) -> None:
    figure = figures.attention(seen, width=width)
    svg = ElementTree.parse(figures.save(figure, tmp_path / "a.svg")).getroot()
    assert float(svg.attrib["width"].removesuffix("pt")) / 72 * MM == pytest.approx(mm, abs=0.01)
    pdf = figures.save(figure, tmp_path / "a.pdf").read_bytes()
    [box] = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf)
    assert float(box[0]) / 72 * MM == pytest.approx(mm, abs=0.01)
    with Image.open(figures.save(figure, tmp_path / "a.png", dpi=200)) as png:
        assert png.width == pytest.approx(mm / MM * 200, abs=1)
        assert png.info["dpi"][0] == pytest.approx(200, abs=0.1)


def test_text_is_text(seen: Inspection, tmp_path: Path) -> None:
    figure = figures.attention(seen, query=(0, 1))
    text = figures.save(figure, tmp_path / "a.svg").read_text(encoding="utf-8")
    found = re.findall(r"<text[^>]*>([^<]*)</text>", text)
    assert "input" in found
    assert any("query: patch 0,1" in line for line in found)
    assert any(line.startswith("head 2, to 0.") for line in found)
    pdf = figures.save(figure, tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in pdf, "TrueType, which an editor can change"
    assert b"/Type3" not in pdf


def test_patches_stay_sharp_in_a_vector_file(seen: Inspection, tmp_path: Path) -> None:
    """The file holds as many pixels as there are patches: nothing was smoothed."""
    import base64

    figure = figures.attention(seen)
    text = figures.save(figure, tmp_path / "a.svg").read_text(encoding="utf-8")
    sizes = set()
    for data in re.findall(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)", text):
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            sizes.add(picture.size)
    assert (6, 4) in sizes


@pytest.mark.slow
def test_the_mark_stands_at_its_patch_in_the_file(seen: Inspection, tmp_path: Path) -> None:
    """Found by its pixels in a PNG: what differs from the same figure without a mark."""
    plain, marked = (
        np.asarray(Image.open(figures.save(figure, tmp_path / f"{i}.png")).convert("L"), np.int16)
        for i, figure in enumerate((figures.attention(seen), figures.attention(seen, query=(2, 4))))
    )
    figure = figures.attention(seen, query=(2, 4))
    x0, y0, x1, y1 = figure.axes[0].get_position().extents  # of the input, from below
    H, W = plain.shape
    top, left = round((1 - y1) * H), round(x0 * W)
    height, width = (y1 - y0) * H, (x1 - x0) * W
    inside = (slice(top, top + round(height)), slice(left, left + round(width)))
    rows, columns = (abs(plain[inside] - marked[inside]) > 30).nonzero()
    edge = 0.2 * height / 4
    assert rows.min() == pytest.approx(2 * height / 4, abs=edge)
    assert rows.max() == pytest.approx(3 * height / 4, abs=edge)
    assert columns.min() == pytest.approx(4 * width / 6, abs=edge)
    assert columns.max() == pytest.approx(5 * width / 6, abs=edge)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_the_same_figure_is_the_same_file(seen: Inspection, tmp_path: Path, ending: str) -> None:
    first, second = (
        figures.save(figures.attention(seen), tmp_path / f"{name}.{ending}").read_bytes()
        for name in "ab"
    )
    assert first == second
    assert b"Date" not in first.replace(b"dc:date", b"Date") or ending == "pdf"
    assert b"CreationDate" not in first


def test_endings_that_are_no_panel_s(seen: Inspection, tmp_path: Path) -> None:
    figure = figures.attention(seen)
    for name in ("a.gif", "a.jpg", "a"):
        with pytest.raises(ValueError, match=r"\.svg, \.pdf, \.png or \.html"):
            figures.save(figure, tmp_path / name)
    with pytest.raises(ValueError, match="30 to 2400 dots per inch, not 5"):
        figures.save(figure, tmp_path / "a.png", dpi=5)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_threads_do_not_disturb_each_other(seen: Inspection) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    alone = [panel_bytes(figures.attention(seen, layer=i % 3), "svg", 72) for i in range(3)]
    found: dict[int, bytes] = {}

    def work(i: int) -> None:
        found[i] = panel_bytes(figures.attention(seen, layer=i % 3), "svg", 72)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(6)] == alone * 2
    assert dict(matplotlib.rcParams) == before


def test_a_notebook_shows_a_panel_by_itself(seen: Inspection) -> None:
    figure: Any = figures.attention(seen)
    with Image.open(io.BytesIO(figure._repr_png_())) as picture:
        assert picture.width == pytest.approx(183 / MM * 110, abs=1)


def test_an_inspection_is_described_in_a_line(seen: Inspection) -> None:
    assert repr(seen) == (
        "Inspection of 56 x 84 px: 4 x 6 patches of 14 px, 3 layers of 25 tokens of width 24, "
        "3 heads"
    )


def test_one_file_is_written_at_a_time() -> None:
    """matplotlib's settings belong to the whole process."""
    figure = panels.new_figure(40, 30)
    writer = threading.Thread(target=panels.panel_bytes, args=(figure, "png", 50))
    with panels._SAVING:
        writer.start()
        writer.join(0.3)
        assert writer.is_alive(), "it waits"
    writer.join(60)
    assert not writer.is_alive()


@pytest.mark.parametrize(("width", "columns"), [(72.0, 3), (71.9, 2), (30.0, 1), ("page", 7)])
def test_cells_stand_in_a_row_as_long_as_their_titles_have_room(width: Any, columns: int) -> None:
    assert panels.most_columns(width) == columns
