"""What several tests share."""

import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # before a peer is imported: no test reaches for the network
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a server is slow; and how two processes share the tests (`--dist loadgroup`).

    One has everything that asks the page's server, so that there is one; the other takes file
    after file of the rest, and its models and runs are made once.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if {"server", "browser"} & fixtures:
            item.add_marker(pytest.mark.slow)
        asks_the_server = "server" in fixtures and item.path.parent.name == "app"
        item.add_marker(pytest.mark.xdist_group("page" if asks_the_server else item.path.stem))
