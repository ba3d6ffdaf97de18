"""Two ends of attention on the page: a kept source, a target under the pointer, there and back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dino_core import Inspection, fit_to_patches, inspect, load_backbone, open_picture, to_tensor

pytestmark = pytest.mark.browser
CAT = Path(__file__).resolve().parents[2] / "static" / "samples" / "cat.jpg"
VIEW = '[data-view="attention"]'
STATE = f"document.querySelector('{VIEW}')?.inside"


@pytest.fixture(scope="module")
def seen() -> Inspection:
    vit = load_backbone("preview_vits14").vit
    return inspect(vit, to_tensor(fit_to_patches(open_picture(CAT), 14, 224).picture))


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    return visitors("#screen=attention&layer=8&head=2&row=5&col=9&ends=1")


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(f"(() => {{ const s = {STATE}; return s && ({condition}); }})()")


def centre(page: Page, row: int, col: int) -> tuple[float, float]:
    box = page.locator(f"{VIEW} .inside-picture").first.bounding_box()
    assert box
    return box["x"] + (col + 0.5) * box["width"] / 24, box["y"] + (row + 0.5) * box["height"] / 16


def frame(page: Page, which: str) -> Any:
    return page.locator(f"{VIEW} .inside-picture").first.locator(which).bounding_box()


def test_the_target_follows_the_pointer_and_the_source_stays(page: Page, seen: Inspection) -> None:
    page.mouse.move(*centre(page, 3, 4))
    wait(page, "s.target?.join() === '3,4' && s.row === 5 && s.col === 9 && !s.held")
    source, target = seen.token_at(5, 9), seen.token_at(3, 4)
    there, back = (
        seen.row(8, one)[2, other] for one, other in ((source, target), (target, source))
    )
    cells = page.locator(f"{VIEW} .inside-ends tbody tr").last.locator("td")
    expect(cells).to_have_text([f"{100 * value:.2f} %" for value in (there, back)])
    scores = page.locator(f"{VIEW} .inside-ends tbody tr").first.locator("td")
    product = (seen.queries[8, 2, source] * seen.keys[8, 2, target]).sum()
    expect(scores.first).to_have_text(f"{product:.3f}")
    source_mark, target_mark = frame(page, ".pinned"), frame(page, ".inside-target")
    assert source_mark["x"] > target_mark["x"], "both are marked"

    tip = page.locator(f"{VIEW} .inside-picture").first.locator(".inside-tip")
    expect(tip).to_be_visible()
    words = tip.bounding_box()
    assert words
    apart = (
        words["x"] >= target_mark["x"] + target_mark["width"]
        or words["x"] + words["width"] <= target_mark["x"]
        or words["y"] >= target_mark["y"] + target_mark["height"]
        or words["y"] + words["height"] <= target_mark["y"]
    )
    assert apart, "the words never cover what is pointed at"


def test_a_target_is_kept_until_it_is_let_go(page: Page, seen: Inspection) -> None:
    page.mouse.move(*centre(page, 10, 12))
    wait(page, "s.target?.join() === '10,12'")
    page.mouse.down()
    page.mouse.up()
    wait(page, "s.held")
    page.mouse.move(*centre(page, 2, 2))
    wait(page, "s.hasBack && s.target.join() === '10,12'")
    maps = page.locator(f"{VIEW} .inside-ends-map")
    expect(maps).to_have_count(2)
    box = maps.nth(1).bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 4.5 / 6, box["y"] + box["height"] * 3.5 / 12)
    value = seen.row(3, seen.token_at(10, 12))[4, seen.token_at(5, 9)]
    expect(maps.nth(1).locator(".inside-tip")).to_have_text(f"layer 3, head 4\n{100 * value:.2f} %")
    page.mouse.click(*centre(page, 10, 12))
    wait(page, "!s.held")
    page.locator(f"{VIEW} .inside-picture").first.press("Escape")
    wait(page, "s.target === null && s.row === 5")
    page.locator(VIEW).get_by_role("button", name="Two ends").click()
    page.mouse.move(*centre(page, 7, 7))
    wait(page, "s.row === 7 && s.target === undefined")
