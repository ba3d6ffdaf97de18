"""figures/shares.py: whose the gradients were, of a long run as of a short one."""

from itertools import pairwise

from dino_core.figures.shares import COLUMNS, NAMED, shares_over_run

LAYERS = [f"block {i}" for i in range(24)]


def lines(count: int) -> list[dict]:
    shares = {"ibot": dict.fromkeys(LAYERS, 0.25), "koleo": {"block 0": None}}
    looked = [{"step": 50 * i, "gradient_shares": shares} for i in range(count)]
    return [one for line in looked for one in (line, {"step": line["step"], "loss": 1.0})]


def test_a_column_is_a_look_and_a_cell_per_cent() -> None:
    charts = shares_over_run(lines(3))
    assert list(charts) == ["shares_ibot", "shares_koleo"]
    cells = charts["shares_ibot"].data[0]
    assert (list(cells.x), list(cells.y)) == ([0, 50, 100], LAYERS)
    assert [list(row) for row in cells.z] == [[25.0] * 3] * 24
    assert [list(row) for row in charts["shares_koleo"].data[0].z] == [[None] * 3]
    ticks = charts["shares_ibot"].layout.yaxis.tickvals
    assert len(ticks) <= NAMED
    assert ticks[0] == 0
    assert shares_over_run([{"step": 1, "loss": 2.0}]) == {}


def test_a_long_run_is_thinned_evenly_and_keeps_its_newest_look() -> None:
    steps = list(shares_over_run(lines(2 * COLUMNS + 2))["shares_ibot"].data[0].x)
    assert len(steps) <= COLUMNS
    assert steps[-1] == 50 * (2 * COLUMNS + 1)
    assert len({b - a for a, b in pairwise(steps)}) == 1
