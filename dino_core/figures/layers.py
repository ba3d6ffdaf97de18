"""What changes from block to block: lengths of tokens, updates, what a probe reads off a layer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dino_core.figures.charts import Frame, Series, bar_chart, cursor_line, line_chart, tick
from dino_core.figures.curves import rounded
from dino_core.figures.theme import Theme

if TYPE_CHECKING:
    import numpy as np
    import plotly.graph_objects as go

KIND_TITLES = {"cls": "class token", "mean_patch": "mean patch", "both": "both"}
TICKS = 14  # blocks that are named below an axis, about
NUMBERED = 12  # bars that have room for their number above them


def token_lengths(
    norms: "np.ndarray", registers: int, patch: int | None = None, theme: Theme = "light"
) -> "go.Figure":
    """How long the tokens are before the first block and after each, by their logarithm.

    norms [L + 1, N], N = 1 + R + P: class token, registers, patches. `patch`, 0 to P - 1, has a
    curve of its own; without it that curve (`meta.part` "patch") is there, empty.
    """
    import numpy as np

    first = 1 + registers
    patches = norms[:, first:]
    of_patch = patches[:, patch].tolist() if patch is not None else []
    series = [
        _line("class token", norms[:, 0].tolist(), 0, part="cls"),
        _line("registers, mean", norms[:, 1:first].mean(1).tolist(), 1, "dash", part="registers")
        if registers
        else None,
        _line("patches, median", np.median(patches, 1).tolist(), 2, part="median"),
        _line("longest patch", patches.max(1).tolist(), 3, "dot", part="longest"),
        _line("this patch", of_patch, -2, width=1.25, part="patch"),
    ]
    frame = Frame("Length of the tokens", "step by step", "step", "blocks", log=True)
    return _by_step(frame, len(norms), [one for one in series if one is not None], theme)


def block_updates(updates: "np.ndarray", registers: int, theme: Theme = "light") -> "go.Figure":
    """What a block adds to the tokens, as a share of what enters it, by its logarithm.

    updates [L, 2, N]: attention's and the MLP's, relative to what enters. The first place, before
    all blocks, is left empty, so that the places are those of `token_lengths`.
    """
    patches, cls = updates[:, :, 1 + registers :].mean(2), updates[:, :, 0]  # [L, 2] each
    series = [
        _line("attention, mean patch", [None, *patches[:, 0].tolist()], 0),
        _line("MLP, mean patch", [None, *patches[:, 1].tolist()], 2),
        _line("attention, class token", [None, *cls[:, 0].tolist()], 0, "dash", 1.25),
        _line("MLP, class token", [None, *cls[:, 1].tolist()], 2, "dot", 1.25),
    ]
    frame = Frame("What a block adds", "share of what enters it", "step", "blocks", log=True)
    return _by_step(frame, len(updates) + 1, series, theme)


def explained_variance(
    ratio: "np.ndarray", shown: Sequence[int] = (0, 1, 2), theme: Theme = "light"
) -> "go.Figure":
    """Share of the variance that each principal component explains.

    ratio [k], 0 to 1, largest first; `shown`: the components that became red, green and blue.
    """
    shares = [100 * float(share) for share in ratio]
    sums = [sum(shares[: i + 1]) for i in range(len(shares))]
    colours = ["red", "green", "blue"]
    names = [
        f"component {i}" + (f", {' and '.join(seen)}" if seen else "")
        for i in range(len(shares))
        for seen in [[colour for at, colour in zip(shown, colours, strict=False) if at == i]]
    ]
    total = sum(shares[i] for i in set(shown) if i < len(shares))
    frame = Frame("Explained variance", f"{total:.1f} % by those shown", "", floor=0)
    hover = "%{y:.1f} %, up to here %{customdata:.1f} %"
    bars = Series("share of the variance", rounded(shares), details=rounded(sums), hover=hover)
    chart = bar_chart(frame, names, [bars], theme)
    opacity = [1.0 if i in shown else 0.4 for i in range(len(shares))]
    chart.update_traces(marker={"opacity": opacity})
    if len(shares) <= NUMBERED:
        chart.update_traces(texttemplate="%{y:.1f}", textposition="outside", cliponaxis=False)
    chart.update_yaxes(ticksuffix=" %")
    return tick(chart, list(range(len(shares))), [str(i) for i in range(len(shares))])


def probe_accuracy(
    accuracy: "np.ndarray",
    low: "np.ndarray",
    high: "np.ndarray",
    *,
    kinds: Sequence[str],
    chance: float | None = None,
    note: str = "",
    theme: Theme = "light",
) -> "go.Figure":
    """How much a simple classifier reads off each layer, with intervals.

    accuracy, low, high [L, kinds], 0 to 1, NaN where nothing was computed; `chance`: what a
    constant answer scores, a dashed line. `trace.meta.part` is the kind; `layout.shapes[0]` is a
    cursor that is not to be seen yet.
    """
    layers = list(range(len(accuracy)))
    series = [
        Series(
            KIND_TITLES.get(kind, kind),
            _percents(accuracy[:, k]),
            colour=k,
            low=_percents(low[:, k]),
            high=_percents(high[:, k]),
            details=list(zip(_percents(low[:, k]), _percents(high[:, k]), strict=True)),
            hover="%{y:.1f} % (%{customdata[0]:.0f} to %{customdata[1]:.0f})",
            meta={"part": kind},
        )
        for k, kind in enumerate(kinds)
    ]
    if chance is not None:
        level = [100 * chance] * len(layers)
        word = "always the commonest class"
        series.append(Series(word, level, -1, "dash", 1.25, {"part": "chance"}, hover="%{y:.1f} %"))
    frame = Frame("Accuracy by layer", note or "95 % intervals", "layer", "probes")
    chart = line_chart(frame, layers, series, theme)
    chart.update_layout(scattermode="group", scattergap=0.8)  # intervals side by side
    chart.update_layout(shapes=[cursor_line(None, theme)])
    chart.update_yaxes(ticksuffix=" %")
    return chart.update_xaxes(dtick=max(len(layers) // TICKS, 1))


def step_names(steps: int) -> list[str]:
    """What the places are called: before the first block, and after each."""
    return ["before block 0", *(f"after block {i}" for i in range(steps - 1))]


def _by_step(frame: Frame, steps: int, series: Sequence[Series], theme: Theme) -> "go.Figure":
    chart = line_chart(frame, step_names(steps), series, theme)
    chart.update_layout(shapes=[cursor_line(None, theme)])
    every = max(round(steps / TICKS), 1)
    places = [at for at in range(steps) if at == 0 or (at - 1) % every == 0]
    return tick(chart, places, ["in" if at == 0 else str(at - 1) for at in places])


def _line(
    name: str,
    values: Sequence[Any],
    colour: int,
    dash: str = "solid",
    width: float = 2.0,
    part: str = "",
) -> Series:
    meta = {"part": part} if part else {}
    return Series(name, rounded(values), colour, dash, width, meta, hover="%{y:.3g}")


def _percents(shares: "np.ndarray") -> list[float | None]:
    return [None if share != share else round(100 * float(share), 3) for share in shares]
