"""A picture that is refused changes nothing but the words, and these are about that picture."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
FILE = "#picture input[type=file]"
SHOWN = "#picture img"
DRAWN = "(selector) => document.querySelector(selector)?.naturalWidth > 100"
LARGE = b"\xff\xd8\xff" + b"0123456789" * (27 * 2**17)  # more than the widget takes


def no_picture(tmp_path: Path) -> Path:
    path = tmp_path / "words.png"
    path.write_text("no picture at all")
    return path


def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.jpg"
    path.write_bytes(LARGE)
    return path


def send(page: Page, file: Path, words: str) -> None:
    """Through the widget, and what is then said of it."""
    page.locator(FILE).first.set_input_files(file)
    expect(page.locator("#status")).to_contain_text(words, timeout=60_000)


def test_everything_stays_and_the_words_are_about_this_file(
    visitor: Callable[..., Page], shown: Callable[..., dict], tmp_path: Path
) -> None:
    """While the sample is shown, and while a picture of one's own is."""
    page = visitor(strict=False)  # Gradio says on the console that a file was too large
    for another in ("coffee.jpg", "rocket.jpg"):
        expect(page.locator(SHOWN).first).to_be_visible()
        key = shown(page, "attention").get("key")
        for file, words in (
            (no_picture(tmp_path), "text file"),
            (large(tmp_path), "at most 25 MB"),
            (no_picture(tmp_path), "text file"),
        ):
            send(page, file, words)
            expect(page.locator(SHOWN).first).to_be_visible(timeout=60_000)
            page.wait_for_function(DRAWN, arg=SHOWN, timeout=60_000)
            assert shown(page, "attention").get("key") == key
        send(page, SAMPLES / another, "Your picture")
        page.wait_for_function(  # the words come before the screens have followed
            "(key) => document.querySelector('[data-view=attention]').inside.key !== key",
            arg=key,
            timeout=60_000,
        )


def test_what_a_link_says_is_text(visitor: Callable[..., Page]) -> None:
    """HTML in a link reaches the words of a refusal, and no element of it the page."""
    page = visitor("#model=<form id=evil><img src=x onerror=alert(1)></form>", strict=False)
    expect(page.locator("#status")).to_contain_text("<form", timeout=60_000)
    expect(page.locator(".toast-body").first).to_contain_text("<form")
    assert page.locator("#evil").count() == 0


def test_an_odd_seed_in_a_link_gets_words(visitor: Callable[..., Page]) -> None:
    """Longer than Python reads as a number; other odd links are tried in test_handlers.py."""
    page = visitor(f"#seed={'9' * 5000}", strict=False)
    expect(page.locator("#status")).to_contain_text("link is damaged", timeout=60_000)
