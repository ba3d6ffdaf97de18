"""The scene that the tests of the page's scripts read, as the server would send it.

`PYTHONPATH=. python tests/script_scene.py` writes it; a test says when it is out of date.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dino_core.draw.encode import pack

FILE = Path(__file__).resolve().parents[1] / "static/js/test/scene.safetensors"


@dataclass(frozen=True)
class Example:
    """One array of each kind, a tuple of arrays, and facts beyond ASCII."""

    title: str
    grid: tuple[int, int]
    numbers: np.ndarray
    bytes: np.ndarray
    whole: np.ndarray
    yes: np.ndarray
    parts: tuple[np.ndarray, ...]
    missing: np.ndarray | None = None


def example() -> bytes:
    numbers = np.array([[0.5, -1.25, np.nan], [np.inf, 1e-20, 3]], dtype=np.float32)
    return pack(
        Example(
            title="Zwölf · 十二",
            grid=(2, 3),
            numbers=numbers,
            bytes=np.arange(250, 256, dtype=np.uint8),
            whole=np.array([-(2**31), 2**31 - 1], dtype=np.int32),
            yes=np.array([True, False, True]),
            parts=(np.array([7], dtype=np.uint8), np.array([8, 9], dtype=np.int32)),
        )
    )


if __name__ == "__main__":
    FILE.write_bytes(example())
