"""analysis/threads.py: fewer threads within it, as many as before after it."""

import sys
import types

import pytest
import scipy.linalg  # noqa: F401  (a library with threads of its own)
import threadpoolctl
import torch  # noqa: F401  (the same)

from dino_core.analysis import threads
from dino_core.analysis.threads import limited_threads


def threads_now(of: str) -> set[int]:
    pools = threadpoolctl.threadpool_info()
    return {pool["num_threads"] for pool in pools if pool["user_api"] == of}


def test_threads_are_limited_within_it_alone() -> None:
    with limited_threads(2, of="blas"):
        assert threads_now("blas") == {2}
        with limited_threads(1, of="blas"):
            assert threads_now("blas") == {1}
        with limited_threads(None, of="blas"):
            assert threads_now("blas") == {2}
        assert threads_now("blas") == {2}


def test_all_pools_are_limited_where_none_is_named() -> None:
    with limited_threads(2):
        assert threads_now("blas") == threads_now("openmp") == {2}


def test_other_pools_keep_theirs() -> None:
    with limited_threads(2, of="openmp"), limited_threads(1, of="blas"):
        assert threads_now("openmp") == {2}


def test_libraries_are_looked_for_again_only_when_modules_were_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = []

    class Counted(threadpoolctl.ThreadpoolController):  # type: ignore[misc]
        def __init__(self) -> None:
            looked.append("looked")
            super().__init__()

    threads.controller.cache_clear()
    monkeypatch.setattr(threads, "ThreadpoolController", Counted)
    for _ in range(3):
        limited_threads(1)
    assert looked == ["looked"]
    monkeypatch.setitem(sys.modules, "a_module_that_just_came", types.ModuleType("that"))
    for _ in range(3):
        limited_threads(1)
    assert looked == ["looked"] * 2
    threads.controller.cache_clear()
