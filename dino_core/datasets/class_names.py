"""Labels as they are written in shards and tables -> classes: numbers, names, numbers of names.

7            the class "7", or the eighth name of classes.txt where there is one
tabby cat    the class of this name
-1           no label, as in the test parts of many sets
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dino_core.datasets.contents import Left

FILES = (
    "classes.txt", "classes.json", "class_names.txt", "class_names.json", "classnames.txt",
    "classnames.json", "names.txt", "names.json", "labels.txt", "labels.json", "categories.txt",
    "categories.json",
)  # fmt: skip
MAX_BYTES = 16 * 2**20  # of such a file
MAX_NAME = 200  # characters
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.0*)?")


@dataclass
class Classes:
    """What the labels of a set come to."""

    labels: dict[str, str] = field(default_factory=dict)  # name of a picture -> class
    order: tuple[str, ...] = ()
    left_out: list[Left] = field(default_factory=list)


def classes_of(values: Mapping[str, str], given: Sequence[str] = ()) -> Classes:
    """Labels as written, by picture -> classes. `given` are the names that numbers stand for."""
    found = Classes()
    names = _apart(given)
    numbers = {name: int(float(v)) for name, v in values.items() if _NUMBER.fullmatch(v)}
    counted = 2 * len(numbers) > len(values) and not set(values.values()) <= set(names)
    if counted and 2 * sum(number < len(names) for number in numbers.values()) < len(numbers):
        names = ()  # a file of other words: the numbers speak for themselves
    for name, value in values.items():
        cls, why = _class_of(value, numbers.get(name) if counted else None, names, counted)
        if why:
            found.left_out.append((name, why))
        else:
            found.labels[name] = cls
    present = set(found.labels.values())
    if present <= set(names):
        found.order = tuple(name for name in names if name in present)
    elif counted and not names:
        found.order = tuple(sorted(present, key=int))
    else:
        found.order = tuple(sorted(present))
    return found


def _class_of(
    value: str, number: int | None, names: Sequence[str], counted: bool
) -> tuple[str, str]:
    """(class, why there is none)."""
    if not value:
        return "", "Its label is empty."
    if not counted or value in names:
        return class_name(value)
    if number is None:
        return "", f"Its label is {value[:50]!r}, and those of the others are numbers."
    if number < 0:
        return "", f"Its label is {number}: it has none."
    if not names:
        return str(number), ""
    if number >= len(names):
        return "", f"Its label is {number}, but there are names for 0 to {len(names) - 1} alone."
    return names[number], ""


def class_name(value: str) -> tuple[str, str]:
    """(a text as the name of a class, why it cannot be one)."""
    name = unicodedata.normalize("NFC", value).strip()
    if len(name) > MAX_NAME:
        return "", f"Its label is longer than {MAX_NAME} characters: a class is wanted."
    if not name.isprintable():
        return "", "Its label is no text in one line."
    return name, ""


def _apart(given: Sequence[str]) -> tuple[str, ...]:
    """Names of which each is there once: ImageNet has two kinds of cranes."""
    names: list[str] = []
    seen: set[str] = set()
    for number, name in enumerate(given):
        plain = unicodedata.normalize("NFC", name).strip()
        names.append(f"{plain} ({number})" if plain in seen else plain)
        seen.add(names[-1])
    return tuple(names)


# --- files of names


def names_beside(folder: Path) -> tuple[tuple[str, ...], str]:
    """(the names in the first file that has some, the file); empty where there is none."""
    for file in FILES:
        path = folder / file
        try:
            if path.is_file() and path.stat().st_size <= MAX_BYTES:
                names = read_names(path.read_text("utf-8-sig"), path.suffix)
                if names:
                    return names, file
        except (OSError, ValueError, RecursionError):
            continue  # it is named among the files that are left out
    return (), ""


def read_names(text: str, ending: str) -> tuple[str, ...]:
    """A name a line, perhaps after its number; or JSON, a list or an object either way round.

    Empty where it is none of these. ValueError for what is no JSON.
    """
    if ending == ".json":
        return _names_in(json.loads(text))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    parts = [re.fullmatch(r"(\d+)[\s:,;]+(.+)", line) for line in lines]
    if all(parts) and [int(part[1]) for part in parts if part] == list(range(len(lines))):
        return tuple(part[2].strip() for part in parts if part)
    return tuple(lines)


def _names_in(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if not isinstance(value, dict):
        return ()
    numbered = {k: v for k, v in value.items() if k.isdecimal() and isinstance(v, str)}
    if len(numbered) != len(value):  # the other way round
        numbered = {
            str(v): k for k, v in value.items() if isinstance(v, int) and not isinstance(v, bool)
        }
    if len(numbered) != len(value) or {int(k) for k in numbered} != set(range(len(value))):
        return ()
    return tuple(numbered[key] for key in sorted(numbered, key=int))
