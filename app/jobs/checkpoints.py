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
from typing import Any, TypedDict

from app.jobs.uploads import NO_ROOM, ON_THEIR_WAY, need_room, receive
from app.state.checkpoints import (
    PREFIX,
    Asked,
    Checkpoint,
    Checkpoints,
    forget,
    read_asked,
    read_noted,
)
from dino_core.scenes.checkpoints import Field, Untold, read_checkpoint, rewritten, unpacked

MAX_FILE = 2 * 2**30  # bytes: ViT-L in float32 has 1.2 GB
PER_VISITOR = 6  # checkpoints; the one that was not used for longest makes room
MAX_OWN = 4 * 2**30  # bytes of one visitor's
PER_ADDRESS = 18  # of all visitors of an address
MAX_ALL = 32 * 2**30  # bytes of all visitors
ADVICE = "save the backbone alone in float16, or start the page with --weights FILE."
_READING = threading.Lock()  # one at a time: each is in memory while it is read


class Question(TypedDict):
    """What a visitor is asked of a file that was sent, which need not be sent again."""

    token: str
    what: str  # a sentence
    field: Field
    choices: list[str]


async def take_upload(
    checkpoints: Checkpoints,
    parts: AsyncIterable[bytes],
    *,
    owner: str,
    called: str,
    address: str = "",
    size: int = MAX_FILE,
) -> Checkpoint | Question:
    """Streams a body into a file and reads it -> what it is, or what has to be said of it.

    `size`: how many bytes it says it has. ValueError in a sentence.
    """
    most = min(size, MAX_FILE)
    for noted in checkpoints.asked(owner):  # another file, and no answer
        forget(noted)
    path = checkpoints.place(owner, called)
    digest = hashlib.sha256()
    try:
        with ON_THEIR_WAY.counted(most, address):
            await asyncio.to_thread(make_room, checkpoints, owner, address, size=most)
            await receive(_hashed(parts, digest), path, most, ADVICE, what="file")
        noting = {"title": path.name, "file": path.name, "address": address}
        weights = await asyncio.to_thread(unpacked, path, MAX_FILE)
        if weights != path:  # a folder, which lines of Python name without its zip
            path, noting["file"] = weights, path.stem
        try:
            return await asyncio.to_thread(
                _read, checkpoints, path, owner, digest.hexdigest(), **noting
            )
        except Untold as error:
            asked: Asked = {"said": {}, "address": address, "bytes": path.stat().st_size}
            return _question(checkpoints.ask(path, asked), error)
    finally:
        if not checkpoints.is_asked(path):
            shutil.rmtree(path.parent, ignore_errors=True)


def take_answer(
    checkpoints: Checkpoints, owner: str, token: str, *, field: Field, value: str
) -> Checkpoint | Question:
    """What its visitor says of a file that waits -> what it is, or what else has to be said.

    The backbone is kept as a file of ours, which tells all of itself. ValueError in a sentence; the
    file waits on, for another answer.
    """
    path, asked = checkpoints.find_asked(owner, token)
    said = {**asked["said"], field: value}
    try:
        with _READING:
            own = rewritten(path, said)
    except Untold as error:
        checkpoints.ask(path, {**asked, "said": said})
        return _question(token, error)
    with own.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    noted = {"title": path.name, "file": path.name, "address": asked["address"]}
    try:
        return _read(checkpoints, own, owner, digest, said=said, **noted)
    finally:
        forget(checkpoints.of(owner) / f"{token}.asked")


def _question(token: str, error: Untold) -> Question:
    return {
        "token": token,
        "what": error.what,
        "field": error.field,
        "choices": list(error.choices),
    }


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
    checkpoints: Checkpoints, path: Path, owner: str, digest: str, **noted: str | dict[str, str]
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
    checkpoints.make_room(owner, most=PER_VISITOR, most_bytes=MAX_OWN - size)
    kept = [
        (one["address"], one["bytes"])
        for one in (
            *map(read_noted, checkpoints.noted()),
            *map(read_asked, checkpoints.asked()),
        )
        if one is not None
    ]
    if address and [where for where, _ in kept].count(address) >= PER_ADDRESS:
        raise ValueError(
            f"{PER_ADDRESS} checkpoints from your address are kept already: remove one, or come "
            f"back when a week has passed."
        )
    if sum(nbytes for _, nbytes in kept) + ON_THEIR_WAY.nbytes > MAX_ALL:
        raise ValueError(NO_ROOM)
    with suppress(FileNotFoundError):
        need_room(checkpoints.folder)
