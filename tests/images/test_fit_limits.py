"""Limits and words of fitting pictures and of films, each from both sides."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dino_core.images import (
    Fitted,
    fit_to_patches,
)
from dino_core.images.frames import by_number, cuts, keep_frames, read_frames, reader_of, uneven
from dino_core.images.patches import limited_short_side, patch_at, patch_box, patch_grid

# --- whole patches

LONG = "A long picture: its short side is 28 px instead of 56."


def fitted(width: int, height: int, *args: Any, **options: Any) -> Fitted:
    return fit_to_patches(Image.new("RGB", (width, height), "teal"), 14, *args, **options)


def test_grids_and_boxes_of_patches() -> None:
    assert patch_grid(14, 28, 14) == (1, 2)
    for sides in ((13, 28), (28, 13), (0, 14), (14, 0), (15, 28), (28, 15)):
        with pytest.raises(ValueError, match=f"are {sides[0]} and {sides[1]}: bring"):
            patch_grid(*sides, 14)
    assert patch_box(2, 3, 14) == (42, 28, 56, 42)
    for point, patch in (
        ((0, 0), (0, 0)),
        ((13.9, 14), (1, 0)),
        ((14, 13.9), (0, 1)),
        ((-5, 99), (1, 0)),
        ((99, -5), (0, 2)),
    ):
        assert patch_at(*point, 14, (2, 3)) == patch


@pytest.mark.parametrize(
    ("width", "height", "size", "how", "pixels", "note"),
    [
        (100, 50, 28, "resize", (56, 28), ""),
        (100, 50, 28, "pad", (56, 28), ""),
        (99, 50, 28, "pad", (56, 28), ""),
        (400, 50, 56, "resize", (224, 28), LONG),
        (50, 400, 56, "resize", (28, 224), LONG),
        (400, 50, 56, "crop", (224, 28), LONG),
        (5000, 1, 28, "resize", (112, 14), "A very long picture: it is brought to 112 x 14 px."),
        (1, 5000, 28, "resize", (14, 112), "A very long picture: it is brought to 14 x 112 px."),
        (5000, 1, 28, "pad", (112, 14), "A very long picture: it is brought to 112 x 14 px."),
        (50, 50, 1, "resize", (14, 14), ""),
        (50, 50, 1, "pad", (14, 14), ""),
        (50, 50, (28, 14), "resize", (14, 28), ""),
        (50, 50, (28, 14), "pad", (14, 28), ""),
        (50, 50, (28, 14), "crop", (14, 28), ""),
        (50, 50, None, "resize", (56, 56), ""),
        (50, 50, None, "pad", (56, 56), ""),
        (50, 50, None, "crop", (42, 42), ""),
        (20, 5, None, "resize", (14, 14), ""),
    ],
)  # fmt: skip
def test_sizes_and_notes(
    width: int, height: int, size: Any, how: Any, pixels: tuple[int, int], note: str
) -> None:
    found = fitted(width, height, size, how)
    assert (found.picture.size, found.note) == (pixels, note)


def test_padding_is_the_mean_colour_on_the_right_and_below() -> None:
    found = fitted(20, 30, None, "pad")
    values = np.asarray(found.picture)
    assert values.shape == (42, 28, 3)
    assert (values[:30, :20] == [0, 128, 128]).all()
    for padding in (values[30:], values[:, 20:]):
        assert (padding == [124, 116, 104]).all()
    assert (found.scale, found.offset) == ((1, 1), (0, 0))
    assert found.source_box == (0, 0, 20, 30)
    narrow = fitted(5000, 1, (28, 56), "pad")
    assert (np.asarray(narrow.picture)[1:] == [124, 116, 104]).all(), "one line is left of it"
    assert (np.asarray(narrow.picture)[0] == [0, 128, 128]).all()


def test_the_middle_is_cut_out_to_the_pixel() -> None:
    found = fitted(33, 20, None, "crop")
    assert (found.picture.size, found.scale, found.offset) == ((28, 14), (1, 1), (-2, -3))
    assert found.source_box == (2, 3, 30, 17)
    assert found.to_input(2, 3) == (0, 0)
    assert found.to_source(28, 14) == (30, 17)
    assert found.patch_at(16, 3) == (0, 1)
    assert found.patch_box(0, 1) == (16, 3, 30, 17)
    halved = fitted(60, 28, (14, 14), "crop")
    assert (halved.scale, halved.offset) == ((0.5, 0.5), (-8, 0))


def test_the_short_side_of_a_long_picture() -> None:
    for width, height, size, short in (
        (200, 100, 50, 50),
        (201, 100, 500, 499),
        (800, 100, 50, 25),
        (100, 800, 50, 25),
        (10**6, 1, 5, 1),
    ):
        assert limited_short_side(width, height, size) == short


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 0}, "The short side must have at least 1 px, but 0 was asked for."),
        ({"how": "stretch"}, "How to fit must be resize, pad or crop, but is 'stretch'."),
        (
            {"size": 13, "how": "crop"},
            "A picture of 50 x 50 px would be smaller than a patch of 14 px and cannot be cropped "
            "to one: give an exact size, or pad or resize it.",
        ),
        (
            {"size": 28, "max_pixels": 500},
            "A picture of 50 x 50 px would become 28 x 28 px, more than the 0.0005 megapixels "
            "allowed: choose a smaller size or an exact one.",
        ),
    ],
)
def test_refusals_of_a_size(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as caught:
        fitted(50, 50, **options)
    assert str(caught.value) == said


# --- films


def frames(folder: Path, *names: str, size: tuple[int, int] = (8, 6)) -> Path:
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        Image.new("RGB", size, (number, 0, 0)).save(folder / name)
    return folder


def test_every_and_most_are_one_or_more(tmp_path: Path) -> None:
    folder = frames(tmp_path / "f", "1.png", "2.png", "10.png", "b.png", "notes.bmp")
    (folder / "x.txt").write_text("words")
    (folder / "y.png").mkdir()
    for every, most in ((0, 5), (5, 0), (0, 0), (-1, 1)):
        with pytest.raises(ValueError) as caught:
            read_frames(folder, every=every, most=most)
        assert str(caught.value) == (
            f"Every 1st frame or fewer, and 1 or more: not every {every} of {most}."
        )
    film = read_frames(folder)
    assert film.names == ("1.png", "2.png", "10.png", "b.png", "notes.bmp")
    assert (film.seconds, film.notes) == (None, ())
    assert read_frames(folder, every=2).names == ("1.png", "10.png", "notes.bmp")
    assert read_frames(folder, most=5).notes == ()
    one = read_frames(folder, most=1)
    assert (one.names, one.notes) == (("1.png",), ("Only the first 1 frames are used.",))
    several = keep_frames(sorted(folder.glob("[12b]*.png")), lambda one: one.size, every=3)
    assert (several.pictures, several.names) == (((8, 6), (8, 6)), ("1.png", "b.png"))


def test_what_is_no_film_is_said(tmp_path: Path) -> None:
    empty = frames(tmp_path / "empty")
    mixed = frames(tmp_path / "mixed", "a.png")
    Image.new("RGB", (9, 5)).save(mixed / "b.png")
    broken = frames(tmp_path / "broken", "a.png")
    (broken / "b.png").write_bytes(b"")
    for source, said in (
        (empty, f"{empty} has no frames."),
        (mixed, f"The frames of {mixed} are of several sizes, such as 8 x 6 and 9 x 5 px."),
        (broken, f"{broken / 'b.png'}: The file is empty: choose a picture file."),
        (tmp_path / "none", f"There is no file or folder {tmp_path / 'none'}."),
    ):
        with pytest.raises(ValueError) as caught:
            read_frames(source)
        assert str(caught.value) == said
    with pytest.raises(ValueError, match=r"^this film has no frames"):
        keep_frames([], lambda one: one)


def test_the_order_of_numbered_names() -> None:
    names = ["b2", "a10b1", "a2b10", "a2b9", "10", "9", "a"]
    assert [one.name for one in sorted(map(Path, names), key=by_number)] == [
        *("9", "10", "a", "a2b9", "a2b10", "a10b1", "b2"),
    ]


def test_rates_that_vary() -> None:
    assert uneven(None) == uneven(()) == uneven((0.0, 1.0)) == []
    assert uneven((0.0, 1.0, 2.0)) == []
    assert uneven((0.0, 1.0, 2.02)) == [], "two hundredths"
    said = (
        "The frame rate varies: 1.000 to 1.030 s from frame to frame; here all stay equally long."
    )
    assert uneven((0.0, 1.0, 2.03)) == [said]
    assert uneven((0.0, 0.04, 0.0815)) == [], "two thousandths of a second are rounding"
    assert len(uneven((0.0, 0.04, 0.0825))) == 1


def test_cuts_are_named_by_the_frame_after() -> None:
    def film(*levels: float) -> list[np.ndarray]:
        return [np.full((4, 4, 3), level, np.float32) for level in levels]

    words = "There may be cuts before frame {}: what is tracked does not survive a cut."
    assert cuts([]) == cuts(film(0.5)) == []
    assert cuts(film(0, 0.01, 0.02, 0.5, 0.51)) == [words.format(3)]
    assert cuts(film(0, 0, 0, 0.14, 0.14)) == [], "small"
    assert cuts(film(0, 0, 0, 0.16, 0.16)) == [words.format(3)]
    assert cuts(film(0, 0.2, 0.4, 0.6, 0.8)) == [], "as all are"
    assert cuts(film(0, 0.05, 0.1, 0.29, 0.34)) == [], "less than four times the usual"
    assert cuts(film(0, 0.05, 0.1, 0.31, 0.36)) == [words.format(3)]
    level = itertools.accumulate([0.0] + [0.01, 0.01, 0.5] * 10)
    many = [np.full((1, 1, 3), one, np.float32) for one in level]
    places = ", ".join(str(3 * n) for n in range(1, 9))
    assert cuts(many) == [words.format(f"{places} and 2 more")]
    assert cuts(many[:25]) == [words.format(places)]


def test_beginnings_of_films(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for head, name in (
        *[(bytes(4) + box, "mov") for box in (b"ftyp", b"moov", b"mdat", b"wide", b"free")],
        *[(bytes(4) + box, "mov") for box in (b"skip", b"pnot")],
        (b"\x1aE\xdf\xa3", "matroska"),
        (b"RIFF1234AVI ", "avi"),
        (b"GIF8", "gif"),
        (b"OggS", "ogg"),
        (b"\0\0\x01\xba", "mpeg"),
        (b"G" + bytes(187) + b"G", "mpegts"),
        (b"FLV\x01", "flv"),
        (b"0&\xb2u\x8ef\xcf\x11", "asf"),
    ):
        path.write_bytes(head)
        assert reader_of(path) == name
    path.write_bytes(b"#EXTM3U")
    with pytest.raises(ValueError) as caught:
        reader_of(path)
    assert str(caught.value) == (
        f"{path} cannot be read as a film: it is none of MP4, QuickTime, MKV, WebM, AVI, GIF, Ogg, "
        f"MPEG, FLV or WMV."
    )
