"""app/paths.py: where runs and galleries are kept."""

from pathlib import Path

import pytest

from app import paths

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INSIDE_DINOV2_RUNS", "INSIDE_DINOV2_GALLERIES", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)


def test_a_checkout_keeps_its_runs_and_galleries() -> None:
    assert paths.runs_folder() == ROOT / "runs"
    assert paths.galleries_folder() == ROOT / "galleries"


def test_an_installed_page_keeps_them_in_the_users_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "CHECKOUT", None)
    monkeypatch.setattr(paths.sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert paths.runs_folder() == tmp_path / "inside-dinov2" / "runs"
    assert paths.galleries_folder() == tmp_path / "inside-dinov2" / "galleries"


def test_the_environment_names_other_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIDE_DINOV2_RUNS", "elsewhere/runs")
    monkeypatch.setenv("INSIDE_DINOV2_GALLERIES", "elsewhere/galleries")
    assert paths.runs_folder() == Path("elsewhere/runs")
    assert paths.galleries_folder() == Path("elsewhere/galleries")


def test_each_platform_has_its_rule(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    folder = paths.user_data_folder
    assert folder("linux") == tmp_path / ".local" / "share"
    assert folder("darwin") == tmp_path / "Library" / "Application Support"
    assert folder("win32") == tmp_path / "AppData" / "Local"

    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert folder("win32") == tmp_path / "local"
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    assert folder("linux") == tmp_path / ".local" / "share"
