"""One option of a run: how it is written on a command line and in JSON, and what it takes."""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Kind = Literal["pretraining", "fine-tuning", "distillation"]
TRAIN: tuple[Kind, ...] = ("pretraining",)
FINETUNE: tuple[Kind, ...] = ("fine-tuning",)
DISTIL: tuple[Kind, ...] = ("distillation",)
MANY = 2**31 - 1


@dataclass(frozen=True)
class Option:
    """How one field is written on a command line and in JSON."""

    flag: str
    help: str
    type: type = str  # int, str, or bool: --flag and --no-flag
    kinds: tuple[Kind, ...] = TRAIN + FINETUNE + DISTIL
    metavar: str | tuple[str, ...] | None = None
    choices: tuple[str, ...] | None = None
    low: int = 1  # of whole numbers
    high: int = MANY
    count: int | Literal["+"] | None = None  # of values, where there may be several
    is_path: bool = False
    may_change: bool = False  # when a run goes on: where things are, not what is computed

    def add_to(self, parser_option: Callable[..., Any], name: str) -> None:
        """Adds it to a parser, with no default: what was not given is not in the namespace."""
        settings: dict[str, Any] = {"dest": name, "help": self.help, "default": argparse.SUPPRESS}
        if self.type is bool:
            parser_option(self.flag, action=argparse.BooleanOptionalAction, **settings)
            return
        settings |= {"metavar": self.metavar, "choices": self.choices, "nargs": self.count}
        settings = {key: value for key, value in settings.items() if value is not None}
        parser_option(self.flag, type=self.parse, **settings)

    def parse(self, text: str) -> int | str:
        """A word of the command line -> its value."""
        if self.type is str:
            return text
        try:
            value = int(text) if len(text) < 20 else None
        except ValueError:
            value = None
        if value is None or not self.low <= value <= self.high:
            raise argparse.ArgumentTypeError(f"{text!r} is not {self.described()}")
        return value

    def described(self, high: int | None = None) -> str:
        """What it takes."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.type is bool:
            return "true or false"
        if self.type is str:
            return "a text" if self.count is None else "a list of texts"
        high = self.high if high is None else high
        words = "a whole number " + (
            f"from {self.low} on" if high == self.high >= MANY else f"from {self.low:,} to {high:,}"
        )
        return words if self.count is None else f"{self.count} numbers, each {words}"

    def accepts(self, value: Any, high: int | None = None) -> bool:
        """Whether a value that came as JSON is of the right type and size."""
        if self.count is not None:
            several = isinstance(value, list | tuple)
            return (
                several
                and self.count in ("+", len(value))
                and all(replace(self, count=None).accepts(one, high) for one in value)
            )
        if not isinstance(value, self.type) or (isinstance(value, bool) and self.type is int):
            return False
        if isinstance(value, int) and self.type is int:
            return self.low <= value <= (self.high if high is None else high)
        return "\0" not in str(value) and (not self.choices or value in self.choices)

    def arguments(self, value: Any) -> list[str]:
        """A value as words of a command line."""
        if self.type is bool:
            return [self.flag if value else self.flag.replace("--", "--no-", 1)]
        if self.count is not None:
            return [self.flag, *(_no_option(str(one)) for one in value)]
        text = str(value)
        return [f"{self.flag}={text}"] if text.startswith("-") else [self.flag, text]


def _no_option(path: str) -> str:
    return f".{os.sep}{path}" if path.startswith("-") else path


def row(default: Any, flag: str, help: str, **settings: Any) -> Any:
    """A field of a dataclass that is an option as well."""
    return field(default=default, metadata={"option": Option(flag, help, **settings)})
