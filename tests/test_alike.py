"""What tests are compared by, and called by."""

import pytest
from alike import assert_same, first_difference


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


def test_the_first_difference_is_said_with_its_place() -> None:
    one = {"a": [1, {"b": 0.5}], "c": "x"}
    assert first_difference(one, {"a": [1, {"b": 0.5 + 1e-6}], "c": "x"}) == ""
    assert first_difference(one, {"a": [1, {"b": 0.6}], "c": "y"}) == ".a[1].b: 0.6 instead of 0.5"
    assert first_difference(one, {"a": [1], "c": "x"}) == ".a: 1 instead of 2"
    assert first_difference(one, {"a": []}) == "top: ['c'] on one side alone"
