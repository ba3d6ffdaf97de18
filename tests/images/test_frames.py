"""images/frames.py: films and folders, read back as they were made."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from dino_core.images.frames import READERS, cuts, keep_frames, read_frames, thumbnail, uneven


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


def test_times_are_counted_from_the_first_frame(tmp_path: Path) -> None:
    """As a piece that was cut out of a longer film has them."""
    film = read_frames(write_film(tmp_path / "a.mkv", [20, 40, 60], [5, 6, 8]))
    assert film.seconds is not None
    np.testing.assert_allclose(film.seconds, [0, 0.1, 0.3], atol=2e-3)


def test_of_many_cuts_the_first_are_named_and_the_rest_counted() -> None:
    shots = [thumbnail(plain(200 * (shot % 2))) for shot in range(11) for _ in range(3)]
    (words,) = cuts(shots)
    assert "before frame 3, 6, 9, 12, 15, 18, 21, 24 and 2 more:" in words


def test_a_film_may_open_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, opened, asked = write_film(tmp_path / "a.mp4", [20]), av.open, []

    def noted(*words: object, **options: object) -> object:
        asked.append(options)
        return opened(*words, **options)

    monkeypatch.setattr(av, "open", noted)
    read_frames(path)
    assert asked == [{"format": "mov", "options": {"protocol_whitelist": "file"}}]


def test_what_moves_evenly_is_no_cut() -> None:
    assert cuts([thumbnail(plain(20 * i)) for i in range(8)]) == []
    assert cuts([thumbnail(plain(0))]) == []
    assert uneven((0.0, 0.1, 0.2, 0.3)) == []
    assert uneven(None) == []
    assert uneven((0.0, 0.5)) == []


def test_a_folder_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for number in (10, 1):
        plain(10 * number).save(tmp_path / f"frame{number}.png")
    plain(20).save(tmp_path / "frame2.PNG")
    (tmp_path / "notes.txt").write_text("no frame")
    film = read_frames(tmp_path)
    assert film.names == ("frame1.png", "frame2.PNG", "frame10.png")
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


def test_every_frame_that_is_decoded_is_checked_and_what_is_kept_is_chosen(tmp_path: Path) -> None:
    path, checked = write_film(tmp_path / "a.mp4", [20, 40, 60, 80, 100]), []
    film = keep_frames(path, lambda one: one.width, every=2, check=lambda: checked.append(1))
    assert film.pictures == (64, 64, 64)
    assert len(checked) == 5
    plain(0).save(tmp_path / "b.png")
    files = [tmp_path / "b.png"] * 2
    assert keep_frames(files, lambda one: one.height).names == ("b.png", "b.png")

    def stop() -> None:
        raise KeyError("enough")

    for source in (path, files):
        with pytest.raises(KeyError, match="enough"):
            keep_frames(source, lambda one: one, check=stop)


@pytest.mark.parametrize(("name", "kind"), [("mp4", "mov"), ("mkv", "matroska"), ("avi", "avi")])
def test_kinds_are_told_by_their_first_bytes(tmp_path: Path, name: str, kind: str) -> None:
    path = write_film(tmp_path / f"a.{name}", [20, 40]).rename(tmp_path / "film.bin")
    assert len(read_frames(path).pictures) == 2
    assert kind in [reader for reader, _, _ in READERS]


def test_a_playlist_that_names_another_file_is_no_film(tmp_path: Path) -> None:
    """FFmpeg by itself would open what these name: any file of this machine."""
    other = write_film(tmp_path / "a.mp4", [20, 40])
    lists = {
        "list.m3u8": f"#EXTM3U\n#EXTINF:1,\nfile://{other}\n#EXT-X-ENDLIST\n",
        "list.mp4": f"ffconcat version 1.0\nfile {other.name}\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match="it is none of MP4"):
            read_frames(tmp_path / name)


@pytest.mark.parametrize("times", [(None, 0.1, 0.2), (0.0, None, 0.2), (0.0, 0.1, None)])
def test_without_one_of_its_times_a_film_has_none(
    monkeypatch: pytest.MonkeyPatch, times: tuple[float | None, ...]
) -> None:
    def frames(*_: object) -> tuple[str, object]:
        picture = Image.new("RGB", (8, 8))
        return "film", ((picture, time, f"frame {i}") for i, time in enumerate(times))

    monkeypatch.setattr("dino_core.images.frames.frames_of", frames)
    assert keep_frames("film", lambda picture: 0).seconds is None
