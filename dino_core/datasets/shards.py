"""Tars as WebDataset has them: members of one name but for the ending are one sample.

    0001.jpg 0001.cls            a picture and its class, a number or a name
    0001.png 0001.json           or an object with a key such as label, cls, class_name
    0001.webp 0001.txt           or a text, where the texts look like labels and not like captions
    cats/0001.jpg                or folders for the classes, where there is nothing beside

A sample is what lies in one tar under one key: the name up to its first dot, as in webdataset.
Endings and contents of pictures are those that folders and zips may have.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from dino_core.datasets.contents import ENDINGS, Left, Listing, ending_of, is_silent, message_of
from dino_core.datasets.tables import LABELS
from dino_core.datasets.tars import Member, members

CLS = (".cls", ".class", ".label")
BESIDE = {**dict.fromkeys(CLS, 1024), ".json": 2**20, ".txt": 4096}  # ending -> bytes at most
JSON_KEYS = ("cls", *(key for key in LABELS if key != "type"))  # the first that is there counts
CAPTION = 64  # characters: a longer text is no class
NOTHING_BESIDE = "There is no picture beside it."


@dataclass
class Contained:
    """What files hold that hold many pictures. All is by the name of a picture, in order."""

    files: list[str] = field(default_factory=list)
    places: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # see `places`
    inside: dict[str, str] = field(default_factory=dict)  # its name in its own file
    labels: dict[str, dict[str, str]] = field(default_factory=dict)  # kind -> name -> as written
    splits: dict[str, str] = field(default_factory=dict)  # where the table itself says it
    given: tuple[str, ...] = ()  # what numbers stand for, where the file itself says it
    column: str = ""  # of tables
    left_out: list[Left] = field(default_factory=list)


def read_shards(root: Path, files: Sequence[str], *, alone: bool = False) -> Contained:
    """What is in all of the tars, one after the other. `alone`: names go without the tar's own.

    Only to be read: the last answer is kept as long as the files stay as they are, for commands
    look through their set more than once, and a million headers take a minute.
    ValueError when there is only one, and it is no tar.
    """
    return _read(root, tuple(files), alone, tuple(_stamp(root / file) for file in files))


def _stamp(path: Path) -> tuple[int, int]:
    """What changes with a file; its size and time are enough for as long as a command runs."""
    try:
        found = path.stat()
    except OSError:  # it is met when it is read
        return -1, -1
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=1)
def _read(
    root: Path, files: tuple[str, ...], alone: bool, stamps: tuple[tuple[int, int], ...]
) -> Contained:
    found = Contained(files=list(files))
    for number, file in enumerate(files):
        try:
            shard = _Shard(root / file)
        except (ValueError, OSError) as error:
            words = f"{message_of(error)}."
            if len(files) == 1:
                what = "" if isinstance(error, ValueError) else f"{root / file} cannot be read: "
                raise ValueError(f"{what}{words}") from None
            found.left_out.append((file, words.removeprefix(f"{root}/")))
            continue
        shard.into(found, number, "" if alone else f"{file}/")
    return found


class _Shard:
    """One tar, its members sorted out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listing = Listing()
        self.places: dict[str, Member] = {}
        self.labels: dict[str, dict[str, str]] = {}  # name without ending -> kind -> as written
        self.bad: dict[str, str] = {}  # name without ending -> why its label cannot be read
        self.other_files: dict[str, list[str]] = {}  # name without ending -> its other files
        seen: set[str] = set()
        with path.open("rb") as file:
            for member in members(path):
                if is_silent(member.name) and ".." not in member.name.split("/"):
                    continue
                if member.name and member.name in seen:
                    member = member._replace(why="A second file of this name in its tar.")
                seen.add(member.name)
                if member.why:
                    self.listing.left_out.append((member.name, member.why))
                else:
                    self._add(member, file)

    def _add(self, member: Member, file: BinaryIO) -> None:
        def first(count: int) -> bytes:
            file.seek(member.at)
            return file.read(min(count, member.size))

        stem, ending = stem_of(member.name)
        if ending not in BESIDE:
            self.places[member.name] = member
            self.listing.add(member.name, member.size, lambda: first(1024))
            return
        self.other_files.setdefault(stem, []).append(member.name)
        if member.size > BESIDE[ending]:
            if ending != ".txt":
                self.bad[stem] = f"Its {ending} is larger than {BESIDE[ending]:,} bytes."
            return
        try:
            text = first(member.size).decode("utf-8-sig").strip()
            labels = self.labels.setdefault(stem, {})
            labels |= _labels_in_json(text) if ending == ".json" else {_kind(ending): text}
        except (ValueError, RecursionError):
            if ending != ".txt":
                self.bad[stem] = f"Its {ending} is none that can be read."

    def into(self, found: Contained, number: int, prefix: str) -> None:
        used: set[str] = set()
        for name in self._one_a_sample():
            member, whole = self.places[name], f"{prefix}{name}"
            found.places[whole] = (number, member.at, member.size)
            found.inside[whole] = name
            called = (stem_of(name)[0], key_of(name), name)  # 1.cls, 1.cls of 1.a.jpg, 1.jpg.cls
            stem = next((one for one in called if one in self.other_files), "")
            used.add(stem)
            for kind, text in self.labels.get(stem, {}).items():
                found.labels.setdefault(kind, {})[whole] = text
            if stem in self.bad:
                found.labels.setdefault("bad", {})[whole] = self.bad[stem]
        listing = self.listing
        left = [*listing.left_out]
        left += [(name, "A table, which is not read inside a tar.") for name in listing.tables]
        left += [(name, "A tar inside a tar, which is not looked into.") for name in listing.shards]
        for stem in self.other_files.keys() - used:
            left += [(name, NOTHING_BESIDE) for name in self.other_files[stem]]
        file = found.files[number]
        found.left_out += [(f"{prefix}{name}" if name else file, why) for name, why in left]

    def _one_a_sample(self) -> list[str]:
        """The pictures in the order of the tar; of several in a sample the one without a word
        between key and ending: 0001.jpg, and not 0001.seg.png."""
        samples: dict[str, list[str]] = {}
        for name in self.listing.pictures:
            samples.setdefault(key_of(name), []).append(name)
        gone = set()
        for key, names in samples.items():
            plain = [name for name in names if stem_of(name)[0] == key]
            if len(names) == 1 or not plain:  # IMG.001.jpg, IMG.002.jpg: keys with dots in them
                continue
            for name in names:
                if name != plain[0]:
                    gone.add(name)
                    why = f"A second picture of a sample: {plain[0]} is taken."
                    self.listing.left_out.append((name, why))
        return [name for name in self.listing.pictures if name not in gone]


