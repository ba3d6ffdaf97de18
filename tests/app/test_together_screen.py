"""Runs together in a browser: chosen, drawn, smoothed, and told apart in a table."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tiny_runs import kept_moment, noted_run

from dino_core.scenes import packing, probes, runs_together

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page], tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The training screen of a server with three runs, of which one is a fine-tuning."""
    tmp_path = tmp_path_factory.mktemp("runs")
    folders = {
        name: noted_run(tmp_path / name, "tiny", 8 * i) for i, name in enumerate("ab", start=1)
    }
    for i, folder in enumerate(folders.values()):
        for step in (0, 10 * (i + 1)):
            kept_moment(folder, f"step-{step:08}", 2 * i + step)
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
            "runs": [
                {"name": n, "title": f"Run {n}", "moments": probes.milestones(folders[n])}
                | {"mended": 0}
                for n in asked["run"]
            ],
        }
        route.fulfill(json=told)

    def look(route: Route) -> None:
        url = urlsplit(route.request.url)
        name, moment = url.path.split("/")[-3], url.path.split("/")[-1]
        home = {key: values[0] for key, values in parse_qs(url.query).items()}
        scene = probes.probe_scene(folders[name], moment, (folders[home["to"]], home["at"]))
        body, kind = packing.packed(scene, "page")
        route.fulfill(body=body, content_type=kind)

    details = {"verdict": None, "command": "", "moments": [], "report": False, "weights": None}
    opened = runs[0] | details | {"kept_steps": [], "switches": "", "history": []}
    opened |= {"notes": {"name": "", "note": "", "pictures": ""}}
    metrics = {"lines": [], "next": 0, "mark": "", "anew": True, "more": False, "run": opened}

    def every(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"runs": runs})

    def prepare(page: Page) -> None:
        page.route("**/runs", every)
        page.route("**/runs/a/metrics*", lambda route: route.fulfill(json=metrics))
        page.route("**/runs/a", lambda route: route.fulfill(json=opened | {"step": 0}))  # Update's
        page.route(re.compile(r"/together\?"), answer)  # and not its script
        page.route("**/runs/*/probe/*", look)

    return visitors("#screen=training", prepare=prepare)


def open_panel(page: Page) -> Locator:
    panel = page.locator(".inside-together")
    if not panel.locator(".inside-chips").is_visible():
        panel.locator("summary").click()
    return panel


def test_runs_share_a_chart_and_their_differences_are_listed(page: Page) -> None:
    panel = open_panel(page)
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


def test_the_same_picture_of_several_runs_is_under_one_slider(page: Page) -> None:
    panel = open_panel(page)
    second = panel.locator(".inside-chips button").nth(1)
    if second.get_attribute("aria-pressed") != "true":
        second.click()
    row = panel.locator(".inside-side-by-side figcaption")
    expect(row).to_have_text(["Run astep 10", "Run bstep 20"])
    slider = panel.get_by_label("By step")
    slider.focus()
    page.keyboard.press("ArrowLeft")  # of the steps 0, 10 and 20
    expect(row).to_have_text(["Run astep 10", "Run bstep 0"])
    page.keyboard.press("Home")
    expect(row).to_have_text(["Run astep 0", "Run bstep 0"])
    panel.get_by_role("button", name="dog", exact=True).click()
    expect(panel.get_by_role("img", name="PCA: Run b, step 0")).to_be_visible()
