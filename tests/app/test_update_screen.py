"""Update in a real browser: schedules as charts with one cursor, with the library's numbers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from dino_core.runs.presets import find_preset
from dino_core.schedules import values_at

pytestmark = pytest.mark.browser
VIEW = '[data-view="update"]'
STATE = f"document.querySelector('{VIEW}')?.inside"
NAMES = (
    "learning_rate",
    "last_layer_learning_rate",
    "weight_decay",
    "momentum",
    "teacher_temperature",
)


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(
        f"(() => {{ const s = {STATE}; return s && ({condition}); }})()", timeout=60_000
    )


def charts_of(page: Page) -> str:
    page.wait_for_function(
        f"document.querySelectorAll('{VIEW} .inside-plot[data-drawn]').length === 5",
        timeout=60_000,
    )
    return f"[...document.querySelectorAll('{VIEW} .inside-plot')]"


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    """One page, which opens the screen in the first test."""
    return visitors("#screen=attention&schedule=tiny", dark=True)


def test_plotly_is_fetched_with_the_first_chart(page: Page) -> None:
    assert not page.evaluate("'Plotly' in window")
    page.click("#tab-update")
    charts_of(page)
    assert page.evaluate("'Plotly' in window")


def test_pointing_at_one_schedule_moves_the_cursor_of_all(page: Page) -> None:
    charts = charts_of(page)
    assert page.evaluate(f"{STATE}.preset") == "tiny"
    begun = page.evaluate(f"{STATE}.step")
    box = page.locator(f"{VIEW} .inside-plot").nth(3).bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"])
    wait(page, f"s.step !== {begun}")
    page.wait_for_function(
        f"{charts}.every((one) => one.layout.shapes[0].x0 === {STATE}.step)", timeout=10_000
    )
    shown = page.evaluate(STATE)
    wanted = values_at(shown["step"], find_preset("tiny").train.schedule)
    for name in NAMES:
        assert shown[name] == pytest.approx(getattr(wanted, name), rel=1e-5)
    slider = page.locator(f"{VIEW} .inside-controls input[type=range]")
    assert f"{shown['step']}" in (slider.get_attribute("aria-valuetext") or "").replace(" ", "")


def test_another_preset_and_another_theme_are_drawn_anew(page: Page) -> None:
    charts = charts_of(page)
    length = f"{charts}[0].data[0].x.at(-1)"
    before = page.evaluate(length)
    ink = f"{charts}[0].layout.template.layout.font.color"
    dark = page.evaluate(ink)
    page.locator(f"{VIEW} select").select_option("official-long")
    wait(page, "s.preset === 'official-long'")
    page.wait_for_function(f"{length} > {before}", timeout=10_000)
    page.evaluate("document.body.classList.remove('dark')")
    page.wait_for_function(f"{ink} !== '{dark}'", timeout=10_000)
