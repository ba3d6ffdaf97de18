"""The drawing of the model and the glossary in a real browser."""

from collections.abc import Callable

import pytest
from page_modules import ask_page
from page_rules import faults
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
    assert faults(page, "dialog") == []

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
    expect(lesson.locator("[data-of=rollout]")).to_be_hidden()
    names = [
        mark.get_attribute("data-term") for mark in lesson.locator(".inside-term:visible").all()
    ]
    assert {"patch", "token", "class token", "attention head"} <= set(names)
    assert len(names) == len(set(names)), "each where it comes first, and nowhere else"
    mark = lesson.locator("[data-term=token]:visible")
    mark.focus()
    card = page.locator("#inside-card")
    expect(card).to_contain_text("Your picture is 385 tokens of 384 numbers each.")
    expect(card.locator(".inside-formula")).to_have_text("N = 1 + R + P")
    assert faults(page, "#inside-card") == []
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
    assert faults(page, "dialog") == []
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


def test_the_lesson_of_training_speaks_of_what_a_new_run_would_do(page: Page) -> None:
    page.click("#tab-training")
    page.wait_for_selector("[data-view=training][data-ready]")
    lesson, form = page.locator("#lesson-training"), page.locator("[data-view=training]")
    kinds = {
        "pretraining": "Without labels",
        "distillation": "Distil",
        "fine-tuning": "With labels",
    }
    for kind, label in kinds.items():
        form.get_by_role("button", name=label, exact=True).click()
        expect(lesson.locator(f"[data-of={kind}]")).to_be_visible()
        expect(lesson.locator("[data-of]:not([hidden])")).to_have_count(1)


def test_a_lesson_stands_beside_the_figure_and_folded_above_it_in_a_narrow_window(
    page: Page,
) -> None:
    page.click("#tab-attention")
    page.wait_for_selector("[data-view=attention][data-ready]")
    lesson, words = (
        page.locator("#lesson-attention"),
        page.locator("#lesson-attention .prose").first,
    )
    head = lesson.locator(".inside-lesson-head")
    beside = """() => { const [view, lesson] = ["view", "lesson"].map((one) =>
        document.getElementById(`${one}-attention`).getBoundingClientRect());
        return lesson.left >= view.right && lesson.bottom <= innerHeight && lesson.width > 200; }"""
    page.wait_for_function(beside)
    expect(words).to_be_visible()
    head.click()
    expect(words).to_be_hidden()
    expect(head).to_have_attribute("aria-expanded", "false")
    page.click("#tab-masks")  # all of them are folded, and stay so
    expect(page.locator("#lesson-masks .prose").first).to_be_hidden()
    page.locator("#lesson-masks .inside-lesson-head").click()
    page.click("#tab-attention")
    expect(words).to_be_visible()

    page.set_viewport_size({"width": 1024, "height": 900})
    expect(words).to_be_hidden()
    page.wait_for_function(
        """() => document.getElementById("lesson-attention").getBoundingClientRect().bottom
            <= document.getElementById("view-attention").getBoundingClientRect().top"""
    )
    head.click()
    lesson.get_by_role("link", name="Tokens").first.click()
    page.wait_for_selector("#screen-tokens.open")
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.click("#tab-attention")


def test_the_lesson_of_attention_speaks_of_rollout_where_it_is_shown(page: Page) -> None:
    page.click("#tab-attention")
    page.wait_for_selector("[data-view=attention][data-ready]")
    lesson = page.locator("#lesson-attention")
    expect(lesson.get_by_text("The yellow square.")).to_be_hidden()
    page.locator("[data-view=attention]").get_by_role("button", name="Rollout").click()
    expect(lesson.get_by_text("The yellow square.")).to_be_visible()
    expect(lesson.locator(".inside-term:visible", has_text="attention sink")).to_be_visible()
    page.locator("[data-view=attention]").get_by_role("button", name="Rollout").click()
    expect(lesson.get_by_text("The yellow square.")).to_be_hidden()
