"""A Hugging Face folder in a zip -> its weights and what says how to read them, unpacked.

Only those two are taken, under names of ours: whatever else is in the zip stays there.
"""

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from dino_core.weights.files import CONFIG, FOLDER_FILES, INDEX

MOST_CONFIG = 2**20 * 8  # bytes: the names of 100 000 classes
RATIO = 4  # unpacked / packed; weights hardly compress
SLACK = 2**20  # bytes beyond that
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError, NotImplementedError,
    ValueError,
)  # fmt: skip


def unpack_folder(path: Path, most: int) -> Path | None:
    """The file of the weights beside a config.json, in the zip's own folder, in its place.

    None, and nothing done, for what is no zip of such a folder. ValueError in a sentence for one
    that cannot be unpacked, or to more than `most` bytes.
    """
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive)
            if members is None:
                return None
            return _unpacked(path, archive, *members, most=most)
    except UNREADABLE as error:
        if isinstance(error, ValueError) and str(error).startswith(path.name):
            raise
        raise ValueError(f"{path.name} is damaged: it cannot be unpacked.") from error


def _members(archive: zipfile.ZipFile) -> tuple[zipfile.ZipInfo, zipfile.ZipInfo] | None:
    """The weights and the config.json of the one folder that has both."""
    entries = {PurePosixPath(entry.filename): entry for entry in archive.infolist()}
    folders = [one.parent for one in entries if one.name == CONFIG]
    found = [
        (entries[folder / name], entries[folder / CONFIG])
        for folder in folders
        for name in FOLDER_FILES
        if folder / name in entries
    ]
    sharded = any(folder / name in entries for folder in folders for name in INDEX)
    return found[0] if len(found) == 1 and not sharded else None


def _unpacked(
    path: Path,
    archive: zipfile.ZipFile,
    weights: zipfile.ZipInfo,
    config: zipfile.ZipInfo,
    *,
    most: int,
) -> Path:
    allowed = min(most, RATIO * path.stat().st_size + SLACK)
    target = path.with_name(PurePosixPath(weights.filename).name)
    if target == path:
        raise ValueError(f"{path.name} is a zip under the name of weights: call it .zip.")
    limits = ((weights, target, allowed), (config, path.with_name(CONFIG), MOST_CONFIG))
    for entry, place, limit in limits:
        if entry.file_size > limit:
            raise ValueError(
                f"{path.name} holds a {place.name} of {entry.file_size:,} bytes, more than the "
                f"{limit:,} that are taken."
            )
        with archive.open(entry) as source, place.open("wb") as file:  # never more than it says
            shutil.copyfileobj(source, file)
    path.unlink()
    return target
