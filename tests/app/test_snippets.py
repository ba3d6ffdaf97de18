"""The Python that a screen offers runs as it stands, and finds what the screen shows."""

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
LINK = "#sample=cat.jpg&layer=7&row=4&col=9&whatif=head:8.3=zero*mlp:2=mean&screen=crops"


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    return visitors(LINK)


def snippet(page: Page, screen: str) -> str:
    view = page.locator(f'[data-view="{screen}"]')
    view.get_by_role("button", name="Python", exact=True).click()
    expect(view.locator(".inside-code")).to_contain_text("import")  # as soon as it shows something
    return view.locator(".inside-code").inner_text()


def run(code: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], str]:
    """What the code defines and prints, run from the project's folder."""
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "snippet", "exec"), names)
    return names, printed.getvalue()


@pytest.mark.parametrize(
    "screen",
    [
        "crops",
        "masks",
        "tokens",
        "attention",
        "features",
        "whatif",
        "losses",
        "step",
        "tray",
        "gallery",
    ],
)
def test_the_snippet_runs(page: Page, monkeypatch: pytest.MonkeyPatch, screen: str) -> None:
    page.click(f"#tab-{screen}")
    page.wait_for_selector(f'[data-view="{screen}"][data-ready]')
    names, printed = run(snippet(page, screen), monkeypatch)
    assert printed.strip(), "a snippet shows something"
    if screen == "attention":
        rows = page.evaluate("[...document.querySelector('[data-view=attention]').inside.rows]")
        wanted = names["rows"].detach().numpy()
        np.testing.assert_allclose(np.array(rows).reshape(wanted.shape), wanted, atol=1e-5)
    if screen == "whatif":
        found = page.evaluate("document.querySelector('[data-view=whatif]').inside.cls")
        np.testing.assert_allclose(found, names["scene"].cls_cosine, atol=1e-5)
    if screen == "losses":
        found = page.evaluate("document.querySelector('[data-view=losses]').inside.dino")
        np.testing.assert_allclose(found, names["parts"].dino.flatten(), atol=2e-3)
    if screen == "step":
        found = page.evaluate("document.querySelector('[data-view=step]').inside.after")
        assert found == pytest.approx(names["step"].terms_after, rel=1e-3)


def test_before_anything_is_shown_the_lines_say_so(visitor: Callable[..., Page]) -> None:
    """What the screen does beside showing the picture does not make it ready either."""
    page = visitor("#sample=cat.jpg&screen=crops")
    waiting: list[Route] = []
    page.route(re.compile(r"/view/[^/]+/whatif\?"), lambda route: waiting.append(route))
    page.click("#tab-whatif")
    view = page.locator('[data-view="whatif"]')
    view.get_by_role("button", name="Python", exact=True).click()
    expect(view.locator(".inside-code")).to_have_text("# Nothing is shown yet.")
    expect(view).to_have_attribute("data-drawing", "")
    page.set_viewport_size({"width": 1400, "height": 1000})  # it looks around again
    expect(view).not_to_have_attribute("data-ready", "")
    for route in waiting:
        route.continue_()
    page.unroute_all(behavior="ignoreErrors")
    expect(view.locator(".inside-code")).to_contain_text("import")
    expect(view).to_have_attribute("data-ready", "")
