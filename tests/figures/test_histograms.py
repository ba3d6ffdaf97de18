"""Bars: shares of the draws, counts in words, edges where they belong."""

import numpy as np

from dino_core.figures import crop_areas, crop_aspects, mask_blocks, mask_counts


def test_hidden_patches_from_below_the_target_to_the_target() -> None:
    counts = [0] * 69 + [3, 0, 7, 90]  # 69, 70, 71 and 72 patches
    chart = mask_counts(counts)
    [bars] = chart.data
    assert list(bars.x) == [f"{n} patches" for n in range(66, 73)]
    assert list(bars.y) == [0, 0, 0, 3, 0, 7, 90]
    assert chart.layout.meta["note"] == "the target 72 met in 90 of 100 draws"
    assert list(chart.layout.xaxis.ticktext) == [str(n) for n in range(66, 73)]


def test_far_below_the_target_everything_is_shown_and_the_ends_are_named() -> None:
    counts = [0] * 73
    counts[50], counts[72] = 1, 1
    chart = mask_counts(counts)
    assert (chart.data[0].x[0], chart.data[0].x[-1]) == ("50 patches", "72 patches")
    assert list(chart.layout.xaxis.ticktext) == ["50", "72"]


def test_no_patch_to_hide() -> None:
    chart = mask_counts([400])
    assert list(chart.data[0].y) == [100]
    assert "met in 400 of 400 draws" in chart.layout.meta["note"]


def test_blocks_and_their_mean() -> None:
    chart = mask_blocks([0, 1, 2, 1])
    assert list(chart.data[0].y) == [0, 25, 50, 25]
    assert list(chart.data[0].customdata) == [0, 1, 2, 1]
    assert chart.data[0].x[1] == "1 block"
    assert chart.layout.meta["note"] == "4 draws; 2.0 on average"


def test_crops_as_shares_of_their_kind() -> None:
    edges = np.linspace(0, 1, 5)
    chart = crop_areas(edges, [0, 1, 2, 1], [8, 0, 0, 0])
    assert [trace.name for trace in chart.data] == ["global", "local"]
    assert list(chart.data[0].y) == [0, 25, 50, 25]
    assert list(chart.data[1].y) == [100, 0, 0, 0]
    assert chart.data[0].x[0] == "0 % to 25 %"
    axis = chart.layout.xaxis
    assert list(zip(axis.tickvals, axis.ticktext, strict=True)) == [
        (-0.5, "0 %"),
        (1.5, "50 %"),
        (3.5, "100 %"),
    ]


def test_the_middle_of_the_shapes_is_the_square() -> None:
    chart = crop_aspects(np.geomspace(3 / 4, 4 / 3, 11), [1] * 10, [0] * 10)
    assert list(chart.layout.xaxis.ticktext) == ["0.75", "1.00", "1.33"]
    assert list(chart.data[1].y) == [0] * 10, "no crop of a kind: no bars, no division by zero"
