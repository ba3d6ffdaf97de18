"""analysis/alignment.py: the best signs, orders and rotations, and colours that stay."""

from itertools import permutations, product

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from dino_core.analysis.alignment import (
    Method,
    colour_family,
    consensus,
    likeness,
    turn_to,
)
from dino_core.analysis.comparison import correlations, to_grid
from dino_core.analysis.pca import colour_features, fit_pca
from dino_core.config import PCA_PRESETS, PCAConfig

GRID = (12, 14)
ALL = PCA_PRESETS["all-patches"]


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def layer(seed: int, D: int = 16, grid: tuple[int, int] = GRID) -> Tensor:
    """Features [P, D] of an object with parts, seen in directions of each seed's own."""
    h, w = 24, 28
    inside = torch.zeros(h, w)
    inside[6:18, 7:21] = 1
    rows, columns = torch.meshgrid(
        torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij"
    )
    plan = torch.stack(
        [9 * inside, 4 * inside * rows, 3.7 * inside * columns, 2 * inside * rows**2]
    )
    kept = plan.flatten(1).T  # [P, 4], at 24 x 28
    kept = to_grid(kept, (h, w), grid)
    turn = torch.linalg.qr(drawn(D, D, seed=seed)).Q[:4]
    return kept @ turn + 0.1 * drawn(len(kept), D, seed=seed + 100)


# --- one map to another


@pytest.mark.parametrize("seed", range(6))
def test_signs_and_orders_are_the_best_of_all(seed: int) -> None:
    """Brute force: every sign, and every choice and order of 3 of 5 columns."""
    reference, scores = drawn(30, 3, seed=seed), drawn(30, 5, seed=seed + 50)
    scores[:, :3] += reference[:, [2, 0, 1]]
    table = correlations(reference, scores)

    def value(order: tuple[int, ...], signs: tuple[int, ...]) -> float:
        return sum(
            float(s * table[i, c]) for i, (c, s) in enumerate(zip(order, signs, strict=True))
        )

    def reached(matrix: Tensor) -> float:
        return float(correlations(reference, scores @ matrix).diagonal().sum())

    turns = list(product((1, -1), repeat=3))
    best = max(value((0, 1, 2), signs) for signs in turns)
    assert reached(turn_to(reference, scores, "signs")) == pytest.approx(best, abs=1e-5)
    best = max(value(order, signs) for order in permutations(range(5), 3) for signs in turns)
    assert reached(turn_to(reference, scores, "order")) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_rotation_is_scipy_s_and_no_worse_than_any_sign_or_order(seed: int) -> None:
    reference, scores = drawn(40, 3, seed=seed), drawn(40, 3, seed=seed + 9)
    scores += reference @ torch.linalg.qr(drawn(3, 3, seed=seed + 20)).Q + 7
    ours = turn_to(reference, scores, "rotation")
    x, y = (part.double().numpy() - part.double().numpy().mean(0) for part in (scores, reference))
    theirs, _ = scipy.linalg.orthogonal_procrustes(x, y)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    cosine = likeness(scores @ ours, reference)
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            other = scores[:, list(order)] * torch.tensor(signs)
            assert likeness(other, reference) <= cosine + 1e-6
    np.testing.assert_allclose(ours.T @ ours, np.eye(3), atol=1e-5)


@pytest.mark.parametrize("method", ["signs", "order", "rotation"])
def test_what_was_only_turned_comes_back(method: Method) -> None:
    reference = drawn(50, 3) * torch.tensor([5.0, 3.0, 1.0])
    turns = {
        "signs": torch.diag(torch.tensor([-1.0, 1.0, -1.0])),
        "order": torch.tensor([[0.0, -1, 0], [0, 0, 1], [1, 0, 0]]),
        "rotation": torch.linalg.qr(drawn(3, 3, seed=4)).Q,
    }
    scores = reference @ turns[method] + 2
    back = scores @ turn_to(reference, scores, method)
    torch.testing.assert_close(
        back - back.mean(0), reference - reference.mean(0), atol=1e-4, rtol=0
    )
    assert likeness(back, reference) == pytest.approx(1, abs=1e-6)


