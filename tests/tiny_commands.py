"""One command, called in this process: what it says, writes, and asks to be drawn."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from alike import are_close
from PIL import Image
from tiny_home import bright_in_the_middle
from tiny_models import tiny_vit
from tiny_steps import SMALL, small_pictures

import dino_core.figures
import dino_core.figures.maps
from dino_core.__main__ import main
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.config import ViTConfig
from dino_core.images import Fitted, fit_to_patches, to_tensor
from dino_core.runs.pretrained_heads import OWN, save_heads
from dino_core.student_teacher import StudentTeacher
from dino_core.weights import Backbone, load_backbone, save_backbone

CONFIG = ViTConfig(dim=24, depth=3, heads=3, image_size=56, registers=2)
SHEET = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)  # what a panel's pixels are here


@dataclass(frozen=True)
class Place:
    """A tiny model, and two pictures of whole patches, 4 x 6 and 5 x 4 of them."""

    backbone: Backbone
    weights: Path
    pictures: list[Path]
    fitted: list[Fitted]
    seen: list[Inspection]

    @property
    def title(self) -> str:
        return self.backbone.info.title


def tiny_place(folder: Path, config: ViTConfig = CONFIG) -> Place:
    weights = folder / "tiny.safetensors"
    save_backbone(tiny_vit(config), weights)
    backbone, pictures = load_backbone(weights=weights), bright_in_the_middle(folder)
    fitted = [opened(path) for path in pictures]
    seen = [inspect(backbone.vit, to_tensor(one.picture)) for one in fitted]
    return Place(backbone, weights, pictures, fitted, seen)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return tiny_place(tmp_path_factory.mktemp("place"))


def opened(path: Path) -> Fitted:
    picture = Image.open(path).convert("RGB")
    return fit_to_patches(picture, 14, (picture.height, picture.width), "resize")


def asked_with_figure(
    place: Place, out: Path, command: str, *words: object, pictures: int = 2
) -> list[Any]:
    """The command on one or both pictures, with a figure."""
    images = place.pictures[:pictures]
    common = ["--size", "native", "--weights", place.weights, "--output", out]
    return [command, *images, *words, *common, "--figure", out.parent / "a.svg"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """0.png, 1.png and 2.png, and a small pair of student and teacher, pair.safetensors."""
    folder = tmp_path_factory.mktemp("pair")
    for number, picture in enumerate(small_pictures()):
        picture.save(folder / f"{number}.png")
    pair = StudentTeacher(SMALL, generator=torch.Generator().manual_seed(1))
    save_heads(pair, SMALL, OWN, folder / "pair.safetensors")
    return folder


def asked_with_pair(command: str, folder: Path, *words: object, pictures: int = 1) -> list[Any]:
    """The command on the first pictures of that folder, with all three as the rest of the batch."""
    images = [folder / f"{number}.png" for number in range(3)]
    references = ["--references", *images, "--pair", folder / "pair.safetensors"]
    return [command, *images[:pictures], *references, *words]


# --- what is asked to be drawn


class Drawn:
    """Instead of figures: each call of a function that draws, as (its name, what it was given)."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Any], dict[str, Any]]] = []

    def taker(self, name: str, answer: Any) -> Any:
        def take(*args: Any, **options: Any) -> Any:
            self.calls.append((name, [*args], options))
            return answer

        return take

    def pop(self) -> list[tuple[str, list[Any], dict[str, Any]]]:
        calls, self.calls = self.calls, []
        return calls


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawn]:
    """A panel is the word "panel", its pixels are SHEET, and its label is "Label"."""
    found = Drawn()
    for name in dino_core.figures.__all__:
        if name not in ("save", "stack", "screening"):
            take = found.taker(name, "panel")
            monkeypatch.setattr(f"dino_core.figures.{name}", take)
    monkeypatch.setattr("dino_core.figures.maps.pca_panel", found.taker("pca_panel", "panel"))
    pixels = found.taker("panel_pixels", SHEET)
    monkeypatch.setattr("dino_core.figures.panels.panel_pixels", pixels)
    monkeypatch.setattr("dino_core.figures.files.label_of", lambda _: "Label")
    monkeypatch.setattr("dino_core.figures.files.save", found.taker("save", None))
    yield found
    assert not found.calls, "what was drawn has been looked at"


def same_calls(ours: list[tuple[str, list[Any], dict[str, Any]]], *wanted: Any) -> None:
    """The same functions, in this order, with the same values; said where they part."""
    assert [name for name, *_ in ours] == [name for name, *_ in wanted]
    for (name, args, options), (_, given, named) in zip(ours, wanted, strict=True):
        assert len(args) == len(given), name
        for number, (one, other) in enumerate(zip(args, given, strict=True)):
            assert are_close(plain(one), plain(other)), f"{name}, argument {number}"
        assert options.keys() == named.keys(), name
        for word, value in options.items():
            assert are_close(plain(value), plain(named[word])), f"{name}, {word}"


def plain(value: Any) -> Any:
    """Arrays, pictures and dataclasses as lists and dicts."""
    if isinstance(value, torch.Tensor):
        value = value.detach().float().cpu().numpy()
    if isinstance(value, np.ndarray | Image.Image):
        array = np.asarray(value)
        return [list(array.shape), array.reshape(-1).tolist()]
    if isinstance(value, Inspection):
        return plain([value.tokens, value.queries, value.pixels])
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


# --- what is said and written


@dataclass(frozen=True)
class Ran:
    code: int
    out: list[str]
    err: list[str]


def run(capsys: pytest.CaptureFixture[str], *words: object) -> Ran:
    capsys.readouterr()
    code = main([*map(str, words)])
    said = capsys.readouterr()
    return Ran(code, said.out.splitlines(), said.err.splitlines())


def line_of(*words: object) -> str:
    """How the caption of a figure repeats these words, none of which a shell would change."""
    return f"Label. Repeated by: python -m dino_core {' '.join(map(str, words))}"


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def holds(path: Path, **wanted: Any) -> None:
    """An NPZ has these arrays and no others, of these kinds of numbers."""
    with np.load(path) as file:
        found = dict(file)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        array = np.asarray(value)
        assert found[name].shape == array.shape, name
        assert found[name].dtype.kind == array.dtype.kind, name
        if array.dtype.kind == "f":
            np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], array, err_msg=name)


def shows(path: Path, pixels: np.ndarray) -> None:
    """A PNG is this picture, to a level in what two processors round."""
    found = np.asarray(Image.open(path)).astype(int)
    assert found.shape == pixels.shape
    assert np.abs(found - pixels).max() <= 1
