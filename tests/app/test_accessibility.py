"""Every screen, light and dark: nothing serious or critical in the rules of axe-core, no key in
place of its words, and nothing that goes on drawing while nobody touches it."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import gradio
import pytest
from page_rules import faults, twice
from playwright.sync_api import Browser, Page
from screening_answers import READY, answer_screenings

pytestmark = pytest.mark.browser
# A screen, and the part of it that is turned to first.
STATES = [
    *[(screen, "") for screen in ("crops", "masks", "attention", "whatif", "losses")],
    *[(screen, "") for screen in ("update", "step", "training", "tray", "gallery")],
    *[("tokens", part) for part in ("patches", "positions", "blocks")],
    *[("features", way) for way in ("colours", "pair", "map", "compare")],
    ("attention", "ends"),
    ("whatif", "screening"),
]


@cache
def translated() -> re.Pattern[str]:
    """The keys of Gradio's dictionary, such as `upload_text.drop_image`."""
    assets = Path(gradio.__file__).parent / "templates/frontend/assets"
    (english,) = assets.glob("en-*.js")
    groups = set(re.findall(r" as (\w+)", english.read_text("utf-8").rsplit("export", 1)[1]))
    assert {"upload_text", "common", "errors"} <= groups
    return re.compile(rf"\b({'|'.join(sorted(groups))})\.[a-z_]+\b")


def untranslated(page: Page) -> list[str]:
    """Keys that a live region would read out in place of their words."""
    said = page.evaluate(
        """(live) => [...document.querySelectorAll(live)]
            .flatMap((one) => [one.textContent, one.ariaLabel ?? ""])""",
        "[role=status], [role=alert], [role=log], [aria-live]",
    )
    return [text for text in said if translated().search(text)]


COUNT_FRAMES = """
    window.lastFrame = 0;
    const request = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (draw) => {
        window.lastFrame = performance.now();
        return request(draw);
    };
"""


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    """One page, which also gets screens ready before they are opened."""
    return visitors(
        "#row=5&col=9&head=2",
        ahead=True,
        prepare=lambda page: page.add_init_script(COUNT_FRAMES),
    )


SCREENS = "(tabs) => tabs.map((tab) => tab.dataset.screen)"


def paint(page: Page, theme: str) -> None:
    """What the theme of the address does to a page that is there already."""
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", theme == "dark")


def turn_to(page: Page, screen: str, part: str) -> None:
    """Opens a screen with everything that can be unfolded on it."""
    view = f'[data-view="{screen}"]'
    page.click(f"#tab-{screen}")
    page.wait_for_selector(f"{view}[data-ready]")
    page.wait_for_selector(f"#lesson-{screen}.settled")  # which is looked at as well
    if part in OPENED:
        OPENED[part](page, view)
    elif part:
        page.click(f"{view} .inside-choice [data-value={part}]")
        page.wait_for_selector(f"{view}[data-ready]")
    page.evaluate(
        """(view) => { for (const more of document.querySelectorAll(`${view} details`)) {
            if (more.offsetParent) more.open = true; } }""",
        view,
    )
    if screen == "crops":  # the charts under "more" are asked for when it is opened
        page.wait_for_function(f"document.querySelector('{view}').inside.many")
    if part == "pair":
        page.click(f"{view} .inside-way:not([hidden]) .inside-samples button >> nth=1")
        page.wait_for_function(f"document.querySelector('{view}').inside.forward")
    if part == "map":
        page.wait_for_function(f"document.querySelector('{view}').inside.labels")
    if screen == "gallery":
        page.wait_for_function(f"document.querySelector('{view}').inside.near?.neighbours")
    page.mouse.move(0, 0)
    rest(page, view)


def rest(page: Page, view: str) -> None:
    """Until nothing waits for an answer: that is dimmed, and comes to full strength by degrees."""
    page.wait_for_function(
        """(view) => { const shown = document.querySelector(view);
            return shown.ariaBusy !== "true" && !shown.querySelector('[aria-busy="true"]')
                && shown.getAnimations({ subtree: true })
                    .every((moved) => moved.playState !== "running"); }""",
        arg=view,
    )


