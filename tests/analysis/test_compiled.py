"""analysis/compiled.py: what umap-learn compiles is kept, where anything can be."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dino_core.analysis import compiled

Asked = list[tuple[tuple[Any, ...], dict[str, Any]]]


def numba(asked: Asked, *, writable: bool) -> SimpleNamespace:
    """As much of numba as a decorator needs: it notes what it is asked, and compiles nothing."""

    def njit(*arguments: Any, **options: Any) -> Callable[[Any], Any]:
        asked.append((arguments, options))

        def compile_it(function: Any) -> Any:
            if options.get("cache") and not writable:
                raise RuntimeError("cannot cache function: no locator available")
            return function

        return compile_it

    return SimpleNamespace(njit=njit)


def test_every_form_of_the_decorator_keeps_what_it_compiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: Asked = []
    module = numba(asked, writable=True)
    plain = module.njit
    monkeypatch.setitem(sys.modules, "numba", module)

    def loop() -> int:
        return 7

    with compiled._keeping():
        assert module.njit(loop)() == 7  # @njit
        assert module.njit()(loop)() == 7  # @njit()
        assert module.njit("i4()", fastmath=True)(loop)() == 7
        assert module.njit(cache=False)(loop)() == 7  # as it was asked for
    assert asked == [
        ((), {"cache": True}),
        ((), {"cache": True}),
        (("i4()",), {"cache": True, "fastmath": True}),
        ((), {"cache": False}),
    ]
    assert module.njit is plain


def test_without_a_folder_to_write_it_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: Asked = []
    module = numba(asked, writable=False)
    monkeypatch.setitem(sys.modules, "numba", module)
    with compiled._keeping():
        assert module.njit(fastmath=True)(len)("four") == 4
    assert asked == [((), {"cache": True, "fastmath": True}), ((), {"fastmath": True})]
