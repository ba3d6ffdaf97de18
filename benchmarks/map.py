"""The map of many pictures in headless Chromium: 10 000 points zoomed, moved and pointed at.

The answers are made up here and handed to the page instead of the server's, so that what is timed
is the browser alone. Times are those between two frames, from the browser's own clock.
"""

import io
import json
from collections.abc import Iterator

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

from benchmarks.explorer import RECORD, STOP
from benchmarks.page import browser_for, open_page, serve
from benchmarks.results import Result
from dino_core.draw.encode import pack
from dino_core.scenes.gallery import Gallery, Points
from dino_core.scenes.gallery_similarity import Neighbours

PICTURES, CLASSES = 10_000, 10
FRAMES = 180
CARD = {
    "name": "samples",
    "title": "Ten thousand",
    "mine": False,
    "pictures": PICTURES,
    "classes": CLASSES,
    "model": "none",
    "size": 224,
    "asked": 0,
    "place": None,
    "wishes": [],
    "state": "ready",
    "words": "",
    "done": PICTURES,
    "total": PICTURES,
    "seconds_left": None,
    "broken": [],
    "broken_count": 0,
    "alive": False,
    "can_resume": False,
    "maps": [],
    "doing": "",
    "seen": True,
}
MAP = ".inside-gallery-map"
VIEW = "document.querySelector('[data-view=gallery]')"


def run(quick: bool) -> Iterator[Result]:
    frames = FRAMES // 3 if quick else FRAMES
    with serve() as url, sync_playwright() as playwright:
        browser = browser_for(playwright)
        page = open_page(browser, "about:blank")
        page.route("**/galleries**", answer)
        page.route("**/galleries/**", answer)
        page.goto(f"{url}/#screen=gallery")
        page.wait_for_function(f"{VIEW}?.inside?.count === {PICTURES}", timeout=120_000)
        page.wait_for_function(f"{VIEW}.inside.near?.neighbours && !{VIEW}.inside.map.moving")
        for name, pictures in (("points", False), ("pictures where there is room", True)):
            show(page, pictures)
            yield frame_times(f"zoom, {name}", page, frames, zoom)
            yield frame_times(f"pan, {name}", page, frames, pan)
            page.locator(MAP).press("0")
        show(page, False)
        yield frame_times("hover", page, frames, hover)
        browser.close()


def show(page: Page, pictures: bool) -> None:
    if page.evaluate(f"{VIEW}.inside.map.pictures") is not pictures:
        page.get_by_role("button", name="Pictures instead of points").click()


def frame_times(name: str, page: Page, frames: int, move) -> Result:  # type: ignore[no-untyped-def]
    page.evaluate(RECORD)
    move(page, frames)
    ms = page.evaluate(STOP)
    return Result(
        name=f"{name}, {PICTURES:,} pictures: a frame",
        value=float(np.percentile(ms, 95)),
        unit="ms, 95th percentile",
        at_most=20,
        note=f"{len(ms)} frames, median {np.median(ms):.1f}, longest {max(ms):.0f} ms",
    )


def middle(page: Page) -> tuple[float, float]:
    box = page.locator(MAP).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def zoom(page: Page, frames: int) -> None:
    """In and out again around the middle."""
    page.mouse.move(*middle(page))
    for i in range(frames):
        page.mouse.wheel(0, -40 if i < frames / 2 else 40)


def pan(page: Page, frames: int) -> None:
    """Held and led in a figure of eight, at three times the whole map."""
    x, y = middle(page)
    page.locator(MAP).press("0")
    for _ in range(3):
        page.locator(MAP).press("+")
    turns = np.linspace(0, 4 * np.pi, frames)
    page.mouse.move(x, y)
    page.mouse.down()
    for turn in turns:
        page.mouse.move(x + 150 * float(np.sin(turn)), y + 110 * float(np.sin(2 * turn)))
    page.mouse.up()


def hover(page: Page, frames: int) -> None:
    x, y = middle(page)
    for turn in np.linspace(0, 4 * np.pi, frames):
        page.mouse.move(x + 200 * float(np.sin(turn)), y + 200 * float(np.cos(1.3 * turn)))


# --- made-up answers


def answer(route: Route) -> None:
    path = route.request.url.split("/galleries", 1)[1].split("?")[0].removeprefix("/samples")
    if path == "":
        samples = route.request.url.rstrip("/").endswith("samples")
        values = CARD if samples else {"galleries": [CARD], "models": []}
        route.fulfill(json=values)
    elif path.endswith(".jpg"):
        route.fulfill(body=ATLAS, content_type="image/jpeg")
    elif path in ("/find", "/command"):
        route.fulfill(body=json.dumps({"index": None, "command": ""}))
    elif path == "/pictures":
        route.fulfill(body=pack(gallery()))
    elif path == "/points":
        route.fulfill(body=pack(points()))
    elif path.startswith("/neighbours"):
        route.fulfill(body=pack(neighbours()))
    else:
        route.fulfill(status=202, body="Not in this measurement.")


def labels() -> np.ndarray:
    return np.arange(PICTURES, dtype=np.int32) % CLASSES


def gallery() -> Gallery:
    return Gallery(
        labels=labels(),
        names=[f"class-{label}/{i:05}.jpg" for i, label in enumerate(labels())],
        classes=[f"class-{label}" for label in range(CLASSES)],
        splits=[""] * PICTURES,
        layers=12,
        dim=384,
        grid=(16, 16),
        patch_pictures=PICTURES,
        model="none",
        title="made up",
        official=False,
        known="",
        size=224,
        count=PICTURES,
        atlases=-(-PICTURES // 1024),
    )


def points() -> Points:
    """A heap for each class."""
    generator = np.random.default_rng(0)
    centres = generator.uniform(-0.8, 0.8, (CLASSES, 2))
    xy = centres[labels()] + generator.normal(0, 0.08, (PICTURES, 2))
    return Points(xy.clip(-1, 1).astype(np.float32), "cls", 11, "pca", {"words": ""})


def neighbours() -> Neighbours:
    return Neighbours(
        np.arange(1, 11, dtype=np.int32), np.linspace(0.9, 0.8, 10, dtype=np.float32), []
    )


def _atlas() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((2048, 2048), Image.Resampling.NEAREST).save(buffer, "JPEG")
    return buffer.getvalue()


ATLAS = _atlas()
