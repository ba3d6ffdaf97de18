"""The rail under the keyboard alone: what is only passed through changes and asks nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tiny_models import tiny_vit

from dino_core.config import ViTConfig
from dino_core.weights import save_backbone

pytestmark = pytest.mark.browser
PREVIEW = "Preview ViT-S/14 (not the official weights)"
LIST = "#model [role=listbox]"


class Asked(list[str]):
    """What Gradio is asked from the arrival on."""

    def listen(self, page: Page) -> None:
        page.on("request", self.note)

    def note(self, request: Any) -> None:
        if "queue/join" in request.url:
            self.append(request.post_data or "")

    def forget_the_arrival(self, page: Page) -> None:
        """It asks by itself what its link means."""
        for _ in range(100):
            if self:
                break
            page.wait_for_timeout(100)
        assert len(self) == 1
        self.clear()


@pytest.fixture(scope="module")
def arrived(visitors: Callable[..., Page]) -> tuple[Page, Asked]:
    """One page for all tests here, as each of them leaves it as it was but for the sample."""
    asked = Asked()
    page = visitors("#screen=masks", prepare=asked.listen)
    page.wait_for_function("location.hash.includes('sample=cat.jpg')")
    asked.forget_the_arrival(page)
    return page, asked


@pytest.fixture
def page(arrived: tuple[Page, Asked]) -> Page:
    return arrived[0]


@pytest.fixture
def asked(arrived: tuple[Page, Asked]) -> Asked:
    arrived[1].clear()
    return arrived[1]


@pytest.fixture
def own_model(tmp_path: Path) -> Path:
    """A file of one's own, which needs no download: it stands first in the list of models."""
    vit = tiny_vit(ViTConfig(dim=64, depth=2, heads=2, patch_size=14, image_size=28))
    return save_backbone(vit, tmp_path / "own.safetensors")


def tab_to(page: Page, selector: str) -> None:
    """By Tab alone, from above it in the rail."""
    above = ".inside-skip" if selector.startswith("#samples") else "#samples button >> nth=-1"
    page.focus(above)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    pytest.fail(f"Tab never came to {selector}")


def settled(page: Page) -> None:
    """Whatever a key has set off has been sent: two frames, and the events behind them."""
    page.evaluate("() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 250))")


@pytest.mark.parametrize(
    "keys",
    [
        ["Tab"],
        ["Shift+Tab"],
        ["ArrowDown", "ArrowDown", "Tab"],
        ["ArrowUp", "Home", "End", "Shift+Tab"],
        ["v", "i", "t", "b", "Tab"],
        ["z", "z", "Tab"],
        ["ArrowDown", "Escape", "Tab"],
        ["v", "i", "t", "Escape", "Tab"],
        ["Shift", "Escape", "ArrowDown", "Tab"],
    ],
    ids=" ".join,
)
def test_the_list_of_models_is_left_as_it_was(page: Page, asked: Asked, keys: list[str]) -> None:
    tab_to(page, "#model input")
    for key in keys:
        page.keyboard.press(key)
    settled(page)
    expect(page.locator("#model input")).not_to_be_focused()
    expect(page.locator(LIST)).to_have_count(0)
    expect(page.locator("#model input")).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#model input")).to_have_value(PREVIEW)
    assert asked == []


def test_the_list_does_not_open_after_it_was_left(page: Page, asked: Asked) -> None:
    """It answers a key some moments later; here it is left before that."""
    tab_to(page, "#model input")
    page.locator("#model input").evaluate(
        "(list) => { list.dispatchEvent(new KeyboardEvent('keydown', { key: 'z', bubbles: true }));"
        " list.blur(); }"
    )
    settled(page)
    expect(page.locator(LIST)).to_have_count(0)
    expect(page.locator("#model input")).to_have_attribute("aria-expanded", "false")
    assert asked == []


def test_escape_closes_the_list_and_takes_back_what_was_typed(page: Page, asked: Asked) -> None:
    tab_to(page, "#model input")
    page.keyboard.type("vitb")  # no model is called that
    expect(page.locator("#model input")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator(LIST)).to_have_count(0)
    expect(page.locator("#model input")).to_be_focused()
    assert page.locator("#model input").input_value() == PREVIEW
    page.keyboard.press("ArrowDown")
    expect(page.locator(LIST)).to_be_visible()
    page.keyboard.press("Escape")
    settled(page)
    assert asked == []


def test_the_size_is_passed_through_and_changed_by_an_arrow(page: Page, asked: Asked) -> None:
    tab_to(page, "#size input")
    page.keyboard.press("Tab")
    expect(page.locator("#size input:focus"), "one stop, not three").to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#size input:focus")).to_be_checked()
    page.keyboard.press("Shift+Tab")
    settled(page)
    assert asked == []
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash.includes('size=448')", timeout=60_000)
    assert len(asked) == 1
    page.wait_for_selector("[data-view=masks]:not([aria-busy])[data-ready]")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("!location.hash.includes('size=448')", timeout=60_000)
    assert len(asked) == 2, "and back"


def test_the_samples_are_passed_through_and_opened_by_enter(page: Page, asked: Asked) -> None:
    tab_to(page, "#samples button")
    while page.locator("#samples button:focus").count():
        page.keyboard.press("Tab")
    settled(page)
    assert asked == []
    page.keyboard.press("Shift+Tab")
    sample = page.locator("#samples button:focus").get_attribute("data-file")
    page.keyboard.press("Enter")
    page.wait_for_function(f"location.hash.includes('sample={sample}')", timeout=60_000)
    assert len(asked) == 1


def choose_model(page: Page, keys: list[str]) -> None:
    """By Tab and these keys, a word of which is typed, and Enter."""
    tab_to(page, "#model input")
    for key in keys:
        if key == "Preview":
            page.keyboard.type(key)
        else:
            page.keyboard.press(key)
    page.keyboard.press("Enter")


def test_enter_on_another_model_changes_it_once(page: Page, asked: Asked, own_model: Path) -> None:
    badge, model = page.locator("#badge"), page.locator("#model input")
    page.locator("#checkpoint input[type=file]").set_input_files(own_model)
    expect(badge).to_contain_text("Your checkpoint", timeout=60_000)
    settled(page)
    asked.clear()
    for way in (["Preview"], ["ArrowUp", "End", "ArrowUp", "ArrowDown"]):
        choose_model(page, way)
        expect(badge).to_contain_text("Preview ViT-S/14", timeout=60_000)
        expect(model).to_have_value(PREVIEW)
        page.wait_for_selector("[data-view=masks]:not([aria-busy])[data-ready]")
        settled(page)
        assert len(asked) == 1
        tab_to(page, "#model input")  # and back again, after it was left alone once
        page.keyboard.press("Tab")
        settled(page)
        assert len(asked) == 1
        choose_model(page, ["Home"])
        expect(badge).to_contain_text("Your checkpoint", timeout=60_000)
        expect(model).to_have_value("own.safetensors (yours)")
        page.wait_for_selector("[data-view=masks]:not([aria-busy])[data-ready]")
        settled(page)
        assert len(asked) == 2
        asked.clear()
