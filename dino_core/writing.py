"""Files that are there whole or not at all: written to the side, then renamed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dino_core.interruption import files_written


@contextmanager
def replacing(path: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Yields a name in the same folder; what was written there becomes `path` at the end, whole.

    After an error nothing is left and `path` is as it was. Every caller has a name of its own, so
    two who write the same file do not meet; the last one to finish stays. What lasts is given its
    folder, and is on the disk at the end. What a process notes down many times a minute is not
    waited for, and is an error where its folder has gone.
    """
    if lasting:
        path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with files_written():
            yield partial
            if lasting:
                with partial.open("rb+") as file:
                    os.fsync(file.fileno())
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def take_room(file: BinaryIO, size: int) -> None:
    """Gives a file `size` bytes, all of them on the disk, before it is mapped.

    OSError where there is no room: whoever writes into a mapped file on a full disk is ended by a
    signal, without a word. Where the system cannot take room ahead, the file only gets its length.
    """
    if hasattr(os, "posix_fallocate") and size:
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)
