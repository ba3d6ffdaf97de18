"""tray: the library's numbers, in the order of the line, and a figure that repeats itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_galleries import CONFIG
from tiny_home import bright_in_the_middle
from tiny_models import shake

from dino_core.__main__ import main
from dino_core.analysis.inspection import inspect
from dino_core.analysis.pca import colour_features
from dino_core.config import PCA_PRESETS
from dino_core.images import to_tensor
from dino_core.vit import VisionTransformer
from dino_core.weights import load_backbone, save_backbone


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    vit = VisionTransformer(CONFIG)
    shake(vit, 0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_backbone(vit, path)
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return bright_in_the_middle(tmp_path_factory.mktemp("pictures"))


def run(*words: object) -> int:
    return main(["tray", *map(str, words), "--size", "native"])


def test_numbers_and_a_figure_that_the_same_line_repeats(
    tiny: Path, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ("--columns", "input", "pca:0", "similar:1@1:2,3")
    files = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for figure in files:
        to = ("--weights", tiny, "--output", tmp_path / "out", "--figure", figure)
        assert run(*pictures, *columns, *to) == 0
    said = capsys.readouterr().out
    assert "Repeated by: " in said
    assert "--columns input pca:0 similar:1@1:2,3" in said
    first, second = (path.read_text() for path in files)
    assert first.replace("a.svg", "b.svg") == second
    vit = load_backbone(None, tiny).vit
    seen = [inspect(vit, to_tensor(Image.open(path))) for path in pictures]
    wanted = colour_features(
        [one.patches(0) for one in seen], [one.grid for one in seen], PCA_PRESETS["paper"]
    )
    one = seen[1].patches(1).unflatten(0, (5, 4))[2, 3]
    with np.load(tmp_path / "out" / "tray.npz") as arrays:
        assert list(arrays["names"]) == ["one.png", "two.png"]
        assert list(arrays["columns"]) == ["input", "pca:0", "similar:1@1:2,3"]
        for row in range(2):
            colours = wanted.pictures[row].colours
            np.testing.assert_allclose(arrays[f"map_1_{row}"], colours, atol=1e-4)
            cosines = torch.cosine_similarity(one[None], seen[row].patches(1))
            np.testing.assert_allclose(arrays[f"map_2_{row}"].reshape(-1), cosines, atol=1e-5)
        limits = [[np.nan, np.nan], [np.nan, np.nan], [-1, 1]]
        np.testing.assert_array_equal(arrays["limits"], limits, "colours have no scale")
    with Image.open(tmp_path / "out" / "tray.png") as picture:
        assert picture.width > 1000


def test_the_same_view_of_three_models(tiny: Path, pictures: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    vit = VisionTransformer(CONFIG)
    shake(vit, 5)
    save_backbone(vit, other)
    columns = ("--columns", "norms", "norms/1", "norms/2")
    to = ("--weights", tiny, "--output", tmp_path / "out", "--second", other, tiny)
    assert run(*pictures, *columns, *to) == 0
    with np.load(tmp_path / "out" / "tray.npz") as arrays:
        for row in range(2):
            first, second, third = (arrays[f"map_{column}_{row}"] for column in range(3))
            np.testing.assert_array_equal(first, third)
            assert np.abs(first - second).max() > 0.01
        assert list(arrays["models"]) == ["tiny", "other", "tiny"]


def test_mistakes_are_said_before_the_work(
    tiny: Path, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = ("--weights", tiny, "--output", tmp_path / "out")
    with pytest.raises(SystemExit):
        run(*pictures, "--columns", "similar", *to)
    assert "to which patch" in capsys.readouterr().err
    assert run(*pictures * 7, "--columns", "input", *to) == 2
    assert "1 to 12 pictures, not 14" in capsys.readouterr().err
    assert run(*pictures, "--columns", "norms", *to, "--second", *[tiny] * 12) == 2
    assert "1 to 12 models, not 13" in capsys.readouterr().err
    assert run(*pictures, "--columns", "difference", *to) == 2
    assert "wants a second one" in capsys.readouterr().err
