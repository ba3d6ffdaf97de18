"""What the charts of a change draw: the numbers of their traces."""

import numpy as np
import pytest

from dino_core import figures

RNG = np.random.default_rng(0)


def test_the_change_is_one_minus_the_cosine() -> None:
    cls, patches = np.array([1.0, 0.5, 0.25]), np.array([1.0, 0.75, 0.5])
    chart = figures.change_by_layer(cls, patches)
    first, second = chart.data
    assert (first.y, second.y) == ((0, 0.5, 0.75), (0, 0.25, 0.5))
    assert first.x == (0, 1, 2)
    assert (first.meta["part"], second.meta["part"]) == ("cls", "patches")


def test_a_screening_is_a_grid_for_each_value_in_one_range() -> None:
    effect = {"cls": RNG.random((3, 4, 2, 5)), "patches": RNG.random((3, 4, 2, 5))}
    values, units = ("zero", "noise", "mean"), ["attention", "MLP"]
    charts = figures.screening(effect["cls"], effect["patches"], values=values, units=units)
    names = [f"{part}_{value}" for part in effect for value in (*values, "shock")]
    assert list(charts) == names
    for part, numbers in effect.items():
        for n, value in enumerate(values):
            grid = charts[f"{part}_{value}"].data[0]
            np.testing.assert_allclose(grid.z, numbers[n].mean(-1), rtol=1e-2)
            np.testing.assert_allclose(grid.customdata, numbers[n].std(-1), rtol=1e-2)
            assert (grid.zmin, grid.zmax) == (0, numbers.mean(-1).max())
            assert (list(grid.x), list(grid.y)) == (units, ["0", "1", "2", "3"])
        shock = charts[f"{part}_shock"].data[0]
        np.testing.assert_allclose(
            shock.z, (numbers[0] - numbers[2]).mean(-1), rtol=1e-2, atol=1e-3
        )
        assert shock.zmin == -shock.zmax
        assert shock.colorscale != charts[f"{part}_zero"].data[0].colorscale, "it has a sign"
    assert {chart.layout.yaxis.autorange for chart in charts.values()} == {"reversed"}


def test_the_range_of_shock_holds_what_is_far_below_zero_too() -> None:
    effect = np.array([[[[0.125]]], [[[0.875]]]])  # zero does less than the mean
    charts = figures.screening(effect, effect, values=("zero", "mean"), units=["0"])
    shock = charts["cls_shock"].data[0]
    assert (shock.zmin, shock.zmax, shock.z[0][0]) == (-0.75, 0.75, -0.75)


@pytest.mark.parametrize("values", [("zero",), ("mean", "other")])
def test_shock_needs_both(values: tuple[str, ...]) -> None:
    effect = np.zeros((len(values), 2, 3, 1))
    charts = figures.screening(effect, effect, values=values, units=["0", "1", "2"])
    assert not [name for name in charts if name.endswith("shock")]
    assert charts[f"cls_{values[0]}"].layout.meta["note"] == "1 - cosine"
