"""`seen.show()`: the figures of the commands, as a notebook is given them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from alike import assert_same
from matplotlib.figure import Figure
from PIL import Image
from tiny_models import TINY

from dino_core import figures, inspect, open_picture, show, to_tensor
from dino_core.__main__ import main
from dino_core.analysis.inspection import Inspection
from dino_core.figures.files import label_of
from dino_core.figures.show import VIEWS
from dino_core.vit import VisionTransformer
from dino_core.weights import load_backbone, save_backbone

# The options of a command, and what a notebook asks for in its place.
SAME: dict[str, tuple[str, dict[str, Any]]] = {
    "attention --layer 0 --query 1,3 --head 2": (
        "attention",
        {"layer": 0, "query": (1, 3), "heads": [2]},
    ),
    "similar --patch 2,1 --layer 1": ("similarity", {"query": (2, 1), "layer": 1}),
    "pca --layer 0 --preset all-patches --flip": (
        "pca",
        {"layer": 0, "preset": "all-patches", "flip": True},
    ),
    "clusters --k 3 --seed 4": ("clusters", {"k": 3, "seed": 4}),
    "rollout": ("rollout", {}),
    "norms": ("norms", {}),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A picture of 4 x 6 patches and a model of 2 layers and 3 heads, as files."""
    folder = tmp_path_factory.mktemp("show")
    pixels = np.random.default_rng(0).integers(0, 256, (56, 84, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "picture.png")
    vit = VisionTransformer(TINY, generator=torch.Generator().manual_seed(0))
    save_backbone(vit, folder / "tiny.safetensors")
    return folder / "picture.png", folder / "tiny.safetensors"


@pytest.fixture(scope="module")
def seen(places: tuple[Path, Path]) -> Inspection:
    picture, weights = places
    return inspect(load_backbone(weights=weights).vit, to_tensor(open_picture(picture)))


def svg(figure: Figure, path: Path, caption: str) -> bytes:
    return figures.save(figure, path, caption=caption).read_bytes()


@pytest.mark.parametrize("line", SAME)
def test_what_a_notebook_shows_is_what_the_command_writes(
    places: tuple[Path, Path],
    seen: Inspection,
    tmp_path: Path,
    line: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (picture, weights), (view, chosen) = places, SAME[line]
    command, *options = line.split()
    written = tmp_path / "command.svg"
    files = ["--weights", weights, "--size", "native", "--output", tmp_path / "out"]
    words = [command, picture, *options, *files, "--figure", written, "--figure-width", "column"]
    assert main([str(word) for word in words]) == 0
    caption = capsys.readouterr().out.partition(f"Figure -> {written}\n")[2].splitlines()[0]
    figure = seen.show(view, **chosen, width="column")
    assert_same(svg(figure, tmp_path / "notebook.svg", caption), written.read_bytes())


def test_without_a_word_it_is_what_the_class_token_attends_to(seen: Inspection) -> None:
    figure = seen.show()
    assert label_of(figure).startswith("Attention, layer 1 of 0–1, query: class token")
    assert label_of(show(seen)) == label_of(figure)


@pytest.mark.parametrize("view", VIEWS)
def test_a_notebook_is_handed_a_picture(seen: Inspection, view: str) -> None:
    chosen = {"query": (1, 3)} if view == "similarity" else {}
    picture: Callable[[], bytes] = seen.show(view, **chosen)._repr_png_  # type: ignore[attr-defined]
    assert picture().startswith(b"\x89PNG")


def test_what_is_not_there_is_said_in_a_sentence(seen: Inspection) -> None:
    with pytest.raises(ValueError, match="A view is one of attention, similarity, pca"):
        seen.show("maps")
    with pytest.raises(ValueError, match="A preset is one of"):
        seen.show("pca", preset="nonsense")
    with pytest.raises(ValueError, match="The clusters are 2 to"):
        seen.show("clusters", k=1)
    with pytest.raises(ValueError, match="no patch 4,0"):
        seen.show("attention", query=(4, 0))
