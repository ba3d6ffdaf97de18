"""What a person calls a run: notes.json in its folder, which decides nothing and may change.

No torch here.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from dino_core.jobs import read_json, write_json

FILE = "notes.json"
MOST = {"name": 80, "note": 500, "pictures": 80}  # characters


@dataclass(frozen=True)
class Notes:
    """Each "" where nobody has said anything."""

    name: str = ""  # of the run
    note: str = ""  # what it is for, what was found
    pictures: str = ""  # what the pictures are called that it learns from


def read_notes(folder: str | Path) -> Notes:
    """What is damaged, or no text, counts as not said."""
    values = read_json(Path(folder) / FILE) or {}
    known = {one.name: values.get(one.name) for one in fields(Notes)}
    return Notes(
        **{name: plain(text)[: MOST[name]] for name, text in known.items() if type(text) is str}
    )


def write_notes(folder: str | Path, changes: Mapping[str, Any]) -> Notes:
    """Other words in place of those there are; whole or not at all.

    ValueError, with nothing changed, for an unknown field, what is no text, or is too long.
    """
    words = {}
    for name, text in changes.items():
        if name not in MOST:
            raise ValueError(f"A run has {', '.join(MOST)} to be written down, and no {name!r}.")
        if not isinstance(text, str):
            raise ValueError(f"The {name} must be a text.")
        words[name] = plain(text)
        if len(words[name]) > MOST[name]:
            raise ValueError(
                f"The {name} has {len(words[name])} characters: at most {MOST[name]} are kept."
            )
    notes = replace(read_notes(folder), **words)
    write_json(Path(folder) / FILE, asdict(notes))
    return notes


def plain(text: str) -> str:
    """One line without what nobody sees: control characters, and marks that turn its direction."""
    spaced = "".join(" " if c.isspace() else c for c in text)
    return " ".join("".join(c for c in spaced if unicodedata.category(c)[0] != "C").split())
