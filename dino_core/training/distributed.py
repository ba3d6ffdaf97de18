"""Several processes, one run: started by torchrun, each with its share of every batch.

    torchrun --nproc-per-node 8 -m dino_core train --device cuda ...

Nothing else differs: the first process writes the folder, all of them compute. A run has the same
numbers on one process and on many, but for two things that are so officially too: KoLeo looks for
neighbours among the pictures of one process, and the iBOT centre is the plain mean of the
processes' means, however many masked patches each has.

Every process holds the whole model. Student, teacher, gradients and AdamW's memory take 20 bytes a
parameter: 23 GB for ViT-g/14 and 2 GB more for its heads, so that no official size has to be cut up
for a GPU of 80 GB.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class World:
    """The processes of a run, seen from one of them."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    group: dist.ProcessGroup | None = None  # None: this process alone

    @property
    def first(self) -> bool:
        return self.rank == 0

    def agree(self, number: int) -> int:
        """The first process's number, for all."""
        if self.group is None:
            return number
        shared = torch.tensor([number], device=self.device)
        dist.broadcast(shared, 0, group=self.group)
        return int(shared.item())

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Mean over the processes, name by name."""
        if self.group is None or not values:
            return values
        numbers = torch.tensor(list(values.values()), dtype=torch.float64)
        numbers = numbers.to(self.device)
        dist.all_reduce(numbers, group=self.group)
        return dict(zip(values, (numbers / self.size).tolist(), strict=True))


@contextmanager
def joined(device: str) -> Iterator[World]:
    """Joins the processes that torchrun started; alone where there are none."""
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    chosen = torch.device(device)
    if chosen.type == "cuda":
        if not torch.cuda.is_available():
            raise ValueError("There is no CUDA device here: choose --device cpu.")
        if size > 1:
            chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", rank)))
            torch.cuda.set_device(chosen)
    if size == 1:
        yield World(device=chosen)
        return
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield World(rank, size, chosen, dist.group.WORLD)
    finally:
        dist.destroy_process_group()
