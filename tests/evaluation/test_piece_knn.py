"""evaluation/piece_knn.py: votes against plain loops, and pieces that share no pixel."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tiny_models import TINY, tiny_vit
from tiny_runs import COLOURS, files, picture

from dino_core.datasets import Pictures, find_pictures
from dino_core.evaluation import piece_knn
from dino_core.evaluation.piece_knn import (
    PIECES,
    cut_pieces,
    draw_boxes,
    pixel_knn,
    share_right,
    shown_size,
)
from dino_core.images import to_tensor
from dino_core.step.loader import generator_for


@pytest.fixture(scope="module")
def coloured(tmp_path_factory) -> Pictures:
    """Noise around a colour each, a file that is damaged and a picture without halves."""
    contents = {f"{name}.png": picture(i, rgb) for i, (name, rgb) in enumerate(COLOURS.items())}
    damaged = {"broken.png": b"\x89PNG\r\n\x1a\n and no more"}
    folder = files(tmp_path_factory.mktemp("coloured"), contents | damaged)
    Image.new("RGB", (1, 9)).save(folder / "narrow.png")
    return find_pictures(folder)


def by_loops(features: torch.Tensor) -> float:
    """The share of right votes in per cent, of features [n, 2, m, D]."""
    n, _, m, _ = features.shape
    rows = [(i, features[i, 0, p]) for i in range(n) for p in range(m)]
    mean = sum(row for _, row in rows) / len(rows)
    unit = [(i, F.normalize(row - mean, dim=0)) for i, row in rows]
    right = 0
    for i in range(n):
        for p in range(m):
            asked = F.normalize(features[i, 1, p] - mean, dim=0)
            near = sorted(((float(asked @ row), j) for j, row in unit), reverse=True)[:m]
            votes = [sum(math.exp(c / 0.07) for c, j in near if j == k) for k in range(n)]
            right += votes.index(max(votes)) == i
    return 100 * right / (n * m)


def test_votes_are_those_of_the_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    own = 0.7 * torch.randn(5, 1, 1, 6, generator=generator)
    features = own + torch.randn(5, 2, 4, 6, generator=generator) + 3
    expected = by_loops(features)
    assert share_right(features) == pytest.approx(expected)
    assert 30 < expected < 95, "neither chance nor all"


@pytest.mark.parametrize("size", [(40, 24), (41, 90), (7, 5), (2, 9)])
def test_no_pixel_is_in_pieces_of_both_halves(tmp_path: Path, size: tuple[int, int]) -> None:
    """Left of the middle all is black and right of it white: no piece has seen the other side."""
    width, height = size
    pixels = np.full((height, width, 3), 128, np.uint8)
    pixels[:, : width // 2], pixels[:, width - width // 2 :] = 0, 255
    Image.fromarray(pixels).save(tmp_path / "two.png")
    (pieces,) = cut_pieces(find_pictures(tmp_path), 16)
    assert pieces.shape == (2, PIECES, 16, 16, 3)
    assert (pieces[0] == 0).all()
    assert (pieces[1] == 255).all()


def test_boxes_are_squares_of_the_size_that_is_said_and_the_same_again() -> None:
    boxes = draw_boxes(300, 200, generator_for(0, "pieces", 3))
    sides = [right - left for half in boxes for left, _, right, _ in half]
    assert all(y1 - y0 == x1 - x0 for half in boxes for x0, y0, x1, y1 in half)
    low, high = (150 * share for share in piece_knn.SIDE)
    assert low - 1 <= min(sides) < max(sides) <= high + 1
    assert len({box for half in boxes for box in half}) == 2 * PIECES
    assert boxes == draw_boxes(300, 200, generator_for(0, "pieces", 3))
    assert boxes != draw_boxes(300, 200, generator_for(1, "pieces", 3))


def test_a_backbone_is_asked_about_every_piece(coloured: Pictures) -> None:
    vit = tiny_vit(replace(TINY, image_size=56)).train()
    found = piece_knn.piece_knn(vit, coloured, 56)
    assert vit.training, "left as it was"
    assert found is not None
    assert found.pictures == 3, "neither the damaged one nor the narrow one"
    rows = []
    with torch.no_grad():
        for pieces in cut_pieces(coloured, 42):  # three quarters of 56
            images = [to_tensor(Image.fromarray(one)) for half in pieces for one in half]
            out = vit.eval()(torch.stack(images))
            rows.append(torch.cat([out.cls, out.patches.mean(1)], 1).unflatten(0, (2, PIECES)))
    both, D = torch.stack(rows), vit.config.dim
    parts = {"cls": both[..., :D], "mean_patch": both[..., D:], "both": both}
    assert found.shares == pytest.approx({name: by_loops(one) for name, one in parts.items()})


def test_raw_pixels_are_told_by_their_light_and_never_by_their_colours(tmp_path: Path) -> None:
    def told(colours: list[tuple[int, int, int]]) -> float | None:
        folder = tmp_path / str(colours)
        folder.mkdir()
        for i, colour in enumerate(colours):
            Image.new("RGB", (40, 30), colour).save(folder / f"{i}.png")
        return pixel_knn(find_pictures(folder))

    assert told([(40, 40, 40), (200, 200, 200)]) == 100
    red, green = (200, 0, 0), (0, 102, 0)  # the same grey, 60
    assert told([red, green]) == 50, "chance"


def test_pieces_are_shown_at_the_scale_of_whole_pictures_in_whole_patches() -> None:
    assert [shown_size(*one) for one in ((112, 14), (32, 8), (98, 14), (14, 14))] == [
        84,
        24,
        70,
        14,
    ]


def test_of_one_picture_nothing_can_be_told(tmp_path: Path) -> None:
    one = find_pictures(files(tmp_path, {"a.png": picture(0)}))
    assert pixel_knn(one) is None
    assert piece_knn.piece_knn(tiny_vit(replace(TINY, image_size=28)), one, 28) is None
