"""A film, or a folder of frames -> pictures with their times, and what is odd about them, in words.

    film = read_frames("walk.mp4", every=5, most=60)
    film.pictures, film.seconds, film.notes

Films are decoded by PyAV (the libraries of FFmpeg), an extra: `pip install "inside-dinov2[video]"`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dino_core.images.decode import MAX_PIXELS, open_picture

MOST = 120  # frames that are kept
SMALL = 32  # px: cuts are looked for in thumbnails
CUT = 0.15  # mean difference of two frames, 0 to 1, that may be a cut
STANDS_OUT = 4.0  # and so many times that of the usual pair of frames
STEADY = 0.02  # share by which times between frames may differ
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Film:
    """Frames of one size, in order."""

    pictures: tuple[Image.Image, ...]  # RGB, upright
    seconds: tuple[float, ...] | None  # since the first frame; None for a folder
    names: tuple[str, ...]  # the file of each frame of a folder, "frame 0", ... of a film
    notes: tuple[str, ...]  # cuts, uneven times, what was left out


def read_frames(path: str | Path, *, every: int = 1, most: int = MOST) -> Film:
    """Every so many-th frame of a film or of a folder of pictures, at most `most` of them.

    The pictures of a folder are in the order of their names, with numbers by their value.
    ValueError in a sentence for what is no film, has no frame, or has frames of several sizes.
    """
    if every < 1 or most < 1:
        raise ValueError(f"Every 1st frame or fewer, and 1 or more: not every {every} of {most}.")
    path = Path(path)
    if not path.exists():
        raise ValueError(f"There is no file or folder {path}.")
    found = _of_folder(path, every) if path.is_dir() else _of_film(path, every)
    kept = list(islice(found, most + 1))
    more, kept = len(kept) > most, kept[:most]
    if not kept:
        raise ValueError(f"{path} has no frames.")
    pictures = tuple(picture for picture, _, _ in kept)
    sizes = {picture.size for picture in pictures}
    if len(sizes) > 1:
        words = " and ".join(f"{w} x {h}" for w, h in sorted(sizes)[:2])
        raise ValueError(f"The frames of {path} are of several sizes, such as {words} px.")
    times = [time for _, time, _ in kept]
    seconds = None if None in times else tuple(float(time) for time in times if time is not None)
    notes = [f"Only the first {most} frames are used."] if more else []
    notes += uneven(seconds) + cuts(pictures)
    return Film(pictures, seconds, tuple(name for _, _, name in kept), tuple(notes))


Frame = tuple[Image.Image, float | None, str]


def _of_folder(folder: Path, every: int) -> Iterator[Frame]:
    paths = [one for one in folder.iterdir() if one.suffix.lower() in ENDINGS and one.is_file()]
    for path in sorted(paths, key=by_number)[::every]:
        try:
            yield open_picture(path), None, path.name
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def by_number(path: Path) -> list[tuple[int, int | str]]:
    """frame2 before frame10."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]


def _of_film(path: Path, every: int) -> Iterator[Frame]:
    try:
        import av
    except ImportError:
        raise ValueError(
            'Films are read by PyAV, which is not installed: pip install "inside-dinov2[video]", '
            "or give a folder of frames."
        ) from None

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{path} holds no moving pictures.")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            first: float | None = None
            for number, frame in enumerate(container.decode(stream)):
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


def cuts(pictures: tuple[Image.Image, ...]) -> list[str]:
    """A sentence that names where one shot ends and another begins, as far as colours say so.

    Where the mean difference of two neighbouring thumbnails is large, and much larger than usual.
    """
    small = [
        np.asarray(one.resize((SMALL, SMALL), Image.Resampling.BOX), np.float32) / 255
        for one in pictures
    ]
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
