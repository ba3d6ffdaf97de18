"""How many threads the libraries beside PyTorch take."""

import sys
from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

WITH_THREADS = ("scipy.linalg", "sklearn.cluster")  # which bring libraries of their own


def limited_threads(threads: int | None, of: str | None = None) -> AbstractContextManager[object]:
    """At most so many threads within it; None: as many as ever. `of`: "blas", "openmp", or all.

    Meant to be called once the library whose threads are limited has been imported.
    """
    loaded = frozenset(name for name in WITH_THREADS if name in sys.modules)
    limit: AbstractContextManager[object] = controller(loaded).limit(limits=threads, user_api=of)
    return limit


@cache
def controller(loaded: frozenset[str]) -> ThreadpoolController:
    """Looked for once: to go through all that a process has loaded takes 5 ms and more."""
    return ThreadpoolController()
