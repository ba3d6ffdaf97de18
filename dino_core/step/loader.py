"""Step -> batch, in the background. A batch is a function of (seed, step) and nothing else.

    picture i of step s is number g = s B + i of an endless row; pass g // n through the n pictures
    has an order of its own, and every number g has a generator of its own for its crops

Where pictures lie in shards, a pass goes through the shards in a random order and through each of
them in its own, by way of a buffer that hands out one of its places at random (`shuffled_streams`):
what is read lies close together. The buffer holds places, not pictures, and follows from the seed,
so it does not matter which worker makes a batch, how many there are, how many processes train, or
whether the run was interrupted. Nothing of it has to be stored.
"""

import hashlib
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dino_core.config import GLOBAL_CROPS, TrainConfig
from dino_core.crops import sample_crops
from dino_core.datasets import Pictures
from dino_core.images import IMAGENET_MEAN, IMAGENET_STD
from dino_core.masks import sample_masks
from dino_core.step.batch import Batch

CACHE_BYTES = 256 * 2**20  # decoded pictures that each worker keeps


@dataclass(frozen=True)
class RawBatch:
    """Crops as bytes, picture by picture; small enough to travel between processes."""

    global_crops: np.ndarray  # uint8 [B, 2, H, W, 3]
    local_crops: np.ndarray  # uint8 [B, L, H', W', 3]
    masks: np.ndarray  # bool [2, B, P], first crop of all pictures, then second
    broken: tuple[tuple[str, str], ...]  # (name, why) of files that could not be read
    different: int  # pictures: of a set smaller than a batch one comes several times


