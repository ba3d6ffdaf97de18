"""What several tests share."""

import gc
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import slow

ROOT = Path(__file__).resolve().parents[1]
# What has been compiled is kept, also where the environment says otherwise: several processes read
# the same three hundred files, and start hundreds of others.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ["HF_HUB_OFFLINE"] = "1"  # before a peer is imported: no test reaches for the network
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["NUMBA_OPT"] = "1"  # it compiles longer than it computes; the numbers are the same
os.environ["NUMBA_CACHE_DIR"] = str(ROOT / "build" / "numba")  # and nobody else takes that up
gc.set_threshold(50_000, 20, 20)  # what is imported is no garbage: it is looked through less
# What one process does after the other. Both need what pynndescent compiles for half a minute in
# every process; both have jobs of the server that all processes share, which does one at a time.
TOGETHER = {
    "tests/test_docs": "analysis/test_approximate",
    "app/test_gallery_screen": "app/test_training_screen",
}


def pytest_collection_finish() -> None:
    """What stays until the end is not looked through again."""
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(val: Any, argname: str) -> str | None:
    """A file as a parameter is no name: each process sends and prints that of every test."""
    large = isinstance(val, bytes | str) and len(val) > 200
    return f"{argname} of {len(val):,}" if large else None


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is slow; and how processes share the tests (`--dist loadgroup`).

    Slow is what needs a server, what says so, and what took more than a twentieth of a second.

    Each process takes file after file, so that its models, runs and page are made once. Files with
    many slow tests come first: at the end there are only short ones, and nobody waits for another.
    """
    many: Counter[Path] = Counter()
    measured = slow.listed()
    for item in items:
        needs_a_server = {"server", "browser"} & set(getattr(item, "fixturenames", ()))
        if needs_a_server or slow.function_of(item.nodeid) in measured:
            item.add_marker(pytest.mark.slow)
        group = f"{item.path.parent.name}/{item.path.stem}"
        item.add_marker(pytest.mark.xdist_group(TOGETHER.get(group, group)))
        many[item.path] += item.get_closest_marker("slow") is not None
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: -many[item.path])
