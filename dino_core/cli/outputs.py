"""Where results go: refused before the work, not after it."""

import os
import re
from pathlib import Path

_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,10}$")


def output_file(text: str, *endings: str) -> Path:
    """The file to write. ValueError for another ending, or where no file can be."""
    path = Path(text)
    if path.suffix.lower() not in endings:
        raise ValueError(f"{text} should end in {' or '.join(endings)}.")
    if path.is_dir():
        raise ValueError(f"{text} is a folder: name a file in it.")
    _check_place(path.absolute().parent)
    return path


def output_folder(text: str) -> Path:
    """The folder to write into. ValueError for what looks like a file, or where none can be."""
    path = Path(text)
    if path.is_file() or (_ENDING.search(text) and not path.is_dir()):
        raise ValueError(f"{text} should be a folder, but it is or looks like a file.")
    _check_place(path.absolute())
    return path


def _check_place(folder: Path) -> None:
    """ValueError unless the folder is there, or could be made, and takes files."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file: nothing can be written into it.")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{folder} may not be written to.")
