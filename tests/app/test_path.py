"""The path in a real browser: every stop is there, lit and with its numbers, and what it calls
right is what the library computes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_rules import faults
from path_truths import in_training, on_picture, sample
from playwright.sync_api import Page, TimeoutError, expect

from app.guide import Stop, read_path
from dino_core.images import open_picture

pytestmark = pytest.mark.browser
STOPS = read_path()
CARD = "#inside-path"
PLACES = """() => [".inside-spotlight", "#inside-path"]
    .map((name) => document.querySelector(name).getBoundingClientRect())
    .map(({ left, top, right, bottom }) => ({ left, top, right, bottom }))"""


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    return visitors()


@pytest.fixture(scope="module")
def truths() -> dict[str, Any]:
    source = sample("cat.jpg")
    return on_picture(source) | in_training(source, "cat.jpg")


def go_to(page: Page, name: str) -> None:
    """Goes to a stop, and waits until it says everything that it has to say."""
    if not page.locator(CARD).count():
        page.click("#inside-to-path")
        page.wait_for_selector(CARD)  # another click would leave it
    page.locator(f"{CARD} select").select_option(name)
    page.wait_for_selector(f"{CARD}[data-there='{name}']", timeout=60_000)
    expect(page.locator(f"{CARD} [data-number]", has_text="…")).to_have_count(0, timeout=60_000)


def answer(page: Page, kind: str) -> None:
    if kind == "choose":
        page.locator(f"{CARD} [data-answer]").first.click()
    elif kind == "slide":
        page.locator(f"{CARD} .inside-slide .inside-button").click()
    else:
        page.locator(".inside-over .inside-asking").click(position={"x": 30, "y": 30})


def keeps_out(page: Page, *, dark: bool) -> list[str]:
    """What axe-core finds on the card and on what is asked."""
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
    found = faults(page, {"include": [[CARD], [".inside-over"]]})
    page.evaluate("document.body.classList.remove('dark')")
    return found


def check(page: Page, stop: Stop, truths: dict[str, Any]) -> None:
    """A stop is where it says, lit, with numbers; and its question is answered."""
    go_to(page, stop.name)
    expect(page.locator(f"#tab-{stop.screen}")).to_have_attribute("aria-selected", "true")
    light, card = page.evaluate(PLACES)
    assert light["right"] - light["left"] > 100, stop.name
    assert light["bottom"] - light["top"] > 40, stop.name
    beside = (
        card["left"] >= light["right"]
        or card["right"] <= light["left"]
        or card["top"] >= light["bottom"]
        or card["bottom"] <= light["top"]
        or page.locator(CARD).get_attribute("data-side") == "bottom"
    )
    assert beside, (stop.name, light, card)
    if stop.asks:  # with the numbers of its screen
        try:
            page.wait_for_function(f"document.querySelector('{CARD}').inside.task", timeout=60_000)
        except TimeoutError:
            root = f"document.querySelector('[data-view={stop.screen}]')"
            state = page.evaluate(
                f"[{root}.getAttributeNames(), {root}.inside?.key, location.hash]"
            )
            pytest.fail(f"{stop.name} asks nothing: {state} {page.locator(CARD).inner_text()}")
    task = page.evaluate(f"document.querySelector('{CARD}').inside.task")
    if not stop.asks:
        assert task is None
        return
    assert task["truth"] == pytest.approx(truths[stop.asks], rel=1e-3), stop.name
    covered = page.locator(".inside-covered")
    assert (covered.count() > 0) == bool(stop.covers), stop.name
    answer(page, task["kind"])
    expect(page.locator(f"{CARD} .answer")).to_be_visible()
    expect(covered).to_have_count(0)
    expect(page.locator(f"{CARD} [data-number]", has_text="…")).to_have_count(0)


def test_every_stop_of_a_sample(page: Page, truths: dict[str, Any]) -> None:
    for number, stop in enumerate(STOPS):
        check(page, stop, truths)
        assert keeps_out(page, dark=number % 2 == 1) == [], stop.name
    done = page.evaluate("JSON.parse(localStorage.getItem('inside-path')).done")
    assert done == [stop.name for stop in STOPS if stop.done == "answered"]


def test_an_answer_is_told_by_its_distance_and_marked_on_the_picture(page: Page) -> None:
    go_to(page, "attention-of-a-patch")
    asking = page.locator(".inside-over .inside-asking")
    asking.focus()
    for key in ("ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator(f"{CARD} .answer")).to_have_count(0)  # moving is no answer
    page.keyboard.press("Enter")
    expect(page.locator(f"{CARD} .answer")).to_contain_text("You pointed at row 7, column 11")
    expect(page.locator(f"{CARD} .answer")).to_contain_text("patches away")
    expect(page.locator(".inside-answer-marks i")).to_have_count(2)


def test_the_path_is_left_continued_and_linked_to(page: Page) -> None:
    go_to(page, "heads")
    page.click(f"{CARD} footer .next")
    page.wait_for_selector(f"{CARD}[data-there=layers]")
    page.wait_for_function("location.hash.includes('stop=layers')")
    page.keyboard.press("Escape")
    expect(page.locator(CARD)).to_have_count(0)
    expect(page.locator(".inside-covered, .inside-spotlight")).to_have_count(0)
    number = 1 + [stop.name for stop in STOPS].index("layers")
    way = page.locator("#inside-to-path")
    expect(way).to_have_text(f"Continue the path: {number} of {len(STOPS)}")
    page.wait_for_function("!location.hash.includes('stop=')")

    page.reload()
    expect(way).to_have_text(f"Continue the path: {number} of {len(STOPS)}")
    way.click()
    page.wait_for_selector(f"{CARD}[data-there=layers]")
    page.click("#tab-crops")  # whoever opens another screen has left
    expect(page.locator(CARD)).to_have_count(0)
    page.goto(page.url.split("#")[0] + "#stop=masks")
    page.wait_for_selector(f"{CARD}[data-there=masks]")
    expect(page.locator(f"{CARD} h2")).to_be_focused()


@pytest.mark.parametrize("width", [1024, 800, 390])
def test_it_fits_into_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for name in ("attention-of-a-patch", "dino-loss"):
        go_to(page, name)
        page.wait_for_function(
            """() => { const { left, top, right, bottom } =
                document.querySelector("#inside-path").getBoundingClientRect();
                return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight; }"""
        )
        expect(page.locator(f"{CARD} footer .next")).to_be_in_viewport()
        light, _ = page.evaluate(PLACES)
        assert light["top"] < 844 * 0.6, name


@pytest.mark.slow
def test_every_stop_of_an_uploaded_portrait(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    file = tmp_path / "portrait.png"  # higher than wide, and the same pixels for page and library
    sample("astronaut.jpg").crop((40, 0, 340, 420)).save(file)
    page.set_input_files("#picture input[type=file]", file)
    expect(page.locator("#status")).to_contain_text("Your picture.", timeout=60_000)
    truths = on_picture(open_picture(file)) | in_training(open_picture(file))
    for stop in STOPS:
        check(page, stop, truths)
