"""How a checkpoint comes to a visitor's list of models: by an upload, or out of a run's folder.

Either way it is read strictly before it counts, and what is refused leaves nothing behind.
"""

import asyncio
import hashlib
import os
import shutil
import threading
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.jobs.uploads import NO_ROOM, ON_THEIR_WAY, need_room, receive
from app.state.checkpoints import PREFIX, Checkpoint, Checkpoints, read_noted
from dino_core.scenes.checkpoints import read_checkpoint

MAX_FILE = 2 * 2**30  # bytes: ViT-L in float32 has 1.2 GB
PER_VISITOR = 6  # checkpoints; the one that was not used for longest makes room
MAX_OWN = 4 * 2**30  # bytes of one visitor's
PER_ADDRESS = 18  # of all visitors of an address
MAX_ALL = 32 * 2**30  # bytes of all visitors
ADVICE = "save the backbone alone in float16, or start the page with --weights FILE."
_READING = threading.Lock()  # one at a time: each is in memory while it is read


async def take_upload(
    checkpoints: Checkpoints,
    parts: AsyncIterable[bytes],
    *,
    owner: str,
    called: str,
    address: str = "",
    size: int = MAX_FILE,
) -> Checkpoint:
    """Streams a body into a file and reads it -> what it is. ValueError in a sentence.

    `size`: how many bytes it says it has.
    """
    most = min(size, MAX_FILE)
    path = checkpoints.place(owner, called)
    digest = hashlib.sha256()
    try:
        with ON_THEIR_WAY.counted(most, address):
            await asyncio.to_thread(make_room, checkpoints, owner, address, size=most)
            await receive(_hashed(parts, digest), path, most, ADVICE, what="file")
        noted = {"title": path.name, "file": path.name, "address": address}
        return await asyncio.to_thread(_read, checkpoints, path, owner, digest.hexdigest(), **noted)
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)


def take_milestone(
    checkpoints: Checkpoints, weights: Path, *, owner: str, title: str, file: str
) -> Checkpoint:
    """The same for what a run has written: its bytes stay when the run goes on or is deleted.

    `file`: as lines of Python name it. ValueError in a sentence.
    """
    path = checkpoints.place(owner, weights.name)
    try:
        size = weights.stat().st_size
        with ON_THEIR_WAY.counted(size):
            make_room(checkpoints, owner, "", size=size)
        try:
            os.link(weights, path)  # a run replaces its files and never writes into them
        except OSError:
            shutil.copyfile(weights, path)
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return _read(checkpoints, path, owner, digest, title=title, file=file, address="")
    except FileNotFoundError:
        raise ValueError("The run has let go of this checkpoint: choose a newer one.") from None
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)


def _read(
    checkpoints: Checkpoints, path: Path, owner: str, digest: str, **noted: str
) -> Checkpoint:
    with _READING:
        read = read_checkpoint(path, digest)
    facts: Any = {
        **read,
        **noted,
        "name": PREFIX + digest[:24],
        "digest": digest,
        "bytes": path.stat().st_size,
    }
    return checkpoints.keep(owner, path, facts)


async def _hashed(parts: AsyncIterable[bytes], digest: Any) -> AsyncIterator[bytes]:
    async for part in parts:
        digest.update(part)
        yield part


def make_room(checkpoints: Checkpoints, owner: str, address: str, *, size: int) -> None:
    """Lets go of what is old, so that a visitor's fit in with `size` bytes more.

    ValueError when there is still no room for what is on its way, these among them.
    """
    checkpoints.folder.mkdir(parents=True, exist_ok=True)
    checkpoints.sweep()
    checkpoints.make_room(owner, most=PER_VISITOR, most_bytes=max(MAX_OWN - size, 0))
    kept = [facts for facts in map(read_noted, checkpoints.noted()) if facts is not None]
    if address and sum(one["address"] == address for one in kept) >= PER_ADDRESS:
        raise ValueError(
            f"{PER_ADDRESS} checkpoints from your address are kept already: remove one, or come "
            f"back when a week has passed."
        )
    if sum(one["bytes"] for one in kept) + ON_THEIR_WAY.nbytes > MAX_ALL:
        raise ValueError(NO_ROOM)
    with suppress(FileNotFoundError):
        need_room(checkpoints.folder)
