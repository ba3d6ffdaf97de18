"""Screen 8: what a run made of its pictures at a milestone, in the colours of another one."""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dino_core.runs.folder import RunFolder

__all__ = ["ProbeScene", "milestones", "probe_scene"]

DAMAGED = "What was kept of that moment is damaged."
AXES = {"attention": 4, "pca": 4, "pictures": 4, "names": 1}  # of the arrays that must be there


@dataclass(frozen=True)
class ProbeScene:
    """What the backbone of one milestone made of the chosen pictures."""

    pictures: np.ndarray  # [n, H, W, 3] uint8
    attention: np.ndarray  # [n, A, h, w] float32, last block, class token's row
    pca: np.ndarray  # [n, h, w, 3] uint8
    moment: str
    names: list[str]
    grid: tuple[int, int]
    heads: int
    home: str  # the moment whose colours these are; "" for colours of its own


def milestones(folder: Path) -> list[str]:
    """Names of the moments at which the chosen pictures were looked at, in their order."""
    found = sorted(path.stem for path in RunFolder(folder).probes.glob("*.npz"))
    ends: list[str] = [name for name in ("before", "after") if name in found]
    return ends or found


def probe_scene(folder: Path, moment: str, home: tuple[Path, str] | None = None) -> ProbeScene:
    """A moment of a run; `home` is a run's folder and the moment of it whose colours are wanted.

    ValueError when there is no such moment, or what was kept of it is damaged.
    """
    arrays = _kept(folder, moment)
    colours = None
    if home is not None:
        from dino_core.runs.sample_pictures import in_colours_of

        colours = in_colours_of(arrays, _kept(*home))
    attention = arrays["attention"].astype(np.float32)
    shown = arrays["pca"] if colours is None else colours
    return ProbeScene(
        pictures=arrays["pictures"],
        attention=attention,
        pca=(255 * shown.clip(0, 1)).round().astype(np.uint8),
        moment=moment,
        names=[Path(str(name)).stem for name in arrays["names"]],
        grid=(attention.shape[2], attention.shape[3]),
        heads=attention.shape[1],
        home="" if colours is None or home is None else home[1],
    )


def _kept(folder: Path, moment: str) -> Mapping[str, np.ndarray]:
    if moment not in milestones(folder):
        raise ValueError("This run has nothing to show for that moment.")
    try:
        with np.load(RunFolder(folder).probes / f"{moment}.npz", allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise ValueError(DAMAGED) from None
    if any(name not in arrays or arrays[name].ndim != axes for name, axes in AXES.items()):
        raise ValueError(DAMAGED)
    features = arrays.get("features")
    if features is not None and features.shape[:-1] != arrays["pca"].shape[:-1]:
        raise ValueError(DAMAGED)
    return arrays
