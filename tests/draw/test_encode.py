import io
import json
from dataclasses import dataclass

import numpy as np
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load

from dino_core.draw.encode import jpeg, pack, png


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_png_keeps_every_pixel() -> None:
    pixels = noise(5, 7, 3)
    picture = Image.open(io.BytesIO(png(pixels)))
    assert (picture.format, picture.size) == ("PNG", (7, 5))
    np.testing.assert_array_equal(np.asarray(picture), pixels)


def test_jpeg_shrinks_the_longer_side_only_when_it_is_too_long() -> None:
    wide = Image.fromarray(np.linspace(0, 255, 300 * 120 * 3).reshape(120, 300, 3).astype(np.uint8))
    small = Image.open(io.BytesIO(jpeg(wide, longest=100)))
    assert (small.format, small.size) == ("JPEG", (100, 40))
    same = Image.open(io.BytesIO(jpeg(wide, quality=95)))
    assert same.size == wide.size == (300, 120)
    assert np.abs(np.asarray(same).astype(int) - np.asarray(wide)).mean() < 3


@dataclass(frozen=True)
class Scene:
    grid: tuple[int, int]
    name: str
    rows: np.ndarray
    mask: np.ndarray
    pixels: tuple[np.ndarray, ...]
    numbers: dict[str, float]
    nothing: tuple[()] = ()


def test_pack_keeps_arrays_as_tensors_and_the_rest_as_json(tmp_path) -> None:
    rows = np.arange(12, dtype=np.float32).reshape(3, 4).T  # not contiguous
    mask, pixels = np.array([True, False]), (noise(2, 2, 3), noise(1, 3, 3))
    data = pack(Scene((16, 24), "kätzchen", rows, mask, pixels, {"ratio": 0.5}))
    tensors = load(data)
    assert set(tensors) == {"rows", "mask", "pixels.0", "pixels.1"}
    np.testing.assert_array_equal(tensors["rows"], rows)
    np.testing.assert_array_equal(tensors["mask"], mask)
    for i in range(2):
        np.testing.assert_array_equal(tensors[f"pixels.{i}"], pixels[i])
        assert tensors[f"pixels.{i}"].dtype == np.uint8

    (tmp_path / "scene").write_bytes(data)
    with safe_open(tmp_path / "scene", "np") as file:
        facts = json.loads(file.metadata()["facts"])
    assert facts == {
        "grid": [16, 24],
        "name": "kätzchen",
        "numbers": {"ratio": 0.5},
        "nothing": [],
    }
