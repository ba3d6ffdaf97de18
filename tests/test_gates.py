"""`make test` runs what it says: a gate that is left out in silence lets everything pass."""

import shutil
import subprocess
from pathlib import Path

import pytest
import slow

ROOT = Path(__file__).resolve().parents[1]


def test_groups_stay_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist reads the group off the end of a test's id; where it cannot write it there,
    every process makes every server, model and run, and nothing says so."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("run in one process: nothing is shared")
    assert request.node.nodeid.endswith("@tests/test_gates")


def test_node_is_found_where_it_is() -> None:
    """Otherwise format, lint, types and unit tests of static/js are left out."""
    if not (shutil.which("make") and shutil.which("npm") and shutil.which("node")):
        pytest.skip("make, node or npm is not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.strip().removeprefix("v").split(".")[0]) < 20:
        pytest.skip(f"Node {version.stdout.strip()} is too old for the page's tools")
    found = subprocess.run(
        ["make", "--no-print-directory", "node", "CAN_INSTALL=false"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (found.stdout, found.stderr) == ("", "")


def test_each_case_of_a_listed_test_is_slow(request: pytest.FixtureRequest) -> None:
    for name in ("tests/a.py::test_b", "tests/a.py::test_b[c::d]", "tests/a.py::test_b[c]@tests/a"):
        assert slow.function_of(name) == "tests/a.py::test_b"
    for item in request.session.items:
        if slow.function_of(item.nodeid) in slow.listed():
            assert item.get_closest_marker("slow"), item.nodeid


def test_what_is_listed_as_slow_is_there() -> None:
    for name in slow.listed():
        path, *_, function = name.split("::")
        assert f"def {function}(" in (ROOT / path).read_text(encoding="utf-8"), name
