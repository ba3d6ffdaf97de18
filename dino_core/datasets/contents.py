"""What is a picture among the files of a folder or zip, and why the others are left out.

A file with the ending of a picture is taken for one: what is wrong with it is met, and named, when
it is read. Of all others the first bytes are looked at, so that photos without an ending, or with a
wrong one, are found and what is left out is named as what it is.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from dino_core.images import MAX_BYTES
from dino_core.images.formats import HEAD, kind_of

ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".heic",
    ".heif", ".avif",
)  # fmt: skip
TABLES = (".csv", ".tsv", ".parquet")
SHARDS = (".tar",)
# What files with these endings are, unless their first bytes are those of a picture.
KNOWN = {
    ".txt": "a text file", ".md": "a text file", ".xml": "an XML file", ".json": "a JSON file",
    ".jsonl": "a JSON file", ".yaml": "a text file", ".yml": "a text file", ".log": "a text file",
    ".py": "a program", ".ipynb": "a notebook", ".mat": "a MATLAB file", ".npy": "a NumPy array",
    ".npz": "NumPy arrays", ".pkl": "a pickle of Python", ".pt": "a file of weights",
    ".pth": "a file of weights", ".safetensors": "a file of weights", ".html": "a web page",
    ".htm": "a web page",
}  # fmt: skip
LOOKED_INTO = 1000  # files of each of them: there may be one beside every picture
SILENT = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__pycache__"}

Left = tuple[str, str]  # (name, why it is left out)


@dataclass
class Listing:
    """The files of a folder or zip, sorted out by kind."""

    pictures: dict[str, int] = field(default_factory=dict)  # name -> bytes
    tables: dict[str, int] = field(default_factory=dict)
    shards: dict[str, int] = field(default_factory=dict)  # tars, which may hold pictures
    left_out: list[Left] = field(default_factory=list)
    _looked_into: Counter[str] = field(default_factory=Counter)  # by ending

    def add(self, name: str, size: int, head: Callable[[], bytes]) -> None:
        """Sorts one file in. `head` reads its first bytes; OSError or ValueError if it cannot."""
        if is_silent(name):
            return
        ending = ending_of(name)
        if ending in SHARDS:
            self.shards[name] = size
        elif size > MAX_BYTES and ending not in TABLES:
            self.left_out.append(
                (name, f"The file is larger than {MAX_BYTES >> 20} MB ({size >> 20} MB).")
            )
        elif ending in ENDINGS:
            self.pictures[name] = size
        elif ending in TABLES:
            self.tables[name] = size
        elif ending in KNOWN and not self._is_picture_after_all(ending, head):
            self.left_out.append((name, f"This is {KNOWN[ending]}, no picture."))
        else:
            self._look_into(name, size, head)

    def _is_picture_after_all(self, ending: str, head: Callable[[], bytes]) -> bool:
        """Whether a file has only the ending of something else."""
        self._looked_into[ending] += 1
        if self._looked_into[ending] > LOOKED_INTO:
            return False
        with suppress(OSError, ValueError):
            kind = kind_of(head()[:HEAD])
            return kind is not None and bool(kind.decoder)
        return False

    def _look_into(self, name: str, size: int, head: Callable[[], bytes]) -> None:
        try:
            kind = kind_of(head()[:HEAD])
        except (OSError, ValueError) as error:
            self.left_out.append((name, f"The file cannot be read: {message_of(error)}."))
            return
        if kind is not None and kind.decoder:
            self.pictures[name] = size
        else:
            what = "no picture of a kind that is read" if kind is None else kind.name
            self.left_out.append((name, f"This is {what}."))


def ending_of(name: str) -> str:
    """cats/0001.seg.PNG -> .png"""
    ending = os.path.splitext(name)[1].lower()
    return ending if len(ending) > 1 else ""


def is_silent(name: str) -> bool:
    """Whether a file is one that systems leave behind, of which nobody wants to hear."""
    parts = name.split("/")  # a path object costs ten times as much, and there are millions
    return any((part[:1] == "." and part != ".") or part.lower() in SILENT for part in parts)


def printable(name: str) -> str:
    """A name with nothing in it that a screen or terminal would act on."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def name_objection(name: str) -> str:
    """Why a name in a zip or tar is not taken, in a sentence; empty if it may be."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        return "Its name leads outside."
    if not name or printable(name) != name or len(name) > 4096 or max(map(len, parts)) > 255:
        return "Its name is none that a file may have."
    return ""


def message_of(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(".")


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name, a folder in it, or a path to one fits a pattern such as masks or *.png.

    Upper and lower case are one, as a slash at the end is none.
    """
    parts = PurePosixPath(name.casefold()).parts
    paths = [*parts, *("/".join(parts[:i]) for i in range(2, len(parts) + 1))]
    wanted = [
        re.sub(r"^\./|/+$", "", pattern.replace("\\", "/").casefold()) for pattern in patterns
    ]
    return any(fnmatchcase(path, pattern) for pattern in wanted for path in paths)


def left_out_sentences(left_out: Sequence[Left], named: int = 3) -> list[str]:
    """How many files were left out, for each reason the first few by name."""
    reasons: dict[str, list[str]] = {}
    for name, why in left_out:
        reasons.setdefault(why, []).append(name)
    sentences = []
    for why, names in sorted(reasons.items(), key=lambda one: -len(one[1])):
        first = ", ".join(names[:named]) + (", ..." if len(names) > named else "")
        amount = "1 file was" if len(names) == 1 else f"{len(names):,} files were"
        sentences.append(f"{amount} left out ({first}): {why}")
    return sentences
