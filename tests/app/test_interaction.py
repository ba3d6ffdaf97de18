"""Pointing, keys, linked screens, reloading: the page answers at once and keeps still."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from page_modules import ask_page, selected
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
LINK = "#layer=9&row=5&col=9&screen="
WATCH_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
            if (!entry.hadRecentInput) window.shifts.push([entry.value,
                entry.sources.map(({ node }) => node?.className ?? String(node)).join(" | ")]);
    }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    """One page for all tests that say themselves where they begin."""
    return visitors()


# Left edge and width of a mark, in widths of its picture, where a patch is 3 px wide.
MARKED_WHERE_NARROW = """(marker) => {
    const picture = marker.parentElement, { width } = picture.style;
    picture.style.width = "72px";
    const all = picture.getBoundingClientRect(), mark = marker.getBoundingClientRect();
    picture.style.width = width;
    return [(mark.left - all.left) / all.width, mark.width / all.width];
}"""


def view(screen: str) -> str:
    return f'[data-view="{screen}"]'


def picture(screen: str) -> str:
    """The first picture or canvas in sight."""
    return f"{view(screen)} .inside-picture:visible >> nth=0"


def state(page: Page, screen: str, *names: str) -> Any:
    found = page.evaluate(
        "([view, names]) => names.map((name) => document.querySelector(view).inside[name])",
        [view(screen), names],
    )
    return found if len(names) > 1 else found[0]


def wait(page: Page, screen: str, condition: str) -> None:
    """Until what a screen says it shows, `s`, is as wanted."""
    page.wait_for_function(
        f"(() => {{ const s = document.querySelector('{view(screen)}')?.inside;"
        f" return s && ({condition}); }})()",
        timeout=30_000,
    )


def begin(page: Page, screen: str, **selected: int | None) -> None:
    """Opens a screen with the page's selection as given, and the pointer out of the way."""
    page.mouse.move(0, 0)
    page.click(f"#tab-{screen}")
    page.wait_for_selector(f"{view(screen)}[data-ready]")
    chosen = {"row": None, "col": None, "layer": 11, "head": None} | selected
    ask_page(page, "page/selection.js", f"it.select({json.dumps(chosen)})")
    if screen in ("attention", "features"):
        wait(page, screen, f"s.layer === {chosen['layer']}")


def point_at(page: Page, screen: str, row: int, col: int, grid: tuple[int, int] = (16, 24)) -> None:
    box = page.locator(picture(screen)).bounding_box()
    assert box
    h, w = grid
    page.mouse.move(
        box["x"] + (col + 0.5) / w * box["width"], box["y"] + (row + 0.5) / h * box["height"]
    )


def test_hovering_tells_the_numbers_of_the_patch_under_the_pointer(page: Page) -> None:
    begin(page, "attention")
    story = page.locator(f"{view('attention')} .inside-details").first
    for row, col in ((3, 4), (12, 20), (5, 6)):
        point_at(page, "attention", row, col)
        wait(page, "attention", f"s.row === {row} && s.col === {col}")
        expect(story).to_contain_text(
            f"The patch in row {row}, column {col}, layer 11, mean of 6 heads"
        )
        rows, tokens, first = page.evaluate(
            f"(({{ rows, tokens, firstPatch }}) => [[...rows], tokens, firstPatch])"
            f"(document.querySelector('{view('attention')}').inside)"
        )
        heads = [rows[a * tokens : (a + 1) * tokens] for a in range(6)]
        patches = sum(sum(head[first:]) for head in heads) / 6
        itself = sum(head[first + row * 24 + col] for head in heads) / 6
        expect(story).to_contain_text(f"{100 * patches:.1f} % goes to the patches")
        words = page.locator(f"{picture('attention')} >> .inside-tip").inner_text()
        said = re.fullmatch(rf"row {row}, column {col}\nattends to itself: ([\d.]+) %", words)
        assert said, words
        assert float(said[1]) == pytest.approx(100 * itself, abs=0.006), (
            "the words beside the pointer are of this patch, not of the one before"
        )
    page.mouse.move(0, 0)
    wait(page, "attention", "s.row === null")
    expect(page.locator(f"{picture('attention')} >> .inside-tip")).to_be_hidden()


