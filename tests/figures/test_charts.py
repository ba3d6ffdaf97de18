"""What charts share: the page's colours, one template, and one cursor when they are stacked."""

import re
from pathlib import Path
from typing import Any

import plotly.io
import pytest

from dino_core.figures import pretraining_curves, schedules, stack
from dino_core.figures.charts import Frame, Series, bar_chart, cursor_line, line_chart
from dino_core.figures.curves import SCHEDULES
from dino_core.figures.theme import PALETTES, Theme, palette, template

STYLES = Path(__file__).parents[2] / "static" / "css"
LINES = [
    {"step": step, "loss": 1.0 / step, "logged": {"ibot_loss": 2.0}, "uniform": {"ibot_loss": 2.5}}
    for step in (1, 2, 3)
]


def test_colours_are_the_page_s() -> None:
    """Whoever changes the accent in the style sheets is told to change it here too."""
    css = "\n".join(path.read_text(encoding="utf-8") for path in sorted(STYLES.rglob("*.css")))
    accents = re.findall(r"--inside-accent:\s*(#[0-9a-f]{6})", css)
    assert set(accents) == {PALETTES["light"].accent, PALETTES["dark"].accent}


def test_greys_are_those_of_the_page_s_theme() -> None:
    import gradio as gr

    slate = gr.themes.colors.slate
    light, dark = PALETTES["light"], PALETTES["dark"]
    assert (light.text, light.quiet, light.line) == (slate.c800, slate.c500, slate.c200)
    assert (dark.text, dark.quiet, dark.line) == (slate.c100, slate.c400, slate.c700)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_one_template_and_nothing_of_plotly_s_own(theme: Theme) -> None:
    chart = line_chart(Frame("t"), [1, 2], [Series("a", [1, 2])], theme)
    assert chart.layout.template.to_plotly_json() == template(theme)
    assert chart.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert chart.data[0].line.color == palette(theme).accent
    assert chart.layout.template.layout.hovermode == "x unified"


def test_an_unknown_theme_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="A theme is light or dark, but is 'blue'"):
        template("blue")  # type: ignore[arg-type]


def test_drawing_changes_nothing_global() -> None:
    before = plotly.io.templates.default, list(plotly.io.templates)
    pretraining_curves(LINES)
    assert (plotly.io.templates.default, list(plotly.io.templates)) == before


def test_stacked_charts_share_axis_and_cursor() -> None:
    charts = pretraining_curves(LINES)
    figure = stack(charts)
    assert {trace.xaxis for trace in figure.data} == {"x"}
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y2"], "the empty are left out"
    assert figure.layout.hoversubplots == "axis"
    domains = [figure.layout.yaxis.domain, figure.layout.yaxis2.domain]
    assert domains[0][0] > domains[1][1], "one below another"
    titles = [note.text for note in figure.layout.annotations]
    assert ["<b>Total loss</b>" in titles[0], "<b>iBOT</b>" in titles[1]] == [True, True]
    assert "iBOT: uniform output" in figure.data[2].hovertemplate


def test_a_menu_turns_to_logarithms_what_allows_it() -> None:
    figure = stack(pretraining_curves(LINES))
    [menu] = figure.layout.updatemenus
    assert [button.label for button in menu.buttons] == ["linear", "logarithmic"]
    assert menu.buttons[1].args[0] == {"yaxis2.type": "log"}, "the total may be below 0"
    assert menu.active == 0
    charts = pretraining_curves(LINES)
    charts["ibot_loss"].update_yaxes(type="log")
    [menu] = stack(charts).layout.updatemenus
    assert menu.active == 1, "it says how they are drawn"
    values = {name: [1.0, 2.0] for name in SCHEDULES}
    assert not stack(schedules([0, 1], values)).layout.updatemenus


def test_stacked_schedules_keep_the_cursor() -> None:
    figure = stack(schedules([0, 1], {name: [1.0, 2.0] for name in SCHEDULES}, at=1))
    assert [(shape.x0, shape.yref) for shape in figure.layout.shapes] == [(1, "paper")]


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(ValueError, match="nothing to draw yet"):
        stack(pretraining_curves([]))


def test_an_interval_reaches_from_low_to_high() -> None:
    series = Series("a", [0.5, None], low=[0.4, None], high=[0.75, None])
    bars: Any = line_chart(Frame("t"), [0, 1], [series], "light").data[0].error_y
    assert list(bars.array) == [0.25, None]
    assert bars.arrayminus[0] == pytest.approx(0.1)


def test_a_lone_series_needs_no_legend() -> None:
    one, two = Series("a", [1, 2]), Series("b", [2, 1], colour=1)
    assert [t.showlegend for t in bar_chart(Frame("t"), ["x", "y"], [one], "light").data] == [False]
    both = bar_chart(Frame("t"), ["x", "y"], [one, two], "light")
    assert [t.showlegend for t in both.data] == [True, True]


@pytest.mark.parametrize(
    ("frame", "limits", "mode", "kind"),
    [
        (Frame("t"), None, None, None),
        (Frame("t", floor=0), None, "tozero", None),
        (Frame("t", ceiling=1), None, None, None),
        (Frame("t", floor=0, ceiling=1), (0, 1), None, None),
        (Frame("t", floor=0, ceiling=1, log=True), None, None, "log"),
        (Frame("t", floor=0, log=False), None, "tozero", None),
    ],
)
def test_heights_begin_and_end_where_the_frame_says(
    frame: Frame, limits: tuple[float, float] | None, mode: str | None, kind: str | None
) -> None:
    axis = line_chart(frame, [1, 2], [Series("a", [1, 2])], "light").layout.yaxis
    assert (axis.range, axis.rangemode, axis.type) == (limits, mode, kind)


@pytest.mark.parametrize(
    ("at", "seen", "place"), [(None, False, 0), (0, True, 0), (2.5, True, 2.5)]
)
def test_a_cursor_stands_at_the_first_step_too(at: float | None, seen: bool, place: float) -> None:
    line = cursor_line(at, "light")
    assert (line["visible"], line["x0"], line["x1"]) == (seen, place, place)
