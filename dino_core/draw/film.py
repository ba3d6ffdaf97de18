"""Films: frames -> an animated GIF or WebP, smooth between what is known.

frames = between(colours, steps=8)              # [n, h, w, 3] -> [(n - 1) * 8 + 1, h, w, 3]
film_bytes([large(frame) for frame in frames], "webp", milliseconds=40)
film_bytes(tinted(pixels, masks), "gif")        # what is tracked through the frames of a film
"""

import io
import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dino_core.draw.colours import cluster_colour
from dino_core.draw.pictures import enlarge, map_over, to_bytes

Kind = Literal["gif", "webp"]
KINDS: tuple[Kind, ...] = ("webp", "gif")
STRIP = 20  # px below a picture, for words
REST = 600  # ms that the last frame stays
QUALITY = 90  # of WebP, 0 to 100
FASTEST = {"gif": 20, "webp": 10}  # ms; browsers slow down what is faster
TRACKED = 0.55  # of the colour over what is tracked


def between(values: np.ndarray, steps: int) -> np.ndarray:
    """Values [n, ...] with steps - 1 more between each two: [(n - 1) * steps + 1, ...], float32.

    x(t) = a + (b - a) (3 t^2 - 2 t^3), t = 0, 1/steps, ...: it leaves and arrives at rest, and the
    known values are among the result, unchanged.
    """
    if steps < 1:
        raise ValueError(f"There is 1 step or more from each frame to the next, not {steps}.")
    values = np.asarray(values, np.float32)
    times = np.arange(steps, dtype=np.float32) / steps
    eased = (times**2 * (3 - 2 * times)).reshape(-1, *[1] * (values.ndim - 1))
    parts = [a + (b - a) * eased for a, b in itertools.pairwise(values)]
    return np.concatenate([*parts, values[-1:]])


def with_caption(picture: np.ndarray, words: str) -> np.ndarray:
    """A picture uint8 [H, W, 3] with a strip of words below it: [H + 20, W, 3]."""
    H, W, _ = picture.shape
    sheet = Image.new("RGB", (W, H + STRIP), "white")
    sheet.paste(Image.fromarray(picture), (0, 0))
    pen = ImageDraw.Draw(sheet)
    pen.text((4, H + STRIP // 2), words, "black", ImageFont.load_default(12), anchor="lm")
    return np.asarray(sheet)


def layer_frames(
    known: np.ndarray,
    pixels: np.ndarray,
    steps: int,
    box: tuple[float, float, float, float] | None = None,
) -> list[np.ndarray]:
    """Layers as the frames of a film, uint8 [H + 20, W, 3], smooth in between, with their names.

    known: [T, h, w, 3] colours in 0 to 1, or [T, h, w] in 0 to 1, which lie over the picture that
    the model saw, uint8 [H, W, 3], with `box` framed (px).
    """
    names = [f"layer {layer} of 0-{len(known) - 1}" for layer in range(len(known))]
    frames = []
    for values, words in zip(between(known, steps), captions(names, steps), strict=True):
        if values.ndim == 3:
            picture = enlarge(to_bytes(values), pixels.shape[0] // values.shape[0])
        else:
            picture = map_over(values, pixels, box)
        frames.append(with_caption(picture, words))
    return frames


def patch_frames(colours: np.ndarray, names: Sequence[str], side: int) -> list[np.ndarray]:
    """A colour a patch, [n, h, w, 3] in 0 to 1 -> frames uint8 [h * side + 20, w * side, 3]."""
    pictures = [enlarge(to_bytes(one), side) for one in colours]
    return [with_caption(one, name) for one, name in zip(pictures, names, strict=True)]


def tinted(
    pixels: Sequence[np.ndarray], masks: np.ndarray, names: Sequence[str]
) -> list[np.ndarray]:
    """Pictures uint8 [H, W, 3] with the colour of what is tracked at each pixel, int [n, H, W],
    0 for nothing -> frames uint8 [H + 20, W, 3]."""
    table = np.array([cluster_colour(i) for i in range(max(int(masks.max()), 1))], np.float32)
    frames = []
    for picture, mask, name in zip(pixels, masks, names, strict=True):
        inside, drawn = mask > 0, picture.astype(np.float32)
        drawn[inside] = (1 - TRACKED) * drawn[inside] + TRACKED * table[mask[inside] - 1]
        frames.append(with_caption(np.rint(drawn).astype(np.uint8), name))
    return frames


def film_bytes(frames: Sequence[np.ndarray], kind: Kind, milliseconds: int = 40) -> bytes:
    """Frames uint8 [H, W, 3] of one size -> a film that repeats for ever, as a file's bytes.

    Each frame stays so long, the last one longer. ValueError without frames, or for a time that
    is too short to be kept.
    """
    if not frames:
        raise ValueError("A film wants one frame or more.")
    if kind not in KINDS:
        raise ValueError(f"A film is a {' or '.join(KINDS)} file, not {kind!r}.")
    if not FASTEST[kind] <= milliseconds <= 10_000:
        raise ValueError(
            f"A frame of a {kind} stays {FASTEST[kind]} to 10000 ms, but is to stay {milliseconds}."
        )
    first, *rest = (Image.fromarray(frame) for frame in frames)
    buffer = io.BytesIO()
    first.save(
        buffer,
        format=kind,
        save_all=True,
        append_images=rest,
        duration=[milliseconds] * len(rest) + [max(REST, milliseconds)],
        loop=0,
        **({"quality": QUALITY, "method": 2} if kind == "webp" else {"optimize": False}),
    )
    return buffer.getvalue()


def captions(names: Sequence[str], steps: int) -> Iterator[str]:
    """What stands below each frame of `between`: the name of the nearer one."""
    for i in range((len(names) - 1) * steps + 1):
        yield names[(i + steps // 2) // steps]
