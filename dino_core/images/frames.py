"""A film, or a folder of frames -> pictures with their times, and what is odd about them, in words.

    film = read_frames("walk.mp4", every=5, most=60)
    film.pictures, film.seconds, film.notes

Films are decoded by PyAV (the libraries of FFmpeg), an extra: `pip install "inside-dinov2[video]"`.
What kind of film a file is, is read off its first bytes, and only that reader sees it: playlists
and scripts, which have FFmpeg open other files, are no films.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import Image

from dino_core.images.decode import MAX_PIXELS, open_picture

MOST = 120  # frames that are kept
SMALL = 32  # px: cuts are looked for in thumbnails
CUT = 0.15  # mean difference of two frames, 0 to 1, that may be a cut
STANDS_OUT = 4.0  # and so many times that of the usual pair of frames
STEADY = 0.02  # share by which times between frames may differ
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
HEAD = 512  # bytes of a film that are looked at
# FFmpeg's name of a reader, and how a file of its kind begins: from which byte on, with what.
READERS: tuple[tuple[str, int, tuple[bytes, ...]], ...] = (
    ("mov", 4, (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")),  # MP4, QuickTime
    ("matroska", 0, (b"\x1aE\xdf\xa3",)),  # MKV, WebM
    ("avi", 8, (b"AVI ",)),
    ("gif", 0, (b"GIF8",)),
    ("ogg", 0, (b"OggS",)),
    ("mpeg", 0, (b"\0\0\x01\xba",)),
    ("mpegts", 188, (b"G",)),
    ("flv", 0, (b"FLV\x01",)),
    ("asf", 0, (b"0&\xb2u\x8ef\xcf\x11",)),  # WMV
)
FILMS = "MP4, QuickTime, MKV, WebM, AVI, GIF, Ogg, MPEG, FLV or WMV"

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Film(Generic[Kept]):
    """Frames of one size, in order."""

    pictures: tuple[Kept, ...]  # RGB, upright; or what was kept of them
    seconds: tuple[float, ...] | None  # since the first frame; None for pictures
    names: tuple[str, ...]  # the file of each picture, "frame 0", ... of a film
    notes: tuple[str, ...]  # cuts, uneven times, what was left out


def read_frames(path: str | Path, *, every: int = 1, most: int = MOST) -> Film[Image.Image]:
    """Every so many-th frame of a film or of a folder of pictures, at most `most` of them.

    The pictures of a folder are in the order of their names, with numbers by their value.
    ValueError in a sentence for what is no film, has no frame, or has frames of several sizes.
    """
    return keep_frames(path, lambda picture: picture, every=every, most=most)


def keep_frames(
    source: str | Path | Sequence[Path],
    keep: Callable[[Image.Image], Kept],
    *,
    every: int = 1,
    most: int = MOST,
    check: Callable[[], None] = lambda: None,
) -> Film[Kept]:
    """The same with what `keep` makes of each frame: a large film in little memory.

    `source` may be frames in their order. `check` is called for every frame that is decoded, those
    between as well; it and `keep` may raise, which ends the reading.
    """
    if every < 1 or most < 1:
        raise ValueError(f"Every 1st frame or fewer, and 1 or more: not every {every} of {most}.")
    what, found = frames_of(source, every, check)
    kept: list[Kept] = []
    small, times, names, notes = [], [], [], []
    size: tuple[int, int] | None = None
    for picture, time, name in islice(found, most + 1):
        if len(kept) == most:
            notes.append(f"Only the first {most} frames are used.")
            break
        size = size or picture.size
        if picture.size != size:
            words = " and ".join(f"{w} x {h}" for w, h in sorted({size, picture.size}))
            raise ValueError(f"The frames of {what} are of several sizes, such as {words} px.")
        kept.append(keep(picture))
        small.append(thumbnail(picture))
        times.append(time)
        names.append(name)
    if not kept:
        raise ValueError(f"{what} has no frames.")
    seconds = None if None in times else tuple(float(time) for time in times if time is not None)
    notes += uneven(seconds) + cuts(small)
    return Film(tuple(kept), seconds, tuple(names), tuple(notes))


Frame = tuple[Image.Image, float | None, str]


def frames_of(
    source: str | Path | Sequence[Path], every: int, check: Callable[[], None]
) -> tuple[str, Iterator[Frame]]:
    """What a film is called, and its frames, decoded as they are asked for."""
    if not isinstance(source, str | Path):
        return "this film", _of_pictures(source[::every], check)
    path = Path(source)
    if not path.exists():
        raise ValueError(f"There is no file or folder {path}.")
    if not path.is_dir():
        return str(path), _of_film(path, every, check)
    paths = [one for one in path.iterdir() if one.suffix.lower() in ENDINGS and one.is_file()]
    return str(path), _of_pictures(sorted(paths, key=by_number)[::every], check)


def _of_pictures(paths: Iterable[Path], check: Callable[[], None]) -> Iterator[Frame]:
    for path in paths:
        check()
        try:
            yield open_picture(path), None, path.name
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def by_number(path: Path) -> list[tuple[int, int | str]]:
    """frame2 before frame10."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]


