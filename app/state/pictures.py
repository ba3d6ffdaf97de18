"""What visitors look at, each under a key that nobody can guess and nobody else can use."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dino_core.scenes.picture import OpenPicture

LIFETIME = 3600.0  # seconds after the last use
PER_VISITOR = (
    2  # the picture that is shown, and the one before: its last requests may be on the way
)
BESIDE = 3  # pictures beside those: a second one, another model, and the one before of either
ANSWERS = 3  # of pairs of student and teacher, for each picture
LARGEST = 4 * 2**30  # bytes of all visitors together; the longest unused goes first


@dataclass
class Entry:
    """An open picture, its owner, and when it was last looked at."""

    owner: str
    picture: "OpenPicture"
    model: str
    size: int
    sample: str = ""  # the file's name, when it is one of the samples
    beside: bool = False  # it was opened beside another one, to be compared
    used: float = field(default_factory=time.monotonic)
    answers: OrderedDict[Any, Any] = field(default_factory=OrderedDict)  # by pair and seed

    def answer(self, key: Any, make: Callable[[], Any]) -> Any:
        """What a pair says of the picture, asked once; the newest few are kept."""
        if key not in self.answers:
            self.answers[key] = make()
        while len(self.answers) > ANSWERS:
            self.answers.popitem(last=False)
        return self.answers[key]

    @property
    def nbytes(self) -> int:
        width, height = self.picture.source.size
        return self.picture.seen.nbytes + 3 * width * height


class Store:
    """Open pictures by key, the longest unused first."""

    def __init__(self, lifetime: float = LIFETIME, largest: int = LARGEST) -> None:
        self.lifetime = lifetime
        self.largest = largest
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._shared: dict[str, Callable[[], Entry]] = {}
        self._lock = threading.Lock()

    def share(self, key: str, make: Callable[[], Entry]) -> None:
        """Gives everybody an entry that is nobody's own: a sample. `make` may take its time."""
        self._shared[key] = make

    def add(self, entry: Entry) -> str:
        """Keeps a picture for its owner and returns its key."""
        key = secrets.token_urlsafe(24)
        with self._lock:
            self._entries[key] = entry
            self._drop_old(entry.owner)
        return key

    def get(self, owner: str, key: str) -> Entry | None:
        """The entry, None when there is none (any more) or when it is somebody else's."""
        if key in self._shared:
            return self._shared[key]()
        with self._lock:
            self._drop_old(owner)
            entry = self._entries.get(key)
            if entry is None or not secrets.compare_digest(entry.owner, owner):
                return None
            entry.used = time.monotonic()
            self._entries.move_to_end(key)
            return entry

    def newest(self, owner: str) -> str | None:
        """The key of what this visitor looked at last, so that a reloaded page finds it again."""
        with self._lock:
            self._drop_old(owner)
            own = self._own(owner, beside=False)
            return own[-1] if own and owner else None

    def before(self, owner: str, entry: Entry) -> str | None:
        """The key of another picture that this visitor opened before, None without one."""
        with self._lock:
            self._drop_old(owner)
            own = [(key, self._entries[key]) for key in self._own(owner, beside=False)]
            others = [k for k, e in own if e.picture.source is not entry.picture.source]
            return others[-1] if others and owner else None

    def __len__(self) -> int:
        return len(self._entries)

    def _drop_old(self, owner: str) -> None:
        now = time.monotonic()
        for key in [k for k, e in self._entries.items() if now - e.used > self.lifetime]:
            del self._entries[key]
        for beside, kept in ((False, PER_VISITOR), (True, BESIDE)):
            for key in self._own(owner, beside)[:-kept]:
                del self._entries[key]
        while len(self._entries) > 1 and self.nbytes > self.largest:
            self._entries.popitem(last=False)

    def _own(self, owner: str, beside: bool) -> list[str]:
        """The keys of a visitor's pictures of one kind, the longest unused first."""
        return [k for k, e in self._entries.items() if (e.owner, e.beside) == (owner, beside)]

    @property
    def nbytes(self) -> int:
        return sum(entry.nbytes for entry in self._entries.values())
