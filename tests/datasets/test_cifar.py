"""CIFAR-10 as pictures in folders: made once, whole or not at all, and never fetched unasked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dino_core.datasets import cifar10, cifar10_folder


def test_pictures_are_made_once_and_lie_in_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    class Data:
        classes = ("cat", "dog")

        def __init__(self, folder: str, *, train: bool, download: bool) -> None:
            asked.append((folder, train, download))
            if train is missing:
                raise RuntimeError("Dataset not found or corrupted.")
            self.shade = 100 if train else 200

        def __iter__(self) -> Any:
            for number in range(3):
                yield Image.new("RGB", (2, 2), (self.shade + number, 0, 0)), number % 2

    monkeypatch.setattr("torchvision.datasets.CIFAR10", Data)
    monkeypatch.setenv("HOME", str(tmp_path))
    missing: bool | None = False
    with pytest.raises(ValueError) as caught:
        cifar10("~/c")
    assert str(caught.value) == (
        f"CIFAR-10 is not in {tmp_path / 'c'}. Ask for the download of 170 MB with --download."
    )
    assert asked == [(str(tmp_path / "c"), True, False), (str(tmp_path / "c"), False, False)]
    assert not (tmp_path / "c" / "pictures").exists(), "half of it is none of it"
    missing = None
    asked.clear()
    found = cifar10("~/c", download=True)
    assert [one[1:] for one in asked] == [(True, True), (False, True)]
    assert found.names == tuple(
        f"{split}/{name}.png"
        for split in ("test", "train")
        for name in ("cat/00000", "cat/00002", "dog/00001")
    )
    assert (found.classes, found.splits) == (("cat", "dog"), ("test",) * 3 + ("train",) * 3)
    shades = [int(np.asarray(found.picture(i))[0, 0, 0]) for i in range(6)]
    assert shades == [200, 202, 201, 100, 102, 101]
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["pictures"]
    asked.clear()
    assert cifar10(tmp_path / "c").names == found.names
    assert asked == []


def test_it_is_kept_beside_the_weights(home: Path) -> None:
    assert cifar10_folder().name == "cifar10"
    assert cifar10_folder().parent in (home, home.parent)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
