"""The page in headless Chromium: start-up, a large photo in all views, redrawing.

Absolute times, as a person waits for them. Each measurement is a function of its own: a page, or
the address of a server, goes in, a list of results comes out.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from benchmarks.results import Result, Skipped
from benchmarks.timing import milliseconds

ROOT = Path(__file__).resolve().parent.parent
VIEWS = ("crops", "masks", "attention", "features")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]

# Presses a key on a view's picture, and waits for the frame after the one in which the view says
# that it shows something else. Milliseconds.
PRESS = """async ([name, key, field]) => {
    const frame = () => new Promise(requestAnimationFrame);
    const root = document.querySelector(`[data-view="${name}"]`);
    const picture = root.querySelector(".inside-picture");
    const before = root.inside[field], start = performance.now();
    picture.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    while (root.inside[field] === before || !root.hasAttribute("data-ready")) {
        if (performance.now() - start > 20000) throw new Error(`${name} does not follow ${key}`);
        await frame();
    }
    await frame();
    return performance.now() - start;
}"""

ALL_SHOW_ANOTHER = """([names, old]) => names.every((name) => {
    const view = document.querySelector(`[data-view="${name}"]`);
    return view?.hasAttribute("data-ready") && view.inside?.key && view.inside.key !== old;
})"""


def run(quick: bool) -> Iterator[Result]:
    repeats = 1 if quick else 3
    yield start_up(repeats)
    with serve() as url, sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = browser_for(playwright)
        page = open_page(browser, url)
        upload(page, ROOT / "static" / "samples" / "coffee.jpg")  # waits until the model is loaded
        yield upload_to_all_views(page, Path(folder), repeats)
        yield from redrawing(page, 4 if quick else 10)
        browser.close()


# --- measurements


def start_up(repeats: int) -> Result:
    """From the command to the first answer."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        with serve():
            seconds.append(time.perf_counter() - start)
    return Result(
        name="from the command to the first answer",
        value=statistics.median(seconds),
        unit="s",
        at_most=5,
        note=spread(seconds),
    )


def upload_to_all_views(page: Page, folder: Path, repeats: int) -> Result:
    """From choosing a 12-megapixel JPEG to all four views showing it."""
    photo = folder / "photo.jpg"
    twelve_megapixels().save(photo, quality=90)
    seconds = [upload(page, photo) for _ in range(repeats)]
    return Result(
        name="12-megapixel JPEG in all four views, 224 px",
        value=statistics.median(seconds),
        unit="s",
        at_most=2.5,
        note=f"{photo.stat().st_size / 2**20:.1f} MB, {spread(seconds)}",
    )


def redrawing(page: Page, times: int) -> Iterator[Result]:
    """From a key to the frame with another layer, or another patch."""
    for name in ("attention", "features"):
        page.click(f"#tab-{name}")
        page.wait_for_selector(f'[data-view="{name}"][data-ready]')
        press = {
            "layer": ["["] * min(times, 11) + ["]"] * min(times, 11),
            "patch": ["ArrowRight", "ArrowLeft"] * (times // 2),  # never over the edge
        }
        for what, keys in press.items():
            field = "col" if what == "patch" else what
            ms = press_key(page, name, field, keys)
            yield Result(
                name=f"another {what} in {name}",
                value=statistics.median(ms),
                unit="ms",
                at_most=150,
                note=spread([one / 1000 for one in ms]),
            )


def press_key(page: Page, name: str, field: str, keys: list[str]) -> list[float]:
    """Milliseconds from each key to the frame in which the view shows something else."""
    return [page.evaluate(PRESS, [name, key, field]) for key in keys]


def spread(seconds: list[float]) -> str:
    return f"{milliseconds(min(seconds))} to {milliseconds(max(seconds))}"


# --- the page


@contextmanager
def serve(*options: str) -> Iterator[str]:
    """The address of a page of its own, from its first answer on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        # The preview that comes with the project, whatever else this user has on disk.
        names = ("INSIDE_DINOV2_HOME", "TORCH_HOME", "GRADIO_TEMP_DIR", "INSIDE_DINOV2_GALLERIES")
        places = dict.fromkeys(names, home)
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--port", str(port), *options],
            cwd=ROOT,
            env=os.environ | places,
            stdout=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def browser_for(playwright: Playwright) -> Browser:
    """Skipped where there is no Chromium."""
    names = ("chromium", "chromium-browser", "chromium-headless-shell")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        raise Skipped("Chromium is not installed")
    return playwright.chromium.launch(executable_path=chromium, args=FLAGS)


def open_page(browser: Browser, url: str) -> Page:
    """A visitor of its own, with nothing cached."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(url, wait_until="commit")
    return page


def wait_for(url: str, process: subprocess.Popen[Any], patience: float = 120) -> None:
    """Returns with the first answer."""
    stop = time.perf_counter() + patience
    while time.perf_counter() < stop and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"The page does not answer at {url}.")


def upload(page: Page, file: Path) -> float:
    """Seconds from choosing a file until all four views show it."""
    page.wait_for_function(ALL_SHOW_ANOTHER, arg=[["strip"], ""], timeout=120_000)
    old = page.evaluate("document.querySelector('[data-view=strip]').inside.key")
    start = time.perf_counter()
    page.set_input_files("#picture input[type=file]", str(file))
    page.wait_for_function(ALL_SHOW_ANOTHER, arg=[list(VIEWS), old], timeout=120_000)
    return time.perf_counter() - start


def twelve_megapixels() -> Image.Image:
    """A photo of 4000 x 3000 px with the grain of a camera."""
    with Image.open(ROOT / "static" / "samples" / "flower.jpg") as sample:
        large = np.asarray(sample.resize((4000, 3000), Image.Resampling.BICUBIC), dtype=np.float32)
    grain = np.random.default_rng(0).normal(0, 3, large.shape)
    return Image.fromarray((large + grain).clip(0, 255).astype(np.uint8))
