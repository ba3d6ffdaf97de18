"""Several processes of a run as threads of this one, which meet at each exchange.

    results = together(work, [its arguments, its arguments])     # work(group, *arguments) in each

They say the same as real ones (tests of those are slow), and nothing has to be started.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = 20  # s: a member that is not asked leaves the others waiting


class Group:
    """What its members bring to an exchange, by their ranks."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.brought: list[Any] = [None] * size
        self.met = threading.Barrier(size, timeout=PATIENCE)
        self.own = threading.local()

    def exchange(self, value: Any) -> list[Any]:
        self.brought[self.own.rank] = value
        self.met.wait()
        found = list(self.brought)
        self.met.wait()
        return found


def all_reduce(tensor: Tensor, op: Any = dist.ReduceOp.SUM, group: Any = None) -> None:
    every = torch.stack(group.exchange(tensor.clone()))
    tensor.copy_(every.amax(0) if op == dist.ReduceOp.MAX else every.sum(0))


def broadcast(tensor: Tensor, src: int, group: Any = None) -> None:
    tensor.copy_(group.exchange(tensor.clone())[src])


def broadcast_object_list(values: list[Any], src: int, group: Any = None) -> None:
    values[:] = group.exchange(list(values))[src]


def gather_object(value: Any, values: list[Any] | None, dst: int, group: Any = None) -> None:
    every = group.exchange(value)
    if group.own.rank == dst:
        assert values is not None
        values[:] = every


FAKES = (all_reduce, broadcast, broadcast_object_list, gather_object)


def together(work: Callable[..., Any], arguments: Sequence[Sequence[Any]]) -> list[Any]:
    """What work(group, *arguments) hands back in each of them, by their ranks."""
    group = Group(len(arguments))

    def one(rank: int) -> Any:
        group.own.rank = rank
        try:
            return work(group, *arguments[rank])
        except BaseException:
            group.met.abort()
            raise

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(group.size) as threads:
        for fake in FAKES:
            patch.setattr(dist, fake.__name__, fake)
        patch.setattr(dist, "get_world_size", lambda group: group.size)
        return list(threads.map(one, range(group.size)))
