import numpy as np
import pytest
from PIL import Image

from dino_core.draw.colours import colour_table
from dino_core.draw.pictures import (
    contact_sheet,
    cover,
    draw_boxes,
    enlarge,
    heat_map,
    overlay,
    to_bytes,
)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("colours", ["magma", "blue-red"])
def test_heat_map_looks_colours_up_and_clips(colours: str) -> None:
    table = colour_table(colours)
    picture = heat_map(np.array([[-2.0, -1.0, 1.0, 3.0, 9.0]]), -1, 3, colours)
    assert (picture.shape, picture.dtype) == ((1, 5, 3), np.uint8)
    np.testing.assert_array_equal(picture[0], table[[0, 0, 128, 255, 255]])


def test_heat_map_of_equal_values_is_one_colour() -> None:
    picture = heat_map(np.zeros((3, 2)), 0, 0)
    np.testing.assert_array_equal(picture, np.broadcast_to(colour_table("magma")[0], (3, 2, 3)))


def test_heat_map_draws_what_is_no_number_as_the_lowest() -> None:
    picture = heat_map(np.array([[np.nan, np.inf, -np.inf]]), 0, 1)
    np.testing.assert_array_equal(picture[0], colour_table("magma")[[0, 255, 0]])


def test_to_bytes_rounds_and_clips() -> None:
    assert to_bytes(np.array([-1, 0, 0.5, 0.9981, 1, 2])).tolist() == [0, 0, 128, 255, 255, 255]


def test_enlarge_makes_sharp_squares() -> None:
    patches = noise(2, 3, 3)
    np.testing.assert_array_equal(enlarge(patches, 4), np.kron(patches, np.ones((4, 4, 1))))


def test_overlay_mixes_each_pixel_with_its_patch() -> None:
    picture, colours = noise(8, 12, 3), noise(2, 3, 3)[::-1]
    mixed = overlay(picture, colours, 0.25)
    for y in range(8):
        for x in range(12):
            expected = 0.75 * picture[y, x] + 0.25 * colours[y // 4, x // 4]
            np.testing.assert_allclose(mixed[y, x], expected, atol=0.5)
    np.testing.assert_array_equal(overlay(picture, colours, 0), picture)
    np.testing.assert_array_equal(overlay(picture, colours, 1), enlarge(colours, 4))


def test_cover_hides_the_masked_patches_alone() -> None:
    picture, mask = noise(8, 12, 3), np.array([[True, False, False], [False, False, True]])
    covered = cover(picture, mask, grey=77)
    hidden = np.kron(mask, np.ones((4, 4))).astype(bool)
    assert covered.dtype == np.uint8
    assert (covered[hidden] == 77).all()
    np.testing.assert_array_equal(covered[~hidden], picture[~hidden])


def test_boxes_are_drawn_inside_their_pixels_on_a_copy() -> None:
    picture = Image.new("RGB", (40, 30), "white")
    drawn = draw_boxes(picture, [(5, 4, 25, 20), (0, 0, 40, 30)], [(255, 0, 0), (0, 0, 255)])
    assert drawn.shape == (30, 40, 3)
    for y, x in [(4, 5), (19, 24), (4, 24), (19, 5)]:
        assert drawn[y, x].tolist() == [255, 0, 0]
    for y, x in [(0, 0), (29, 39)]:
        assert drawn[y, x].tolist() == [0, 0, 255]
    for y, x in [(3, 5), (4, 4), (20, 24), (19, 25), (12, 15)]:  # just outside, and the middle
        assert drawn[y, x].tolist() == [255, 255, 255]
    assert (np.asarray(picture) == 255).all()


@pytest.mark.parametrize(
    ("count", "columns", "rows", "wide"), [(5, 3, 2, 3), (2, 4, 1, 2), (1, 1, 1, 1)]
)
def test_contact_sheet(count: int, columns: int, rows: int, wide: int) -> None:
    pictures = list(noise(count, 4, 6, 3) // 2)
    sheet = contact_sheet(pictures, columns, gap=2)
    assert sheet.shape == (rows * 6 - 2, wide * 8 - 2, 3)
    for i, picture in enumerate(pictures):
        top, left = i // wide * 6, i % wide * 8
        np.testing.assert_array_equal(sheet[top : top + 4, left : left + 6], picture)
    assert (sheet == 255).all(-1).sum() == sheet.shape[0] * sheet.shape[1] - count * 24
