"""Views that are files: a film through depth, and a picture as a page of its own.

film_values    what the command `film` writes, as base64
page_values    what the command `webpage` writes, as text
"""

import base64
from typing import Any

import numpy as np

from dino_core.analysis.alignment import METHODS
from dino_core.analysis.depth import attention_by_layer, layers_in_colours
from dino_core.analysis.inspection import Inspection
from dino_core.draw.film import film_bytes, layer_frames
from dino_core.figures.offline_page import offline_page
from dino_core.images import patch_box
from dino_core.scenes.features import settings

MOST_FRAMES = 240
MOST_PIXELS = 40_000_000  # of all frames of a film together
MOST_PATCHES = 1600  # of a page, which holds queries and keys of each


def film_values(
    seen: Inspection,
    view: str = "pca",
    *,
    query: tuple[int, int] | None = None,
    head: int | None = None,
    colours: dict[str, Any] | None = None,
    kind: Any = "webp",
    steps: int = 4,
    milliseconds: int = 40,
) -> dict[str, Any]:
    """All layers as an animated WebP or GIF: media_type, base64, frames, layers, note.

    `colours` of pca: preset, flip, method, robust. ValueError for a view or a setting that there
    is not, and for a film that is too long.
    """
    frames, note, size = (
        (seen.layers - 1) * steps + 1,
        "",
        seen.pixels.shape[0] * seen.pixels.shape[1],
    )
    if not 1 <= frames <= MOST_FRAMES or frames * size > MOST_PIXELS or steps < 1:
        raise ValueError(
            f"A film has at most {MOST_FRAMES} frames, and at this size "
            f"{min(MOST_FRAMES, MOST_PIXELS // size)}; {steps} steps a layer would be {frames}."
        )
    if view == "pca":
        family = in_colours(seen, **(colours or {}))
        known, note = np.stack([one.colours.cpu().numpy() for one in family.maps]), family.note
    elif view == "attention":
        values = attention_by_layer(seen, query, head=head).cpu().numpy()
        known = values / values.max((1, 2), keepdims=True)
    else:
        raise ValueError(f"A film shows pca or attention, not {view!r}.")
    box = patch_box(*query, seen.patch_size) if query and view == "attention" else None
    made = layer_frames(known, seen.pixels.numpy(), steps, box)
    data = base64.b64encode(film_bytes(made, kind, milliseconds)).decode()
    facts = {"frames": frames, "layers": seen.layers, "note": note}
    return {"media_type": f"image/{kind}", "base64": data, **facts}


def page_values(
    seen: Inspection, *, title: str, words: str, colours: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One HTML file with attention and PCA of a picture: html, bytes, note. ValueError for a
    picture of so many patches that the file would be too large to hand around."""
    h, w = seen.grid
    if h * w > MOST_PATCHES:
        raise ValueError(
            f"A page holds a picture of at most {MOST_PATCHES} patches, not {h} x {w}: choose a "
            "smaller input size."
        )
    family = in_colours(seen, **(colours or {}))
    said = f"{words}, {h} × {w} patches of {seen.patch_size} px."
    text = offline_page(seen, family, title=title[:120], words=said)
    return {"html": text, "bytes": len(text.encode()), "note": family.note}


def in_colours(
    seen: Inspection,
    preset: str = "paper",
    *,
    flip: bool = False,
    method: Any = "rotation",
    robust: bool = False,
) -> Any:
    """All layers in colours that stay. ValueError for a preset or method that there is not."""
    if method not in METHODS:
        raise ValueError(f"A method is one of {', '.join(METHODS)}, not {method!r}.")
    return layers_in_colours(seen, settings(preset, flip), method=method, robust=robust)
