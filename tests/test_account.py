"""account.py: who has neither home nor name gets both, in a folder that nobody else can write to;
and assets.py: where the files lie that come with the project."""

import getpass
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dino_core import account, assets


@pytest.fixture(autouse=True)
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    known = {"PATH": "x"}
    monkeypatch.setattr(account.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(account, "os", SimpleNamespace(environ=known, getuid=os.getuid))
    return known


def refuse(error: type[Exception]) -> Any:
    def call(*_: Any) -> None:
        raise error

    return call


def test_who_has_an_account_keeps_it(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    account.ensure_account()
    assert environ == {"PATH": "x"}


@pytest.mark.parametrize("error", [KeyError, OSError, ImportError])
def test_who_has_none_gets_one(
    error: type[Exception],
    environ: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "home", refuse(RuntimeError))
    monkeypatch.setattr(getpass, "getuser", refuse(error))
    account.ensure_account()
    home = tmp_path / f"inside-dinov2-{os.getuid()}"
    assert environ == {"PATH": "x", "HOME": str(home), "LOGNAME": "nobody"}
    assert home.stat().st_mode & 0o777 == 0o700
    account.ensure_account()
    assert environ["HOME"] == str(home), "the same the next time"


def test_a_folder_of_somebody_else_s_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(
        tempfile, "mkdtemp", lambda *, prefix: made.append(prefix) or str(tmp_path / "own")
    )
    folder = tmp_path / f"inside-dinov2-{os.getuid()}"
    for mode, own in ((0o700, True), (0o720, False), (0o702, False), (0o740, False)):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
        assert (account._private_folder() == folder) == own, oct(mode)
    folder.chmod(0o700)
    folder.rename(tmp_path / "real")
    folder.symlink_to(tmp_path / "real")
    assert account._private_folder() == tmp_path / "own", "a link leads anywhere"
    folder.unlink()
    folder.write_text("a file")
    assert account._private_folder() == tmp_path / "own"
    folder.unlink()
    monkeypatch.setattr(account.os, "getuid", lambda: 12345)
    assert account._private_folder() == tmp_path / "own", "this process is another user's"
    assert made == ["inside-dinov2-"] * 6


def test_in_a_checkout_files_lie_beside_the_packages() -> None:
    root = Path(__file__).resolve().parents[1]
    assert root == assets.CHECKOUT
    assert root / "static" == assets.STATIC
    assert root / "static" / "samples" == assets.SAMPLES
    assert (assets.SAMPLES / "cat.jpg").is_file()
