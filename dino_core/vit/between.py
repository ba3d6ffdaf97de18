"""Between two blocks of a forward: nothing is done there, unless somebody may give it up.

    with between_blocks(check):      # raises, when nobody waits for the answer any more
        inspect(vit, images)

A forward of a large model takes seconds, and PyTorch cannot be interrupted in one. What `check`
raises ends the forward before the next block; the numbers of one that goes on are the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

Check = Callable[[], None]
_check: ContextVar[Check | None] = ContextVar("between_blocks", default=None)


@contextmanager
def between_blocks(check: Check) -> Iterator[None]:
    """While this is open, every forward of this thread calls `check` before each of its blocks."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def current_check() -> Check | None:
    """What this forward is to call. None in a graph, which has no use for it."""
    return None if torch.compiler.is_compiling() else _check.get()
