"""How many threads the libraries beside PyTorch take."""

import sys
from contextlib import AbstractContextManager
from functools import lru_cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def limited_threads(threads: int | None, of: str | None = None) -> AbstractContextManager[object]:
    """At most so many threads within it; None: as many as ever. `of`: "blas", "openmp", or all.

    Meant to be called once the library whose threads are limited has been imported.
    """
    found = controller(len(sys.modules))
    limit: AbstractContextManager[object] = found.limit(limits=threads, user_api=of)
    return limit


@lru_cache(maxsize=1)
def controller(modules: int) -> ThreadpoolController:
    """Looked for again when modules have been imported, which may have brought libraries.

    To go through all that a process has loaded takes 5 ms and more.
    """
    return ThreadpoolController()