@pytest.mark.parametrize("screen", ["tokens", "attention", "features"])
def test_enter_keeps_what_is_hovered_on_all_screens(page: Page, screen: str) -> None:
    begin(page, screen, row=1, col=1)
    page.focus(picture(screen))
    point_at(page, screen, 7, 13)
    wait(page, screen, "s.row === 7 && s.col === 13")
    assert selected(page, "row", "col") == [1, 1]
    page.keyboard.press("Enter")
    page.mouse.move(0, 0)
    for other in ("tokens", "attention", "features"):
        page.click(f"#tab-{other}")
        wait(page, other, "s.row === 7 && s.col === 13")
        marker = page.locator(f"{view(other)} .inside-marker.pinned:visible").first
        expect(marker).to_be_visible()
        assert marker.evaluate(MARKED_WHERE_NARROW) == pytest.approx([13 / 24, 1 / 24], abs=0.005)


def press(page: Page, screen: str, *keys: str) -> None:
    page.focus(picture(screen))
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.parametrize("screen", ["tokens", "attention", "features"])
def test_arrows_move_the_patch_and_stop_at_the_edge(page: Page, screen: str) -> None:
    begin(page, screen, row=1, col=22)
    press(page, screen, "ArrowRight", "ArrowUp")
    wait(page, screen, "s.row === 0 && s.col === 23")
    press(page, screen, "ArrowRight", "ArrowUp")
    assert state(page, screen, "row", "col") == [0, 23]
    press(page, screen, "ArrowDown", "ArrowDown", "ArrowLeft")
    wait(page, screen, "s.row === 2 && s.col === 22")
    press(page, screen, "Escape")
    assert selected(page, "row") == [None]


def test_keys_of_attention(page: Page) -> None:
    begin(page, "attention", row=5, col=9)
    press(page, "attention", "3")  # heads are counted from 0, as everywhere
    wait(page, "attention", "s.head === 3")
    press(page, "attention", "9")
    assert state(page, "attention", "head") == 3, "there are six heads"
    press(page, "attention", "0")
    wait(page, "attention", "s.head === 0")
    press(page, "attention", "m")
    wait(page, "attention", "s.head === null")
    press(page, "attention", "c")
    wait(page, "attention", "s.row === null && s.query === 0")
    press(page, "attention", "[")
    wait(page, "attention", "s.layer === 10")
    press(page, "attention", "]")
    wait(page, "attention", "s.layer === 11")
    press(page, "attention", "]")
    assert state(page, "attention", "layer") == 11, "this is the last one"


def test_keys_of_crops(page: Page) -> None:
    begin(page, "crops")
    press(page, "crops", "ArrowRight", "ArrowRight")
    wait(page, "crops", "s.hovered === 1")
    press(page, "crops", "Enter")
    wait(page, "crops", "s.pinned === 1")
    press(page, "crops", "ArrowLeft", "ArrowLeft")
    wait(page, "crops", "s.hovered === 9 && s.pinned === 1")
    details = page.locator(f"{view('crops')} .inside-details").first
    expect(details).to_contain_text("Local 7: x ")
    press(page, "crops", "Escape")
    wait(page, "crops", "s.hovered === null && s.pinned === null")
    page.focus(f'{view("crops")} td[tabindex="0"]')
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    wait(page, "crops", "s.pair && s.pair[0] === 1 && s.pair[1] === 2")


def test_keys_of_masks(page: Page) -> None:
    begin(page, "masks")
    blocks = len(state(page, "masks", "blocks"))
    press(page, "masks", "Home")
    wait(page, "masks", "s.shown === 0 && s.count === 0")
    press(page, "masks", "ArrowLeft", "ArrowRight")
    wait(page, "masks", "s.shown === 1 && s.count === s.blocks[0][4]")
    press(page, "masks", "End")
    wait(page, "masks", f"s.shown === {blocks} && s.count === s.achieved")
    press(page, "masks", " ")
    wait(page, "masks", "s.playing && s.shown === 0")
    press(page, "masks", " ")
    wait(page, "masks", "!s.playing")
    press(page, "masks", "End")


