"""What visitors send: streamed into files, looked through, bounded, and swept.

Whatever is on its way to this server's disk counts, each as what it may become (`ON_THEIR_WAY`).

UPLOADS/OWNER/TOKEN.zip      a visitor's pictures      TOKEN.json   what is in them
                             (of a gallery: the same file on the disk under another name)
UPLOADS/OWNER/TOKEN.part     on their way
UPLOADS/OWNER/yours-N.png    an open picture that a run follows
"""

import asyncio
import os
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dino_core.jobs import read_json, write_json
from dino_core.scenes.zips import PictureChoice, ZipContents, contents

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_ZIP = 500 * 2**20  # bytes
MAX_UPLOADS = 8 * 2**30  # of all visitors
KEPT_ZIPS = 4  # of one visitor, besides those of runs
PER_ADDRESS = 12  # the same for all visitors of an address
ROOM = 2 * 2**30  # bytes that must stay free on the disk
UNUSED = 24 * 3600.0  # seconds that a file stays which no run uses
AS_IT_IS = PictureChoice()
AT_ONCE = 4  # uploads of an address that may be on their way
STALLED = 120.0  # seconds without a byte after which an upload is given up
NOT_KEPT = "These pictures are no longer kept: upload the zip again."
NO_ROOM = "There is no room for more files on this server at the moment: try again later."


class Upload(ZipContents):
    """What the page is told about a zip that was taken."""

    token: str
    name: str  # what the visitor calls it
    bytes: int


