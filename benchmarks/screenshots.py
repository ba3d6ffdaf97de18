"""`python -m benchmarks.screenshots FOLDER`: every screen, light and dark, wide and narrow.

With a second folder, of pictures taken before, it says how much of each has changed:

    python -m benchmarks.screenshots after --before before
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from benchmarks.page import browser_for, serve

LINKS = {
    "crops": "screen=crops",
    "masks": "screen=masks",
    "tokens": "screen=tokens",
    "tokens-positions": "screen=tokens&part=positions",
    "tokens-blocks": "screen=tokens&part=blocks",
    "attention": "screen=attention",
    "features": "screen=features",
    "whatif": "screen=whatif&whatif=head:8.3=mean*tokens:0[4-6,9-12]=mean",
    "losses": "screen=losses",
    "update": "screen=update",
    "step": "screen=step&step-line=68",
    "training": "screen=training",
    "tray": "screen=tray&sample=cat.jpg&tray=sample/cat.jpg*sample/coffee.jpg*sample/flower.jpg",
    "gallery": "screen=gallery",
}
WIDTHS = (1440, 800)
THEMES = ("light", "dark")
DIFFERENT = 24  # of 255: smaller differences are rounding at the edge of a letter
SETTLED = """() => {
    const open = document.querySelector(".inside-screen.open");
    return open?.querySelector(".inside-view[data-ready]")
        && open.querySelector(".inside-lesson")?.textContent.trim()
        && !document.querySelector(".inside-view.waiting.open")
        && [...document.images].every((image) => image.complete);
}"""


def take_all(folder: Path, names: list[str]) -> None:
    """Writes FOLDER/SCREEN-THEME-WIDTH.png, of the whole page from top to bottom."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve() as url, sync_playwright() as playwright:
        browser = browser_for(playwright)
        for name in names:
            for theme in THEMES:
                for width in WIDTHS:
                    take(browser, url, LINKS[name], theme, width, folder / shot(name, theme, width))
        browser.close()


def shot(name: str, theme: str, width: int) -> str:
    return f"{name}-{theme}-{width}.png"


def take(browser: Browser, url: str, link: str, theme: str, width: int, file: Path) -> None:
    page = browser.new_page(viewport={"width": width, "height": 1000}, reduced_motion="reduce")
    page.goto(f"{url}/?__theme={theme}#{link}")
    page.wait_for_function(SETTLED, timeout=120_000)
    page.wait_for_timeout(2500)  # drawings that follow the last answer; nothing announces them
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # charts below the window, as on paper
    page.wait_for_timeout(1000)
    page.screenshot(path=file, full_page=True, animations="disabled")
    page.close()
    print(file, flush=True)


def changed(before: Path, after: Path) -> str:
    """How much of a picture is not as it was, as words."""
    one, two = (
        np.asarray(Image.open(path).convert("RGB")).astype(np.int16) for path in (before, after)
    )
    (high, wide), size = np.minimum(one.shape[:2], two.shape[:2]), max(one.shape[0], two.shape[0])
    different = (np.abs(one[:high, :wide] - two[:high, :wide]).max(axis=2) > DIFFERENT).mean()
    grown = "" if one.shape == two.shape else f", {one.shape[0]} -> {two.shape[0]} px high"
    return f"{different:7.2%} of the first {high} of {size} rows differ{grown}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("names", nargs="*", metavar="SCREEN", help="which; all without")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="compare with those in there")
    args = parser.parse_args(argv)
    names = args.names or list(LINKS)
    os.environ.setdefault("INSIDE_DINOV2_RUNS", str(args.folder / "no-runs"))
    take_all(args.folder, names)
    for name in names if args.before else []:
        for file in (shot(name, theme, width) for theme in THEMES for width in WIDTHS):
            print(f"{file:32}{changed(args.before / file, args.folder / file)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