def test_arrows_walk_through_the_screens(page: Page) -> None:
    begin(page, "features")
    page.focus("#tab-features")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-attention")).to_be_focused()
    expect(page.locator("#tab-attention")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#screen-attention")).to_be_visible()
    expect(page.locator("#screen-features")).to_be_hidden()


def test_layers_and_heads_are_linked(page: Page) -> None:
    begin(page, "features")
    press(page, "features", "[", "[")
    wait(page, "features", "s.layer === 9")
    page.click("#tab-attention")
    wait(page, "attention", "s.layer === 9")
    second = page.locator(f"{view('attention')} .inside-head").nth(1)
    second.click()
    wait(page, "attention", "s.head === 1")
    expect(second).to_have_attribute("aria-pressed", "true")
    second.click()
    wait(page, "attention", "s.head === null")
    page.click(f'{view("attention")} [aria-label="Layer 4, head 5"]')
    wait(page, "attention", "s.layer === 4 && s.head === 5 && s.row === null")
    expect(page.locator(f"{view('attention')} .inside-birds .here")).to_have_attribute(
        "aria-label", "Layer 4, head 5"
    )
    for screen, name, value in (("features", "layer", 4), ("tokens", "step", 5)):
        page.click(f"#tab-{screen}")
        if screen == "tokens":
            page.click(f"{view('tokens')} .inside-choice [data-value=blocks]")
        wait(page, screen, f"s.{name} === {value}")
    page.click(f"{view('tokens')} .inside-choice [data-value=patches]")
    page.wait_for_function("location.hash.includes('layer=4&head=5')")


def test_one_query_everywhere_on_attention(page: Page) -> None:
    """Canvas, heads, sentence, numbers of the pair and the grid of layers are of one query."""
    begin(page, "attention")
    assert state(page, "attention", "query") == 0
    root = page.locator(view("attention"))
    expect(root.locator(".inside-birds")).to_have_attribute("aria-label", re.compile("class token"))
    point_at(page, "attention", 6, 11)
    wait(page, "attention", "s.row === 6 && s.col === 11")
    name = re.compile("he patch in row 6, column 11")
    expect(root.locator(".inside-details").first).to_have_text(name)
    expect(root.locator(".inside-pairs h2")).to_have_text(name)
    wait(page, "attention", "s.overview.row === 6 && s.overview.column === 11")
    expect(root.locator(".inside-birds")).to_have_attribute("aria-label", name)
    first = state(page, "attention", "firstPatch")
    shown_pair = state(page, "attention", "pair")
    query = state(page, "attention", "query")
    assert query == first + 6 * 24 + 11
    rows = page.evaluate(f"[...document.querySelector('{view('attention')}').inside.rows]")
    tokens = state(page, "attention", "tokens")
    assert shown_pair["weight"] == pytest.approx(max(rows[first:tokens]))
    page.mouse.move(2, 2)
    wait(page, "attention", "s.query === 0 && s.overview.row === -1")


def test_dark_is_dark_and_can_be_read(visitor: Callable[..., Page]) -> None:
    page = visitor(dark=True)
    assert page.evaluate("Boolean(document.querySelector('.dark'))")
    contrast, ground = page.evaluate(
        """() => {
            const light = (node, property) => {
                const [r, g, b] = getComputedStyle(node)[property].match(/[\\d.]+/g).map((byte) => {
                    const c = Number(byte) / 255;
                    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
                });
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const root = document.querySelector(".gradio-container");
            const ground = light(root, "backgroundColor");
            return [[...document.querySelectorAll("[data-view=attention] .inside-details, h1")]
                .map((node) => (light(node, "color") + 0.05) / (ground + 0.05)), ground];
        }"""
    )
    assert ground < 0.05
    assert min(contrast) > 4.5


def test_light_sweeps_over_a_screen_that_is_waited_for_but_where_motion_is_not_wanted(
    page: Page,
) -> None:
    begin(page, "attention")
    shown = page.locator(view("attention"))
    moves = "(view) => view.getAnimations({ subtree: true }).map((it) => it.animationName)"
    assert shown.evaluate(moves) == []
    shown.evaluate("(view) => view.classList.add('waiting')")
    assert shown.evaluate(moves) == ["inside-shimmer"]
    page.emulate_media(reduced_motion="reduce")
    assert shown.evaluate(moves) == []
    page.emulate_media(reduced_motion="no-preference")
    shown.evaluate("(view) => view.classList.remove('waiting')")


def test_another_size_while_the_pointer_moves(visitor: Callable[..., Page]) -> None:
    """Arrays of one grid are never read as another's: no error, and all ends in the last choice."""
    page = visitor(LINK + "attention")
    for screen in ("features", "tokens", "attention"):
        page.click(f"#tab-{screen}")
        wait(page, screen, "s.row === 5 && s.col === 9")
    # Pointing again and again, without the pauses that a click of the mouse would put between.
    page.evaluate(
        """() => {
            const node = document.querySelector("[data-view=attention] .inside-picture");
            let step = 0;
            window.moving = setInterval(() => {
                const box = node.getBoundingClientRect(), at = (step++ * 0.037) % 1;
                const [x, y] = [box.left + box.width * (1 - at), box.top + box.height * at];
                node.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y }));
            }, 25);
        }"""
    )
    for size in (448, 224, 448):
        page.locator(f"#size input[type=radio][value='{size}']").check(force=True)
    wait(page, "attention", "s.key !== 'first' && s.tokens === s.firstPatch + 32 * 48")
    page.evaluate(
        """() => { clearInterval(window.moving);
            document.querySelector("[data-view=attention] .inside-picture")
                .dispatchEvent(new PointerEvent("pointerleave")); }"""
    )
    wait(page, "attention", "s.row === 5 && s.col === 9")
    page.wait_for_function("location.hash.includes('size=448')")
    key = page.evaluate("document.querySelector('[data-view=attention]').inside.key")
    for screen in ("tokens", "features"):
        page.click(f"#tab-{screen}")
        wait(page, screen, f"s.key === '{key}'")
    wait(page, "features", "s.similar.length === 32 * 48 && s.similar[5 * 48 + 9] > 0.999")
    assert page.evaluate("document.querySelectorAll('.inside-problem:not([hidden])').length") == 0


def test_reloading_keeps_layer_patch_head_and_screen(visitor: Callable[..., Page]) -> None:
    page = visitor()
    begin(page, "features", layer=6, row=3, col=17, head=4)
    page.wait_for_function("/screen=features.*layer=6.*head=4.*row=3/.test(location.hash)")
    page.reload()
    wait(page, "features", "s.layer === 6 && s.row === 3 && s.col === 17")
    expect(page.locator("#tab-features")).to_have_attribute("aria-selected", "true")
    page.click("#tab-attention")
    wait(page, "attention", "s.layer === 6 && s.head === 4 && s.row === 3 && s.col === 17")


@pytest.mark.parametrize("width", [1440, 800])
def test_nothing_jumps(visitor: Callable[..., Page], width: int) -> None:
    """Neither while the page arrives nor while numbers change under the pointer."""

    def jumped() -> float:
        page.wait_for_timeout(150)  # the observer is told after the frame
        return sum(value for value, _ in page.evaluate("window.shifts"))

    page = visitor(width=width, ahead=True, prepare=lambda page: page.add_init_script(WATCH_SHIFTS))
    page.wait_for_function("document.querySelector('#status').innerText.includes('CC0')")
    assert jumped() <= 0.05, page.evaluate("window.shifts")
    for screen in ("attention", "tokens", "features", "masks", "crops"):
        page.click(f"#tab-{screen}")
        page.wait_for_selector(f"{view(screen)}[data-ready]")
        page.locator(picture(screen)).scroll_into_view_if_needed()
        page.wait_for_timeout(600)  # what follows a click within half a second is no jump
        page.evaluate("window.shifts.length = 0")
        for row, col in ((2, 3), (9, 14), (14, 21), (7, 8), (0, 0)):
            point_at(page, screen, row, col)
            page.wait_for_timeout(40)
        assert jumped() <= 0.05, (screen, page.evaluate("window.shifts"))


def test_a_first_visit_is_light_and_asks_nobody_else(visitor: Callable[..., Page]) -> None:
    weights: list[float] = []

    def weigh(page: Page) -> None:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on(
            "Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"])
        )

    page = visitor(
        prepare=weigh, newcomer=True, ahead=True
    )  # which watches that nothing leaves the machine
    page.wait_for_function("document.querySelector('#status').innerText.includes('CC0')")
    page.wait_for_timeout(1000)  # whatever else comes by itself
    assert len(weights) > 20
    assert sum(weights) <= 2e6, f"{sum(weights) / 1e6:.2f} MB"


def test_screens_get_ready_before_they_open_unless_the_browser_saves_data(
    visitor: Callable[..., Page],
) -> None:
    sparing, page = visitor(), visitor(ahead=True)
    for touched in (sparing, page):  # what nobody has touched is spared anyhow
        touched.locator(picture("attention")).press("ArrowLeft")
    for screen in ("crops", "masks", "features"):
        expect(page.locator(view(screen))).to_have_attribute("data-ready", "")
    made = """[...document.querySelectorAll("[data-view]")]
        .filter((view) => view.childElementCount).map((view) => view.dataset.view).sort()"""
    assert sparing.evaluate(made) == ["attention", "strip"]  # it has been there for longer
    for screen in ("crops", "masks"):  # and the lesson comes with its screen
        expect(page.locator(f"#lesson-{screen} p").first).to_be_attached()
    expect(sparing.locator("#lesson-attention p").first).to_be_attached()
    assert sparing.locator("#lesson-crops p").count() == 0
