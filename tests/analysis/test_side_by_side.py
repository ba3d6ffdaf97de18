"""Two side by side: matches and comparisons against plain loops and the pieces they are made of."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from dino_core.analysis.comparison import linear_cka, nearest
from dino_core.analysis.pca import colour_features, fit_pca
from dino_core.analysis.side_by_side import compared, drawn_pairs, matched
from dino_core.config import PCA_PRESETS

ALL = PCA_PRESETS["all-patches"]


def features(n: int, seed: int, D: int = 12) -> Tensor:
    """Directions of unlike lengths, so that components do not change places."""
    values = torch.randn(n, D, generator=torch.Generator().manual_seed(seed))
    return values * torch.arange(D, 0, -1).sqrt() + 0.5


@pytest.mark.parametrize(("grid", "radius"), [((4, 5), 1), ((24, 25), 2), ((40, 41), 2)])
def test_lines_keep_a_sixteenth_of_the_short_side_apart(grid: tuple[int, int], radius: int) -> None:
    points = features(grid[0] * grid[1], 0)
    found = matched([points, points], [grid, grid], None)
    assert found.radius == radius
    places = [divmod(at, grid[1]) for at in found.lines.tolist()]
    for i, (row, column) in enumerate(places):
        for other in places[:i]:
            assert max(abs(row - other[0]), abs(column - other[1])) > radius
    assert found.matches.mutual.all()


def test_lines_start_and_end_on_the_foreground() -> None:
    first, second = features(30, 1), features(42, 2)
    grids = [(5, 6), (6, 7)]
    views = colour_features([first, second], grids, PCA_PRESETS["paper"]).pictures
    start, end = (view.foreground.flatten() for view in views)
    found = matched([first, second], grids, PCA_PRESETS["paper"])
    everywhere = matched([first, second], grids, None)
    assert len(found.lines) < len(everywhere.lines)
    assert len(found.lines) > 0
    for at in found.lines.tolist():
        assert start[at]
        assert end[found.matches.forward[at]]
        assert found.matches.mutual[at]


def test_pairs_are_rows_and_columns_of_both_pictures() -> None:
    first, second = features(12, 3), features(20, 4)
    grids = [(3, 4), (4, 5)]
    found = matched([first, second], grids, None)
    pairs = drawn_pairs(found, grids, 3)
    assert len(pairs) == min(3, len(found.lines)) > 1
    for at, ((row, column), (below, right), cosine) in zip(found.lines, pairs, strict=False):
        assert row * 4 + column == at
        assert below * 5 + right == found.matches.forward[at]
        one, other = first[at], second[below * 5 + right]
        assert cosine == pytest.approx(float(one @ other / one.norm() / other.norm()), abs=1e-5)
    assert [pair[2] for pair in pairs] == sorted((pair[2] for pair in pairs), reverse=True)


def test_what_was_shuffled_and_turned_is_put_back() -> None:
    """The second map holds the first one's components in another order and with other signs."""
    first = features(42, 5)
    grid = (6, 7)
    pca = fit_pca(first, 12)
    scores = pca.project(first)
    scale = torch.tensor([1.0, 3, 2, *[1.0] * 9])  # green becomes the largest, then blue
    second = 2 * scores * scale * torch.tensor([-1.0, 1, -1, *[1.0] * 9]) + 3
    found = compared(first, second, [grid, grid], ALL)
    own = fit_pca(second, 8).project(second)
    table = torch.corrcoef(torch.cat([scores[:, :3], own], 1).T)[:3, 3:]
    for k in range(3):
        best = int(table[k].abs().argmax())
        assert found.alignment.order[k] == best
        assert found.alignment.signs[k] == table[k, best].sign()
        got = found.second_scores.flatten(0, 1)[:, k]
        torch.testing.assert_close(got, own[:, best] * table[k, best].sign(), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found.scores.flatten(0, 1), scores[:, :3], rtol=1e-3, atol=1e-4)
    assert found.cka == pytest.approx(linear_cka(first, second), abs=1e-6)
    assert found.cka_biased == pytest.approx(linear_cka(first, second, debiased=False), abs=1e-6)
    assert found.cka != found.cka_biased
    low, high = found.second_scores.amin((0, 1)), found.second_scores.amax((0, 1))
    torch.testing.assert_close(found.second_colours, (found.second_scores - low) / (high - low))


def test_the_second_map_has_the_first_one_s_foreground_on_its_own_grid() -> None:
    first, second = features(30, 6), features(120, 7, 20)
    found = compared(first, second, [(5, 6), (10, 12)], PCA_PRESETS["paper"])
    view = colour_features([first], [(5, 6)], PCA_PRESETS["paper"]).pictures[0]
    inside = nearest(view.foreground.flatten(), (5, 6), (10, 12)).unflatten(0, (10, 12))
    torch.testing.assert_close(found.colours, view.colours)
    assert (found.second_colours[~inside] == 0).all()
    assert found.second_colours[inside].amax() == 1
    assert found.second_colours.shape == (10, 12, 3)
    chosen = compared(first, second, [(5, 6), (10, 12)], replace(ALL, components=(2, 0, 1)))
    plain = compared(first, second, [(5, 6), (10, 12)], ALL)
    torch.testing.assert_close(chosen.scores, plain.scores[..., [2, 0, 1]])


def test_whitened_scores_are_in_standard_deviations() -> None:
    first, second = features(42, 8), features(42, 9)
    found = compared(first, second, [(6, 7)] * 2, replace(ALL, whiten=True))
    for scores in (found.scores, found.second_scores):
        torch.testing.assert_close(scores.flatten(0, 1).std(0), torch.ones(3), rtol=1e-3, atol=1e-3)
