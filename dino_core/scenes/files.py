"""Views that are files: a film through depth, and a picture as a page of its own.

figure_values  what the page prints, as base64
film_file      what the command `film` writes
film_values    the same as base64
page_values    what the command `webpage` writes, as text
"""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from dino_core.analysis.alignment import METHODS
from dino_core.analysis.depth import attention_by_layer, layers_in_colours
from dino_core.analysis.inspection import Inspection
from dino_core.draw.film import film_bytes, layer_frames
from dino_core.figures.offline_page import offline_page
from dino_core.images import patch_box
from dino_core.scenes.features import settings
from dino_core.scenes.printing import MEDIA, Source
from dino_core.scenes.prints import Shown, print_view

OF_TWO = ("matches", "comparison")
MOST_FRAMES = 240
STEPS = 8  # frames from one layer to the next, where there is room
MOST_PIXELS = 40_000_000  # of all frames of a film together
MOST_PATCHES = 1600  # of a page, which holds queries and keys of each


class Film(NamedTuple):
    """An animated WebP or GIF, and what is to be said of it."""

    data: bytes
    frames: int
    note: str


def film_file(
    seen: Inspection,
    view: str = "pca",
    *,
    query: tuple[int, int] | None = None,
    head: int | None = None,
    colours: dict[str, Any] | None = None,
    kind: Any = "webp",
    steps: int | None = None,
    milliseconds: int = 40,
) -> Film:
    """All layers as a film; `steps` frames from each to the next, None: as many as there is room
    for, at most 8.

    `colours` of pca: preset, flip, method, robust, and changes of the preset. ValueError for a view
    or a setting that there is not, and for a film that is too long.
    """
    most = min(MOST_FRAMES, MOST_PIXELS // (seen.pixels.shape[0] * seen.pixels.shape[1]))
    if steps is None:
        steps = max(min(STEPS, (most - 1) // max(seen.layers - 1, 1)), 1)
    frames = (seen.layers - 1) * steps + 1
    if not 1 <= frames <= most or steps < 1:
        raise ValueError(
            f"A film has at most {MOST_FRAMES} frames, and at this size {most}; "
            f"{steps} steps a layer would be {frames}."
        )
    note = ""
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
    return Film(film_bytes(made, kind, milliseconds), frames, note)


def film_values(seen: Inspection, view: str = "pca", *, kind: Any = "webp", **chosen: Any) -> Any:
    """`film_file` as JSON holds it: media_type, base64, frames, layers, note."""
    made = film_file(seen, view, kind=kind, **chosen)
    data = base64.b64encode(made.data).decode()
    facts = {"frames": made.frames, "layers": seen.layers, "note": made.note}
    return {"media_type": f"image/{kind}", "base64": data, **facts}


def figure_values(
    seen: Inspection, shown: Shown, source: Source, *, kind: Any = "svg", width: str = "page"
) -> dict[str, Any]:
    """A view for print: media_type, base64, caption. ValueError for a view, a kind or a width that
    there is not."""
    if shown.view in OF_TWO:
        raise ValueError(f"{shown.view} is of two pictures or models; this is a figure of one.")
    printed = print_view(seen, shown, source)
    wide: Any = width if width in ("column", "page") else in_millimetres(width)
    data = base64.b64encode(printed.file(kind, wide)).decode()
    return {"media_type": MEDIA[kind], "base64": data, "caption": printed.caption(kind, wide)}


def in_millimetres(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"A width is column, page or a number of mm, not {text!r}.") from None


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
    changes: Mapping[str, Any] | None = None,
) -> Any:
    """All layers in colours that stay. ValueError for a preset or method that there is not."""
    if method not in METHODS:
        raise ValueError(f"A method is one of {', '.join(METHODS)}, not {method!r}.")
    config = settings(preset, flip, **(changes or {}))
    return layers_in_colours(seen, config, method=method, robust=robust)
