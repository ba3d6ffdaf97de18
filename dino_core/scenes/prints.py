"""What a screen shows, as a figure for print, with its caption and the command that repeats it.

    shown = Shown("attention", layer=8, query=(6, 12), head=3)
    printed = print_view(seen, shown, Source("cat.jpg"))

The figure is that of `seen.show()` and of the commands' --figure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from dino_core import figures
from dino_core.analysis.alignment import METHODS
from dino_core.analysis.depth import layers_in_colours
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.side_by_side import LINES, compared, drawn_pairs, matched
from dino_core.crops import sample_crops
from dino_core.figures.maps import layer_of, pca
from dino_core.figures.show import show
from dino_core.scenes.crops import crop_config, seeded
from dino_core.scenes.features import settings
from dino_core.scenes.masks import first_mask
from dino_core.scenes.printing import ALONE, MEDIA, Kind, Printed, Source

__all__ = [
    "MEDIA",
    "Drawn",
    "Kind",
    "Printed",
    "Second",
    "Shown",
    "Source",
    "print_drawn",
    "print_view",
]


@dataclass(frozen=True)
class Shown:
    """What is on the screen. Of these each view uses what it is about."""

    view: str
    layer: int | None = None  # from 0; None: the last
    query: tuple[int, int] | None = None  # a patch (row, column); None: the class token
    head: int | None = None  # None: all, and their mean
    preset: str = "paper"
    flip: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)  # of the preset's own settings
    k: int = 6
    seed: int = 0
    second_layer: int | None = None  # of a comparison
    everywhere: bool = False  # matches of the background as well
    method: str = "rotation"  # how layers are brought together
    robust: bool = False  # patches whose length stands out have no say in the layers


class Second(NamedTuple):
    """Another picture, or this one in another model."""

    seen: Inspection
    source: Source


def print_view(
    seen: Inspection, shown: Shown, source: Source, second: Second | None = None
) -> Printed:
    """ValueError for a view that is not printed, or that lacks its patch or its second picture."""
    if shown.view not in VIEWS:
        raise ValueError(f"Printed are {', '.join(VIEWS)}, not {shown.view!r}.")
    return VIEWS[shown.view](seen, shown, source, second)


# --- one picture


def attention(seen: Inspection, shown: Shown, source: Source, second: Second | None) -> Printed:
    heads = None if shown.head is None else [shown.head]
    chosen: dict[str, Any] = {"layer": shown.layer, "query": shown.query, "heads": heads}
    words = ["attention", source.picture, "--layer", str(layer_of(seen, shown.layer))]
    words += ["--query", place(shown.query)] if shown.query else []
    words += [] if shown.head is None else ["--head", str(shown.head)]
    draw = partial(show_at, seen, "attention", chosen)
    return Printed("attention", draw, (*words, *source.options))


def plain(seen: Inspection, shown: Shown, source: Source, second: Second | None) -> Printed:
    """rollout, norms: nothing can be chosen."""
    draw = partial(show_at, seen, shown.view, {})
    return Printed(shown.view, draw, (shown.view, source.picture, *source.options))


def pca_colours(seen: Inspection, shown: Shown, source: Source, second: Second | None) -> Printed:
    config = settings(shown.preset, shown.flip, **shown.changes)
    words = ["pca", source.picture, "--layer", str(layer_of(seen, shown.layer))]
    words += ["--preset", shown.preset, *(["--flip"] if shown.flip else [])]

    def draw(width: Any) -> Any:
        return pca([seen], layer=shown.layer, config=config, width=width)

    return Printed("pca", draw, (*words, *source.options), changed(shown))


def layers(seen: Inspection, shown: Shown, source: Source, second: Second | None) -> Printed:
    """All layers in colours that stay."""
    config = settings(shown.preset, shown.flip, **shown.changes)
    if shown.method not in METHODS:
        raise ValueError(f"A method is one of {', '.join(METHODS)}, not {shown.method!r}.")
    family = layers_in_colours(seen, config, method=shown.method, robust=shown.robust)
    words = ["film", source.picture, "--preset", shown.preset, *(["--flip"] if shown.flip else [])]
    words += ["--align", shown.method, *(["--robust"] if shown.robust else [])]

    def draw(width: Any) -> Any:
        return figures.layers_in_colours(seen, family, width=width)

    ready = (*words, *source.options)
    return Printed("layers", draw, ready, changed(shown), output="layers.webp")


def clusters(seen: Inspection, shown: Shown, source: Source, second: Second | None) -> Printed:
    chosen = {"layer": shown.layer, "k": shown.k, "seed": shown.seed}
    words = ["clusters", source.picture, "--k", str(shown.k), "--seed", str(shown.seed)]
    words += ["--layer", str(layer_of(seen, shown.layer))]
    draw = partial(show_at, seen, "clusters", chosen)
    return Printed("clusters", draw, (*words, *source.options))


# --- one picture, or two


def similarity(seen: Inspection, shown: Shown, source: Source, second: Second | None) -> Printed:
    if shown.query is None:
        raise ValueError("Choose a patch first: similar to which one?")
    others = [second.seen] if second else []
    pictures = [source.picture, *([second.source.picture] if second else [])]
    words = ["similar", *pictures, "--patch", place(shown.query)]
    words += ["--layer", str(layer_of(seen, shown.layer))]
    chosen = {"layer": shown.layer, "query": shown.query, "others": others}
    draw = partial(show_at, seen, "similarity", chosen)
    return Printed("similar", draw, (*words, *source.options))


def matches(seen: Inspection, shown: Shown, source: Source, second: Second | None) -> Printed:
    other, at = needed(second), layer_of(seen, shown.layer)
    config = None if shown.everywhere else settings(shown.preset, shown.flip, **shown.changes)
    features = [one.patches(at).float() for one in (seen, other.seen)]
    grids = [seen.grid, other.seen.grid]
    pairs = drawn_pairs(matched(features, grids, config), grids, LINES)
    header = f"layer {at}" if shown.everywhere else f"layer {at}, on the foreground"

    def draw(width: Any) -> Any:
        return figures.matches(seen, other.seen, pairs, header=header, width=width)

    words = ["match", source.picture, other.source.picture, "--layer", str(at)]
    words += ["--everywhere"] if shown.everywhere else ["--preset", shown.preset]
    flipped = "The other side as the foreground" if shown.flip and not shown.everywhere else ""
    otherwise = "" if shown.everywhere else changed(shown) or flipped
    return Printed("match", draw, (*words, *source.options), otherwise)


def comparison(seen: Inspection, shown: Shown, source: Source, second: Second | None) -> Printed:
    """Two models, or two layers of one."""
    other = second or Second(seen, source)
    layers = [layer_of(seen, shown.layer), layer_of(other.seen, shown.second_layer)]
    features = [one.patches(at) for one, at in zip((seen, other.seen), layers, strict=True)]
    config = settings(shown.preset, shown.flip, **shown.changes)
    found = compared(features[0], features[1], [seen.grid, other.seen.grid], config)
    models = [source.named, other.source.named]
    names = [f"{Path(name).stem}, layer {at}" for name, at in zip(models, layers, strict=True)]

    def draw(width: Any) -> Any:
        return figures.comparison(seen, found, names, width=width)

    words = ["compare", *models, source.picture, "--layers", *map(str, layers)]
    words += ["--preset", shown.preset, *(["--flip"] if shown.flip else [])]
    words += ["--size", str(source.size)]
    another = other.source.picture != source.picture
    alone = ALONE if source.said or other.source.said else ""
    otherwise = "Two pictures in two models" if another else alone or changed(shown)
    return Printed("compare", draw, tuple(words), otherwise)


VIEWS: dict[str, Callable[..., Printed]] = {
    "attention": attention,
    "rollout": plain,
    "similarity": similarity,
    "pca": pca_colours,
    "layers": layers,
    "clusters": clusters,
    "norms": plain,
    "matches": matches,
    "comparison": comparison,
}


def show_at(seen: Inspection, view: str, chosen: Mapping[str, Any], width: Any) -> Any:
    return show(seen, view, **chosen, width=width)


def place(query: tuple[int, int]) -> str:
    return f"{query[0]},{query[1]}"


def needed(second: Second | None) -> Second:
    if second is None:
        raise ValueError("Choose a second picture first.")
    return second


def changed(shown: Shown) -> str:
    """What was chosen beside the preset, which commands do not take."""
    if not shown.changes:
        return ""
    words = ", ".join(f"{name} {value}" for name, value in shown.changes.items())
    return f"The preset {shown.preset} with {words}"


# --- what training makes of a picture


@dataclass(frozen=True)
class Drawn:
    """Crops or masks of a seed."""

    view: str
    seed: int = 0
    blur: str = "as run"
    ratio: float = 0.3
    chosen: Mapping[str, Any] = field(default_factory=dict)  # of the crops' own numbers


def print_drawn(
    picture: Image.Image, drawn: Drawn, source: Source, patch_size: int = 14
) -> Printed:
    """Crops of a picture, or the block mask of a global crop. ValueError for another view."""
    if drawn.view == "crops":
        return print_crops(picture, drawn, source, patch_size)
    if drawn.view != "masks":
        raise ValueError(f"Drawn are crops and masks, not {drawn.view!r}.")
    side = crop_config(patch_size=patch_size).global_size // patch_size
    mask = first_mask((side, side), drawn.ratio, seeded(drawn.seed))
    words = ["masks", "--grid", f"{side}x{side}", "--ratio", f"{drawn.ratio:g}"]
    words += ["--count", "1", "--seed", str(drawn.seed)]
    draw = partial(masks_at, [mask])
    return Printed("masks", draw, tuple(words), output="masks.npz")


def masks_at(masks: Any, width: Any) -> Any:
    return figures.masks(masks, width=width)


def print_crops(picture: Image.Image, drawn: Drawn, source: Source, patch_size: int) -> Printed:
    config = crop_config(drawn.blur, patch_size, drawn.chosen)
    made = sample_crops(picture, config, seeded(drawn.seed))
    official = crop_config(drawn.blur, chosen={"local_count": config.local_count})

    def draw(width: Any) -> Any:
        return figures.crops(picture, made, width=width)

    words = ["crops", source.picture, "--seed", str(drawn.seed)]
    words += ["--locals", str(config.local_count), "--blur", drawn.blur.replace(" ", "-")]
    otherwise = "" if config == official else "Crops of other sizes or areas than the official ones"
    return Printed("crops", draw, tuple(words), otherwise)
