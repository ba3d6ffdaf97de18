"""What a name holds, in few numbers: enough to see that it is what one thinks it is.

A tensor is its shape and its smallest, largest and mean value; what is made of several (a
dataclass, a dict, a list of tensors) is taken apart, each part under its path: `losses.terms.ibot`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import torch
from torch import Tensor

PARTS = 12  # of a list


@dataclass(frozen=True)
class Value:
    """One number or tensor, by the path that leads to it."""

    name: str
    kind: Literal["tensor", "number", "text"]
    text: str = ""  # of a text
    number: float = 0.0  # of a number
    shape: tuple[int, ...] = ()  # of a tensor, as the rest
    dtype: str = ""
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0  # of a bool tensor: the share that is true

    def words(self) -> str:
        """In one line."""
        if self.kind != "tensor":
            return self.text if self.kind == "text" else f"{self.number:g}"
        ends = f"{self.low:g} to {self.high:g}, mean {self.mean:g}"
        return f"{self.dtype} {list(self.shape)}, {ends}"


def values_of(name: str, held: Any) -> Iterator[Value]:
    """What a name holds, part by part. Networks, optimisers and configurations have more in them
    than can be said in a line: nothing comes of them.
    """
    if isinstance(held, Tensor):
        yield of_tensor(name, held)
    elif isinstance(held, bool | str):
        yield Value(name, "text", text=str(held))
    elif isinstance(held, int | float):
        yield Value(name, "number", number=float(held))
    elif is_dataclass(held) and not isinstance(held, type):
        if type(held).__name__.endswith("Config"):
            return
        for field in fields(held):
            yield from values_of(f"{name}.{field.name}", getattr(held, field.name))
    elif isinstance(held, Mapping):
        for key, part in held.items():
            yield from values_of(f"{name}.{key}", part)
    elif isinstance(held, list | tuple):
        for i, part in enumerate(held[:PARTS]):
            yield from values_of(f"{name}[{i}]", part)


@torch.no_grad()
def of_tensor(name: str, tensor: Tensor) -> Value:
    """A single element is a number. Empty: zeros for what cannot be said."""
    if not tensor.dim():
        return Value(name, "number", number=tensor.item())
    low = high = mean = 0.0
    if tensor.numel():
        numbers = tensor.detach().float()
        low, high = (one.item() for one in numbers.aminmax())
        mean = numbers.mean().item()
    return Value(
        name,
        "tensor",
        shape=tuple(tensor.shape),
        dtype=str(tensor.dtype).removeprefix("torch."),
        low=low,
        high=high,
        mean=mean,
    )
