"""What a screen shows, as a figure for print, with its caption and the command that repeats it.

    shown = Shown("attention", layer=8, query=(6, 12), head=3)
    printed = print_view(seen, shown, Source("cat.jpg"))
    printed.file("svg", "column")    # bytes: those that the command writes
    printed.caption("svg", "column")

The figure is that of `seen.show()` and of the commands' --figure.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from dino_core.analysis.inspection import Inspection
from dino_core.figures.files import DPI, label_of
from dino_core.figures.maps import layer_of, pca
from dino_core.figures.panels import Width, panel_bytes
from dino_core.figures.show import show
from dino_core.scenes.features import settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["svg", "pdf", "png"]
ViewName = Literal["attention", "rollout", "similarity", "pca", "clusters", "norms"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MEDIA = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}


@dataclass(frozen=True)
class Shown:
    """What is on the screen. Of these each view uses what it is about."""

    view: ViewName
    layer: int | None = None  # from 0; None: the last
    query: tuple[int, int] | None = None  # a patch (row, column); None: the class token
    head: int | None = None  # None: all, and their mean
    preset: str = "paper"
    flip: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)  # of the preset's own settings
    k: int = 6
    seed: int = 0


class Source(NamedTuple):
    """What a command opens to see the same."""

    picture: str
    model: str = "preview_vits14"
    weights: str = ""  # a file in place of the model's name
    size: int = 224  # short side, px


@dataclass(frozen=True)
class Printed:
    """A view that can be printed at any width."""

    seen: Inspection
    shown: Shown
    source: Source

    def file(self, kind: Kind, width: Width | float = "page") -> bytes:
        """An SVG, PDF or PNG file that says its caption of itself. ValueError for another kind."""
        if kind not in KINDS:
            raise ValueError(f"A figure is {', '.join(KINDS[:-1])} or {KINDS[-1]}, not {kind!r}.")
        return panel_bytes(self._figure(width), kind, DPI, self.caption(kind, width))

    def caption(self, kind: Kind, width: Width | float = "page") -> str:
        """The figure's own words, and what repeats it."""
        label = label_of(self._figure(width))
        if self.shown.view == "pca" and self.shown.changes:
            changed = ", ".join(f"{name} {value}" for name, value in self.shown.changes.items())
            return f"{label}. The preset {self.shown.preset} with {changed}: by no command."
        return f"{label}. Repeated by: {self.command(kind, width)}"

    def command(self, kind: Kind, width: Width | float = "page") -> str:
        """The command that writes this file, as a shell takes it."""
        shown, source = self.shown, self.source
        name = {"similarity": "similar"}.get(shown.view, shown.view)
        model = ["--weights", source.weights] if source.weights else ["--model", source.model]
        words = [name, source.picture, *self._options(), *model, "--size", str(source.size)]
        wide = width if isinstance(width, str) else f"{width:g}"
        words += ["--output", name, "--figure", f"{name}.{kind}", "--figure-width", wide]
        return f"python -m dino_core {shlex.join(words)}"

    def _options(self) -> list[str]:
        shown, at = self.shown, str(layer_of(self.seen, self.shown.layer))
        place = f"{shown.query[0]},{shown.query[1]}" if shown.query else ""
        if shown.view == "attention":
            head = [] if shown.head is None else ["--head", str(shown.head)]
            return ["--layer", at, *(["--query", place] if place else []), *head]
        if shown.view == "similarity":
            return ["--patch", place, "--layer", at]
        if shown.view == "pca":
            return ["--layer", at, "--preset", shown.preset, *(["--flip"] if shown.flip else [])]
        if shown.view == "clusters":
            return ["--k", str(shown.k), "--seed", str(shown.seed), "--layer", at]
        return []

    def _figure(self, width: Width | float) -> "Figure":
        shown, at = self.shown, self.shown.layer
        if shown.view == "attention":
            heads = None if shown.head is None else [shown.head]
            chosen: dict[str, Any] = {"layer": at, "query": shown.query, "heads": heads}
            return show(self.seen, "attention", **chosen, width=width)
        if shown.view == "similarity":
            return show(self.seen, "similarity", layer=at, query=shown.query, width=width)
        if shown.view == "pca":
            config = settings(shown.preset, shown.flip, **shown.changes)
            return pca([self.seen], layer=at, config=config, width=width)
        if shown.view == "clusters":
            return show(self.seen, "clusters", layer=at, k=shown.k, seed=shown.seed, width=width)
        return show(self.seen, shown.view, width=width)


def print_view(seen: Inspection, shown: Shown, source: Source) -> Printed:
    """ValueError for a view that is not printed, or that lacks its patch."""
    if shown.view not in get_args(ViewName):
        raise ValueError(f"Printed are {', '.join(get_args(ViewName))}, not {shown.view!r}.")
    if shown.view == "similarity" and shown.query is None:
        raise ValueError("Choose a patch first: similar to which one?")
    return Printed(seen, shown, source)
