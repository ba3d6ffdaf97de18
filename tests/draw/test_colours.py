import numpy as np
import pytest

from dino_core.draw.colours import (
    ANCHORS,
    GLOBAL_COLOURS,
    LOCAL_COLOURS,
    colour_table,
    crop_colour,
    from_hex,
)


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance (WCAG 2) of sRGB colours [..., 3], 0 to 1."""
    share = np.asarray(colours) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a: np.ndarray, b: np.ndarray) -> float:
    light, dark = sorted([luminance(a), luminance(b)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_from_hex() -> None:
    assert from_hex("#0180ff") == (1, 128, 255)


@pytest.mark.parametrize("name", list(ANCHORS))
def test_table_goes_through_its_anchors(name: str) -> None:
    table, anchors = colour_table(name), ANCHORS[name]
    assert (table.shape, table.dtype) == ((256, 3), np.uint8)
    for i, anchor in enumerate(anchors):
        place = 255 * i / (len(anchors) - 1)
        below, above = table[int(np.floor(place))], table[int(np.ceil(place))]
        low, high = np.minimum(below, above), np.maximum(below, above)
        assert (from_hex(anchor) >= low.astype(int) - 1).all()
        assert (from_hex(anchor) <= high.astype(int) + 1).all()
    assert np.abs(np.diff(table.astype(int), axis=0)).max() <= 5  # no steps


def test_more_is_lighter_in_magma() -> None:
    assert (np.diff(luminance(colour_table("magma"))) > -1e-4).all()


def test_zero_is_the_lightest_of_the_signed_map() -> None:
    table = colour_table("blue-red")
    light = luminance(table)
    assert light.argmax() in (127, 128)
    assert light.max() > 0.9
    assert (np.diff(light[:128]) >= 0).all()
    assert (np.diff(light[128:]) <= 0).all()
    assert table[0, 2] > table[0, 0]  # blue
    assert table[255, 0] > table[255, 2]  # red


def test_crops_have_colours_of_their_own() -> None:
    colours = [crop_colour("global", i) for i in range(len(GLOBAL_COLOURS))]
    colours += [crop_colour("local", i) for i in range(len(LOCAL_COLOURS))]
    assert len(set(colours)) == 10
    assert crop_colour("local", 8) == crop_colour("local", 0)
    for colour in colours:
        assert contrast(np.array(colour), np.array([255, 255, 255])) > 2.5
