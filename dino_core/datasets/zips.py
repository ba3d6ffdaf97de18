"""The files of a zip, read where it lies; whatever is wrong with one of them leaves that one out.

A zip comes from anywhere, so its table of contents is checked before anything is read: names that
lead outside, files that unpack to far more than they occupy, that share their bytes, are locked or
packed in an unknown way.

Names in a zip are / between folders and Unicode. Windows writes backslashes, older programs the
letters of their own country without saying which, macOS letters and accents apart.
"""

import re
import stat
import struct
import threading
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from dino_core.datasets.contents import Listing, is_silent, name_objection, printable
from dino_core.images import MAX_BYTES
from dino_core.images.formats import HEAD, ZIP, kind_of

MAX_FILES_ZIP = 3_000_000
MAX_TOTAL = 500 * 2**30  # bytes, unpacked
MAX_RATIO = 200  # unpacked / packed; pictures hardly compress, a bomb reaches 1000
UNREADABLE = (  # what zipfile raises for a member that is damaged, locked or unknown
    zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError, NotImplementedError,
    ValueError, struct.error,
)  # fmt: skip
_METHODS = {
    zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA,
}  # fmt: skip
_METHOD_NAMES = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}
_UTF8, _LOCKED = 0x800, 0x1  # flags of a member
_UNICODE_PATH = 0x7075  # an extra field: the name in Unicode


class Archive:
    """An open zip, its members by the names that we give them."""

    def __init__(self, path: Path) -> None:
        """ValueError, in a sentence, for what is no zip or is damaged as a whole."""
        try:
            self.zip = zipfile.ZipFile(path)
        except UNREADABLE as error:
            raise ValueError(f"{path} {_why_no_zip(path)} ({error}).") from error
        entries = self.zip.infolist()
        if len(entries) > MAX_FILES_ZIP:
            raise ValueError(f"{path} has {len(entries):,} files, more than {MAX_FILES_ZIP:,}.")
        self.members: dict[str, zipfile.ZipInfo] = {}
        self.twice: list[str] = []
        for entry, name in zip(entries, names_of(entries), strict=True):
            if name in self.members:
                self.twice.append(name)
            else:
                self.members[name] = entry

    def read(self, name: str, most: int = MAX_BYTES) -> bytes:
        """At most so many bytes. ValueError, in a sentence, when it does not give them out."""
        try:  # never more than promised, whatever the table of contents says
            with self.zip.open(self.members[name]) as file:
                return file.read(most)
        except KeyError:
            raise ValueError("There is no such file in the zip.") from None
        except UNREADABLE as error:
            raise ValueError(
                f"The zip does not give this file out: {str(error).rstrip('.')}."
            ) from error


def list_zip(path: Path) -> Listing:
    """Everything in a zip, by its name, after the table of contents was checked."""
    archive = Archive(path)
    found = Listing()
    sharing = _sharing(list(archive.members.values()))
    total, most = 0, min(MAX_TOTAL, MAX_RATIO * path.stat().st_size)
    for name, entry in archive.members.items():
        if _is_folder(entry) or (is_silent(name) and ".." not in name.split("/")):
            continue
        why = _objection(name, entry) or ("It shares its bytes with another." * (entry in sharing))
        total += entry.file_size * (not why)
        if not why and total > most:
            why = f"Together the files would unpack to {total / 2**30:.1f} GB."
        if why:
            found.left_out.append((printable(name), why))
        else:
            found.add(name, entry.file_size, _head_of(archive, name))
    found.left_out += [(name, "A second file of this name.") for name in archive.twice]
    archive.zip.close()
    locked = [name for name, why in found.left_out if "password" in why]
    if locked and not found.pictures:
        raise ValueError(f"{path} is locked with a password: unlock it first.")
    return found


def _head_of(archive: Archive, name: str) -> Callable[[], bytes]:
    return lambda: archive.read(name, HEAD)


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.is_dir() or (entry.filename.endswith("\\") and not entry.file_size)


