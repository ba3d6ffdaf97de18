"""Every test has a home of its own for what is kept, and a tiny model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tiny_galleries import tiny_weights

from dino_core.weights import Backbone, load_backbone


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def backbone(weights: Path) -> Backbone:
    return load_backbone(weights=weights)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are slower when threads share them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
