"""A library that only repeats what it is asked, for tests of whoever asks it."""

import inspect
import pkgutil
from collections.abc import Generator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dino_core import scenes


class Asked(str):
    """A question, as it was put; whatever is done with its answer is said as well."""

    _every: list[str] = []  # noqa: RUF012  since whoever listens last emptied it

    def __getattribute__(self, name: str) -> Any:
        own = name[0] == "_" or name == "encode"  # as a response is
        return super().__getattribute__(name) if own else Asked(f"{self}.{name}")

    def __call__(self, *words: Any, **named: Any) -> "Asked":
        said = [shown(word) for word in words]
        said += [f"{key}={shown(word)}" for key, word in named.items()]
        asked = Asked(f"{self}({', '.join(said)})")
        Asked._every.append(asked)
        return asked

    def __getitem__(self, key: Any) -> "Asked":
        return Asked(f"{self}[{key!r}]")

    def __repr__(self) -> str:
        return str(self)

    def __await__(self) -> Generator[None, None, "Asked"]:
        return self
        yield  # which makes it a generator


def shown(word: Any) -> str:
    if not isinstance(word, Asked) and (callable(word) or inspect.isasyncgen(word)):
        return "..."
    return word.as_posix() if isinstance(word, Path) else repr(word)


def let_repeat(patch: pytest.MonkeyPatch, modules: Sequence[str], but: Sequence[str] = ()) -> None:
    """Every public function of some modules of dino_core.scenes repeats what it is asked."""
    # All of them first: one imported later would keep what stands in for a function.
    known = {
        module.name: import_module(f"dino_core.scenes.{module.name}")
        for module in pkgutil.iter_modules(scenes.__path__)
    }
    for module in modules:
        one = known[module]
        for name, call in [*vars(one).items()]:
            if inspect.isfunction(call) and name[0] != "_" and name not in but:
                patch.setattr(one, name, Asked(name))


def read_golden(path: Path) -> dict[str, str]:
    """Blocks between empty lines: what is asked, and set in below it what comes of it."""
    found: dict[str, str] = {}
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        question, *lines = block.split("\n    ")
        found[question] = "\n".join(lines)
    return found
