"""While another picture, size or model is on its way, what is shown is named as the one before."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
VIEW = "[data-view=attention]"
DIMMED = f"getComputedStyle(document.querySelector('{VIEW} > *')).opacity < 0.6"
TOP = f"document.querySelector('{VIEW}').getBoundingClientRect().top"


@contextmanager
def held(page: Page, address: str | re.Pattern[str]) -> Iterator[list[Route]]:
    """Requests to these addresses wait until the end."""
    waiting: list[Route] = []
    holding = True
    page.route(address, lambda route: waiting.append(route) if holding else route.continue_())
    yield waiting
    holding = False
    for route in waiting:
        route.continue_()


@pytest.fixture(scope="module")
def shared(visitors: Callable[..., Page]) -> Page:
    return visitors("#screen=attention&sample=cat.jpg")


@pytest.fixture
def page(shared: Page) -> Page:
    """One page for all tests, each of which begins with the cat at 224 px."""
    shared.wait_for_function("location.hash.includes('model=')")
    for here, way in (
        ("size=224", "#size label"),
        ("sample=cat.jpg", "#samples [data-file='cat.jpg']"),
    ):
        if here not in shared.url:
            shared.locator(way).first.click()
            shared.wait_for_function("(here) => location.hash.includes(here)", arg=here)
    shared.wait_for_selector(f"{VIEW}[data-ready]:not([aria-busy])")
    return shared


def numbers(page: Page) -> dict[str, tuple[int, ...]]:
    with page.expect_download() as download:
        page.locator(f"{VIEW} .inside-take").get_by_text("NPZ").click()
    arrays = np.load(io.BytesIO(Path(download.value.path()).read_bytes()))
    return {name: arrays[name].shape for name in arrays.files}


def touch(page: Page, what: str) -> None:
    if what == "a size":
        page.locator("#size label").nth(1).click()
    elif what == "a sample":
        page.click("#samples [data-file='coffee.jpg']")
    else:
        sample = Path(__file__).resolve().parents[2] / "static" / "samples" / "rocket.jpg"
        page.set_input_files("#picture input[type=file]", sample)


@pytest.mark.parametrize("what", ["a sample", "an upload", "a size"])
def test_the_one_before_is_dimmed_and_named_until_the_new_one_comes(page: Page, what: str) -> None:
    before, top = numbers(page), page.evaluate(TOP)
    with held(page, "**/queue/join*"):
        touch(page, what)
        expect(page.locator("#inside-notice")).to_contain_text("Still shown: cat.jpg at 224 px")
        expect(page.locator(VIEW)).to_have_attribute("aria-busy", "true")
        page.wait_for_function(DIMMED)
        assert page.evaluate(TOP) == top
        assert numbers(page) == before
    expect(page.locator("#inside-notice")).to_have_text("", timeout=60_000)
    expect(page.locator(VIEW)).not_to_have_attribute("aria-busy", "true")
    assert not page.evaluate(DIMMED)


def test_numbers_asked_for_while_the_new_one_is_fetched_are_of_what_is_then_drawn(
    page: Page,
) -> None:
    before = numbers(page)
    with page.expect_download() as download:
        with held(page, re.compile(r"/view/[^/]+/(attention|source)")) as waiting:
            touch(page, "a size")
            page.wait_for_function("location.hash.includes('size=448')", timeout=60_000)
            expect(page.locator("#inside-notice")).to_contain_text("cat.jpg at 224 px")
            page.wait_for_function(DIMMED)
            assert waiting
            page.locator(f"{VIEW} .inside-take").get_by_text("NPZ").click()
        expect(page.locator("#inside-notice")).to_have_text("", timeout=60_000)
    with np.load(download.value.path()) as arrays:
        asked = {name: arrays[name].shape for name in arrays.files}
    assert asked == numbers(page) != before


def test_a_refusal_ends_it(page: Page, tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("no picture at all")
    page.set_input_files("#picture input[type=file]", tmp_path / "words.png")
    expect(page.locator("#status")).to_contain_text("text file", timeout=60_000)
    expect(page.locator("#inside-notice")).to_have_text("")
    expect(page.locator(VIEW)).not_to_have_attribute("aria-busy", "true")
