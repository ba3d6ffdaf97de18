"""Where a page of a test keeps everything, with a tiny model and something to look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_galleries import build_gallery
from tiny_models import TINY, tiny_vit
from tiny_runs import coloured, files

from app.services import Services
from app.state.pictures import Entry
from dino_core.config import ViTConfig
from dino_core.scenes.picture import read_picture
from dino_core.weights import save_backbone

STATIC = Path(__file__).resolve().parents[1] / "static"


@contextmanager
def kept_in(home: Path, config: ViTConfig = TINY) -> Iterator[Path]:
    """The folder, with tiny.safetensors, while runs, galleries and the rest are kept in it."""
    save_backbone(tiny_vit(config), home / "tiny.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "RUNS", "GALLERIES"):
            patch.setenv(f"INSIDE_DINOV2_{name}", str(home / name.lower()))
        yield home


@contextmanager
def with_samples(home: Path) -> Iterator[Path]:
    """The same with the samples where a checkout has them."""
    (home / "static").symlink_to(STATIC)
    with kept_in(home):
        yield home


def open_sample(services: Services, name: str) -> Entry:
    """A sample, as somebody has it open at 56 px, seen by the model that the page begins with."""
    source = read_picture((STATIC / "samples" / name).read_bytes())
    model = services.models.default
    picture = services.models.inspect(source, model, 56)
    return Entry("", picture, model, 56, name, file="tiny.safetensors")


@contextmanager
def with_picture(home: Path, config: ViTConfig) -> Iterator[Path]:
    """The same with picture.png, of 4 x 6 patches."""
    pixels = np.random.default_rng(0).integers(0, 256, (56, 84, 3), np.uint8)
    Image.fromarray(pixels).save(home / "picture.png")
    with kept_in(home, config):
        yield home


@contextmanager
def with_gallery(home: Path, each: int, config: ViTConfig = TINY) -> Iterator[Path]:
    """The same with a gallery, colours, of so many pictures of each of three; no map takes time."""
    with kept_in(home, config), pytest.MonkeyPatch.context() as patch:
        patch.setattr("dino_core.gallery.projection.umap_map", lambda _, start, *__: start)
        patch.setattr("dino_core.gallery.projection.tsne_map", lambda _, start: start)
        data = files(home / "data", coloured(each))
        build_gallery(data, home / "colours", home / "tiny.safetensors")
        yield home


def bright_in_the_middle(folder: Path) -> list[Path]:
    """Pictures of whole patches, 4 x 6 and 5 x 4 of them, each with something bright in it."""
    for name, (height, width) in (("one", (56, 84)), ("two", (70, 56))):
        pixels = np.random.default_rng(height).integers(0, 90, (height, width, 3), np.uint8)
        pixels[14:42, 14:42] += 150
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return [folder / "one.png", folder / "two.png"]