def hold_two_ends(page: Page, view: str) -> None:
    """A source, and a target that is kept: both maps, and the numbers of the pair."""
    page.click(f"{view} button:text-is('Two ends')")
    page.locator(f"{view} .inside-picture").first.click(position={"x": 40, "y": 40})
    page.wait_for_function(f"document.querySelector('{view}').inside.hasBack")


def screen_parts(page: Page, view: str) -> None:
    """Colours, the card of a part, and what there is to choose, as after a long wait."""
    answer_screenings(page, [READY], pictures=3, labelled=True)
    page.click(f"{view} button:text-is('Screen them all')")
    page.wait_for_function(f"document.querySelector('{view}').inside.effects")
    page.focus(f'{view} [data-place="head:3.2"]')


def come_to_rest(page: Page) -> None:
    """Until whatever draws frame after frame, ours or Gradio's, has ended."""
    assert page.evaluate("window.lastFrame") > 0, "frames are counted"
    # Not by frames, which would be counted.
    page.wait_for_function("performance.now() - window.lastFrame > 300", polling=200)


OPENED = {"ends": hold_two_ends, "screening": screen_parts}


@pytest.mark.parametrize(("screen", "part"), STATES)
def test_a_screen_in_light_and_dark(page: Page, screen: str, part: str) -> None:
    paint(page, "light")
    turn_to(page, screen, part)
    come_to_rest(page)
    assert faults(page, f"#screen-{screen}") == []
    assert untranslated(page) == []
    paint(page, "dark")  # only colours differ; charts are drawn anew
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
    rest(page, f'[data-view="{screen}"]')
    assert faults(page, f"#screen-{screen}", runOnly=["color-contrast"]) == []


def test_no_screen_is_left_out(page: Page) -> None:
    tabs = page.locator(".inside-strip [role=tab]")
    assert {screen for screen, _ in STATES} == set(tabs.evaluate_all(SCREENS))


def test_no_name_of_an_element_is_there_twice(page: Page) -> None:
    """With all screens that were opened."""
    assert twice(page) == []


def test_the_welcome(visitor: Callable[..., Page]) -> None:
    page = visitor(newcomer=True)
    for theme in ("light", "dark"):
        paint(page, theme)
        assert faults(page, "#screen-welcome") == []


def test_the_whole_page_with_the_rail_unfolded(visitor: Callable[..., Page]) -> None:
    page = visitor(width=390)
    page.click("#brand [aria-controls]")
    page.click("#badge summary")
    assert faults(page, None) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_rail_and_its_words_of_alarm(visitor: Callable[..., Page], theme: str) -> None:
    page = visitor(dark=theme == "dark")
    file = {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.set_input_files("#picture input[type=file]", file)  # type: ignore[arg-type]
    page.wait_for_selector("#status .alarm")
    page.wait_for_function(  # Gradio lets the words come to full strength by degrees
        """() => { let at = document.querySelector("#status .alarm");
            for (; at; at = at.parentElement)
                if (getComputedStyle(at).opacity !== "1") return false;
            return !document.querySelector("#status").getAnimations({ subtree: true }).length; }"""
    )
    for part in ("#rail", "#view-strip"):
        assert faults(page, part, runOnly=["color-contrast"]) == []


BROKEN = """
    <main>
        <section class="inside-screen open" id="screen-one">
            <img src="data:,"><p style="color: #999; background: #fff">pale</p>
        </section>
        <section class="inside-screen" id="screen-two" hidden><img src="data:,"></section>
        <i id="screen-two"></i>
    </main>
"""


def test_what_keeps_people_out_is_found(browser: Browser) -> None:
    """On the open screen; the others are back afterwards, in their place."""
    page = browser.new_page()
    page.set_content(BROKEN)
    before = page.locator("main").inner_html()
    found = faults(page, "#screen-one")
    assert [fault.split(":")[0] for fault in found] == [
        "color-contrast (serious)",
        "image-alt (critical)",
    ]
    assert page.locator("main").inner_html() == before
    assert twice(page) == ["screen-two"]
    page.close()