class Uploads:
    """The zips of all visitors, each in a folder of its visitor's own.

    `used` says which files the jobs still need.
    """

    def __init__(
        self,
        folder: Path,
        used: Callable[[], set[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self._used = used
        self._now = clock
        self._coming = 0  # bytes on their way into this folder

    def of(self, owner: str) -> Path:
        return self.folder / owner[:32]

    async def take(
        self, parts: AsyncIterable[bytes], owner: str, name: str, address: str = ""
    ) -> Upload:
        """Streams a body into a file and looks through it. ValueError in a sentence."""
        folder = self.of(owner)
        folder.mkdir(parents=True, exist_ok=True)
        token = secrets.token_hex(12)
        path = folder / f"{token}.zip"
        advice = "make the pictures smaller, or train from the command line."
        with self._on_its_way(), ON_THEIR_WAY.counted(MAX_ZIP, address):
            await asyncio.to_thread(self._make_room, owner, address)
            size = await receive(parts, path, MAX_ZIP, advice)
        try:
            found = await asyncio.to_thread(look_through, path, name)
            upload: Upload = {"token": token, "name": name, "bytes": size, **found}
            write_json(path.with_suffix(".json"), {**upload, "address": address})
        except BaseException:
            forget(path)
            raise
        return upload

    def find(self, owner: str, token: str) -> tuple[Path, Upload]:
        """The visitor's own zip and what is in it. ValueError for any other."""
        path = self.of(owner) / f"{token}.zip"
        facts = read_json(path.with_suffix(".json")) if token.isalnum() and path.is_file() else None
        if facts is None or not Upload.__required_keys__ <= facts.keys():
            raise ValueError(NOT_KEPT)
        return path, facts  # type: ignore[return-value]

    def take_from(
        self, path: Path, owner: str, name: str, *, choice: PictureChoice, address: str = ""
    ) -> Upload:
        """A zip of the visitor's that lies on this server already, without sending it again.

        It stays for as long as any other upload, whatever becomes of `path`. ValueError in a
        sentence, also where there is no such file any more.
        """
        if not path.is_file():
            raise ValueError(NOT_KEPT)
        for own in self.same_as(path, owner):  # it was taken before
            os.utime(own)
            return self.choose(owner, own.stem, choice)
        folder = self.of(owner)
        folder.mkdir(parents=True, exist_ok=True)
        self._make_room(owner, address)
        own = folder / f"{secrets.token_hex(12)}.zip"
        try:
            link_or_copy(path, own)
            found = look_through(own, name, choice)
            size = own.stat().st_size
            upload: Upload = {"token": own.stem, "name": name, "bytes": size, **found}
            write_json(own.with_suffix(".json"), {**upload, "address": address})
        except BaseException:
            forget(own)
            raise
        return upload

    def same_as(self, path: Path, owner: str) -> list[Path]:
        """The visitor's zips that are a file under another name."""
        with suppress(OSError):
            return [own for own in self.of(owner).glob("*.zip") if own.samefile(path)]
        return []

    def forget_unused(self, paths: Sequence[Path]) -> None:
        """Throws zips away that no run needs."""
        for path in set(map(str, paths)) - self._used():
            forget(Path(path))

    def choose(self, owner: str, token: str, choice: PictureChoice) -> Upload:
        """The same zip looked through with a visitor's answers. ValueError in a sentence."""
        path, known = self.find(owner, token)
        noted = {**known, **look_through(path, known["name"], choice)}
        write_json(path.with_suffix(".json"), noted)
        return {name: noted[name] for name in Upload.__required_keys__}  # type: ignore[return-value]

    def keep_picture(self, owner: str, picture: "Image") -> Path:
        """The visitor's open picture, written down because the visitor wants it to be seen."""
        folder = self.of(owner)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"yours-{secrets.token_hex(6)}.png"
        picture.save(path)
        return path

    def sweep(self) -> None:
        """Throws away what no run uses and nobody touched for a day: zips, halves of them, pictures
        that were followed."""
        used = self._used()
        for path in self.folder.glob("*/*"):
            needed = {str(path), str(path.with_suffix(".zip"))} & used
            with suppress(OSError):
                if not needed and self._now() - path.stat().st_mtime > UNUSED:
                    path.unlink()

    @contextmanager
    def _on_its_way(self) -> Iterator[None]:
        self._coming += MAX_ZIP
        try:
            yield
        finally:
            self._coming -= MAX_ZIP

    def _make_room(self, owner: str, address: str) -> None:
        """The visitor's oldest unused zips go. ValueError when there is still no room."""
        self.sweep()
        used = self._used()
        unused = [path for path in self.folder.glob("*/*.zip") if str(path) not in used]
        own = sorted((p for p in unused if p.parent == self.of(owner)), key=modified)
        for path in own[: -KEPT_ZIPS + 1 or None]:
            forget(path)
        if address and sum(came_from(path) == address for path in unused) >= PER_ADDRESS:
            raise ValueError(
                f"{PER_ADDRESS} zips from your address are kept already, for a day: start a run "
                f"with one of them, or upload again tomorrow."
            )
        kept = sum(path.stat().st_size for path in self.folder.glob("*/*.zip"))
        if kept + self._coming > MAX_UPLOADS:
            raise ValueError(NO_ROOM)
        need_room(self.folder)


class OnTheirWay:
    """What this process is being sent, by whomever: many at once would each find room."""

    def __init__(self) -> None:
        self.nbytes = 0
        self._by_address: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def counted(self, most: int, address: str = "") -> Iterator[None]:
        """While an upload of at most so many bytes comes. ValueError for too many of an address."""
        with self._lock:
            if address and self._by_address[address] >= AT_ONCE:
                raise ValueError(
                    f"{AT_ONCE} uploads from your address are on their way: wait until one of "
                    f"them is here."
                )
            self._by_address[address] += 1
            self.nbytes += most
        try:
            yield
        finally:
            with self._lock:
                self.nbytes -= most
                self._by_address[address] -= 1
                self._by_address += Counter()  # lets go of those that have none any more


ON_THEIR_WAY = OnTheirWay()


def need_room(folder: Path, more: int = 0) -> None:
    """ValueError unless what is on its way, and so many bytes more, leave the disk its room."""
    if shutil.disk_usage(folder).free < ROOM + ON_THEIR_WAY.nbytes + more:
        raise ValueError(NO_ROOM)


def look_through(path: Path, name: str, choice: PictureChoice = AS_IT_IS) -> ZipContents:
    """What is in a zip; the visitor's own name for it stands in the words of a refusal."""
    try:
        return contents(path, choice)
    except ValueError as error:
        raise ValueError(str(error).replace(str(path), name)) from None


async def receive(
    parts: AsyncIterable[bytes], path: Path, most: int, advice: str, *, what: str = "zip"
) -> int:
    """Writes a body into a new file -> bytes. Whatever goes wrong, nothing of it stays.

    ValueError, ending in `advice`, for one with more than `most` bytes; `what` it is called there.
    """
    size, partial = 0, path.with_suffix(".part")
    try:
        with partial.open("wb") as file:
            coming = aiter(parts)
            while (part := await asyncio.wait_for(anext(coming, None), STALLED)) is not None:
                size += len(part)
                if size > most:
                    raise ValueError(
                        f"The {what} has more than the {most >> 20} MB allowed: {advice}"
                    )
                await asyncio.to_thread(file.write, part)
        partial.replace(path)
    except TimeoutError:
        raise ValueError(f"The {what} has stopped coming: send it again.") from None
    except OSError as error:
        raise ValueError(
            f"The {what} could not be kept on this server: {error.strerror}."
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return size


def link_or_copy(path: Path, to: Path) -> None:
    """The same file under another name, or a copy where the disk has no second names for a file.

    It counts as new.
    """
    try:
        os.link(path, to)
    except OSError:
        shutil.copyfile(path, to)
    os.utime(to)


def forget(path: Path) -> None:
    """A zip and what was noted of it."""
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)


def came_from(path: Path) -> str | None:
    return (read_json(path.with_suffix(".json")) or {}).get("address")


def modified(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
