"""CIFAR-10, as pictures in folders like any other set."""

import os
from pathlib import Path

from dino_core.datasets.find import find_pictures
from dino_core.datasets.pictures import Pictures


def cifar10_folder() -> Path:
    """Where CIFAR-10 is kept: beside the downloaded weights."""
    from dino_core.weights.variants import weights_folder  # waits for torch

    return weights_folder().parent / "cifar10"


def cifar10(folder: str | Path, download: bool = False) -> Pictures:
    """CIFAR-10 as PNG files in train/CLASS and test/CLASS, made once from torchvision's copy.

    Goes to the network only with `download=True`.
    """
    folder = Path(folder).expanduser()
    done = folder / "pictures"
    if not done.is_dir():
        from torchvision.datasets import CIFAR10

        partial = folder / f"pictures.{os.getpid()}.part"
        for split in ("train", "test"):
            try:
                data = CIFAR10(str(folder), train=split == "train", download=download)
            except RuntimeError as error:
                raise ValueError(
                    f"CIFAR-10 is not in {folder}. Ask for the download of 170 MB with --download."
                ) from error
            for index, (picture, label) in enumerate(data):
                target = partial / split / data.classes[label] / f"{index:05}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                picture.save(target)
        partial.rename(done)
    return find_pictures(done)
