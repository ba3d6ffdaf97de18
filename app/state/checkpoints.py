"""Checkpoints of visitors: files of weights, each its visitor's own, and what was read of them.

    FOLDER/OWNER/DIGEST.json       what there is to say of one; its time is that of the last use
    FOLDER/OWNER/DIGEST/my.pth     the file itself, under the name that its visitor gave it; of a
                                   Hugging Face folder in a zip its weights and its config.json
    FOLDER/OWNER/TOKEN/            one that is on its way, or that waits for a word of its visitor
    FOLDER/OWNER/TOKEN.asked       what was said so far of one that waits

A checkpoint is a model of the page's list, named after the digest of its bytes: whatever is
computed with it and kept under that name is of these weights and of no others. Whose it is, is
asked each time. One that nobody used for a week is thrown away.
"""

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from dino_core.jobs import read_json, write_json
from dino_core.scenes.checkpoints import CheckpointFacts

PREFIX = "checkpoint-"
CONFIG = "config.json"  # beside the weights of a folder that was brought
NAME = re.compile(PREFIX + r"([0-9a-f]{24})")  # the digest's first 24 digits
KEPT = 7 * 24 * 3600.0  # seconds after the last use
TOKEN = re.compile(r"[0-9a-f]{24}")
UNFINISHED = 24 * 3600.0  # seconds that a file stays of which nothing was read
LONGEST_NAME = 80  # characters
GONE = (
    "The checkpoint that was asked for is not here: it was somebody else's, or it is no longer "
    "kept. Add it again to go on with it."
)


class Checkpoint(CheckpointFacts):
    """What the page is told of a checkpoint."""

    name: str  # in the list of models
    title: str  # what its visitor calls it; no two of a visitor's have the same
    file: str  # as lines of Python name it
    digest: str  # SHA-256 of the file
    bytes: int
    address: str  # hash of where it came from; "" where that is not known
    # What had to be said of the file that its visitor has: heads, grid, branch, as the command line
    # takes them; absent where it tells all of itself.
    said: NotRequired[dict[str, str]]


class Asked(TypedDict):
    """Of a file that was sent and does not tell enough of itself."""

    said: dict[str, str]  # heads, grid, branch: as the command line takes them
    address: str
    bytes: int


def is_checkpoint(name: str) -> bool:
    """Whether a model's name is that of some visitor's checkpoint."""
    return name.startswith(PREFIX)


