"""The map of many pictures in headless Chromium: zoomed, moved and pointed at.

10 000, 100 000 and a million points. The answers are made up here and handed to the page instead of
the server's, so that what is timed is the browser alone. Times are those between two frames, from
the browser's own clock.
"""

import io
import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

from benchmarks.explorer import RECORD, STOP
from benchmarks.page import browser_for, open_page, serve
from benchmarks.results import Result
from dino_core.draw.encode import pack
from dino_core.scenes.gallery import Gallery, Points
from dino_core.scenes.gallery_parts import PART, Part
from dino_core.scenes.gallery_similarity import Neighbours

CLASSES = 10
SIZES = {10_000: 20, 100_000: 20, 1_000_000: 34}  # pictures: ms that a frame may take
LARGE = 20_000  # pictures whose map comes in parts
FIRST = 3  # s until the first points are there
FRAMES = 180
CARD = {
    "name": "samples",
    "title": "Made up",
    "mine": False,
    "classes": CLASSES,
    "model": "none",
    "size": 224,
    "asked": 0,
    "place": None,
    "wishes": [],
    "state": "ready",
    "words": "",
    "seconds_left": None,
    "broken": [],
    "broken_count": 0,
    "left_out": [],
    "left_out_count": 0,
    "notes": [],
    "actions": [],
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
        for count in list(SIZES)[:2] if quick else SIZES:
            page = open_page(browser, "about:blank")
            for pattern in ("**/galleries**", "**/galleries/**"):
                page.route(pattern, Answers(count))
            yield first_points(page, url, count)
            yield from movements(page, count, frames)
            page.close()
        browser.close()


def first_points(page: Page, url: str, count: int) -> Result:
    """From the page, which is open, to points on the map of many pictures."""
    page.goto(f"{url}/#screen=crops")
    page.wait_for_selector("[data-view=crops][data-ready]")
    start = time.perf_counter()
    page.click("#tab-gallery")
    page.wait_for_function(f"{VIEW}?.inside?.map?.there > 0", timeout=120_000)
    seconds = time.perf_counter() - start
    page.wait_for_function(f"{VIEW}.inside.map.there === {count}", timeout=120_000)
    page.wait_for_function(f"{VIEW}.inside.near?.neighbours && !{VIEW}.inside.map.moving")
    whole = time.perf_counter() - start
    name = f"first of {count:,} points"
    return Result(name, seconds, "s", at_most=FIRST, note=f"all of them after {whole:.1f} s")


def movements(page: Page, count: int, frames: int) -> Iterator[Result]:
    for name, pictures in (("points", False), ("pictures where there is room", True)):
        show(page, pictures)
        yield frame_times(f"zoom, {name}", page, frames, move=zoom, count=count)
        yield frame_times(f"pan, {name}", page, frames, move=pan, count=count)
        page.locator(MAP).press("0")
    show(page, False)
    yield frame_times("hover", page, frames, move=hover, count=count)


def show(page: Page, pictures: bool) -> None:
    if page.evaluate(f"{VIEW}.inside.map.pictures") is not pictures:
        page.get_by_role("button", name="Pictures instead of points").click()


def frame_times(
    name: str, page: Page, frames: int, *, move: Callable[[Page, int], None], count: int
) -> Result:
    page.evaluate(RECORD)
    move(page, frames)
    ms = page.evaluate(STOP)
    return Result(
        name=f"{name}, {count:,} pictures: a frame",
        value=float(np.percentile(ms, 95)),
        unit="ms, 95th percentile",
        at_most=SIZES[count],
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


class Answers:
    """What the server would say of a gallery of so many pictures."""

    def __init__(self, count: int) -> None:
        self.count = count
        generator = np.random.default_rng(0)
        centres = generator.uniform(-0.8, 0.8, (CLASSES, 2))
        xy = centres[self.labels()] + generator.normal(0, 0.08, (count, 2))
        self.xy = xy.clip(-1, 1).astype(np.float32)  # a heap for each class

    def __call__(self, route: Route) -> None:
        path = route.request.url.split("/galleries", 1)[1].split("?")[0].removeprefix("/samples")
        card = CARD | {"pictures": self.count, "done": self.count, "total": self.count}
        if path == "":
            samples = route.request.url.rstrip("/").endswith("samples")
            route.fulfill(json=card if samples else {"galleries": [card], "models": []})
        elif path == "/tiles.jpg":
            route.fulfill(body=sheet(-(-len(asked_of(route)) // 16)), content_type="image/jpeg")
        elif path.endswith(".jpg"):
            route.fulfill(body=sheet(32, across=32), content_type="image/jpeg")
        elif path in ("/find", "/command"):
            route.fulfill(body=json.dumps({"index": None, "command": ""}))
        elif path == "/names":
            names = [f"class-{i % CLASSES}/{i}.jpg" for i in map(int, asked_of(route))]
            route.fulfill(json={"names": names})
        elif path == "/pictures":
            route.fulfill(body=pack(self.gallery()))
        elif path == "/points":
            route.fulfill(body=pack(Points(self.xy, "cls", 11, "pca", {"words": ""})))
        elif path.startswith("/part/"):
            route.fulfill(body=pack(self.part(int(path.removeprefix("/part/")))))
        elif path.startswith("/neighbours"):
            route.fulfill(body=pack(neighbours()))
        else:
            route.fulfill(status=202, body="Not in this measurement.")

    def labels(self) -> np.ndarray:
        return np.arange(self.count, dtype=np.int32) % CLASSES

    def gallery(self) -> Gallery:
        large, labels = self.count > LARGE, self.labels()
        names = [] if large else [f"class-{one}/{i:05}.jpg" for i, one in enumerate(labels)]
        return Gallery(
            labels=labels,
            names=names,
            classes=[f"class-{label}" for label in range(CLASSES)],
            splits=[""] * len(names),
            layers=12,
            dim=384,
            grid=(16, 16),
            patch_pictures=self.count,
            model="none",
            title="made up",
            official=False,
            known="",
            size=224,
            count=self.count,
            atlases=-(-self.count // 1024),
            large=large,
        )

    def part(self, number: int) -> Part:
        parts = -(-self.count // PART)
        xy = np.ascontiguousarray(self.xy[number::parts])
        return Part(xy, number, parts, self.count, "cls", 11, "pca", {"words": ""})


def neighbours() -> Neighbours:
    return Neighbours(
        np.arange(1, 11, dtype=np.int32), np.linspace(0.9, 0.8, 10, dtype=np.float32), []
    )


def asked_of(route: Route) -> list[str]:
    """The pictures that a request names: ?of=5,17."""
    return parse_qs(urlsplit(route.request.url).query)["of"][0].split(",")


@cache
def sheet(lines: int, across: int = 16) -> bytes:
    """So many thumbnails of 64 px, as large as the server sends them."""
    noise = np.random.default_rng(0).integers(0, 256, (lines, across, 3), dtype=np.uint8)
    size, buffer = (64 * across, 64 * lines), io.BytesIO()
    Image.fromarray(noise).resize(size, Image.Resampling.NEAREST).save(buffer, "JPEG")
    return buffer.getvalue()
