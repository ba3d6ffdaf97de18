"""What visitors look at, each under a key that nobody can guess and nobody else can use.

A picture that was opened without a cookie belongs to its key: whoever has the key may see it.
"""

import os
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dino_core.scenes.picture import OpenPicture

LIFETIME = 3600.0  # seconds after the last use
PER_VISITOR = 3  # what is shown, and those before: their last requests may be on the way
COMPARISONS = 3  # more: a second picture, another model, and the one before of either
PAIR_OUTPUTS = 3  # of pairs of student and teacher, for each picture
EFFECTS = 2  # what followed from the newest changes inside the model, for each picture
MEMORY_SHARE = 1 / 8  # of this machine's memory, for the pictures of all visitors together
MAX_BYTES = 4 * 2**30  # of them, however large the machine is; the longest unused goes first
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container
KEY_BYTES = 24
KEY = re.compile(r"[\w-]{32}", re.ASCII)  # so many bytes in base64
NOT_YOURS = "This picture is no longer kept: open it again."


@dataclass
class Entry:
    """An open picture, its owner, and when it was last looked at."""

    owner: str
    picture: "OpenPicture"
    model: str
    size: int
    sample: str = ""  # the file's name, when it is one of the samples
    comparison: bool = False  # it was opened to be compared with another one
    title: str = ""  # what a person is shown as the model's name, where that is another
    file: str = ""  # of the model, as lines of Python open it; "": by its name
    said: dict[str, str] = field(default_factory=dict)  # what they have to say of that file
    classifier: str = ""  # what one beside the backbone reads, in a sentence; "": there is none
    origin: str = ""  # upload/NAME or gallery/NAME/INDEX: where its browser finds it again
    used: float = field(default_factory=time.monotonic)
    pair_outputs: OrderedDict[Any, Any] = field(default_factory=OrderedDict)  # by pair and seed
    effects: OrderedDict[Any, Any] = field(default_factory=OrderedDict)  # by changes and seed
    changing: threading.Lock = field(default_factory=threading.Lock)

    def pair_output(self, key: Any, compute: Callable[[], Any]) -> Any:
        """What a pair makes of the picture, computed once; the newest few are kept."""
        if key not in self.pair_outputs:
            self.pair_outputs[key] = compute()
        while len(self.pair_outputs) > PAIR_OUTPUTS:
            self.pair_outputs.popitem(last=False)
        return self.pair_outputs[key]

    def effect(self, key: Any, compute: Callable[[], Any]) -> Any:
        """What follows from changes inside the model, computed once; the newest few are kept."""
        with self.changing:  # a page asks for several views of the same at once
            if key not in self.effects:
                self.effects[key] = compute()
            self.effects.move_to_end(key)
            while len(self.effects) > EFFECTS:
                self.effects.popitem(last=False)
            return self.effects[key]

    @property
    def nbytes(self) -> int:
        width, height = self.picture.source.size
        outputs = sum(nbytes_of(output) for output in self.pair_outputs.values())
        seen = self.picture.seen.nbytes  # each effect holds about as much twice
        return seen * (1 + 2 * len(self.effects)) + 3 * width * height + outputs


def nbytes_of(output: Any) -> int:
    """Bytes of the arrays in a dataclass."""
    if not is_dataclass(output):
        return 0
    return sum(int(getattr(getattr(output, one.name), "nbytes", 0)) for one in fields(output))


def memory_limit() -> int:
    """Bytes that the pictures of all visitors may take on this machine, or in this container."""
    with suppress(OSError, ValueError):
        return min(MAX_BYTES, int(int(CGROUP_LIMIT.read_text()) * MEMORY_SHARE))
    with suppress(OSError, ValueError, AttributeError):  # there is no sysconf on Windows
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return min(MAX_BYTES, int(total * MEMORY_SHARE))
    return 2**30


