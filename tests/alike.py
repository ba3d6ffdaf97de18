"""Large files compared, and where they differ said in a line; plain values compared."""

import math
from typing import Any


def assert_same(one: bytes | str, other: bytes | str) -> None:
    """pytest itself looks for the likest lines of two that differ: minutes, for a drawing."""
    same = one == other
    shorter = min(len(one), len(other))
    at = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    some = slice(max(at - 20, 0), at + 40)
    assert same, f"{len(one)} and {len(other)} long, not the same from {at} on: {one[some]!r}"


def are_close(one: Any, other: Any) -> bool:
    """Whether plain values are the same, to the rounding of a processor that is asked twice."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(are_close(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(are_close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-5)
    return bool(one == other)


def first_difference(wanted: Any, found: Any, at: str = "") -> str:
    """Where two plain values differ first, in words; empty where they are close."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        if wanted.keys() != found.keys():
            return f"{at or 'top'}: {sorted(wanted.keys() ^ found.keys())} on one side alone"
        parts = [first_difference(wanted[key], found[key], f"{at}.{key}") for key in wanted]
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            return f"{at}: {len(found)} instead of {len(wanted)}"
        pairs = enumerate(zip(wanted, found, strict=True))
        parts = [first_difference(one, two, f"{at}[{i}]") for i, (one, two) in pairs]
    else:
        parts = [] if are_close(wanted, found) else [f"{at}: {found!r} instead of {wanted!r}"]
    return next(filter(None, parts), "")
