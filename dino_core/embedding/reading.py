"""Files -> batches of one shape, read and decoded by threads while the model computes.

    threads   file -> bytes -> digest -> is it known? -> decoded, fitted: uint8 [H, W, 3]
    in order  each to the pictures of its shape; a full group is a batch

Pillow decodes and scales without the interpreter's lock, so threads are enough. A picture that is
known is not decoded, but keeps its place in its batch: the batches of a run that goes on are those
of the run that was interrupted, and so are its numbers, to the last bit.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from dino_core.datasets import Pictures
from dino_core.embedding.preparation import Preparation

PATCHES_AT_ONCE = 2**14  # in one forward: 64 pictures of 16 x 16 patches, 11 of 37 x 37
WAITING = 4  # batches' worth of pictures of all shapes that may wait for others of their shape
WAITING_BYTES = 256 * 2**20  # of pixels, looked at ahead or waiting for others of their shape
DIGEST_BYTES = 16

Shape = tuple[int, int]  # (H, W) of the model's input


@dataclass(frozen=True)
class Seen:
    """One file, looked at."""

    index: int  # in the source
    digest: bytes = b""  # of the file's content
    shape: Shape = (0, 0)
    pixels: np.ndarray | None = None  # uint8 [H, W, 3]; None: known already
    extra: Any = None  # what `also` made of it
    broken: str = ""  # why it cannot be used


@dataclass
class Group:
    """Pictures of one shape that go through the model together, in order."""

    shape: Shape
    seen: list[Seen] = field(default_factory=list)

    @property
    def new(self) -> list[Seen]:
        """Those that the model has not seen yet."""
        return [one for one in self.seen if one.pixels is not None]

    def pixels(self) -> np.ndarray:
        """uint8 [B, H, W, 3] of the new ones."""
        arrays = [one.pixels for one in self.new if one.pixels is not None]
        return np.stack(arrays)


class Reader:
    """Looks at the files of a source, some of them ahead of where one is."""

    def __init__(
        self,
        pictures: Pictures,
        preparation: Preparation,
        patch_size: int,
        *,
        shape_of: Callable[[bytes], Shape | None] = lambda digest: None,
        also: Callable[[Image.Image, np.ndarray], Any] = lambda picture, pixels: None,
        threads: int = 2,
    ) -> None:
        """`shape_of` says of a digest whether it is known, and of which shape; `also` gets each
        decoded picture and its pixels for the model. Both are called in threads."""
        self.pictures, self.preparation, self.patch_size = pictures, preparation, patch_size
        self.shape_of, self.also, self.threads = shape_of, also, threads
        self.met: dict[bytes, Shape] = {}  # contents that were looked at before, and need not be

    def look(self, index: int) -> Seen:
        """Never raises for what is wrong with a file."""
        try:
            data = self.pictures.read(index)
            digest = self._digest(data)
            known = self.met.get(digest) or self.shape_of(digest)
            if known is not None:
                return Seen(index, digest, known)
            picture = self.pictures.decode(data)
            pixels = self.preparation.pixels(picture, self.patch_size)
            extra = self.also(picture, pixels)
        except ValueError as error:
            return Seen(index, broken=str(error))
        except OSError as error:
            return Seen(index, broken=f"The file cannot be read: {error.strerror or error}.")
        return Seen(index, digest, (pixels.shape[0], pixels.shape[1]), pixels, extra)

    def _digest(self, data: bytes) -> bytes:
        """Of the file, and of how its pixels are read: stretched ones are others."""
        how = b"stretched" if self.pictures.stretch else b""
        return hashlib.blake2b(data, digest_size=DIGEST_BYTES, person=how).digest()

    def in_order(self, indices: Iterator[int], ahead: int) -> Iterator[Seen]:
        """One after the other, with so many looked at in advance, fewer of large ones."""
        with ThreadPoolExecutor(self.threads, thread_name_prefix="decode") as pool:
            waiting: deque[Future[Seen]] = deque()
            try:
                for index in indices:
                    waiting.append(pool.submit(self.look, index))
                    while len(waiting) > ahead:
                        seen = waiting.popleft().result()
                        if seen.pixels is not None:
                            most = WAITING_BYTES // seen.pixels.nbytes
                            ahead = min(ahead, max(most, self.threads))
                        yield seen
                while waiting:
                    yield waiting.popleft().result()
            finally:  # also when nobody wants the rest
                pool.shutdown(wait=True, cancel_futures=True)


def batches(
    reader: Reader, batch_size: int, first: int = 0, once: bool = True
) -> Iterator[Group | Seen]:
    """Groups of at most `batch_size` pictures of one shape; broken files as they are met.

    first  where to begin in the source
    once   a file with the content of an earlier one is no member of a group: it comes alone
    """
    groups: dict[Shape, Group] = {}
    waiting = pixels = 0
    for seen in reader.in_order(iter(range(first, len(reader.pictures))), 2 * batch_size):
        if seen.broken or seen.digest in reader.met:
            yield seen
            continue
        if once:
            reader.met[seen.digest] = seen.shape
        group = groups.setdefault(seen.shape, Group(seen.shape))
        group.seen.append(seen)
        waiting += 1
        pixels += 3 * seen.shape[0] * seen.shape[1]
        patches = seen.shape[0] * seen.shape[1] // reader.patch_size**2
        full = min(batch_size, max(PATCHES_AT_ONCE // patches, 1))
        crowded = waiting > WAITING * batch_size or pixels > WAITING_BYTES
        if len(group.seen) >= full or crowded:
            if len(group.seen) < full:  # too many shapes: the largest group goes as it is
                group = max(groups.values(), key=lambda one: len(one.seen))
            del groups[group.shape]
            waiting -= len(group.seen)
            pixels -= 3 * len(group.seen) * group.shape[0] * group.shape[1]
            yield group
    yield from groups.values()