def test_likeness_is_the_cosine_of_long_vectors() -> None:
    x, y = drawn(20, 3).numpy(), drawn(20, 3, seed=1).numpy()
    x, y = x - x.mean(0), y - y.mean(0)
    wanted = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
    assert likeness(torch.tensor(x) + 3, torch.tensor(y)) == pytest.approx(wanted, abs=1e-5)


# --- the family's foreground


def test_consensus_is_the_best_sum_of_squared_correlations_whatever_the_signs() -> None:
    common = drawn(60)
    scores = [common + 0.4 * drawn(60, seed=i) for i in range(1, 5)]
    score, agreement = consensus(scores)
    turned, same = consensus([scores[0], -scores[1], scores[2], -scores[3]])
    torch.testing.assert_close(score.abs(), turned.abs(), atol=1e-4, rtol=0)
    assert agreement == pytest.approx(same, abs=1e-5)

    def worth(one: Tensor) -> float:
        return sum(np.corrcoef(one, other)[0, 1] ** 2 for other in scores)

    assert sum(a * a for a in agreement) == pytest.approx(worth(score), abs=1e-5)
    rivals = [
        sum(s * x for s, x in zip(w, scores, strict=True)) for w in product((1, -1), repeat=4)
    ]
    assert worth(score) >= max(worth(rival) for rival in [*rivals, *scores])
    assert score.mean().item() == pytest.approx(0, abs=1e-5)
    assert score.std().item() == pytest.approx(1, abs=1e-5)


def test_one_map_that_disagrees_does_not_swap_foreground_and_background() -> None:
    maps = [layer(seed) for seed in range(4)]
    rows = torch.zeros(GRID)
    rows[:6] = 8  # a map whose first component parts top and bottom
    maps.append(layer(9) + rows.flatten()[:, None])
    alone = colour_features([maps[-1]], [GRID], PCAConfig()).pictures[0].foreground
    family = colour_family(maps, [GRID] * 5, PCAConfig())
    truth = torch.zeros(GRID, dtype=torch.bool)
    truth[3:9, 4:10] = True
    for view in family.maps:
        assert torch.equal(view.foreground, family.maps[0].foreground)
        assert (view.foreground == truth).float().mean() > 0.9
    assert not torch.equal(alone, family.maps[-1].foreground)
    assert family.maps[-1].agreement < 0.6 < 0.95 < family.maps[0].agreement
    flipped = colour_family(maps, [GRID] * 5, PCAConfig(flip=True))
    assert torch.equal(flipped.maps[2].foreground, ~family.maps[2].foreground)


# --- colours that stay


@pytest.mark.parametrize("method", ["rotation", "order", "signs", "joint", "none"])
def test_the_reference_keeps_its_own_colours(method: Method) -> None:
    maps = [layer(seed) for seed in range(3)]
    family = colour_family(maps, [GRID] * 3, ALL, method=method, reference=1)
    view = family.maps[1]
    assert view.cosine == 1
    if method != "joint":
        own = colour_features([maps[1]], [GRID], ALL).pictures[0]
        torch.testing.assert_close(view.colours, own.colours, atol=1e-5, rtol=0)
        assert view.variance == pytest.approx(view.best, abs=1e-5)
        assert view.best == pytest.approx(fit_pca(maps[1]).ratio.sum().item(), abs=1e-5)


def test_rotation_undoes_what_differs_between_layers_and_loses_nothing() -> None:
    maps = [layer(seed) for seed in range(4)]
    before = colour_family(maps, [GRID] * 4, PCAConfig(), method="none")
    after = colour_family(maps, [GRID] * 4, PCAConfig(), method="rotation")
    assert min(view.cosine for view in after.maps) > 0.98
    assert min(view.cosine for view in before.maps) < 0.9
    for view in after.maps:
        assert view.variance == pytest.approx(view.best, abs=1e-5)

    def steps(family: object) -> float:
        colours = torch.stack([view.colours for view in family.maps])  # type: ignore[attr-defined]
        return float(colours.diff(dim=0).abs().mean())

    assert steps(before) > 3 * steps(after)


