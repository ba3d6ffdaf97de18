"""Networks this small are slower when threads share them."""

from pathlib import Path

import pytest
from tiny_galleries import one_thread  # noqa: F401  (a fixture)

from dino_core.runs.folder import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.create({"kind": "fine-tuning"})
    return made
