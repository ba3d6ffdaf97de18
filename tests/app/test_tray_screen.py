"""The tray in a real browser: rows, columns, the chosen patch, files, a zip, the link."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
VIEW = '[data-view="tray"]'
STATE = f"document.querySelector('{VIEW}')?.inside"
OTHER = "distilled_vit8"  # beside the model with which the page begins
CAT, COFFEE = "sample/cat.jpg", "sample/coffee.jpg"
LINK = f"#screen=tray&sample=cat.jpg&tray={CAT}*{COFFEE}&tray.columns=input*similar:8@*norms"
LONG = 60_000  # ms, for forwards on a busy machine


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    page = visitors(LINK)
    wait(page, f"s.shown.join() === '{CAT},{COFFEE}'")
    return page


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(
        f"(() => {{ const s = {STATE}; return s && !s.busy && ({condition}); }})()", timeout=LONG
    )


def state(page: Page, name: str) -> Any:
    return page.evaluate(f"{STATE}.{name}")


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (60, 90, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_patch_is_chosen_and_moved_by_keys(page: Page) -> None:
    assert state(page, "words") == ["input", "similar:8@0:8,12", "norms:11"]
    picture = page.locator(f"{VIEW} tbody tr").nth(1).locator(".inside-picture").first
    picture.focus()
    page.keyboard.press("ArrowRight")
    wait(page, "s.asked === 1 && s.words[1] === 'similar:8@1:8,13'")
    expect(picture).to_be_focused()
    facts = state(page, "facts")[1]
    assert facts["marks"] == [None, [8, 13]]
    expect(page.locator(f"{VIEW} tbody td").nth(1)).to_contain_text("best match: ")
    page.wait_for_function("location.hash.includes('tray.patch=1%3A8%2C13')")


def test_columns_and_rows_come_move_and_go(page: Page) -> None:
    view = page.locator(VIEW)
    view.get_by_label("Column").select_option("clusters")
    view.get_by_role("button", name="Add column").click()
    wait(page, "s.words.length === 4 && s.words[3] === 'clusters:11'")
    view.get_by_role("button", name="To the left: Clusters, layer 11").click()
    wait(page, "s.words[2] === 'clusters:11'")
    sort = view.get_by_role("button", name="Sort rows by: longest token: Lengths, layer 11")
    sort.click()  # the largest stands first already: the other way round
    wait(page, f"s.shown[0] === '{COFFEE}' && s.facts[3].numbers[0] < s.facts[3].numbers[1]")
    sort.click()
    wait(page, f"s.shown[0] === '{CAT}' && s.facts[3].numbers[0] > s.facts[3].numbers[1]")
    view.get_by_role("button", name="Remove: Clusters, layer 11").click()
    wait(page, "s.words.length === 3")
    more_models(page)
    view.get_by_label("Sample").select_option("sample/rocket.jpg")
    wait(page, "s.shown.length === 3 && s.shown[2] === 'sample/rocket.jpg'")
    view.get_by_role("button", name="Up: rocket.jpg").click()
    wait(page, "s.shown[1] === 'sample/rocket.jpg'")
    view.get_by_role("button", name="Remove: rocket.jpg").click()
    wait(page, "s.shown.length === 2")
    page.wait_for_function("!location.hash.includes('rocket')")


def more_models(page: Page) -> None:
    """One that has come since the screen opened is offered; one is added, seen, and removed."""
    view = page.locator(VIEW)
    add = view.get_by_label("Compare")

    def newer(route: Route) -> None:
        choices = route.fetch().json()
        choices["models"].append(["since", "since.pth (yours)"])
        route.fulfill(json=choices)

    page.route("**/tray/choices", newer)
    page.click("#tab-crops")
    page.click("#tab-tray")
    expect(add.locator("option", has_text="since.pth (yours)")).to_have_count(1)
    page.unroute("**/tray/choices", newer)
    add.select_option(OTHER)
    wait(page, f"s.models[1] === '{OTHER}'")
    view.get_by_label("Column").select_option("norms")
    view.get_by_label("Of", exact=True).select_option(label=OTHER)
    view.get_by_role("button", name="Add column").click()
    wait(page, "s.words.length === 4 && /^norms:[0-9]+.1$/.test(s.words[3])")
    expect(view.locator("thead th").last).to_contain_text(OTHER)
    page.wait_for_function(f"location.hash.includes('tray.second={OTHER}')")
    view.get_by_role("button", name=f"Remove: {OTHER}").click()
    wait(page, "s.words.length === 3 && s.models.length === 1")
    page.wait_for_function("!location.hash.includes('tray.second')")


def test_files_and_a_zip_and_one_becomes_the_pages_picture(page: Page) -> None:
    add = page.locator(f"{VIEW} input[type=file]")
    add.set_input_files(
        [{"name": f"own{i}.png", "mimeType": "image/png", "buffer": png(i)} for i in range(2)]
    )
    wait(page, "s.shown.length === 4 && s.names.at(-1) === 'own1.png'")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for i in range(2, 4):
            zipped.writestr(f"deep/zip{i}.png", png(i))
        zipped.writestr("notes.txt", "nothing")
    add.set_input_files(
        {"name": "some.zip", "mimeType": "application/zip", "buffer": buffer.getvalue()}
    )
    choice = page.get_by_role("group", name="Pictures of some.zip")
    expect(choice).to_contain_text("2 pictures. 2 chosen")
    choice.get_by_label("deep/zip2.png").uncheck()
    choice.get_by_role("button", name="Add these").click()
    wait(page, "s.shown.length === 5 && s.names.at(-1) === 'zip3.png'")
    page.locator(VIEW).get_by_role("button", name="Open zip3.png on the page").click()
    expect(page.locator(f"{VIEW} th.open b")).to_have_text("zip3.png", timeout=LONG)
    wait(page, "s.shown.length === 5")
    page.reload()
    wait(page, "s.shown.length === 5 && s.names.at(-1) === 'zip3.png'")


def test_the_figure_comes_with_its_caption(page: Page, tmp_path: Path) -> None:
    view = page.locator(VIEW)
    controls = view.get_by_role("group", name="Colours")
    expect(controls).to_be_hidden()  # nothing is coloured yet
    for column in ("pca", "clusters"):
        view.get_by_label("Column").select_option(column)
        view.get_by_role("button", name="Add column").click()
    wait(page, "s.words.includes('clusters:11') && s.words.includes('pca:11')")
    before = state(page, "facts")
    controls.get_by_label("PCA").select_option("all-patches")
    controls.get_by_role("button", name="Without outliers").click()
    controls.get_by_label("Clusters").fill("3")
    wait(page, "s.facts.find((f) => f.view === 'pca').numbers.every((one) => one === 1)")
    wait(page, f"s.facts.at(-1).note !== '{before[-1]['note']}'")
    page.wait_for_function(
        "['preset=all-patches', 'robust=1', 'k=3']"
        ".every((one) => location.hash.includes(`tray.${one}`))"
    )
    view.get_by_role("button", name="Figure").click()
    with page.expect_download() as download:
        view.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "tray.svg"
    download.value.save_as(tmp_path / "tray.svg")
    assert "best" not in (tmp_path / "tray.svg").read_text()[:200]
    caption = view.locator(".inside-caption")
    expect(caption).to_contain_text("python -m dino_core tray ")
    expect(caption).to_contain_text("--preset all-patches --robust --k 3")
