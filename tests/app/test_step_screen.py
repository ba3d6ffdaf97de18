"""The screen One step, in a real browser."""

import csv
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
VIEW = '[data-view="step"]'
LONG = 60_000  # ms: on a busy machine a step takes a while
Shown = Callable[[Page, str], dict]


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    page = visitors("#screen=step&sample=cat.jpg&seed=3")
    settled(page)
    return page


def settled(page: Page, and_so: str = "true") -> None:
    """Until no step is being made, and something is so."""
    page.wait_for_function(
        f"(() => {{ const s = document.querySelector('{VIEW}').inside;"
        f" return s && !s.making && ({and_so}); }})()",
        timeout=LONG,
    )


def test_from_line_to_line_by_keys_buttons_and_clicks(page: Page, shown: Shown) -> None:
    page.focus(f"{VIEW} .inside-listing")
    page.keyboard.press("Home")
    state = shown(page, "step")
    assert (state["at"], state["text"]) == (0, "def train_step(")
    here = page.locator(f"{VIEW} .line.here[aria-current]")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(here).to_contain_text("def teacher_outputs(")
    expect(page.locator(f"{VIEW} .line.calls")).to_contain_text("teacher = teacher_outputs(")
    page.keyboard.press("PageUp")
    page.keyboard.press("PageDown")
    expect(here).to_contain_text("teacher = teacher_outputs(")
    expect(page.locator(f"{VIEW} h2").first).to_have_text("What the teacher says")
    page.locator(VIEW).get_by_role("button", name="Line ▸", exact=True).click()
    expect(here).to_contain_text("def make_targets(")
    page.locator(f"{VIEW} .line.run", has_text="losses.total.backward()").click()
    expect(here).to_contain_text("losses.total.backward()")
    expect(page.locator(f"{VIEW} .inside-plot[data-drawn]")).to_have_count(2, timeout=LONG)
    page.keyboard.press("End")
    expect(here).to_contain_text("return apply_update(")
    expect(page.locator(f"{VIEW} h2").first).to_have_text("What it brought")
    state = shown(page, "step")
    assert (state["view"], state["at"]) == ("after", state["visits"] - 1)
    assert sum(state["after"].values()) < sum(state["before"].values())
    page.wait_for_selector("#lesson-step.settled")
    lesson = page.locator("#lesson-step").inner_text()
    assert f"{sum(state['after'].values()):.3f}" in lesson
    assert "…" not in lesson


def test_every_line_that_is_shown_is_drawn_beside_without_a_fault(page: Page) -> None:
    page.focus(f"{VIEW} .inside-listing")
    page.keyboard.press("Home")
    seen = set()
    for _ in range(page.evaluate(f"document.querySelector('{VIEW}').inside.visits")):
        seen.add(page.evaluate(f"document.querySelector('{VIEW}').inside.view"))
        page.keyboard.press("ArrowDown")
    assert len(seen) == 15
    expect(page.locator(f"{VIEW} .inside-problem")).to_have_count(0)


def test_another_learning_rate_is_another_step(page: Page, shown: Shown) -> None:
    before, view = shown(page, "step"), page.locator(VIEW)
    view.get_by_label("Learning rate", exact=True).fill("72")  # about 4e-3
    settled(page, "s.rate > 1e-3")
    after = shown(page, "step")
    assert after["before"] == before["before"], "the same crops, before anything was learnt"
    assert sum(after["after"].values()) > sum(after["before"].values()), "too long a step"
    view.get_by_role("button", name="Sinkhorn-Knopp").click()
    settled(page, "s.targets === 'sinkhorn_knopp'")
    assert shown(page, "step")["before"] != before["before"]
    expect(page.locator(f"{VIEW} .inside-listing h3", has_text="sinkhorn_knopp")).to_be_visible()
    view.get_by_role("button", name="Centring", exact=True).click()
    view.get_by_label("Learning rate", exact=True).fill("32")
    settled(page, "s.rate < 1e-4 && s.targets === 'centering'")