def test_each_is_brought_to_its_neighbour_on_the_way_from_the_reference() -> None:
    maps = [layer(seed) for seed in range(4)]
    family = colour_family(maps, [GRID] * 4, ALL, reference=2)
    for i, near in ((1, 2), (0, 1), (3, 2)):
        scores = fit_pca(maps[i]).project(maps[i])
        goal = family.maps[near].scores.flatten(0, 1)
        turned = scores @ turn_to(goal, scores, "rotation")
        torch.testing.assert_close(family.maps[i].scores.flatten(0, 1), turned, atol=1e-3, rtol=0)
        assert family.maps[i].cosine == pytest.approx(likeness(turned, goal), abs=1e-5)


def test_other_grids_and_widths() -> None:
    """A picture at two sizes, and another model's features of it."""
    grids = [(24, 28), GRID, GRID]
    maps = [layer(0, 16, grids[0]), layer(1, 16), layer(2, 24)]
    family = colour_family(maps, grids, PCAConfig())
    assert [tuple(view.colours.shape) for view in family.maps] == [(24, 28, 3)] + [(12, 14, 3)] * 2
    assert min(view.cosine for view in family.maps) > 0.9
    assert torch.equal(family.maps[0].foreground[1::2, 1::2], family.maps[2].foreground)
    with pytest.raises(ValueError, match="16 and 24 have no basis in common"):
        colour_family(maps, grids, PCAConfig(), method="joint")


def test_joint_is_one_basis_for_all() -> None:
    maps = [layer(seed) for seed in range(3)]
    family = colour_family([maps[0], 5 * maps[0] + 3, maps[1]], [GRID] * 3, ALL, method="joint")
    (
        torch.testing.assert_close(
            family.maps[0].colours, family.maps[1].colours, atol=1e-4, rtol=0
        ),
        "scale and place are no part of it",
    )
    for view in family.maps:
        assert view.variance <= view.best + 1e-6


def test_refused_in_words() -> None:
    with pytest.raises(ValueError, match="one map or more"):
        colour_family([], [], ALL)
    with pytest.raises(ValueError, match="not by 'best'"):
        colour_family([layer(0)], [GRID], ALL, method="best")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="maps 0 to 0, but no map 1"):
        colour_family([layer(0)], [GRID], ALL, reference=1)


# --- outliers


def test_tokens_of_large_norm_take_no_component_when_they_are_not_asked() -> None:
    clean = layer(0)
    spoiled, places = clean.clone(), torch.tensor([3, 40, 90])
    spoiled[places] = 60 * torch.nn.functional.normalize(drawn(3, 16, seed=8), dim=1)
    asked = torch.ones(len(clean), dtype=torch.bool)
    asked[places] = False
    wanted = colour_features([clean], [GRID], ALL).pictures[0].colours.flatten(0, 1)

    def error(mask: Tensor) -> float:
        got = colour_features([spoiled], [GRID], ALL, asked=[mask]).pictures[0].colours
        # a component may be turned: it then reads 1 - colour
        apart = (got.flatten(0, 1) - wanted)[asked].abs().mean(0)
        turned = (1 - got.flatten(0, 1) - wanted)[asked].abs().mean(0)
        return float(apart.minimum(turned).mean())

    assert error(asked) < 0.02 < 0.1 < error(torch.ones_like(asked))
    family = colour_family(
        [spoiled, layer(1)], [GRID] * 2, ALL, asked=[asked, torch.ones_like(asked)]
    )
    assert family.maps[0].cosine > 0.9
    assert ((family.maps[0].colours >= 0) & (family.maps[0].colours <= 1)).all()


@pytest.mark.parametrize(("count", "enough"), [(3, False), (4, True)])
def test_of_as_few_patches_as_colours_there_is_no_foreground(count: int, enough: bool) -> None:
    """Three components of three patches would show them all, whatever they are."""
    asked = torch.zeros(168, dtype=torch.bool)
    asked[:count] = True
    family = colour_family([layer(0), layer(1)], [GRID] * 2, ALL, asked=[asked, asked])
    assert (family.note == "") == enough


def test_a_map_that_does_not_vary_is_no_mistake() -> None:
    family = colour_family([torch.full((168, 16), 0.3), layer(0)], [GRID] * 2, PCAConfig())
    assert family.maps[0].colours.isfinite().all()
    assert family.maps[0].agreement == pytest.approx(0, abs=1e-5)
