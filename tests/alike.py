"""Large files compared, and where they differ said in a line."""


def assert_same(one: bytes | str, other: bytes | str) -> None:
    """pytest itself looks for the likest lines of two that differ: minutes, for a drawing."""
    same = one == other
    shorter = min(len(one), len(other))
    at = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    some = slice(max(at - 20, 0), at + 40)
    assert same, f"{len(one)} and {len(other)} long, not the same from {at} on: {one[some]!r}"
