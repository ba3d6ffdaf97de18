"""The smallest labelled sets, models and galleries that several test files share."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from forked import Program
from tiny_models import tiny_vit
from tiny_runs import coloured, files, picture

from dino_core.analysis.projection import tsne_map
from dino_core.config import ViTConfig
from dino_core.gallery import build as building
from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.options import Options
from dino_core.weights import Backbone, load_backbone, save_backbone

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ViTConfig(dim=32, depth=3, heads=2, image_size=56, registers=2)


def tiny_weights(folder: Path, seed: int = 0) -> Path:
    """A random model as a file."""
    path = folder / f"tiny-{seed}.safetensors"
    if not path.exists():
        save_backbone(tiny_vit(CONFIG, seed), path)
    return path


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def backbone(weights: Path) -> Backbone:
    return load_backbone(weights=weights)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are slower when threads share them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def labelled_folder(root: Path, per_class: int = 8) -> Path:
    """Three classes, the same file names in each, and one broken file."""
    return files(root, coloured(per_class) | {"green/zz.png": b"junk"})


def mixed_folder(root: Path) -> Path:
    """Pictures of several sizes, without labels; two of them the same, two broken."""
    contents = {f"{i:02}.png": picture(i, side=20 + 7 * (i % 3)) for i in range(11)}
    contents |= {"03b.png": contents["03.png"], "05b.png": b"", "07b.jpg": b"\xff\xd8\xff junk"}
    return files(root, contents)


@pytest.fixture
def quick_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """UMAP compiles itself for tens of seconds: here it is the square of where it starts. t-SNE
    is tested on its own."""

    def square(features: np.ndarray, start: np.ndarray, *_: object) -> np.ndarray:
        return (np.sign(start) * start**2).astype(np.float32)

    def too_few(features: np.ndarray, start: np.ndarray, *_: object) -> np.ndarray:
        return tsne_map(features, start) if len(features) < 4 else square(features, start)

    monkeypatch.setattr("dino_core.gallery.projection.umap_map", square)
    monkeypatch.setattr("dino_core.gallery.projection.tsne_map", too_few)


def build_gallery(data: Path | str, folder: Path, weights: Path, **options: object) -> Path:
    """In this process, with the tiny model at 28 px."""
    chosen = Options(**{"weights": str(weights), "size": 28, **options})  # type: ignore[arg-type]
    building.build(data, folder, chosen)
    return folder


def kill_when(process: Program, far_enough: Callable[[], bool]) -> None:
    """SIGKILL as soon as it is far enough. Fails when it ends before."""
    stop = time.monotonic() + 60
    while not far_enough():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < stop
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def arrays_of(folder: Path) -> dict[str, np.ndarray]:
    store = GalleryFolder(folder)
    names = ("cls", "mean_patch", "layers", "patches", "rows", "digests")
    return {name: np.array(store.array(name)) for name in names}