def generator_for(seed: int, what: str, number: int) -> torch.Generator:
    """A generator of its own for each purpose and number; neighbouring seeds are unrelated."""
    digest = hashlib.blake2b(f"{seed} {what} {number}".encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


@dataclass(frozen=True)
class Streams:
    """How a set may be shuffled: anyhow, or by way of a buffer over the shards that it lies in."""

    count: int  # pictures
    lengths: tuple[int, ...] = ()  # of the shards, in order; none: anyhow
    buffer: int = 0  # places

    @classmethod
    def of(cls, pictures: Pictures) -> "Streams":
        places = pictures.places
        if places is None:
            return cls(len(pictures))
        return cls(len(pictures), places.streams, places.buffer)


@lru_cache(maxsize=4)
def order_of_pass(seed: int, number: int, streams: Streams) -> Tensor:
    """The order [n] in which one pass goes through the pictures."""
    generator = generator_for(seed, "order", number)
    if streams.count <= streams.buffer or not streams.lengths:  # all of it fits: any order
        return torch.randperm(streams.count, generator=generator)
    return shuffled_streams(streams.lengths, streams.buffer, generator)


def shuffled_streams(lengths: Sequence[int], buffer: int, generator: torch.Generator) -> Tensor:
    """An order [n] of pictures in shards of these lengths: shards at random, and in each of them

    for place in all shards, one after the other:
        if the buffer is full: hand out one of its places at random
        put the place there instead
    at the end: hand out what is left, at random
    """
    starts = [0, *accumulate(lengths)]
    shards = torch.randperm(len(lengths), generator=generator).tolist()
    stream = [place for i in shards for place in range(starts[i], starts[i + 1])]
    held = stream[:buffer]
    drawn = torch.randint(buffer, (max(len(stream) - buffer, 0),), generator=generator).tolist()
    order = []
    for place, slot in zip(stream[buffer:], drawn, strict=True):
        order.append(held[slot])
        held[slot] = place
    rest = torch.randperm(len(held), generator=generator).tolist()
    return torch.tensor([*order, *(held[i] for i in rest)])


def picture_at(seed: int, place: int, streams: Streams) -> int:
    """Which picture stands at a place of the endless row."""
    number, place = divmod(place, streams.count)
    return int(order_of_pass(seed, number, streams)[place])


Made = TypeVar("Made", covariant=True)


class Maker(Protocol[Made]):
    """Anything that can make the batch of a step, here or in another process."""

    def make(self, step: int, /) -> Made: ...


class EndlessRow:
    """The pictures of a run by their place in the endless row, decoded as they are asked for."""

    def __init__(self, pictures: Pictures, seed: int) -> None:
        self.pictures, self.seed = pictures, seed
        self.streams = Streams.of(pictures)
        self._cache: dict[int, Image.Image] = {}
        self._cached = 0

    def at(self, place: int, broken: dict[str, str]) -> tuple[int, Image.Image]:
        """The picture at a place, with its index; for one that is broken, which is noted by its
        name, the next in order that is not."""
        count = len(self.pictures)
        first = picture_at(self.seed, place, self.streams)
        for index in (*range(first, count), *range(first)):
            try:
                return index, self.picture(index)
            except ValueError as error:
                broken[self.pictures.names[index]] = str(error)
        reason = next(iter(broken.values()))
        raise ValueError(
            f"None of the {count} pictures in {self.pictures.source} can be read. The first says: "
            f"{reason}"
        )

    def picture(self, index: int) -> Image.Image:
        """Decoded, from memory where it was asked for before. ValueError for a broken one."""
        if index in self._cache:
            return self._cache[index]
        picture = self.pictures.picture(index)
        size = picture.width * picture.height * 3
        if self._cached + size <= CACHE_BYTES:
            self._cache[index] = picture
            self._cached += size
        return picture


class BatchMaker:
    """What a worker needs: pictures, configuration, seed, and which share of a batch is wanted."""

    def __init__(
        self, pictures: Pictures, config: TrainConfig, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        self.pictures, self.config, self.seed = pictures, config, seed
        self.rank, self.world = rank, world
        self.row = EndlessRow(pictures, seed)

    def make(self, step: int) -> RawBatch:
        """The part of one step's batch that belongs to this process."""
        crops, total = self.config.crops, self.config.schedule.batch_size
        mine = share_of(total, self.rank, self.world)
        size, small = crops.global_size, crops.local_size
        large = np.empty((len(mine), GLOBAL_CROPS, size, size, 3), np.uint8)
        local = np.empty((len(mine), crops.local_count, small, small, 3), np.uint8)
        broken: dict[str, str] = {}
        seen: set[int] = set()
        for row, i in enumerate(mine):
            place = step * total + i
            index, picture = self.row.at(place, broken)
            seen.add(index)
            made = sample_crops(picture, crops, generator_for(self.seed, "crops", place))
            for crop in made:
                view = large if crop.kind == "global" else local
                view[row, crop.index] = crop.pixels

        # Masks are shared out over the whole batch, whoever computes which part of it.
        side = size // self.config.vit.patch_size
        drawn = sample_masks(
            GLOBAL_CROPS * total,
            (side, side),
            self.config.masks,
            generator_for(self.seed, "masks", step),
        )
        compared = drawn.masks if self.config.masks.hide else torch.ones_like(drawn.masks)
        masks = compared.view(GLOBAL_CROPS, total, -1)[:, mine.start : mine.stop]
        return RawBatch(large, local, masks.numpy(), tuple(broken.items()), len(seen))


def share_of(total: int, rank: int, world: int) -> range:
    """Which of the pictures of a batch belong to one of several processes."""
    return range(rank * total // world, (rank + 1) * total // world)


def to_batch(raw: RawBatch, device: torch.device | str = "cpu") -> Batch:
    """Bytes -> normalised crops on the device, crop by crop: first of all pictures, then second."""
    masks = torch.from_numpy(raw.masks).flatten(0, 1)  # [2, B, P] -> [2B, P]
    return Batch.from_crops(
        normalised(raw.global_crops, device),
        normalised(raw.local_crops, device),
        masks.to(device),
    )


def parts_of(raw: RawBatch, count: int) -> list[RawBatch]:
    """The pictures of a batch in `count` equal parts."""
    step = len(raw.global_crops) // count
    return [
        RawBatch(
            raw.global_crops[i : i + step],
            raw.local_crops[i : i + step],
            raw.masks[:, i : i + step],
            (),
            raw.different,
        )
        for i in range(0, step * count, step)
    ]


def normalised(crops: np.ndarray, device: torch.device | str) -> Tensor:
    """uint8 [B, n, H, W, 3] -> float32 [n B, 3, H, W], as `crops.stack_crops`."""
    pixels = torch.from_numpy(crops).to(device).permute(1, 0, 4, 2, 3)  # -> [n, B, 3, H, W]
    images = pixels.flatten(0, 1).to(torch.float32, memory_format=torch.contiguous_format)
    mean, std = (
        torch.tensor(v, device=device).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD)
    )
    return images.sub_(255 * mean).div_(255 * std)


def background_batches(
    maker: Maker[Made], first: int, last: int, workers: int = 0
) -> Generator[Made, None, None]:
    """The batches of steps first .. last - 1, some of them made ahead.

    workers  processes; 0: one thread of this process, which is enough where a step takes longer
             than its crops and saves the copies
    """
    with _executor(maker, workers) as executor:
        ahead: deque[Future[Made]] = deque()
        following = iter(range(first, last))
        try:
            for _ in range(max(workers, 1) + 1):
                if (step := next(following, None)) is not None:
                    ahead.append(_submit(executor, maker, step, workers))
            while ahead:
                batch = ahead.popleft().result()
                if (step := next(following, None)) is not None:
                    ahead.append(_submit(executor, maker, step, workers))
                yield batch
        finally:  # also when the run stops early
            executor.shutdown(wait=True, cancel_futures=True)


def _executor(maker: Maker[Any], workers: int) -> Executor:
    if workers == 0:
        return ThreadPoolExecutor(1, thread_name_prefix="batches")
    import multiprocessing

    # Not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ctrl_c_blocked(), tracker_silent():
        return ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(maker,))


def _submit(executor: Executor, maker: Maker[Made], step: int, workers: int) -> "Future[Made]":
    if workers == 0:
        return executor.submit(maker.make, step)
    with ctrl_c_blocked():
        return executor.submit(_work, step)


@contextmanager
def tracker_silent() -> Iterator[None]:
    """Python's process that clears away the semaphores of others does so without a warning: a run
    that is ended where it stands leaves some."""
    before = os.environ.get("PYTHONWARNINGS")
    words = "ignore:resource_tracker:UserWarning"
    os.environ["PYTHONWARNINGS"] = f"{before},{words}" if before else words
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


@contextmanager
def ctrl_c_blocked() -> Iterator[None]:
    """Processes that are started here never hear of Ctrl-C, which is for the run to answer; this
    one hears it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker: Maker[Any] | None = None  # in a worker process only, set once when it starts


def _start_worker(maker: Maker[Any]) -> None:
    global _worker
    _worker = maker
    torch.set_num_threads(1)
    # A worker outlives a parent that is killed, unless it looks.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import connection, parent_process

    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _work(step: int) -> Any:
    assert _worker is not None
    return _worker.make(step)