def reader_of(path: Path) -> str:
    """FFmpeg's name of what reads this film. ValueError in a sentence for what is none."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    for name, at, starts in READERS:
        if head[at:].startswith(starts):
            return name
    raise ValueError(f"{path} cannot be read as a film: it is none of {FILMS}.")


def _of_film(path: Path, every: int, check: Callable[[], None]) -> Iterator[Frame]:
    try:
        import av
    except ImportError:
        raise ValueError(
            'Films are read by PyAV, which is not installed: pip install "inside-dinov2[video]", '
            "or give a folder of frames."
        ) from None

    only_files = {"protocol_whitelist": "file"}
    try:
        with av.open(str(path), format=reader_of(path), options=only_files) as container:
            if not container.streams.video:
                raise ValueError(f"{path} holds no moving pictures.")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            first: float | None = None
            for number, frame in enumerate(container.decode(stream)):
                check()
                first = frame.time if first is None else first
                if number % every == 0:
                    time = None if frame.time is None or first is None else frame.time - first
                    yield _upright(frame), time, f"frame {number}"
    except av.FFmpegError as error:
        raise ValueError(f"{path} cannot be read as a film: {error.strerror}.") from None


def _upright(frame: Any) -> Image.Image:
    """A decoded frame as RGB, turned as its file says. ValueError for one that is too large."""
    if frame.width * frame.height > MAX_PIXELS:
        raise ValueError(f"A frame has {frame.width} x {frame.height} px, which is too many.")
    picture: Image.Image = frame.to_image()
    turn = round(getattr(frame, "rotation", 0) or 0) % 360
    return picture.rotate(turn, expand=True) if turn else picture


def uneven(seconds: tuple[float, ...] | None) -> list[str]:
    """A sentence when frames do not follow each other at one rate; the film plays them evenly."""
    steps = [later - earlier for earlier, later in pairwise(seconds or ())]
    if len(steps) < 2 or max(steps) - min(steps) <= max(STEADY * max(steps), 2e-3):
        return []
    return [
        f"The frame rate varies: {min(steps):.3f} to {max(steps):.3f} s from frame to frame; here "
        f"all stay equally long."
    ]


def thumbnail(picture: Image.Image) -> np.ndarray:
    """float32 [32, 32, 3], 0 to 1: what cuts are looked for in."""
    return np.asarray(picture.resize((SMALL, SMALL), Image.Resampling.BOX), np.float32) / 255


def cuts(small: Sequence[np.ndarray]) -> list[str]:
    """A sentence that names where one shot ends and another begins, as far as colours say so.

    Where the mean difference of two neighbouring thumbnails is large, and much larger than usual.
    """
    apart = np.array([np.abs(a - b).mean() for a, b in pairwise(small)])
    if not len(apart):
        return []
    found = np.flatnonzero((apart > CUT) & (apart > STANDS_OUT * np.median(apart)))
    if not len(found):
        return []
    places = ", ".join(str(place + 1) for place in found[:8])
    rest = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return [
        f"There may be cuts before frame {places}{rest}: what is tracked does not survive a cut."
    ]
