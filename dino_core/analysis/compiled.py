"""umap-learn, with what it has compiled kept on the disk.

umap-learn compiles its loops with numba when they are first used, anew in every process: some ten
seconds before the first map. Numba can keep what it has compiled (beside the source, or in the
user's cache where that cannot be written) and takes it up while source, types and processor are the
same; umap-learn does not ask it to, so it is asked here. The numbers are the same.
"""

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_IMPORTING = threading.Lock()


def import_umap() -> Any:
    """The class `umap.UMAP`. ImportError without the extra `umap`."""
    with _IMPORTING, _keeping():
        from umap import UMAP
    return UMAP


@contextmanager
def _keeping() -> Iterator[None]:
    """What numba is given to compile meanwhile is kept."""
    import numba

    plain = numba.njit

    def njit(*arguments: Any, **options: Any) -> Any:
        if arguments and inspect.isfunction(arguments[0]):  # without parentheses
            return njit(**options)(*arguments)
        return lambda function: _kept(
            lambda **keeping: plain(*arguments, **(keeping | options))(function)
        )

    numba.njit = njit
    try:
        yield
    finally:
        numba.njit = plain


def _kept(compiled: Callable[..., Any]) -> Any:
    try:
        return compiled(cache=True)
    except RuntimeError:  # no folder that may be written: compiled anew each time
        return compiled()
