"""UMAP takes a minute to import the first time: one slow test, the rest is refused before that."""

import subprocess
import sys

import numpy as np
import pytest

from dino_core.analysis.maps import umap_map


def groups(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Three groups of directions, and whose each is."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), n)
    points = np.eye(3, 12)[labels] + 0.05 * generator.normal(size=(3 * n, 12))
    return points.astype(np.float32), labels


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_groups_stay_together_and_the_seed_decides() -> None:
    points, labels = groups()
    start = points[:, :2]
    one, two = (umap_map(points, start, neighbours=10, seed=3) for _ in range(2))
    assert one.shape == (120, 2)
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, umap_map(points, start, neighbours=10, seed=4))
    distances = np.linalg.norm(one[:, None] - one, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(1)] == labels).all()


@pytest.mark.parametrize(
    ("n", "options", "words"),
    [
        (3, {}, "at least 4"),
        (20, {"neighbours": 1}, "2 to 200"),
        (20, {"neighbours": 999}, "2 to 200"),
        (20, {"min_distance": 2}, "from 0 to 1"),
    ],
)
def test_refused_in_words(n: int, options: dict, words: str) -> None:
    points = np.ones((n, 5), dtype=np.float32)
    with pytest.raises(ValueError, match=words):
        umap_map(points, points[:, :2], **options)


def test_neither_torch_nor_umap_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, dino_core.analysis.maps; print({'torch', 'umap', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