def _objection(name: str, entry: zipfile.ZipInfo) -> str:
    """Why a member is not read, in a sentence; empty if it may be."""
    if why := name_objection(name):
        return why
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "This is a link, which is not followed."
    if entry.flag_bits & _LOCKED:
        return "It is locked with a password."
    if entry.compress_type not in _METHODS:
        method = _METHOD_NAMES.get(entry.compress_type, f"method {entry.compress_type}")
        return f"It is packed by {method}, which is not read here: make the zip anew."
    if entry.file_size > MAX_RATIO * max(entry.compress_size, 1024):
        return (
            f"It would unpack to {entry.file_size >> 20} MB, "
            f"{entry.file_size // max(entry.compress_size, 1)} times what it occupies."
        )
    return ""


def _sharing(entries: list[zipfile.ZipInfo]) -> set[zipfile.ZipInfo]:
    """Members whose bytes lie inside those of an earlier one: how a bomb of many names is made."""
    found: set[zipfile.ZipInfo] = set()
    end = -1
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < end:
            found.add(entry)
        else:
            end = entry.header_offset + 30 + entry.compress_size
    return found


def _why_no_zip(path: Path) -> str:
    try:
        with path.open("rb") as file:
            kind = kind_of(file.read(HEAD))
    except OSError:
        return "cannot be read"
    if kind is ZIP:
        return (
            "is a zip that is cut short or damaged, so that its table of contents, at the end, is "
            "missing: download or copy it again"
        )
    if kind is None:
        return "is no zip, or it is damaged: name a folder or zip with pictures"
    if kind.decoder:
        return f"is no zip but {kind.name}: name a folder or zip with pictures"
    return f"is no zip but {kind.name}: {kind.advice}"


# --- names


def names_of(entries: list[zipfile.ZipInfo]) -> list[str]:
    """What the members are called, in the order of the table of contents."""
    unsaid = [_stored(entry) for entry in entries if not entry.flag_bits & _UTF8]
    letters = guess_letters([name for name in unsaid if not name.isascii()])
    names = []
    for entry in entries:
        if entry.flag_bits & _UTF8:
            name = entry.orig_filename
        else:
            name = _unicode_path(entry) or _stored(entry).decode(letters, "replace")
        names.append(unicodedata.normalize("NFC", name.replace("\\", "/")).removeprefix("./"))
    return names


def _stored(entry: zipfile.ZipInfo) -> bytes:
    """The bytes of a name that does not say its letters: zipfile takes it for cp437."""
    return entry.orig_filename.encode("cp437", "replace")


def guess_letters(names: list[bytes]) -> str:
    """The encoding of names that do not say it: that in which all of them make sense."""
    for letters, sense in (("utf-8", r""), ("cp932", _JAPANESE), ("gb18030", _CHINESE)):
        try:
            decoded = [name.decode(letters) for name in names]
        except UnicodeDecodeError:
            continue
        foreign = ["".join(sign for sign in name if sign > "\x7f") for name in decoded]
        if not sense or (
            all(re.fullmatch(f"{sense}*", name) for name in foreign)
            and any(re.search(f"{sense}{{2}}", name) for name in decoded)
        ):
            return letters
    return "cp437"


_CHINESE = "[\u3400-\u9fff\uff08\uff09\uff0c\u3001\u3002]"
_JAPANESE = "[\u3005\u3040-\u30ff\u3400-\u9fff\uff01-\uff60]"


def _unicode_path(entry: zipfile.ZipInfo) -> str:
    """The name that Info-ZIP adds in Unicode, if it belongs to the one in the table."""
    extra = entry.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        body = extra[4 : 4 + size]
        ours = kind == _UNICODE_PATH and len(body) > 5 and body[0] == 1
        if ours and struct.unpack_from("<I", body, 1)[0] == zlib.crc32(_stored(entry)):
            return body[5:].decode("utf-8", "replace")
        extra = extra[4 + size :]
    return ""


# --- one open zip for each thread: they would wait for each other's turn to seek


class Archives:
    """Opens a zip once for each thread that reads it."""

    def __init__(self) -> None:
        self._open: dict[int, Archive] = {}

    def of(self, path: Path) -> Archive:
        thread = threading.get_ident()
        if thread not in self._open:
            self._open[thread] = Archive(path)
        return self._open[thread]
