"""Runs together in a browser: chosen, drawn, smoothed, and told apart in a table."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect
from tiny_runs import noted_run

from dino_core.scenes import packing, runs_together

pytestmark = pytest.mark.browser


@pytest.fixture
def page(visitor: Callable[..., Page], tmp_path: Path) -> Page:
    """The training screen of a server with three runs, of which one is a fine-tuning."""
    folders = {
        name: noted_run(tmp_path / name, "tiny", 8 * i) for i, name in enumerate("ab", start=1)
    }
    card = {"steps": 2, "step": 2, "state": "finished", "mine": True, "alive": False, "updated": 1}
    card |= {"asked": 1, "words": "", "place": None, "seconds_left": None, "actions": []}
    kinds = {"a": "pretraining", "b": "pretraining", "c": "fine-tuning"}
    runs = [card | {"name": n, "title": f"Run {n}", "kind": kind} for n, kind in kinds.items()]

    def answer(route: Route) -> None:
        asked = parse_qs(urlsplit(route.request.url).query)
        named = {f"Run {name}": folders[name] for name in asked["run"]}
        read = runs_together.read_runs(named)
        smoothing = float(asked["smoothing"][0])
        charts = runs_together.chart(read, "loss", asked["axis"][0], smoothing=smoothing)  # type: ignore[arg-type]
        told = {
            "charts": packing.chart_values(charts),
            "quantity": "loss",
            "quantities": runs_together.choices(read),
            "titles": list(named),
            "differences": runs_together.differences(named),
        }
        route.fulfill(json=told)

    details = {"verdict": None, "command": "", "moments": [], "report": False, "weights": None}
    opened = runs[0] | details | {"kept_steps": [], "switches": "", "history": []}
    metrics = {"lines": [], "next": 0, "mark": "", "anew": True, "more": False, "run": opened}

    def every(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"runs": runs})

    def prepare(page: Page) -> None:
        page.route("**/runs", every)
        page.route("**/runs/a/metrics*", lambda route: route.fulfill(json=metrics))
        page.route("**/runs/a", lambda route: route.fulfill(json=opened | {"step": 0}))  # Update's
        page.route(re.compile(r"/together\?"), answer)  # and not its script

    return visitor("#screen=training", prepare=prepare)


def test_runs_share_a_chart_and_their_differences_are_listed(page: Page) -> None:
    panel = page.locator(".inside-together")
    panel.locator("summary").click()
    chips = panel.locator(".inside-chips button")
    expect(chips).to_have_count(2)
    expect(chips.first).to_have_attribute("aria-pressed", "true")  # the run that is open
    expect(panel.locator("[data-chart=together]")).to_be_hidden()
    chips.nth(1).click()
    expect(chips.nth(1)).to_be_focused()
    lines = panel.locator("[data-chart=together][data-drawn] .scatterlayer .trace")
    expect(lines).to_have_count(2)
    expect(panel.locator("tbody tr")).to_have_count(1)
    expect(panel.locator("tbody tr")).to_contain_text("train.schedule.batch_size")
    panel.get_by_label("By", exact=True).select_option("pictures")
    page.wait_for_function(
        "document.querySelector('[data-chart=together]').data[1].x.join() === '0,16,32'"
    )
    panel.get_by_label("Smoothing").fill("0.5")
    expect(lines).to_have_count(4)
