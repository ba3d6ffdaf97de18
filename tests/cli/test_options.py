"""What may be typed: every option of every command, as options.txt lists it.

`python tests/cli/test_options.py` writes the list anew: what changed is then read in the diff.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dino_core.__main__ import build_parser

LIST = Path(__file__).with_name("options.txt")


def plain(value: object) -> str:
    """A default or a type by its name or its plain words, the same on every machine."""
    if isinstance(value, list | tuple):
        return " ".join(map(plain, value)) or "none of them"
    return str(getattr(value, "word", getattr(value, "__name__", value)))


def described(action: argparse.Action) -> Iterator[str]:
    """What decides how an option is read, part by part."""
    yield " ".join(action.option_strings) or action.dest
    yield type(action).__name__.strip("_").removesuffix("Action").lower()
    if action.option_strings and action.required:
        yield "required"
    if action.option_strings and action.dest != action.option_strings[-1].strip("-"):
        yield f"as {action.dest}"
    if action.nargs is not None:
        yield f"nargs {action.nargs}"
    if action.type is not None:
        yield f"type {plain(action.type)}"
    if action.choices is not None:
        yield f"one of {plain(list(action.choices))}"
    if action.metavar is not None:
        yield f"called {plain(action.metavar)}"
    if action.default is not None and action.default is not argparse.SUPPRESS:
        yield f"else {plain(action.default)}"
    elif action.default is argparse.SUPPRESS:
        yield "else absent"
    if not action.help:
        yield "without words"


def listing() -> str:
    """Each option, and below it the commands that have it."""
    commands = subcommands()
    owners: dict[str, list[str]] = {}
    for name, command in commands.choices.items():
        options = [one for one in command._actions[1:] if one.option_strings]
        places = [one for one in command._actions[1:] if not one.option_strings]
        for words in [", ".join(described(one)) for one in options]:
            owners.setdefault(words, []).append(name)
        for number, one in enumerate(places, 1):
            words = ", ".join([f"{number}.", *described(one)])
            owners.setdefault(words, []).append(name)
        owners.setdefault(command.formatter_class.__name__, []).append(name)
    return "".join(f"{words}\n    {' '.join(names)}\n" for words, names in sorted(owners.items()))


def subcommands() -> Any:
    parser = build_parser()
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return commands


def test_every_option_is_as_listed() -> None:
    listed = LIST.read_text(encoding="utf-8")
    assert listing().splitlines() == listed.splitlines()


def test_the_short_list_of_commands_has_their_first_sentence() -> None:
    commands = subcommands()
    assert commands.required
    said = {one.dest: one.help for one in commands._choices_actions}
    assert said["masks"] == "Block masks for iBOT"
    assert said["pca"] == "Patch features as colours, with one PCA for all pictures"
    for name, words in said.items():
        command = commands.choices[name]
        assert words, name
        assert not words.endswith("."), name
        assert command.description is not None
        assert command.description.startswith(words)
        assert command.get_default("run").__name__ == name


if __name__ == "__main__":
    LIST.write_text(listing(), encoding="utf-8")
