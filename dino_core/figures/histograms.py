"""How often: patches and blocks of masks, areas and shapes of crops, over many draws."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from dino_core.figures.charts import Frame, Series, bar_chart, tick
from dino_core.figures.theme import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHOWN_BELOW = 6  # patches below the target that are shown at least
ALL_NAMED = 15  # places up to which each has its number


def mask_counts(counts: Sequence[int], theme: Theme = "light") -> "go.Figure":
    """How many patches the masks hid.

    counts [target + 1]: in how many draws 0, 1, ... target patches were hidden; the target is never
    exceeded.
    """
    counts, target = [int(count) for count in counts], len(counts) - 1
    draws = sum(counts)
    lowest = next((i for i, count in enumerate(counts) if count), 0)
    start = max(0, min(lowest, target - SHOWN_BELOW))
    places = range(start, target + 1)
    frame = Frame(
        "Patches hidden",
        f"the target {target} met in {counts[target]} of {draws} draws",
        "patches",
        floor=0,
    )
    labels = [_plural(place, "patch", "patches") for place in places]
    chart = bar_chart(frame, labels, [_shares("", [counts[i] for i in places])], theme)
    return _numbered(chart, list(places))


def mask_blocks(counts: Sequence[int], theme: Theme = "light") -> "go.Figure":
    """How many blocks the masks took. counts [most + 1]: in how many draws it were 0, 1, ..."""
    counts = [int(count) for count in counts]
    draws = sum(counts)
    mean = sum(i * count for i, count in enumerate(counts)) / max(draws, 1)
    frame = Frame("Blocks in a mask", f"{draws} draws; {mean:.1f} on average", "blocks", floor=0)
    labels = [_plural(i, "block", "blocks") for i in range(len(counts))]
    chart = bar_chart(frame, labels, [_shares("", counts)], theme)
    return _numbered(chart, list(range(len(counts))))


def crop_areas(
    edges: Sequence[float],
    global_counts: Sequence[int],
    local_counts: Sequence[int],
    theme: Theme = "light",
) -> "go.Figure":
    """Share of the picture that crops cover, global and local.

    edges [n + 1], 0 to 1; counts [n] of crops between two of them. Heights are shares of each kind.
    """
    frame = Frame("Share of the picture", "", "area", floor=0)
    return _crop_bars(frame, edges, (global_counts, local_counts), _percent, theme)


def crop_aspects(
    edges: Sequence[float],
    global_counts: Sequence[int],
    local_counts: Sequence[int],
    theme: Theme = "light",
) -> "go.Figure":
    """Width by height of crops, global and local: edges [n + 1], counts [n] between two of them."""
    frame = Frame("Width / height", "", "aspect", floor=0)
    return _crop_bars(frame, edges, (global_counts, local_counts), "{:.2f}".format, theme)


def _crop_bars(
    frame: Frame,
    edges: Sequence[float],
    counts: tuple[Sequence[int], Sequence[int]],
    words: Callable[[float], str],
    theme: Theme,
) -> "go.Figure":
    named = [words(float(edge)) for edge in edges]
    labels = [f"{low} to {high}" for low, high in pairwise(named)]
    series = [
        _shares(name, [int(count) for count in kind], colour)
        for name, kind, colour in zip(("global", "local"), counts, (0, -1), strict=True)
    ]
    chart, n = bar_chart(frame, labels, series, theme), len(labels)
    chart.update_yaxes(ticksuffix=" %")
    return tick(chart, [-0.5, n / 2 - 0.5, n - 0.5], [named[0], named[n // 2], named[-1]])


def _shares(name: str, counts: Sequence[int], colour: int = 0) -> Series:
    """Bars whose heights are per cent of their sum; pointing at one tells the count too."""
    total = sum(counts)
    return Series(
        name=name,
        y=[100 * count / max(total, 1) for count in counts],
        colour=colour,
        details=list(counts),
        hover=f"%{{customdata}} of {total} (%{{y:.1f}} %)",
    )


def _numbered(chart: "go.Figure", numbers: Sequence[int]) -> "go.Figure":
    chart.update_yaxes(ticksuffix=" %")
    every = range(len(numbers)) if len(numbers) < ALL_NAMED else (0, len(numbers) - 1)
    return tick(chart, list(every), [str(numbers[i]) for i in every])


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
