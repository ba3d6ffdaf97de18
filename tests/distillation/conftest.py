"""Networks this small are slower when threads share them."""

from pathlib import Path

import pytest
from tiny_galleries import one_thread  # noqa: F401  (a fixture)
from tiny_models import tiny_vit
from tiny_runs import noise_folder

from dino_core.weights import save_backbone


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the teacher's answers are kept."""
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return noise_folder(tmp_path / "pictures")


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """A backbone of width 48 with patches of 14 px."""
    return save_backbone(tiny_vit(), tmp_path / "teacher.safetensors")
