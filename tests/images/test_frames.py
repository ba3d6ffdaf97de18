"""images/frames.py: films and folders, read back as they were made."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from dino_core.images.frames import cuts, read_frames, uneven


def plain(colour: int) -> Image.Image:
    return Image.fromarray(np.full((48, 64, 3), colour, np.uint8))


def write_film(path: Path, colours: list[int], times: list[int] | None = None) -> Path:
    """Grey frames, 10 in a second, or at these tenths."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 10)
        for number, colour in enumerate(colours):
            frame = av.VideoFrame.from_image(plain(colour))
            frame.pts = times[number] if times else number
            frame.time_base = Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_film(tmp_path: Path) -> None:
    colours = [20, 40, 60, 80, 100, 120]
    film = read_frames(write_film(tmp_path / "a.mp4", colours), every=2)
    assert [picture.size for picture in film.pictures] == [(64, 48)] * 3
    seen = [float(np.asarray(picture).mean()) for picture in film.pictures]
    np.testing.assert_allclose(seen, colours[::2], atol=4)
    assert film.seconds is not None
    np.testing.assert_allclose(film.seconds, [0, 0.2, 0.4], atol=1e-6)
    assert film.names == ("frame 0", "frame 2", "frame 4")
    assert film.notes == ()


def test_cuts_uneven_times_and_too_many_frames_are_said(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", [20, 22, 24, 200, 202, 204], [0, 1, 2, 3, 8, 9])
    film = read_frames(path, most=5)
    assert len(film.pictures) == 5
    limit, rate, cut = film.notes
    assert limit == "Only the first 5 frames are used."
    assert rate.startswith("The frame rate varies: 0.100 to 0.500 s")
    assert cut.startswith("There may be cuts before frame 3:")


def test_what_moves_evenly_is_no_cut() -> None:
    assert cuts(tuple(plain(20 * i) for i in range(8))) == []
    assert cuts((plain(0),)) == []
    assert uneven((0.0, 0.1, 0.2, 0.3)) == []
    assert uneven(None) == []
    assert uneven((0.0, 0.5)) == []


def test_a_folder_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        plain(10 * number).save(tmp_path / f"frame{number}.png")
    (tmp_path / "notes.txt").write_text("no frame")
    film = read_frames(tmp_path)
    assert film.names == ("frame1.png", "frame2.png", "frame10.png")
    assert film.seconds is None
    assert [int(np.asarray(picture)[0, 0, 0]) for picture in film.pictures] == [10, 20, 100]


def test_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file or folder"):
        read_frames(tmp_path / "nothing.mp4")
    with pytest.raises(ValueError, match="has no frames"):
        read_frames(tmp_path)
    (tmp_path / "text.mp4").write_text("no film at all")
    with pytest.raises(ValueError, match="cannot be read as a film"):
        read_frames(tmp_path / "text.mp4")
    folder = tmp_path / "folder"
    folder.mkdir()
    plain(0).save(folder / "a.png")
    plain(0).resize((32, 32)).save(folder / "b.png")
    with pytest.raises(ValueError, match="several sizes, such as 32 x 32 and 64 x 48"):
        read_frames(folder)
    (folder / "a.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(ValueError, match=r"a\.png: "):
        read_frames(folder)
