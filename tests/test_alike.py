"""What tests are compared by, and called by."""

import pytest
from alike import assert_same


def test_where_two_large_files_differ_is_said_at_once() -> None:
    one, other = (bytes(range(256)) * 4000 + end for end in (b"a", b"b"))
    assert_same(one, bytes(one))
    with pytest.raises(AssertionError, match="not the same from 1024000 on"):
        assert_same(one, other)


@pytest.mark.parametrize("data", [bytes(10**6), "x" * 10**6])
def test_a_test_is_not_called_by_a_whole_file(
    data: bytes | str, request: pytest.FixtureRequest
) -> None:
    assert len(data) == 10**6
    assert len(request.node.name) < 100
