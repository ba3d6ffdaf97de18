"""The explorer in headless Chromium: first picture, hovering, another layer, a pin, an edit.

Times as a person waits for them, from the browser's own clock.
"""

import statistics
from collections.abc import Iterator

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.page import ROOT, browser_for, open_page, press_key, serve, spread, upload
from benchmarks.results import Result

MOVES = 240
LINKED = ("attention", "features", "tokens")  # the views that draw the pinned patch

ATTENTION = """document.querySelector('[data-view="attention"]').inside"""

# From now on the time between two frames goes into window.frames, in milliseconds.
RECORD = """() => {
    window.frames = [];
    let last = null;
    const frame = (now) => {
        if (last !== null) window.frames.push(now - last);
        last = now;
        window.next = requestAnimationFrame(frame);
    };
    window.next = requestAnimationFrame(frame);
}"""
STOP = "() => { cancelAnimationFrame(window.next); return window.frames; }"

# Milliseconds from a click on a patch until every view says that it shows it, and the frame after.
PIN = """async ([views, col]) => {
    const frame = () => new Promise(requestAnimationFrame);
    const roots = views.map((name) => document.querySelector(`[data-view="${name}"]`));
    const picture = roots[0].querySelector(".inside-picture");
    const { left, top, width, height } = picture.getBoundingClientRect();
    const clientX = left + ((col + 0.5) / 37) * width, clientY = top + height / 2;
    const start = performance.now();
    picture.dispatchEvent(new MouseEvent("click", { clientX, clientY, bubbles: true }));
    while (!roots.every((root) => root.inside.col === col)) {
        if (performance.now() - start > 20000) throw new Error("a view does not follow the pin");
        await frame();
    }
    await frame();
    return performance.now() - start;
}"""

