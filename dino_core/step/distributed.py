"""Several processes, one run: started by torchrun, each with its share of every batch.

    torchrun --nproc-per-node 8 -m -- dino_core train --device cuda ...

(Without the two dashes torchrun takes our --run for one of its own options, and stops.)

Nothing else differs: the first process writes the folder, all of them compute. A run has the same
numbers on one process and on many, but for two things that are so officially too: KoLeo looks for
neighbours among the pictures of one process, and the iBOT centre is the plain mean of the
processes' means, however many masked patches each has.

Every process holds the whole model, unless it is told to --shard it (`sharding.py`). Student,
teacher, gradients and AdamW's two memories are 4 bytes each:

    whole      20 bytes a parameter in every process
    --shard    20 / N bytes in each of N processes, and for a moment a unit whole, with its gradient
               8 bytes a parameter: 0.2 GB for a block of ViT-g/14, 0.5 GB for its largest head

In bfloat16 autocast's copies of the student's matrices stay for the backward pass: 2 bytes more,
in both cases. The official sizes with the heads of the preset official-long, in GB:

               ViT-S   ViT-B   ViT-L   ViT-g
    whole        2.3     3.7     8.0    24.7
    8 shards     0.3     0.5     1.0     3.1

What a picture's ten crops leave behind for the backward pass comes on top, and is never sharded:
with ViT-g about 6 GB in float32, 3 in bfloat16 (counted from shapes, as all of this).

So ViT-g alone needs shards. On 24 GB it does not fit whole, and in 8 shards it does, with 3 to 5
pictures a process. On 40 GB it leaves room for 2 to 4 whole, and for 6 to 10 in shards. On 80 GB it
fits whole with 9 to 16. Before the first step every process has the pair whole in the computer's
own memory, 8 bytes a parameter, and the first one 16 whenever it writes a checkpoint.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from dino_core.weights.devices import check_device

PATIENCE = timedelta(days=30)  # with the slowest of processes that work apart


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

    def share(self, value: Any) -> Any:
        """The first process's value, for all. Those of the others do not count."""
        if self.group is None:
            return value
        values = [value if self.first else None]
        dist.broadcast_object_list(values, 0, group=self.group)
        return values[0]

    def collect(self, value: Any) -> list[Any] | None:
        """The values of all processes, for the first; None for the others."""
        if self.group is None:
            return [value]
        values: list[Any] | None = [None] * self.size if self.first else None
        dist.gather_object(value, values, 0, group=self.group)
        return values

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Mean over the processes, name by name."""
        if self.group is None or not values:
            return values
        numbers = torch.tensor(list(values.values()), dtype=torch.float64)
        numbers = numbers.to(self.device)
        dist.all_reduce(numbers, group=self.group)
        return dict(zip(values, (numbers / self.size).tolist(), strict=True))


@contextmanager
def joined(device: str, *, apart: bool = False) -> Iterator[World]:
    """Joins the processes that torchrun started; alone where there are none.

    apart   each has work of its own, and may wait for days until the others have done theirs: they
            speak through the processors' memory, and the devices are never asked
    """
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    check_device(device)
    chosen = torch.device(device)
    if chosen.type == "cuda" and size > 1:
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", rank)))
        check_device(str(chosen))  # there may be more processes than devices
        torch.cuda.set_device(chosen)
    if size == 1:
        yield World(device=chosen)
        return
    if apart:
        dist.init_process_group("gloo", timeout=PATIENCE)
    else:
        dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield World(rank, size, chosen, dist.group.WORLD)
    finally:
        dist.destroy_process_group()
