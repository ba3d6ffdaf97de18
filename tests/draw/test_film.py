"""draw/film.py: what is known stays among the frames, and the files are films."""

import io

import numpy as np
import pytest
from PIL import Image

from dino_core.draw.colours import cluster_colour
from dino_core.draw.film import (
    Kind,
    between,
    captions,
    film_bytes,
    layer_frames,
    patch_frames,
    tinted,
    with_caption,
)
from dino_core.draw.pictures import map_over


def test_known_frames_stay_and_the_way_between_is_smooth() -> None:
    known = np.array([[0.0, 4.0], [1.0, 0.0], [1.0, 2.0]], np.float32)
    frames = between(known, 4)
    assert frames.shape == (9, 2)
    np.testing.assert_array_equal(frames[::4], known)
    for i, t in enumerate((0.25, 0.5, 0.75), 1):
        share = 3 * t**2 - 2 * t**3
        np.testing.assert_allclose(frames[i], known[0] * (1 - share) + known[1] * share)
    np.testing.assert_array_equal(between(known, 1), known)
    with pytest.raises(ValueError, match="1 step or more"):
        between(known, 0)


def test_words_name_the_nearer_frame() -> None:
    assert list(captions("abc", 4)) == list("aabbbbccc")
    assert list(captions("ab", 1)) == ["a", "b"]


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_films_are_read_back(kind: Kind) -> None:
    colours = np.array([[220, 30, 30], [30, 200, 60], [40, 60, 210]], np.uint8)
    frames = [np.broadcast_to(colour, (28, 42, 3)) for colour in colours]
    with Image.open(io.BytesIO(film_bytes(frames, kind, 50))) as film:
        assert (film.format or "").lower() == kind
        assert (film.n_frames, film.size) == (3, (42, 28))
        assert film.info["loop"] == 0
        times = []
        for i, colour in enumerate(colours):
            film.seek(i)
            film.load()
            times.append(film.info["duration"])
            middle = np.asarray(film.convert("RGB"))[14, 21].astype(int)
            assert np.abs(middle - colour).max() <= 6
        assert times == [50, 50, 600]


def test_a_strip_of_words_lies_below_the_picture() -> None:
    picture = np.full((30, 120, 3), 77, np.uint8)
    sheet = with_caption(picture, "layer 3")
    np.testing.assert_array_equal(sheet[:30], picture)
    assert sheet.shape == (50, 120, 3)
    assert (sheet[30:] < 100).any()


def test_what_is_tracked_has_its_colour_and_the_rest_its_own() -> None:
    picture = np.full((4, 6, 3), 100, np.uint8)
    mask = np.zeros((1, 4, 6), np.int64)
    mask[0, 1, 2], mask[0, 3, 5] = 1, 2
    (frame,) = tinted([picture], mask, ["frame 0"])
    for place, label in (((1, 2), 0), ((3, 5), 1)):
        wanted = 0.45 * 100 + 0.55 * np.array(cluster_colour(label))
        np.testing.assert_allclose(frame[place], wanted, atol=0.6)
    assert (frame[:4] == 100).all(-1).sum() == 22


def test_refused_in_words() -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="one frame or more"):
        film_bytes([], "gif")
    with pytest.raises(ValueError, match="20 to 10000 ms, but is to stay 5"):
        film_bytes([frame], "gif", 5)
    with pytest.raises(ValueError, match="webp or gif"):
        film_bytes([frame], "mp4")  # type: ignore[arg-type]


def test_layers_are_large_squares_of_colour_with_their_names_below() -> None:
    known = np.random.default_rng(0).random((3, 2, 3, 3)).astype(np.float32)
    pixels = np.zeros((28, 42, 3), np.uint8)
    frames = layer_frames(known, pixels, 2)
    assert [frame.shape for frame in frames] == [(48, 42, 3)] * 5
    names = [f"layer {layer} of 0-2" for layer in (0, 1, 1, 2, 2)]
    for frame, values, name in zip(frames, between(known, 2), names, strict=True):
        for row, column in np.ndindex(2, 3):
            square = frame[14 * row : 14 * row + 14, 14 * column : 14 * column + 14]
            assert np.abs(square - 255 * values[row, column]).max() <= 0.51
        np.testing.assert_array_equal(frame, with_caption(frame[:28], name))


def test_weights_lie_over_the_picture_with_the_patch_framed() -> None:
    known = np.random.default_rng(1).random((2, 2, 3)).astype(np.float32)
    pixels = np.random.default_rng(2).integers(0, 255, (28, 42, 3), np.uint8)
    for box in (None, (14, 0, 28, 14)):
        frames = layer_frames(known, pixels, 1, box)
        for frame, values, layer in zip(frames, known, (0, 1), strict=True):
            wanted = with_caption(map_over(values, pixels, box), f"layer {layer} of 0-1")
            np.testing.assert_array_equal(frame, wanted)


def test_frames_of_a_film_are_squares_of_their_patches_colours() -> None:
    colours = np.random.default_rng(3).random((2, 2, 3, 3))
    frames = patch_frames(colours, ["a", "b"], 5)
    for frame, one, name in zip(frames, colours, "ab", strict=True):
        assert frame.shape == (10 + 20, 15, 3)
        assert np.abs(frame[:10:5, ::5] - 255 * one).max() <= 0.51
        np.testing.assert_array_equal(frame, with_caption(frame[:10], name))


@pytest.mark.parametrize(
    ("kind", "milliseconds", "fine"),
    [
        ("gif", 20, True),
        ("gif", 19, False),
        ("webp", 10, True),
        ("webp", 9, False),
        ("webp", 10_000, True),
        ("webp", 10_001, False),
    ],
)
def test_how_long_a_frame_may_stay(kind: Kind, milliseconds: int, fine: bool) -> None:
    frames = [np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 200, np.uint8)]
    if not fine:
        with pytest.raises(ValueError, match=f"to 10000 ms, but is to stay {milliseconds}"):
            film_bytes(frames, kind, milliseconds)
        return
    with Image.open(io.BytesIO(film_bytes(frames, kind, milliseconds))) as film:
        film.seek(1)
        film.load()
        assert film.info["duration"] == max(600, milliseconds)
