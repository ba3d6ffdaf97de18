"""What several tests share."""

import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # before a peer is imported: no test reaches for the network
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """How two processes share the tests (`-n 2 --dist loadgroup`).

    One has everything that needs the server and the browser, so that there is one of each; the
    other takes file after file of the rest, and its models and runs are made once.
    """
    for item in items:
        needs_server = "server" in getattr(item, "fixturenames", ())
        group = "page" if needs_server else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))
