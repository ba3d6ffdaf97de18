"""The drawing of the model and the glossary in a real browser."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from page_modules import ask_page
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SHAPES = {  # of the sample at 224 px in the preview, with 10 crops
    "Picture": ["451 × 300 px", "384 patches"],
    "Crops": ["2 × 224 px", "8 × 98 px"],
    "Patch embedding": ["2 × 257 × 384", "8 × 50 × 384"],
    "Blocks": ["12 blocks", "6 heads of 64"],
    "Features": ["384 × 384"],
}


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    page = visitors()
    page.wait_for_selector("#lesson-attention .inside-term")
    return page


def serious(page: Page, context: str) -> list[str]:
    found = Axe().run(page, context, {"resultTypes": ["violations"]}).response
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def test_the_drawing_carries_the_shapes_of_the_picture_and_opens_screens(page: Page) -> None:
    page.click("#inside-to-drawing")
    drawing = page.locator("dialog.inside-drawing")
    expect(drawing).to_be_visible()
    for name, lines in SHAPES.items():
        part = drawing.locator(".part", has=page.get_by_text(name, exact=True)).first
        expect(part.locator(".shape")).to_have_text(lines)
    expect(drawing.locator("[data-number]", has_text="…")).to_have_count(0, timeout=60_000)
    here = drawing.locator("[aria-current]")
    assert {part.get_attribute("data-screen") for part in here.all()} == {"attention"}
    masks = drawing.locator("[data-screen=masks]")
    shown = page.evaluate("document.querySelector('[data-view=masks]').inside.achieved")
    expect(masks).to_have_attribute(
        "aria-label",
        f"Masks of the student: {shown} of 256, patches hidden. Opens Masks.",
    )
    assert serious(page, "dialog") == []

    masks.focus()
    page.keyboard.press("Enter")
    expect(drawing).to_have_count(0)
    page.wait_for_selector("#screen-masks.open")
    page.click("#inside-to-drawing")
    expect(page.locator("dialog [aria-current]")).to_have_attribute("data-screen", "masks")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.click("#tab-attention")


def test_a_term_shows_one_sentence_a_formula_and_the_picture_s_own_number(page: Page) -> None:
    lesson = page.locator("#lesson-attention")
    names = [mark.get_attribute("data-term") for mark in lesson.locator(".inside-term").all()]
    assert {"patch", "token", "class token", "attention head"} <= set(names)
    assert len(names) == len(set(names)), "each where it comes first, and nowhere else"
    mark = lesson.locator("[data-term=token]")
    mark.focus()
    card = page.locator("#inside-card")
    expect(card).to_contain_text("Your picture is 385 tokens of 384 numbers each.")
    expect(card.locator(".inside-formula")).to_have_text("N = 1 + R + P")
    assert serious(page, "#inside-card") == []
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    mark.hover()
    expect(card).to_be_visible()
    box, at = card.bounding_box(), mark.bounding_box()
    assert box
    assert at
    assert box["y"] >= at["y"] + at["height"] or box["y"] + box["height"] <= at["y"]
    page.mouse.move(0, 0)
    expect(card).to_be_hidden()


def test_the_glossary_lists_all_terms(page: Page) -> None:
    page.click("#inside-to-glossary")
    terms = ask_page(page, "guide/glossary.js", "it.glossary()")
    expect(page.locator("dialog dt")).to_have_count(len(terms))
    expect(page.locator("dialog [data-number]", has_text="…")).to_have_count(0)
    assert serious(page, "dialog") == []
    page.keyboard.press("Escape")
    expect(page.locator("#inside-to-glossary")).to_be_focused()


def test_a_lesson_speaks_of_the_view_that_is_open(page: Page) -> None:
    page.click("#tab-tokens")
    page.wait_for_selector("[data-view=tokens][data-ready]")
    lesson = page.locator("#lesson-tokens")
    expect(lesson.get_by_text("A picture becomes a list of vectors.")).to_be_visible()
    expect(lesson.get_by_text("Blocks.", exact=True)).to_be_hidden()
    page.click("[data-view=tokens] [data-value=blocks]")
    expect(lesson.get_by_text("Blocks.", exact=True)).to_be_visible()
    expect(lesson.get_by_text("A picture becomes a list of vectors.")).to_be_hidden()
    expect(lesson.locator("small").last).to_be_visible()
