"""evaluation/patch_knn.py: the votes of patches against plain loops, and what a run is told."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tiny_models import TINY, tiny_vit
from tiny_runs import coloured, files

from dino_core.datasets import find_pictures
from dino_core.embedding.preparation import square_input
from dino_core.evaluation.patch_knn import PATCHES, drawn_patches, patch_knn_accuracy, right_votes


def by_loops(features: torch.Tensor, labels: list[int], classes: int, k: int) -> list[list[bool]]:
    n, c, _ = features.shape
    mean = sum(features[i, p] for i in range(n) for p in range(c)) / (n * c)
    unit = [[F.normalize(features[i, p] - mean, dim=0) for p in range(c)] for i in range(n)]
    found = []
    for i in range(n):
        row = []
        for p in range(c):
            others = [
                (float(unit[i][p] @ unit[j][q]), labels[j])
                for j in range(n)
                for q in range(c)
                if j != i
            ]
            share = [0.0] * classes
            for similarity, label in sorted(others, reverse=True)[:k]:
                share[label] += math.exp(similarity / 0.07)
            row.append(max(range(classes), key=share.__getitem__) == labels[i])
        found.append(row)
    return found


@pytest.mark.parametrize("k", [1, 4, 1000])
def test_votes_are_those_of_the_loop(k: int) -> None:
    features = torch.randn(9, 3, 5, generator=torch.Generator().manual_seed(0)) + 2
    labels = [0, 1, 2, 0, 1, 2, 2, 1, 0]
    found = right_votes(features, torch.tensor(labels), 3, k)
    assert found.tolist() == by_loops(features, labels, 3, k)
    assert 0 < found.float().mean() < 1


def test_a_picture_has_no_vote_in_its_own_patches() -> None:
    """Each picture's patches are alike, and those of its class are elsewhere."""
    features = F.one_hot(torch.tensor([0, 1, 2, 3]), 4).float()[:, None].repeat(1, 6, 1)
    assert not right_votes(features, torch.tensor([0, 1, 2, 3]), 4).any()
    assert not right_votes(features[:1], torch.tensor([0]), 4).any(), "nobody else is there"


def test_patches_are_drawn_once_each_and_the_same_again() -> None:
    chosen = drawn_patches(5, 16, 0)
    assert chosen.shape == (5, PATCHES)
    assert all(len(set(row)) == PATCHES for row in chosen.tolist())
    assert chosen.max() < 16
    assert torch.equal(chosen, drawn_patches(5, 16, 0))
    assert not torch.equal(chosen, drawn_patches(5, 16, 1))
    assert drawn_patches(2, 4, 0).sort(1).values.tolist() == [[0, 1, 2, 3]] * 2, "all there are"


def test_a_run_is_told_the_share_of_its_own_pictures(tmp_path: Path) -> None:
    contents = coloured(3) | {"red/zz.png": b"\x89PNG\r\n\x1a\n and no more"}
    pictures = find_pictures(files(tmp_path, contents))
    vit = tiny_vit(replace(TINY, image_size=28)).train()
    share = patch_knn_accuracy(vit, pictures, 28)
    assert vit.training, "left as it was"
    labels = [label for i, label in enumerate(pictures.labels) if i != len(pictures) - 1]
    kept = [pictures.picture(i) for i in range(len(labels))]
    with torch.no_grad():
        seen = vit.eval()(torch.stack([square_input(one, 28, 14) for one in kept])).patches
    expected = by_loops(seen, labels, 3, 20)  # 4 patches each: all of them
    assert share == pytest.approx(100 * sum(map(sum, expected)) / sum(map(len, expected)))
