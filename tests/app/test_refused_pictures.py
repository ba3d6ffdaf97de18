"""A picture that is refused changes nothing but the words, and these are about that picture."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
FILE = "#picture input[type=file]"
SHOWN = "#picture img"
DRAWN = "(selector) => document.querySelector(selector)?.naturalWidth > 100"
LARGE = b"\xff\xd8\xff" + os.urandom(27 * 2**20)  # more than the widget takes


def no_picture(tmp_path: Path) -> Path:
    path = tmp_path / "words.png"
    path.write_text("no picture at all")
    return path


def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.jpg"
    path.write_bytes(LARGE)
    return path


@pytest.mark.parametrize("before", ["the sample", "a picture of one's own"])
def test_everything_stays_and_the_words_are_about_this_file(
    visitor: Callable[..., Page], shown: Callable[..., dict], tmp_path: Path, before: str
) -> None:
    page = visitor(strict=False)  # Gradio says on the console that a file was too large
    status = page.locator("#status")
    expect(page.locator(SHOWN).first).to_be_visible()
    if before != "the sample":
        page.locator(FILE).first.set_input_files(SAMPLES / "coffee.jpg")
        expect(status).to_contain_text("Your picture", timeout=60_000)
        page.wait_for_function(  # the words come before the screens have followed
            "document.querySelector('[data-view=attention]').inside.key !== 'first'",
            timeout=60_000,
        )
    key = shown(page, "attention").get("key")
    for file, words in (
        (no_picture(tmp_path), "text file"),
        (large(tmp_path), "at most 25 MB"),
        (no_picture(tmp_path), "text file"),
    ):
        page.locator(FILE).first.set_input_files(file)
        expect(status).to_contain_text(words, timeout=60_000)
        expect(page.locator(SHOWN).first).to_be_visible(timeout=60_000)
        page.wait_for_function(DRAWN, arg=SHOWN, timeout=60_000)
        assert shown(page, "attention").get("key") == key
    page.locator(FILE).first.set_input_files(SAMPLES / "rocket.jpg")
    expect(status).to_contain_text("Your picture", timeout=60_000)


def test_what_a_link_says_is_text(visitor: Callable[..., Page]) -> None:
    """HTML in a link reaches the words of a refusal, and no element of it the page."""
    page = visitor("#model=<form id=evil><img src=x onerror=alert(1)></form>", strict=False)
    expect(page.locator("#status")).to_contain_text("<form", timeout=60_000)
    expect(page.locator(".toast-body").first).to_contain_text("<form")
    assert page.locator("#evil").count() == 0


@pytest.mark.parametrize("seed", ["99999999999999999999", "-1", "9" * 5000, "many"])
def test_an_odd_seed_in_a_link_gets_words(visitor: Callable[..., Page], seed: str) -> None:
    page = visitor(f"#seed={seed}", strict=False)
    expect(page.locator("#status")).to_contain_text("link is damaged", timeout=60_000)
