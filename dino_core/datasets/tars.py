"""The members of a tar, by their headers alone; whatever is wrong with one leaves that one out.

Python's `tarfile` reads the headers. It is given a file that goes forward only and hands out no
more than a header may need, so a tar of any size and malice costs little memory and ends. Nothing
is ever unpacked: a picture is read from its place in the tar when it is wanted. (The package
webdataset streams, and has every member in memory as a whole before its size can be looked at.)
"""

import io
import tarfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dino_core.datasets.contents import name_objection, printable
from dino_core.datasets.zips import guess_letters
from dino_core.images.formats import HEAD, kind_of

MAX_HEADER = 2**20  # bytes of one long name or one set of extended attributes
MAX_MEMBERS = 10_000_000
BLOCK = 512
_DAMAGE = (  # what tarfile raises for headers that make no sense
    tarfile.TarError, OSError, ValueError, OverflowError, RecursionError, LookupError, EOFError,
    ArithmeticError, TypeError, AttributeError,
)  # fmt: skip
_KINDS = {
    tarfile.SYMTYPE: "a link, which is not followed",
    tarfile.LNKTYPE: "a link, which is not followed",
    tarfile.CHRTYPE: "a device, no file",
    tarfile.BLKTYPE: "a device, no file",
    tarfile.FIFOTYPE: "a pipe, no file",
}


class Member(NamedTuple):
    """A file in a tar. `why` says what is wrong with it; empty if nothing is."""

    name: str
    at: int = 0  # where its bytes begin
    size: int = 0  # bytes
    why: str = ""


def members(path: Path) -> Iterator[Member]:
    """The files in a tar, in their order. What is damaged further on ends it with a `why`.

    ValueError, in a sentence, for what is no tar at all.
    """
    with path.open("rb") as file:
        length = file.seek(0, io.SEEK_END)
        file.seek(0)
        headers = _Headers(file)
        try:
            tar = tarfile.open(fileobj=headers, mode="r:")  # noqa: SIM115  (nothing to close)
        except _DAMAGE as error:
            raise ValueError(_why_no_tar(path, error)) from None
        yield from _members(tar, headers, length)


def _members(tar: tarfile.TarFile, headers: "_Headers", length: int) -> Iterator[Member]:
    before = -1
    for _ in range(MAX_MEMBERS):
        tar.members = []  # type: ignore[attr-defined]  # or all of them would be kept
        try:
            entry = tar.next()
        except _DAMAGE as error:
            where = f"after byte {max(before, 0):,} ({error})"
            yield Member("", why=f"It is cut short or damaged {where}.")
            return
        if entry is None:
            if not headers.ends_at(tar.offset):
                yield Member("", why=f"It is cut short or damaged after byte {tar.offset:,}.")
            return
        if entry.offset_data <= before or entry.size < 0:
            yield Member("", why=f"It is damaged after byte {max(before, 0):,}.")
            return
        before = entry.offset_data
        if entry.isdir():
            continue
        name = name_of(entry)
        why = _objection(name, entry)
        cut = entry.isreg() and not entry.issparse() and before + entry.size > length
        if cut:
            why = "The tar ends in the middle of it: it is cut short."
        yield Member(printable(name), before, entry.size, why)
        if cut:
            return
    yield Member("", why=f"It has more than {MAX_MEMBERS:,} files: those after are not read.")


def _objection(name: str, entry: tarfile.TarInfo) -> str:
    """Why a member is not read, in a sentence; empty if it may be."""
    if entry.type in _KINDS:
        return f"This is {_KINDS[entry.type]}."
    if entry.issparse():
        return f"It is stored with holes, and would be {entry.size >> 20} MB: pack it whole."
    if not entry.isreg():
        return "This is no file."
    return name_objection(name)


def name_of(entry: tarfile.TarInfo) -> str:
    """Unicode, with / between folders. Names whose letters nobody says are guessed, as in zips."""
    name = entry.name
    if any("\ud800" <= sign <= "\udfff" for sign in name):
        stored = name.encode("utf-8", "surrogateescape")
        name = stored.decode(guess_letters([stored]), "replace")
    return unicodedata.normalize("NFC", name.replace("\\", "/")).removeprefix("./")


class _Headers(io.RawIOBase):
    """A file as tarfile sees it: in pieces of at most a header."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= MAX_HEADER:
            raise tarfile.ReadError("a header larger than any that makes sense")
        return self.file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def ends_at(self, offset: int) -> bool:
        """Whether a tar may end here: at its block of zeros."""
        self.file.seek(offset)
        block = self.file.read(BLOCK)
        return len(block) == BLOCK and not any(block)


def _why_no_tar(path: Path, error: BaseException) -> str:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        return f"{path} is an empty file: copy it again."
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        return (
            f"{path} is compressed, so that no picture in it can be reached: unpack it to a plain "
            f".tar (gunzip, unxz, unzstd); pictures hardly compress."
        )
    kind = kind_of(head)
    what = "no tar, or it is damaged" if kind is None else f"no tar but {kind.name}"
    return f"{path} is {what} ({str(error).rstrip('.')})."