# Milliseconds from a click on a head's cell until before and after are drawn, and the frame after.
EDIT = """async (place) => {
    const frame = () => new Promise(requestAnimationFrame);
    const root = document.querySelector('[data-view="whatif"]');
    const cell = root.querySelector(`[data-place="${place}"]`);
    const start = performance.now();
    cell.click();
    while (!root.inside.texts.includes(`${place}=mean`)) {
        if (performance.now() - start > 20000) throw new Error(`${place} is not answered`);
        await frame();
    }
    await frame();
    return performance.now() - start;
}"""
# What follows from the changes that are shown is there, too: the processor is free.
AT_REST = """(count) => {
    const shown = document.querySelector('[data-view="whatif"]')?.inside;
    return shown?.texts?.length === count && shown.hasChart && shown.prototypes && shown.nearest;
}"""
# Milliseconds since the page was asked for, once the sample is drawn as the model sees it.
SEEN = """() => {
    const root = document.querySelector('[data-view="welcome"]');
    const picture = root?.querySelector(".inside-picture img");
    return root?.inside && picture.complete && picture.naturalWidth && performance.now();
}"""
# How far the page has moved under whoever looks at it, until the rail is there as well.
SHIFTS = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => {
        resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0));
    }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(0), 500);
})"""


def run(quick: bool) -> Iterator[Result]:
    repeats = 2 if quick else 7
    with serve() as url, sync_playwright() as playwright:
        browser = browser_for(playwright)
        yield from first_picture(browser, url, repeats)
        page = open_page(browser, url)
        upload(page, ROOT / "static" / "samples" / "astronaut.jpg")  # square
        yield layers(page, "224 px", 150)
        yield from edits(page)
        fine_grid(page)
        yield layers(page, "518 px", 300)
        yield hover(page)
        yield ends(page)
        yield pins(page, repeats)
        browser.close()


def first_picture(browser: Browser, url: str, repeats: int) -> Iterator[Result]:
    """From the request for the page, with nothing cached, to a first useful picture; and how far
    things move until the whole page is there."""
    ms, shifts = [], []
    for _ in range(repeats):
        page = open_page(browser, url)
        ms.append(float(page.wait_for_function(SEEN, timeout=60_000).json_value()))
        page.wait_for_selector("#inside-stage", state="detached", timeout=60_000)
        page.wait_for_selector("#samples button")
        shifts.append(float(page.evaluate(SHIFTS)))
        page.context.close()
    seconds = [one / 1000 for one in ms]
    yield Result(
        name="first useful picture: a sample at 518 px",
        value=statistics.median(seconds),
        unit="s",
        at_most=1.0,
        note=spread(seconds),
    )
    yield Result(
        name="layout shift while the page arrives",
        value=max(shifts),
        unit="the largest",
        at_most=0.05,
    )


def edits(page: Page) -> Iterator[Result]:
    """What if, at 224 px: heads of the first block and of the last, each replaced by its mean."""
    page.click("#tab-whatif")
    page.wait_for_function(AT_REST, arg=0, timeout=120_000)
    edit(page, "attention:11")  # after which the reference pictures have been measured
    for block, at_most in ((0, 300), (11, 150)):
        ms = [edit(page, f"head:{block}.{head}") for head in range(6)]
        yield Result(
            name=f"an edit in block {block} of 12, 224 px",
            value=max(ms),
            unit="ms, the slowest",
            at_most=at_most,
            note=f"median {statistics.median(ms):.0f} ms",
        )
    page.click("#tab-attention")


def edit(page: Page, place: str) -> float:
    """Milliseconds until one edit is answered; then it is taken back."""
    ms = page.evaluate(EDIT, place)
    page.wait_for_function(AT_REST, arg=1, timeout=120_000)
    page.locator('[data-view="whatif"]').get_by_role("button", name="Remove all").click()
    page.wait_for_function(AT_REST, arg=0, timeout=120_000)
    return float(ms)


def fine_grid(page: Page) -> None:
    """The square sample at 518 px: 37 x 37 patches."""
    page.locator("#size").get_by_text("518 px").click()
    page.wait_for_function(
        "document.querySelector('[data-view=attention]').inside?.tokens === 1370", timeout=120_000
    )
    for name in LINKED:
        page.wait_for_selector(f'[data-view="{name}"][data-ready]', state="attached")


def layers(page: Page, size: str, at_most: float) -> Result:
    """From the key to the frame with another layer: down through all of them and up again."""
    ms = press_key(page, "attention", "layer", ["["] * 11 + ["]"] * 11)
    return Result(
        name=f"another layer, {size}",
        value=max(ms),
        unit="ms, the slowest",
        at_most=at_most,
        note=f"median {statistics.median(ms):.0f} ms",
    )


def hover(page: Page) -> Result:
    """The pointer wanders over the picture, all heads shown; what each frame took."""
    return wander(page, f"hover, {MOVES} moves, all heads: a frame")


def ends(page: Page) -> Result:
    """The same with two ends: a kept source, and the target's value under the pointer, there and
    back, in every layer and head."""
    view = page.locator('[data-view="attention"]')
    box = view.locator(".inside-picture").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)  # the source
    toggle = view.get_by_role("button", name="Two ends")
    toggle.click()
    page.wait_for_function(f"{ATTENTION}.target !== undefined", timeout=60_000)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.95)
    page.wait_for_function(f"{ATTENTION}.target !== null", timeout=60_000)
    result = wander(page, f"a target's value, {MOVES} moves: a frame")
    toggle.click()
    return result


def wander(page: Page, name: str) -> Result:
    """What each frame took while the pointer went over the whole picture."""
    box = page.locator('[data-view="attention"] .inside-picture').first.bounding_box()
    assert box is not None
    turns = np.linspace(0, 6 * np.pi, MOVES)
    xs = box["x"] + box["width"] * (0.5 + 0.45 * np.sin(turns))
    ys = box["y"] + box["height"] * (0.5 + 0.45 * np.cos(1.3 * turns))
    page.mouse.move(float(xs[0]), float(ys[0]))
    page.evaluate(RECORD)
    for x, y in zip(xs, ys, strict=True):
        page.mouse.move(float(x), float(y))
    frames = page.evaluate(STOP)
    return Result(
        name=name,
        value=float(np.percentile(frames, 95)),
        unit="ms, 95th percentile",
        at_most=20,
        note=f"{len(frames)} frames, median {np.median(frames):.1f}, longest {max(frames):.0f} ms",
    )


def pins(page: Page, repeats: int) -> Result:
    ms = [page.evaluate(PIN, [list(LINKED), 3 + 4 * i]) for i in range(repeats)]
    return Result(
        name="a pin in all views",
        value=max(ms),
        unit="ms, the slowest",
        at_most=200,
        note=f"median {statistics.median(ms):.0f} ms",
    )
