"""Frames of a film: one basis for all, and what is tracked, against the parts and plain loops."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit
from torch import Tensor

from dino_core.analysis.inspection import inspect
from dino_core.analysis.pca import colour_features
from dino_core.analysis.propagation import propagate, to_masks
from dino_core.analysis.videos import (
    MOST_LABELS,
    frame_features,
    in_one_basis,
    labels_from_patches,
    one_hot,
    track,
)
from dino_core.config import PCA_PRESETS, PropagationConfig
from dino_core.images import Fitted, fit_to_patches, to_tensor
from dino_core.vit.between import between_blocks


@pytest.fixture(scope="module")
def fitted() -> list[Fitted]:
    """Three frames of 3 x 4 patches."""
    noise = np.random.default_rng(0).integers(0, 255, (3, 42, 56, 3), np.uint8)
    return [fit_to_patches(Image.fromarray(one), 14, 42) for one in noise]


@pytest.fixture(scope="module")
def features(fitted: list[Fitted]) -> list[Tensor]:
    return list(frame_features(tiny_vit(TINY), fitted, 0))


def test_features_are_those_of_the_whole_forward(
    fitted: list[Fitted], features: list[Tensor]
) -> None:
    for one, found in zip(fitted, features, strict=True):
        seen = inspect(tiny_vit(TINY), to_tensor(one.picture))
        torch.testing.assert_close(found, seen.patches(0), rtol=1e-4, atol=1e-4)


def test_all_frames_have_one_basis(fitted: list[Fitted], features: list[Tensor]) -> None:
    found = in_one_basis(features, fitted, PCA_PRESETS["paper"])
    joint = colour_features(features, [(3, 4)] * 3, PCA_PRESETS["paper"])
    for i, view in enumerate(joint.pictures):
        torch.testing.assert_close(found.colours[i], view.colours)
        assert torch.equal(found.foreground[i], view.foreground)
    torch.testing.assert_close(found.ratio, joint.pca.ratio)


def test_labels_grow_over_what_is_alike_and_a_named_patch_keeps_its_own() -> None:
    """Two stripes, three columns; the middle row is unlike both."""
    up, across = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    rows = torch.stack([up] * 3 + [across] * 3 + [up] * 3)  # [9, 2]
    found = labels_from_patches(rows, (3, 3), [(0, 0), (2, 1), (2, 2)], 0.9)
    places = found.argmax(1).view(3, 3).tolist()
    assert places == [[1, 1, 1], [0, 0, 0], [3, 2, 3]]
    assert (found.sum(1) == 1).all()
    everything = labels_from_patches(rows, (3, 3), [(0, 0)], -1.0)
    assert everything.argmax(1).tolist() == [1] * 9
    with pytest.raises(ValueError, match="no patch 3,0"):
        labels_from_patches(rows, (3, 3), [(3, 0)])
    default = labels_from_patches(
        torch.tensor([[1.0, 0], [0.8, 0.6], [0.6, 0.8]]), (1, 3), [(0, 0)]
    )
    assert default.argmax(1).tolist() == [1, 1, 0], "a cosine of 0.7 is enough"


@pytest.mark.parametrize(("most", "fine"), [(0, False), (1, True), (12, True), (13, False)])
def test_one_to_twelve_things_are_tracked(most: int, fine: bool) -> None:
    places = torch.tensor([0, most])
    if fine:
        assert one_hot(places).tolist() == [
            [1.0] + [0.0] * most,
            [0.0] * most + [1.0],
        ]
        return
    with pytest.raises(ValueError, match=f"1 to {MOST_LABELS} things are tracked, .* {most}"):
        one_hot(places)


def test_what_is_tracked_is_carried_from_frame_to_frame(
    fitted: list[Fitted], features: list[Tensor]
) -> None:
    first = one_hot(torch.tensor([0, 1, 2, 0] * 3))
    config = PropagationConfig(neighbours=2, radius=1, queue=1)
    asked: list[int] = []
    with between_blocks(lambda: asked.append(1)):
        found = track(features, first, fitted[0], config)
    assert len(asked) >= 3, "after every frame somebody may say that it is not wanted any more"
    wanted = list(propagate(features, first, (3, 4), config))
    assert found.labels.shape == (3, 3, 3, 4)
    assert found.masks.shape == (3, 42, 56)
    assert found.masks.dtype == torch.uint8
    for i, labels in enumerate(wanted):
        for k in range(3):
            torch.testing.assert_close(found.labels[i, k].flatten(), labels[:, k])
        assert torch.equal(found.masks[i].long(), to_masks(labels, (3, 4), (42, 56)))
