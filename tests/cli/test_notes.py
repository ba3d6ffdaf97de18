"""What was done to a picture otherwise than one might expect is said by every command."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dino_core.__main__ import main
from dino_core.config import ViTConfig
from dino_core.finetuning.classifier import Classifier, save_classifier
from dino_core.images import notes_of, open_picture
from dino_core.runs.pretrained_heads import CIFAR_PAIR
from dino_core.vit import VisionTransformer
from dino_core.weights import save_backbone

CONFIG = ViTConfig(dim=64, depth=2, heads=2, image_size=56)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, and a classifier on it."""
    folder = tmp_path_factory.mktemp("models")
    vit = VisionTransformer(CONFIG, generator=torch.Generator().manual_seed(0))
    save_backbone(vit, folder / "tiny.safetensors")
    save_classifier(Classifier(vit, ("a", "b"), 28), folder / "model.safetensors", "a test")
    return folder


@pytest.fixture
def deep(tmp_path: Path) -> str:
    """16 bits, of which a hundredth is used."""
    values = np.random.default_rng(0).integers(100, 755, (42, 56), dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    return str(tmp_path / "deep.png")


# What is typed before and after the picture, in the words of a shell; PLACE is where results go.
COMMANDS = {
    "features": "features IMAGE --output PLACE --weights TINY --size 28",
    "attention": "attention IMAGE --layer 1 --output PLACE --weights TINY --size 28",
    "pca": "pca IMAGE --output PLACE --weights TINY --size 28",
    "similar": "similar IMAGE --patch 0,0 --output PLACE --weights TINY --size 28",
    "clusters": "clusters IMAGE --k 2 --output PLACE --weights TINY --size 28",
    "norms": "norms IMAGE --output PLACE --weights TINY --size 28",
    "crops": "crops IMAGE --output PLACE",
    "losses": f"losses IMAGE --pair {CIFAR_PAIR}",
    "predict": "predict IMAGE --model MODELS",
}


def line(words: str, image: str, tmp_path: Path, folder: Path) -> list[str]:
    places = {
        "IMAGE": image,
        "PLACE": str(tmp_path / "out"),
        "TINY": str(folder / "tiny.safetensors"),
        "MODELS": str(folder),
    }
    return [places.get(word, word) for word in words.split()]


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_picture_that_was_read_specially_is_named_once(
    words: str, deep: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = line(words, deep, tmp_path, folder)
    assert main(typed) == 0
    (note,) = notes_of(open_picture(deep))
    assert "a small part of" in note
    assert capsys.readouterr().err.count(f"{deep}: {note}") == 1
    assert main([*typed, "--stretch"]) == 0
    (note,) = notes_of(open_picture(deep, stretch=True))
    said = capsys.readouterr().err
    assert said.count(f"{deep}: {note}") == 1
    assert "a small part of" not in said


def test_stretched_is_what_the_model_sees(deep: str, tmp_path: Path, folder: Path) -> None:
    found = []
    for name, more in (("plain", []), ("stretched", ["--stretch"])):
        target = tmp_path / f"{name}.npz"
        words = f"features IMAGE --output {target} --weights TINY --size 28"
        assert main([*line(words, deep, tmp_path, folder), *more]) == 0
        with np.load(target) as file:
            found.append(file["patches"])
    assert not np.allclose(*found, atol=1e-3)


def animation(path: Path) -> str:
    frames = [Image.new("RGB", (28, 28), colour) for colour in ("teal", "red")]
    frames[0].save(path.with_suffix(".gif"), save_all=True, append_images=frames[1:])
    return str(path.with_suffix(".gif"))


def thin(path: Path) -> str:
    Image.new("RGB", (4000, 20), "teal").save(path.with_suffix(".png"))
    return str(path.with_suffix(".png"))


def ordinary(path: Path) -> str:
    Image.new("RGB", (56, 42), "teal").save(path.with_suffix(".png"))
    return str(path.with_suffix(".png"))


@pytest.mark.parametrize(
    ("make", "words"),
    [(animation, "its first picture is taken"), (thin, "long picture"), (ordinary, "")],
)
def test_other_notes_and_none(
    make: Callable[[Path], str],
    words: str,
    tmp_path: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = make(tmp_path / "one")
    typed = line("pca IMAGE --output PLACE --weights TINY --size 28", image, tmp_path, folder)
    assert main(typed) == 0
    said = capsys.readouterr().err
    assert (f"{image}: " in said) == bool(words)
    assert words in said


def test_each_of_several_pictures_is_named(
    deep: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = line("features IMAGE --output PLACE --weights TINY --size 28", deep, tmp_path, folder)
    typed[2:2] = [animation(tmp_path / "moving"), ordinary(tmp_path / "plain")]
    assert main(typed) == 0
    said = capsys.readouterr().err
    assert said.count("moving.gif: ") == said.count("deep.png: ") == 1
    assert "plain.png" not in said
