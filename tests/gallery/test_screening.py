"""Which pictures of a gallery are screened, and what a screening does to its k-NN accuracy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_galleries import build_gallery, quick_maps  # noqa: F401  (a fixture)
from tiny_runs import coloured, files
from torch import Tensor

from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.screening import (
    Labelled,
    accuracy_change,
    evenly,
    is_labelled,
    labelled,
    rows_to_screen,
)
from dino_core.whatif import Screened


def screened(cls: Tensor) -> Screened:
    """With these class tokens [n, T, units, D]; the effects are not looked at."""
    return Screened(torch.zeros(cls.shape[:3]), torch.zeros(cls.shape[:3]), cls)


def test_what_is_turned_onto_the_other_axis_is_taken_for_the_other_class() -> None:
    features = np.zeros((50, 8), np.float32)
    labels = np.arange(50) % 2
    features[np.arange(50), labels] = 1
    features += 0.01 * np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    rows = [3, 10]
    found = []
    for row in rows:
        cls = torch.zeros(2, 3, 2, 8)
        cls[..., labels[row]] = 1  # nothing has changed
        cls[0, 1, 0] = torch.eye(8)[1 - labels[row]]
        if row == 3:
            cls[1, 2, 1] = torch.eye(8)[1 - labels[row]]
        found.append(screened(cls))
    before = [torch.from_numpy(features[row]) for row in rows]
    change = accuracy_change(before, found, Labelled(features, labels, rows))
    assert change.before == 1
    expected = np.zeros((2, 3, 2))
    expected[0, 1, 0], expected[1, 2, 1] = -1, -0.5
    np.testing.assert_allclose(change.change, expected, atol=1e-6)


def test_a_picture_is_not_its_own_neighbour() -> None:
    features = np.eye(4, dtype=np.float32)[[0, 1, 1, 1]]
    gallery = Labelled(features, np.array([0, 1, 1, 1]), [0])
    found = [screened(torch.ones(1, 3, 2, 4))]
    assert accuracy_change([torch.from_numpy(features[0])], found, gallery).before == 0


def test_votes_are_those_of_a_plain_loop() -> None:
    """Random features, more pictures than neighbours: one loop over all pairs for each question."""
    generator = np.random.default_rng(1)
    features = generator.standard_normal((60, 5)).astype(np.float32)
    labels = generator.integers(0, 3, 60)
    rows = [0, 7, 31, 59]
    tokens = generator.standard_normal((len(rows), 2, 3, 2, 5)).astype(np.float32)
    found = [screened(torch.from_numpy(one)) for one in tokens]
    before = [torch.from_numpy(features[row]) for row in rows]
    change = accuracy_change(before, found, Labelled(features, labels, rows))

    def is_right(query: np.ndarray, row: int) -> bool:
        cosines = features @ query / np.linalg.norm(features, axis=1) / np.linalg.norm(query)
        nearest = [i for i in np.argsort(-cosines) if i != row][:20]
        votes = np.zeros(3)
        for i in nearest:
            votes[labels[i]] += np.exp(cosines[i] / 0.07)
        return bool(votes.argmax() == labels[row])

    share = np.mean([is_right(features[row], row) for row in rows])
    assert change.before == pytest.approx(share)
    for place in np.ndindex(2, 3, 2):
        after = np.mean([is_right(one[place], row) for one, row in zip(tokens, rows, strict=True)])
        assert change.change[place] == pytest.approx(after - share), place


def test_pictures_are_taken_evenly() -> None:
    assert evenly(range(10), 99) == list(range(10))
    assert evenly(range(100), 4) == [12, 37, 62, 87]
    assert evenly([], 3) == []


@pytest.mark.usefixtures("quick_maps")
def test_labelled_pictures_of_a_gallery(tmp_path: Path, weights: Path) -> None:
    data = files(tmp_path / "data", coloured(4))
    store = GalleryFolder(build_gallery(data, tmp_path / "gallery", weights))
    assert is_labelled(store)
    rows = rows_to_screen(store, 3)
    labels = store.listing().labels()
    assert sorted(labels[rows]) == [0, 1, 2], "one of each class"
    found = labelled(store, rows)
    np.testing.assert_array_equal(found.features, store.features("cls", None))
    assert list(found.rows) == rows
    some = store.some(rows)
    assert list(some.names) == [store.listing().name(row) for row in rows]
    for i, row in enumerate(rows):
        assert some.read(i) == store.one(row).read(0)


@pytest.mark.usefixtures("quick_maps")
def test_a_gallery_without_labels_has_pictures_all_the_same(tmp_path: Path, weights: Path) -> None:
    data = files(tmp_path / "data", {f"{i}.png": one for i, one in enumerate(coloured(2).values())})
    store = GalleryFolder(build_gallery(data, tmp_path / "gallery", weights))
    assert not is_labelled(store)
    assert rows_to_screen(store, 3) == [1, 3, 5]
