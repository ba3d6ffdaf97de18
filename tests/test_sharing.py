"""Tests are shared between processes as tests/conftest.py says."""

import pytest


def test_groups_stay_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist reads the group off the end of a test's id; where it cannot write it there,
    every process makes every server, model and run, and nothing says so."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("run in one process: nothing is shared")
    assert request.node.nodeid.endswith("@test_sharing")