def stem_of(name: str) -> tuple[str, str]:
    """cats/0001.seg.PNG -> cats/0001.seg, .png"""
    ending = ending_of(name)
    return name[: len(name) - len(ending)], ending


def key_of(name: str) -> str:
    """cats/0001.seg.png -> cats/0001, as webdataset has it."""
    folder, slash, file = name.rpartition("/")
    key = file.split(".", 1)[0]
    return f"{folder}{slash}{key}" if key else name


def _kind(ending: str) -> str:
    return ".cls" if ending in CLS else ending


def _labels_in_json(text: str) -> dict[str, str]:
    """{".json label": "7"} of an object, by the first usual key in it; ValueError for no JSON."""
    value = json.loads(text)
    if not isinstance(value, dict):
        return {".json": text_of(value)} if text_of(value) else {}
    plain = {key.strip().casefold().replace("-", "_"): one for key, one in value.items()}
    for key in JSON_KEYS:
        if key in plain and text_of(plain[key]):
            return {f".json {key}": text_of(plain[key])}
    return {}


def text_of(value: object) -> str:
    """A number or a text as it is written; empty for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else ""
    return str(value).strip()


def chosen_labels(found: Contained) -> tuple[dict[str, str], dict[str, str], str]:
    """(labels as written, why those of others cannot be read, what kind they are).

    .cls before .json before .txt, and the texts only where they look like labels.
    """
    kinds = {kind: values for kind, values in found.labels.items() if kind != "bad"}
    bad = found.labels.get("bad", {})
    texts = kinds.pop(".txt", {})
    if ".cls" in kinds:
        return kinds[".cls"], bad, ".cls"
    if kinds:
        kind = max(kinds, key=lambda one: len(kinds[one]))
        return kinds[kind], bad, kind
    if texts and look_like_labels(list(texts.values())):
        return texts, bad, ".txt"
    return {}, bad, ""


def look_like_labels(texts: Sequence[str]) -> bool:
    """Whether texts are classes: short, in one line, and the same ones again and again."""
    if any(len(text) > CAPTION or "\n" in text for text in texts):
        return False
    return all(text.isdecimal() for text in texts) or 2 * len(set(texts)) <= len(texts)


assert not set(ENDINGS) & set(BESIDE)
