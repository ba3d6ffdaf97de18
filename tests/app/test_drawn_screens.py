"""Crops, masks and tokens: what is shown says what it is, and leaves its controls in sight."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
Shown = Callable[[Page, str], dict]


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    """One page for all tests: each opens its screen, and none looks at what another has set."""
    return visitors("#screen=masks")


def view(screen: str) -> str:
    return f'[data-view="{screen}"]'


def turn_to(page: Page, screen: str) -> None:
    page.click(f"#tab-{screen}")
    page.wait_for_selector(f"{view(screen)}[data-ready]")


def code(page: Page, screen: str) -> str:
    """The Python lines of what is shown."""
    lines = page.locator(f"{view(screen)} .inside-code")
    if not lines.is_visible():
        page.click(f"{view(screen)} .inside-take >> text=Python")
    return lines.inner_text()


def held(page: Page, pattern: str) -> list[Route]:
    """The requests of a kind, which wait to be let go."""
    waiting: list[Route] = []
    page.route(pattern, lambda route: waiting.append(route))
    return waiting


def let_go(page: Page, waiting: list[Route]) -> None:
    while not waiting:  # the slider asks when it has come to rest
        page.wait_for_timeout(20)
    for route in waiting:
        route.continue_()
    page.unroute_all()


def test_grids_are_one_stop_of_the_tab_key(page: Page) -> None:
    turn_to(page, "masks")
    batch = page.locator(f"{view('masks')} .inside-batch button")
    expect(batch).to_have_count(16)
    assert batch.evaluate_all("(all) => all.filter((one) => one.tabIndex === 0).length") == 1
    batch.first.focus()
    page.keyboard.press("ArrowDown")
    expect(batch.nth(8)).to_be_focused()
    turn_to(page, "crops")
    for cells in (".inside-crop", ".inside-matrix td[tabindex]"):
        stops = page.locator(f"{view('crops')} {cells}").evaluate_all(
            "(all) => all.filter((one) => one.tabIndex === 0).length"
        )
        assert stops == 1, cells


def test_the_boxes_stay_in_sight_while_the_crops_are_scrolled_to(page: Page) -> None:
    """In one column a touch of a crop lights its box above."""
    turn_to(page, "crops")
    page.set_viewport_size({"width": 1024, "height": 1000})
    card = page.locator(f"{view('crops')} .inside-crop").last
    card.scroll_into_view_if_needed()
    page.mouse.wheel(0, 300)
    card.focus()
    expect(page.locator(f"{view('crops')} .inside-picture")).to_be_in_viewport(ratio=0.9)
    expect(page.locator(f"{view('crops')} .inside-picture rect.highlighted")).to_have_count(1)
    page.set_viewport_size({"width": 1440, "height": 1000})


def test_crops_pictures_and_blocks_are_counted_from_0(page: Page) -> None:
    """As layers, heads, rows and columns are, and as the files have it."""
    turn_to(page, "crops")
    names = page.locator(f"{view('crops')} .inside-crop > b").all_inner_texts()
    assert names == ["Global 0", "Global 1", *(f"Local {i}" for i in range(8))]
    assert "print(crop.kind, crop.index, " in code(page, "crops")
    turn_to(page, "masks")
    labels = page.locator(f"{view('masks')} .block .order").all_text_contents()
    assert labels == [str(i) for i in range(len(labels))]
    last = page.locator(f"{view('masks')} .inside-batch button").last
    assert (last.get_attribute("aria-label") or "").startswith("Picture 7, global crop 1:")


def test_masks_of_an_older_share_are_dimmed_and_exported_as_such(page: Page, shown: Shown) -> None:
    turn_to(page, "masks")
    before = code(page, "masks")
    assert "(16, 16), 76," in before  # 30 % of 256
    waiting = held(page, "**/masks?*ratio=0.4*")
    page.locator(f"{view('masks')} .inside-slider input").nth(1).fill("0.4")
    busy = page.locator(f"{view('masks')} > [aria-busy=true]")
    expect(busy).to_have_count(1)
    assert shown(page, "masks")["ratio"] == 0.3
    assert code(page, "masks") == before
    let_go(page, waiting)
    expect(busy).to_have_count(0)
    assert shown(page, "masks")["ratio"] == 0.4
    assert "(16, 16), 102," in code(page, "masks")


def test_crops_of_an_older_choice_are_dimmed_and_exported_as_such(page: Page, shown: Shown) -> None:
    turn_to(page, "crops")
    assert "BLUR_AS_RUN" in code(page, "crops")
    waiting = held(page, "**/crops?*written*")
    page.click(f"{view('crops')} .inside-choice [data-value='as written']")
    expect(page.locator(f"{view('crops')} > [aria-busy=true]")).to_have_count(2)
    assert shown(page, "crops")["blur"] == "as run"
    assert "BLUR_AS_RUN" in code(page, "crops")
    let_go(page, waiting)
    expect(page.locator(f"{view('crops')} > [aria-busy=true]")).to_have_count(0)
    assert "BLUR_AS_WRITTEN" in code(page, "crops")


def test_a_picture_leaves_its_controls_in_sight(page: Page, shown: Shown) -> None:
    """At most 62 hundredths of the window, also where the picture is tall or the window low."""
    turn_to(page, "tokens")
    before = shown(page, "tokens")["key"]
    page.click(f"{view('tokens')} .inside-choice [data-value=blocks]")
    page.click("#samples [data-file='pagoda.jpg']")
    page.wait_for_function("location.hash.includes('sample=pagoda.jpg')")
    page.set_viewport_size({"width": 1440, "height": 640})
    for screen in ("crops", "masks", "tokens"):
        page.click(f"#tab-{screen}")
        page.wait_for_function(
            """([view, before]) => { const screen = document.querySelector(view);
                return screen.hasAttribute("data-ready") && screen.inside.key !== before; }""",
            arg=[view(screen), before],
        )
        picture = page.locator(f"{view(screen)} .inside-picture:visible").first
        box = picture.bounding_box()
        assert box
        assert box["height"] <= 0.62 * 640 + 1
        keys = page.locator(f"{view(screen)} .inside-keys:visible").first
        expect(keys).to_be_visible()
    page.click(f"{view('tokens')} .inside-choice [data-value=patches]")
    page.set_viewport_size({"width": 1440, "height": 1000})


def test_tokens_of_an_older_size_are_dimmed_and_exported_as_such(page: Page, shown: Shown) -> None:
    turn_to(page, "tokens")
    before = shown(page, "tokens")["key"]
    assert ", 14, 224)" in code(page, "tokens")
    waiting = held(page, "**/tokens/patches")
    page.locator("#size input[type=radio][value='448']").check(force=True)
    busy = page.locator(f"{view('tokens')} > [aria-busy=true]")
    expect(busy).to_have_count(1, timeout=60_000)
    assert shown(page, "tokens")["key"] == before
    before = shown(page, "tokens")["key"]
    assert ", 14, 224)" in code(page, "tokens")
    let_go(page, waiting)
    expect(busy).to_have_count(0)
    assert ", 14, 448)" in code(page, "tokens")
