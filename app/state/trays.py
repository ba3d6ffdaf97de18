"""The pictures of trays: those that visitors brought, and what models have seen of any.

A row is named by its page: sample/FILE, gallery/NAME/INDEX, or own/ID, which is a picture that this
visitor brought and nobody else can name. A tray itself is the page's; nothing here knows its order.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.state.pictures import LIFETIME, is_same, memory_limit

if TYPE_CHECKING:
    from PIL.Image import Image

    from dino_core.scenes.picture import OpenPicture

PER_VISITOR = 12  # pictures: a full tray
SHARE = 1 / 4  # of the memory for pictures, for what was seen; the longest unused goes first
MAX_SEEN = 2**30  # bytes of it, however large the machine is
MAX_KEPT = 512 * 2**20  # bytes of all visitors' pictures as they came
ID_BYTES = 12
GONE = "A picture of this tray is no longer kept: add it again."
NOBODY = "Open the page in a browser first."


@dataclass
class Brought:
    """A picture of a visitor's own: the file as it came, or what the page has open already."""

    owner: str  # the browser's secret
    name: str
    source: "bytes | Image"
    used: float = field(default_factory=time.monotonic)

    @property
    def nbytes(self) -> int:
        if isinstance(self.source, bytes):
            return len(self.source)
        width, height = self.source.size
        return 3 * width * height

    def decoded(self) -> "Image":
        from dino_core.scenes.picture import read_picture

        return read_picture(self.source) if isinstance(self.source, bytes) else self.source


class Trays:
    """Pictures by visitor and name, and what was seen of them, each within its bounds."""

    def __init__(self, max_seen: int | None = None, max_kept: int = MAX_KEPT) -> None:
        limit = min(MAX_SEEN, int(memory_limit() * SHARE))
        self.max_seen, self.max_kept = limit if max_seen is None else max_seen, max_kept
        self._brought: OrderedDict[str, Brought] = OrderedDict()
        self._seen: OrderedDict[Any, OpenPicture] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, secret: str, name: str, source: "bytes | Image") -> str:
        """Keeps a picture and returns its name among the rows. Of more than a tray holds the one
        that was not looked at for longest goes. ValueError for who has no page."""
        if not secret:
            raise ValueError(NOBODY)
        picture = Brought(secret, name, source)
        picture.decoded()  # or says what is wrong with it
        key = secrets.token_hex(ID_BYTES)
        with self._lock:
            self._brought[key] = picture
            self._evict()
        return key

    def find(self, secret: str, key: str) -> Brought:
        """A visitor's own picture. ValueError alike for another's and for one that has gone."""
        with self._lock:
            self._evict()
            found = self._brought.get(key)
            if found is None or not is_same(found.owner, secret):
                raise ValueError(GONE)
            found.used = time.monotonic()
            self._brought.move_to_end(key)
            return found

    def seen(self, what: Any, look: Callable[[], "OpenPicture"]) -> "OpenPicture":
        """What a model has seen of a picture, from memory where it is kept. `what` names picture,
        model and size, and for a visitor's own picture or model the visitor too."""
        with self._lock:
            if known := self._seen.get(what):
                self._seen.move_to_end(what)
                return known
        found = look()
        with self._lock:
            self._seen[what] = found
            while len(self._seen) > 1 and sum(one.seen.nbytes for one in self._seen.values()) > (
                self.max_seen
            ):
                self._seen.popitem(last=False)
        return found

    def evict(self) -> None:
        """Lets go of what is too old, also while nobody asks for anything."""
        with self._lock:
            self._evict()
            kept = set(self._brought)
            for what in [one for one in self._seen if one[0] == "own" and one[1] not in kept]:
                del self._seen[what]

    def __len__(self) -> int:
        return len(self._brought)

    def _evict(self) -> None:
        now = time.monotonic()
        for key in [k for k, one in self._brought.items() if now - one.used > LIFETIME]:
            del self._brought[key]
        count: dict[str, int] = {}
        for key, one in reversed(list(self._brought.items())):
            count[one.owner] = count.get(one.owner, 0) + 1
            if count[one.owner] > PER_VISITOR:
                del self._brought[key]
        while len(self._brought) > 1 and (
            sum(one.nbytes for one in self._brought.values()) > self.max_kept
        ):
            self._brought.popitem(last=False)
