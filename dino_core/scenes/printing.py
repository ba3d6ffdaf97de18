"""A figure for print, its caption, and the command that writes the same file.

printed = Printed("attention", draw, ("attention", "cat.jpg", "--layer", "8"))
printed.file("svg", "column")       # bytes: those that the command writes
printed.caption("svg", "column")
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from dino_core.figures.files import DPI, label_of
from dino_core.figures.panels import Width, panel_bytes

Kind = Literal["svg", "pdf", "png"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SAYING = {"heads": "--heads", "grid": "--position-grid", "branch": "--branch"}
ALONE = "A checkpoint of which more has to be said, beside another model"
MEDIA = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}


class Source(NamedTuple):
    """What a command opens to see the same."""

    picture: str
    model: str = "preview_vits14"
    weights: str = ""  # a file in place of the model's name
    size: int = 224  # short side, px
    said: tuple[str, ...] = ()  # of that file, as `said_in_words` has it

    @property
    def named(self) -> str:
        """The model as a command that takes several is told it."""
        return self.weights or self.model

    @property
    def options(self) -> tuple[str, ...]:
        model = ("--weights", self.weights) if self.weights else ("--model", self.model)
        return (*model, *self.said, "--size", str(self.size))


def said_in_words(said: Mapping[str, str]) -> tuple[str, ...]:
    """What a checkpoint does not tell of itself -> options of a command that opens it alone."""
    return tuple(word for name, value in said.items() for word in (SAYING[name], value))


@dataclass(frozen=True)
class Printed:
    """A view that can be printed at any width."""

    name: str  # of its files
    draw: Callable[[Width | float], Any]  # -> matplotlib's Figure
    words: tuple[str, ...]  # the command with what it opens and shows
    otherwise: str = ""  # what no command does; empty where one writes the same file
    output: str = ""  # of the command, where that is no folder

    def file(self, kind: Kind, width: Width | float = "page") -> bytes:
        """An SVG, PDF or PNG file that says its caption of itself. ValueError for another kind."""
        if kind not in KINDS:
            raise ValueError(f"A figure is {', '.join(KINDS[:-1])} or {KINDS[-1]}, not {kind!r}.")
        return panel_bytes(self.draw(width), kind, DPI, self.caption(kind, width))

    def caption(self, kind: Kind, width: Width | float = "page") -> str:
        """The figure's own words, and what repeats it."""
        label = label_of(self.draw(width)).removesuffix(".")
        if self.otherwise:
            return f"{label}. {self.otherwise}: by no command."
        return f"{label}. Repeated by: {self.command(kind, width)}"

    def command(self, kind: Kind, width: Width | float = "page") -> str:
        """The command that writes this file, as a shell takes it."""
        wide = width if isinstance(width, str) else f"{width:g}"
        words = [*self.words, "--output", self.output or self.name]
        words += ["--figure", f"{self.name}.{kind}", "--figure-width", wide]
        return f"python -m dino_core {shlex.join(words)}"