class SharedEntry:
    """An entry that is everybody's, made when it is first needed; who comes meanwhile waits."""

    def __init__(self, make: Callable[[], Entry]) -> None:
        self._make = make
        self._entry: Entry | None = None
        self._making = threading.Lock()

    def get(self) -> Entry:
        """The entry. What `make` raises is raised, and the next one tries again."""
        with self._making:
            if self._entry is None:
                self._entry = self._make()
            return self._entry


class PictureStore:
    """Open pictures by key, the longest unused first."""

    def __init__(self, lifetime: float = LIFETIME, max_bytes: int | None = None) -> None:
        self.lifetime = lifetime
        self.max_bytes = memory_limit() if max_bytes is None else max_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._shared: dict[str, SharedEntry] = {}
        self._lock = threading.Lock()

    def share(self, key: str, make: Callable[[], Entry]) -> None:
        """Gives everybody an entry that is nobody's own: a sample. `make` may take its time."""
        self._shared[key] = SharedEntry(make)

    def add(self, entry: Entry) -> str:
        """Keeps a picture for its owner and returns its key."""
        key = secrets.token_urlsafe(KEY_BYTES)
        with self._lock:
            self._entries[key] = entry
            self._evict(entry.owner)
        return key

    def put_back(self, key: str, entry: Entry) -> None:
        """Keeps a picture under the key that it had before this server forgot it.

        ValueError in a sentence for a key that is none of this server's making, or another's.
        """
        with self._lock:
            known = self._entries.get(key)
            theirs = known is not None and not is_same(known.owner, entry.owner)
            if theirs or key in self._shared or not KEY.fullmatch(key):
                raise ValueError(NOT_YOURS)
            self._entries[key] = entry
            self._entries.move_to_end(key)
            self._evict(entry.owner)

    def get(self, owner: str, key: str) -> Entry | None:
        """The entry, None when there is none (any more) or when it is somebody else's."""
        if key in self._shared:
            return self._shared[key].get()
        with self._lock:
            self._evict(owner)
            entry = self._entries.get(key)
            if entry is None or not (entry.owner == "" or is_same(entry.owner, owner)):
                return None
            entry.used = time.monotonic()
            self._entries.move_to_end(key)
            return entry

    def newest(self, owner: str) -> str | None:
        """The key of what this visitor looked at last, so that a reloaded page finds it again."""
        with self._lock:
            self._evict(owner)
            own = self._keys_of(owner, comparison=False)
            return own[-1] if own and owner else None

    def previous(self, owner: str, entry: Entry) -> str | None:
        """The key of another picture that this visitor opened before, None without one."""
        with self._lock:
            self._evict(owner)
            own = [(key, self._entries[key]) for key in self._keys_of(owner, comparison=False)]
            others = [k for k, e in own if e.picture.source is not entry.picture.source]
            return others[-1] if others and owner else None

    def evict(self) -> None:
        """Lets go of what is too old, also while nobody asks for anything."""
        with self._lock:
            self._evict("")

    def __len__(self) -> int:
        return len(self._entries)

    def _evict(self, owner: str) -> None:
        now = time.monotonic()
        for key in [k for k, e in self._entries.items() if now - e.used > self.lifetime]:
            del self._entries[key]
        limits = ((False, PER_VISITOR), (True, COMPARISONS)) if owner else ()
        for comparison, limit in limits:
            for key in self._keys_of(owner, comparison)[:-limit]:
                del self._entries[key]
        while len(self._entries) > 1 and self.nbytes > self.max_bytes:
            self._entries.popitem(last=False)

    def _keys_of(self, owner: str, comparison: bool) -> list[str]:
        """The keys of a visitor's pictures of one kind, the longest unused first."""
        wanted = (owner, comparison)
        return [k for k, e in self._entries.items() if (e.owner, e.comparison) == wanted]

    @property
    def nbytes(self) -> int:
        return sum(entry.nbytes for entry in self._entries.values())


def is_same(one: str, other: str) -> bool:
    """Whether two owners are the same, in a time that does not tell how far they agree."""
    return secrets.compare_digest(one.encode(), other.encode())
