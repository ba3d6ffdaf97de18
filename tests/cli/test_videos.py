"""video: the film's numbers are the library's, and what moves is followed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.__main__ import main
from dino_core.analysis.inspection import inspect
from dino_core.analysis.pca import colour_features
from dino_core.analysis.propagation import grown, propagate
from dino_core.config import PCA_PRESETS
from dino_core.images import to_tensor
from dino_core.weights import load_backbone, save_backbone


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_backbone(tiny_vit(TINY), path)
    return path


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames of 4 x 5 patches in which something bright goes to the right."""
    folder = tmp_path_factory.mktemp("frames")
    ground = np.random.default_rng(0).integers(0, 60, (56, 70, 3), np.uint8)
    for t in range(4):
        pixels = ground.copy()
        pixels[14:42, 14 * t : 14 * t + 28] += 180
        Image.fromarray(pixels).save(folder / f"{t}.png")
    return folder


def features_of(frames: Path, weights: Path, layer: int) -> list[torch.Tensor]:
    vit = load_backbone(None, weights).vit
    paths = sorted(frames.iterdir())
    return [inspect(vit, to_tensor(Image.open(p).convert("RGB"))).patches(layer) for p in paths]


def run(frames: Path, weights: Path, folder: Path, *words: object) -> dict[str, np.ndarray]:
    line = ["video", frames, "--weights", weights, "--size", "native", *words]
    line += ["--output", folder / "a.webp", "--arrays", folder / "a.npz"]
    assert main(list(map(str, line))) == 0
    with Image.open(folder / "a.webp") as film:
        assert film.size == (70, 56 + 20)
        assert film.n_frames == 4
    with np.load(folder / "a.npz") as file:
        return dict(file)


def test_one_pca_over_all_frames(tiny: Path, frames: Path, tmp_path: Path) -> None:
    got = run(frames, tiny, tmp_path, "--layer", 0)
    features = features_of(frames, tiny, 0)
    wanted = colour_features(features, [(4, 5)] * 4, PCA_PRESETS["paper"])
    for colours, view in zip(got["colours"], wanted.pictures, strict=True):
        np.testing.assert_allclose(colours, view.colours, atol=1e-4)
    assert "seconds" not in got


def test_tracking_from_patches(tiny: Path, frames: Path, tmp_path: Path) -> None:
    got = run(frames, tiny, tmp_path, "--patch", "1,0", "0,4", "--alike", 0.9, "--queue", 2)
    features = features_of(frames, tiny, 1)
    places = torch.zeros(20, dtype=torch.int64)
    for number, patch in enumerate(((1, 0), (0, 4)), 1):
        places[grown(features[0], (4, 5), patch, 0.9)] = number
    places[5], places[4] = 1, 2
    first = torch.nn.functional.one_hot(places, 3).float()
    from dino_core.config import PropagationConfig

    wanted = propagate(features, first, (4, 5), PropagationConfig(queue=2))
    for labels, one in zip(got["labels"], wanted, strict=True):
        np.testing.assert_allclose(labels.reshape(3, 20).T, one, atol=1e-4)
    assert got["masks"].shape == (4, 56, 70)


def test_tracking_from_a_mask(
    tiny: Path, frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = np.zeros((56, 70), np.uint8)
    mask[14:42, 0:28] = 1
    Image.fromarray(mask).save(tmp_path / "mask.png")
    got = run(frames, tiny, tmp_path, "--mask", tmp_path / "mask.png")
    np.testing.assert_array_equal(got["labels"][0, 1], mask[7::14, 7::14])
    Image.fromarray(mask[:28]).save(tmp_path / "small.png")
    line = ["video", str(frames), "--weights", str(tiny), "--mask", str(tmp_path / "small.png")]
    assert main([*line, "--output", str(tmp_path / "b.gif")]) == 2
    assert "70 x 28 px, but the frames have 70 x 56" in capsys.readouterr().err