class Checkpoints:
    """The checkpoints of all visitors. `used`: the files that jobs still need."""

    def __init__(
        self,
        folder: Path,
        used: Callable[[], set[str]] = set,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self._used = used
        self._now = clock

    def of(self, owner: str) -> Path:
        """The folder of a visitor's own."""
        return self.folder / owner[:32]

    # --- what there is

    def find(self, owner: str, name: str) -> tuple[Path, Checkpoint]:
        """The visitor's own checkpoint: its file, and what is known of it.

        ValueError in a sentence for any other. Whoever asks has used it.
        """
        match = NAME.fullmatch(name)
        noted = self.of(owner) / f"{match[1]}.json" if owner and match else None
        facts = read_noted(noted) if noted else None
        if noted is None or facts is None:
            raise ValueError(GONE)
        self._touch(noted)
        return self.file_of(noted), facts

    def everything(self, owner: str) -> list[Checkpoint]:
        """The visitor's own, the one used last first."""
        noted = sorted(self.of(owner).glob("*.json"), key=modified, reverse=True) if owner else []
        return [facts for facts in map(read_noted, noted) if facts is not None]

    def noted(self) -> list[Path]:
        """What is noted of everybody's, the one used last first."""
        return sorted(self.folder.glob("*/*.json"), key=modified, reverse=True)

    def file_of(self, noted: Path) -> Path:
        """The file that a note is about; of a folder that was brought, that of its weights."""
        files = sorted(noted.with_suffix("").iterdir())
        return next((one for one in files if one.name != CONFIG), files[0])

    # --- keeping and forgetting

    def place(self, owner: str, called: str) -> Path:
        """Where a file that comes is to be put, in a folder of its own."""
        folder = self.of(owner) / secrets.token_hex(12)
        folder.mkdir(parents=True)
        return folder / file_name(called)

    # --- those that wait for a word

    def ask(self, path: Path, asked: Asked) -> str:
        """Keeps a file of `place` for its visitor's answer -> the token to answer with."""
        write_json(path.parent.with_suffix(".asked"), {**asked})
        return path.parent.name

    def is_asked(self, path: Path) -> bool:
        return path.parent.with_suffix(".asked").exists()

    def find_asked(self, owner: str, token: str) -> tuple[Path, Asked]:
        """The visitor's own file that waits. ValueError for any other."""
        noted = self.of(owner) / f"{token}.asked"
        asked = read_asked(noted) if owner and TOKEN.fullmatch(token) else None
        if asked is None:
            raise ValueError("This file is no longer kept: add it again.")
        return self.file_of(noted), asked

    def asked(self, owner: str = "*") -> list[Path]:
        """What is noted of everybody's, or of a visitor's own, that wait."""
        return [*self.folder.glob(f"{owner[:32]}/*.asked")]

    # --- keeping

    def keep(self, owner: str, path: Path, facts: Checkpoint) -> Checkpoint:
        """Gives a file of `place` its lasting place: from now on it is a model of its visitor's.

        Where the same bytes are kept already, perhaps under another name, the file stays where it
        is: whoever asked for the place clears it.
        """
        match = NAME.fullmatch(facts["name"])
        assert match is not None
        noted = self.of(owner) / f"{match[1]}.json"
        facts = {**facts, "title": self._own_title(owner, facts)}
        if read_noted(noted) is None:
            shutil.rmtree(noted.with_suffix(""), ignore_errors=True)
            path.parent.rename(noted.with_suffix(""))
        write_json(noted, {**facts})
        self._touch(noted)
        return facts

    def _touch(self, noted: Path) -> None:
        with suppress(OSError):
            os.utime(noted, (self._now(), self._now()))

    def _own_title(self, owner: str, facts: Checkpoint) -> str:
        """A title that no other checkpoint of the visitor's has."""
        others = [one["title"] for one in self.everything(owner) if one["name"] != facts["name"]]
        title, digest = facts["title"], facts["digest"]
        return f"{title} ({digest[:6]})" if title in others else title

    def remove(self, owner: str, name: str) -> None:
        """Throws the visitor's own away. ValueError for any other, and while a job needs it."""
        path, _ = self.find(owner, name)
        noted = path.parent.with_suffix(".json")
        if self._is_needed(noted, self._used()):
            raise ValueError("A run or a gallery still needs this checkpoint: delete that first.")
        forget(noted)

    def _is_needed(self, noted: Path, used: set[str]) -> bool:
        return read_noted(noted) is not None and str(self.file_of(noted).resolve()) in used

    def sweep(self) -> None:
        """Throws away what nobody used for a week, and what never became a checkpoint."""
        used = self._used()
        for noted in self.noted():
            if self._now() - modified(noted) > KEPT and not self._is_needed(noted, used):
                forget(noted)
        for folder in self.folder.glob("*/*/"):
            known = folder.with_suffix(".json").exists()
            if not known and self._now() - modified(folder) > UNFINISHED:
                forget(folder.with_suffix(".asked"))

    def make_room(self, owner: str, *, most: int, most_bytes: int) -> None:
        """Throws away the visitor's own that were not used for longest and that no job needs, until
        there are fewer than `most`, of `most_bytes` together."""
        used = self._used()
        own = [n for n in self.noted() if n.parent == self.of(owner)]
        for noted in reversed(own):
            facts = [f for f in map(read_noted, own) if f is not None]
            if len(facts) < most and sum(one["bytes"] for one in facts) <= most_bytes:
                return
            if not self._is_needed(noted, used):
                forget(noted)
                own.remove(noted)


def read_noted(noted: Path) -> Checkpoint | None:
    """What is noted of a checkpoint whose file is there; None for any other."""
    return _read(noted, Checkpoint.__required_keys__)  # type: ignore[return-value]


def read_asked(noted: Path) -> Asked | None:
    """What is noted of a file that waits for a word and is there; None for any other."""
    return _read(noted, Asked.__required_keys__)  # type: ignore[return-value]


def _read(noted: Path, wanted: frozenset[str]) -> dict[str, Any] | None:
    facts, folder = read_json(noted), noted.with_suffix("")
    if facts is None or not wanted <= facts.keys():
        return None
    return facts if folder.is_dir() and any(folder.iterdir()) else None


def forget(noted: Path) -> None:
    """A checkpoint and what was noted of it; the note goes first, so that no half is found."""
    noted.unlink(missing_ok=True)
    shutil.rmtree(noted.with_suffix(""), ignore_errors=True)


def file_name(called: str) -> str:
    """A name that any disk takes, for what a visitor calls a file."""
    plain = re.sub(r"[^\w.+ -]", "_", called.replace("\\", "/").split("/")[-1]).strip(" .")
    return plain.removesuffix(".part")[-LONGEST_NAME:] or "checkpoint"  # .part: still on its way


def modified(path: Path) -> float:
    """Seconds since 1970; 0 for what has gone meanwhile."""
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
