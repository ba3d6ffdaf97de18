"""Arrays that others read while they are written."""

from pathlib import Path

import numpy as np

from dino_core.writing import replacing


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """An NPZ, replaced as a whole: a reader sees the old one or the new one, never half of it."""
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
