"""A film of a visitor's own: its frames in the colours of one PCA, or with what is tracked.

chosen = VideoChoice(most=60, patches=((6, 12),))
film = open_film(files, 14, chosen, check)       # decoded, without any model
video_values(vit, film, chosen)                  # what the command `video` writes, as base64
"""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from dino_core.analysis.videos import (
    DEFAULT,
    FrameColours,
    Tracked,
    frame_features,
    in_one_basis,
    labels_from_patches,
    one_hot,
    track,
)
from dino_core.config import PropagationConfig
from dino_core.draw.film import film_bytes, patch_frames, tinted
from dino_core.images import Fitted, fit_to_patches
from dino_core.images.frames import Film, keep_frames
from dino_core.images.labels import labels_on_grid, read_labels
from dino_core.scenes.features import settings
from dino_core.vit import VisionTransformer

MOST_FRAMES = 120
MOST_EVERY = 100  # frames from one to the next that is looked at: all of them are decoded
MOST_PATCHES = 60_000  # of all frames together
MOST_QUEUE = 12  # frames that each one asks, beside the first


@dataclass(frozen=True)
class VideoChoice:
    """What is asked of a film. Layers count from 0, -1 is the last."""

    layer: int = -1
    size: int = 224  # short side, px
    every: int = 1
    most: int = 60
    preset: str = "paper"
    flip: bool = False
    patches: tuple[tuple[int, int], ...] = ()  # of the first frame: what lies there is tracked
    mask: Path | None = None  # or this: a picture of labels
    alike: float = 0.7
    propagation: PropagationConfig = DEFAULT
    kind: Any = "webp"
    milliseconds: int = 80
    arrays: bool = False


def check_choice(chosen: VideoChoice) -> None:
    """ValueError in a sentence for what is more than a page does, or is nothing at all."""
    how = chosen.propagation
    limits = {
        "every": (chosen.every, 1, MOST_EVERY),
        "most": (chosen.most, 1, MOST_FRAMES),
        "alike": (chosen.alike, 0, 1),
        "neighbours": (how.neighbours, 1, 100),
        "radius": (how.radius, 1, 1000),
        "queue": (how.queue, 1, MOST_QUEUE),
    }
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise ValueError(f"{name} goes from {low} to {high}, but is {value:g}.")
    if chosen.patches and chosen.mask:
        raise ValueError("What is tracked is given by patches or by a mask: by one of both.")
    settings(chosen.preset, chosen.flip)


def open_film(
    files: Sequence[Path], patch_size: int, chosen: VideoChoice, check: Callable[[], None]
) -> Film[Fitted]:
    """One film, or frames in their order, brought to whole patches while they are read.

    `check` is called for every frame that is decoded, and may raise. ValueError in a sentence.
    """
    check_choice(chosen)
    if not 1 <= len(files) <= MOST_FRAMES:
        raise ValueError(f"A film is one file, or its frames, at most {MOST_FRAMES} of them.")
    count = 0

    def keep(picture: Image.Image) -> Fitted:
        nonlocal count
        fitted = fit_to_patches(picture, patch_size, chosen.size)
        h, w = fitted.grid
        count += 1
        if count <= chosen.most and count * h * w > MOST_PATCHES:
            raise ValueError(
                f"Of frames of {h} x {w} patches {MOST_PATCHES // (h * w)} can be looked at: give "
                "so many as most, a larger every, or a smaller size."
            )
        return fitted

    # A single picture is read as what it is; a film is what no picture is.
    source = files if len(files) > 1 else files[0]
    try:
        return keep_frames(source, keep, every=chosen.every, most=chosen.most, check=check)
    except ValueError as error:  # folders of this machine are nobody's business
        raise ValueError(in_its_own_name(str(error), files)) from None


def in_its_own_name(sentence: str, files: Sequence[Path]) -> str:
    """A sentence in which files have their names, and not their folders."""
    for file in files:
        sentence = sentence.replace(str(file), file.name)
    return sentence


def video_values(vit: VisionTransformer, film: Film[Fitted], chosen: VideoChoice) -> dict[str, Any]:
    """The film as an animated WebP or GIF: media_type, base64; frames, grid, seconds, notes,
    tracked; with `arrays` also npz, base64 of what the command's --arrays has. ValueError."""
    depth = vit.config.depth
    if not -depth <= chosen.layer < depth:
        raise ValueError(f"There are layers 0 to {depth - 1}, or -1 to -{depth}: not this one.")
    fitted = film.pictures
    features = list(frame_features(vit, fitted, chosen.layer % depth))
    found = looked_at(fitted, features, chosen)
    arrays = {name: value.cpu().numpy() for name, value in vars(found).items()}
    if isinstance(found, Tracked):
        pixels = [np.asarray(one.picture) for one in fitted]
        frames = tinted(pixels, arrays["masks"], film.names)
    else:
        frames = patch_frames(arrays["colours"], film.names, fitted[0].patch_size)
    data = film_bytes(frames, chosen.kind, chosen.milliseconds)
    if film.seconds is not None:
        arrays["seconds"] = np.array(film.seconds, np.float32)
    return {
        "media_type": f"image/{chosen.kind}",
        "base64": base64.b64encode(data).decode(),
        "frames": len(frames),
        "grid": fitted[0].grid,
        "seconds": film.seconds,
        "notes": film.notes,
        "tracked": found.labels.shape[1] - 1 if isinstance(found, Tracked) else 0,
        **({"npz": base64.b64encode(as_npz(arrays)).decode()} if chosen.arrays else {}),
    }


def looked_at(
    fitted: Sequence[Fitted], features: list[torch.Tensor], chosen: VideoChoice
) -> FrameColours | Tracked:
    """The colours of all frames, or what is tracked through them."""
    if chosen.patches:
        first = labels_from_patches(features[0], fitted[0].grid, chosen.patches, chosen.alike)
    elif chosen.mask:
        places = labels_on_grid(read_labels(chosen.mask, "The mask"), fitted[0])
        first = one_hot(torch.from_numpy(places).flatten())
    else:
        return in_one_basis(features, fitted, settings(chosen.preset, chosen.flip))
    return track(features, first, fitted[0], chosen.propagation)


def as_npz(arrays: dict[str, np.ndarray]) -> bytes:
    """A file for numpy.load, compressed."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