def test_ten_in_a_row_show_their_progress_and_can_be_cancelled(page: Page, shown: Shown) -> None:
    held: list[Route] = []
    view = page.locator(VIEW)
    page.route("**/step?*number=2*", lambda route: held.append(route))
    view.get_by_role("button", name="Ten in a row").click()
    expect(page.locator(f"{VIEW} .inside-making")).to_contain_text("1 of 10 done", timeout=LONG)
    assert shown(page, "step")["making"]
    view.get_by_role("button", name="Cancel", exact=True).click()
    settled(page)
    page.unroute("**/step?*number=2*")
    state = shown(page, "step")
    assert (state["steps"], state["number"]) == (2, 1)
    view.get_by_role("button", name="Step again").click()
    settled(page, "s.number === 2")
    steps = page.locator(f"{VIEW} .inside-step-row button")
    expect(steps).to_have_count(3)
    steps.first.click()
    expect(steps.first).to_have_attribute("aria-pressed", "true")
    assert shown(page, "step")["number"] == 0


def test_another_pair_makes_the_same_step_beside(page: Page, shown: Shown) -> None:
    choice = page.locator(VIEW).get_by_label("The same step by")
    choice.select_option("preview")
    settled(page, "s.beside?.pair === 'preview'")
    table = page.locator(f"{VIEW} .inside-other-pair table")
    together = table.locator("tr", has=page.get_by_role("rowheader", name="Together"))
    state = shown(page, "step")
    for column, (before, after) in enumerate(
        [
            (sum(state["before"].values()), sum(state["after"].values())),
            (state["beside"]["before"], state["beside"]["after"]),
        ]
    ):
        expect(together.locator("td").nth(column)).to_contain_text(f"{before:.3f} → {after:.3f}")
    assert (state["pair"], state["beside"]["before"] == sum(state["before"].values())) == (
        "cifar",
        False,
    )
    page.wait_for_function("location.hash.includes('step-other=preview')")
    choice.select_option("")
    expect(table).to_be_hidden()


def test_what_is_shown_as_a_picture(page: Page) -> None:
    """Words, charts and the table of what the line left behind, also what must be scrolled to."""
    page.locator(f"{VIEW} .line.run", has_text="losses.total.backward()").click()
    expect(page.locator(f"{VIEW} .inside-plot[data-drawn]")).to_have_count(2, timeout=LONG)
    size = page.locator(f"{VIEW} .inside-columns.step > :last-child").bounding_box()
    assert size
    with page.expect_download() as download:
        page.click(f'{VIEW} .inside-take >> text="PNG"')
    picture = Image.open(download.value.path()).convert("RGB")
    assert picture.width >= 2 * size["width"]
    assert picture.height >= 2 * size["height"]
    pixels = np.asarray(picture).reshape(-1, 3).astype(int)
    assert (pixels.sum(1) < 150).mean() > 0.005, "words"
    coloured = pixels.max(1) - pixels.min(1) > 100
    assert coloured.mean() > 0.001, "lines and bars of the charts"


def test_numbers_as_a_table_and_a_link_that_leads_back(
    page: Page, shown: Shown, visitors: Callable[..., Page]
) -> None:
    page.focus(f"{VIEW} .inside-listing")
    page.keyboard.press("End")
    with page.expect_download() as download:
        page.click(f'{VIEW} .inside-take >> text="CSV"')
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [row["layer"] for row in rows][:2] == ["patch embedding", "positions"]
    shares = [sum(float(row[n]) for n in row if n.startswith("share")) for row in rows]
    assert shares == pytest.approx([1] * len(rows), abs=1e-4)
    state = shown(page, "step")
    page.wait_for_function(f"location.hash.includes('step-line={state['at']}')")
    again = visitors(page.evaluate("location.hash"))
    settled(again)
    found = shown(again, "step")
    assert (found["at"], found["seed"], found["text"]) == (state["at"], 3, state["text"])
    assert found["before"] == pytest.approx(state["before"], rel=1e-4)
