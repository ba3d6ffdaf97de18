"""Where results go: refused before the work, not after it."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

OF_SEVERAL = "of several pictures a folder of such files, or a name with {name} in it"

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


def output_files(images: Sequence[str], text: str | None, *endings: str) -> dict[str, str]:
    """Picture -> its file: `text`, in which {name} is what `picture_names` calls the picture.

    Of several pictures a `text` without {name} is the folder, and the files have the first ending.
    Nothing for None. ValueError as of `output_file`, `output_folder` and `picture_names`.
    """
    if text is None:
        return {}
    names = picture_names(images)
    if len(names) > 1 and "{name}" not in text:
        text = str(output_folder(text) / f"{{name}}{endings[0]}")
    files = [text.replace("{name}", name) for name in names]
    for file in files:
        output_file(file, *endings)
    return dict(zip(images, files, strict=True))


def output_folders(images: Sequence[str], text: str) -> dict[str, str]:
    """Picture -> its folder: `text` of one, in it a folder for each of several.

    ValueError as of `output_folder` and `picture_names`.
    """
    folder, names = output_folder(text), picture_names(images)
    if len(names) == 1:
        return {images[0]: text}
    return {path: str(folder / name) for path, name in zip(images, names, strict=True)}


def picture_names(images: Iterable[str]) -> list[str]:
    """What the results for each picture are called: its file name without the ending."""
    names: dict[str, str] = {}
    for path in images:
        name = Path(path).stem
        if name in names:
            raise ValueError(
                f"The results for {names[name]} and {path} would have one name: {name}."
            )
        names[name] = path
    return list(names)


def _check_place(folder: Path) -> None:
    """ValueError unless the folder is there, or could be made, and takes files."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file: nothing can be written into it.")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{folder} may not be written to.")
