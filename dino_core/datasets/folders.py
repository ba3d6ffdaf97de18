"""The files of a folder. Links to files are followed, links to folders not: they may be circles."""

import os
from collections.abc import Callable
from pathlib import Path

from dino_core.datasets.contents import Listing, is_silent, message_of
from dino_core.images.formats import HEAD

MAX_FILES = 20_000_000  # ImageNet-22k has 14 million


def list_folder(root: Path) -> Listing:
    """Everything below a folder, by its name inside; ValueError for too much of it."""
    found = Listing()
    folders = [""]
    while folders:
        prefix = folders.pop()
        try:
            with os.scandir(root / prefix) as entries:
                for entry in entries:
                    _add(found, folders, f"{prefix}{entry.name}", entry)
        except OSError as error:
            if not prefix:
                raise ValueError(f"{root} cannot be read: {message_of(error)}.") from None
            found.left_out.append((prefix, f"The folder cannot be read: {message_of(error)}."))
        if len(found.pictures) > MAX_FILES:
            raise ValueError(f"{root} has more than {MAX_FILES:,} pictures: choose a part of it.")
    return found


def _add(found: Listing, folders: list[str], name: str, entry: "os.DirEntry[str]") -> None:
    if is_silent(entry.name):
        return
    try:
        if entry.is_dir(follow_symlinks=False):
            folders.append(f"{name}/")
        elif entry.is_dir():
            found.left_out.append((name, "This is a link to a folder, which is not followed."))
        elif entry.is_file():
            found.add(name, entry.stat().st_size, _head_of(entry.path))
        elif entry.is_symlink():
            found.left_out.append((name, "This is a link to a file that is not there."))
    except OSError as error:
        found.left_out.append((name, f"The file cannot be read: {message_of(error)}."))


def _head_of(path: str) -> Callable[[], bytes]:
    def head() -> bytes:
        with open(path, "rb") as file:
            return file.read(HEAD)

    return head
