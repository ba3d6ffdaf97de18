"""What several tests share."""

import os
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # before a peer is imported: no test reaches for the network
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a server is slow; and how two processes share the tests (`--dist loadgroup`).

    What needs the server and the browser is in two halves, so that there is one of each in a
    process and neither process has all of it; the rest goes file after file, so that its models
    and runs are made once.
    """
    halves: list[set[Path]] = [set(), set()]
    counts = [0, 0]
    for item in items:
        if {"server", "browser"} & set(getattr(item, "fixturenames", ())):
            half = 0 if item.path in halves[0] else 1
            if item.path not in halves[half]:
                half = counts.index(min(counts))
                halves[half].add(item.path)
            counts[half] += 1
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group(f"page {half}"))
        else:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
