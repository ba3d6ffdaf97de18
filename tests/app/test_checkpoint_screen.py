"""A checkpoint brought to the page in a browser: opened, compared, refused, reloaded, removed."""

import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, expect
from tiny_models import shake, tiny_vit
from tiny_runs import picture, zipped

from dino_core.finetuning.classifier import Classifier, save_classifier
from dino_core.weights import save_backbone

pytestmark = pytest.mark.browser
Shown = Callable[[Page, str], dict]
DROP = """([name, letters, place]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
    const node = document.querySelector(place);
    for (const kind of ["dragenter", "dragover", "drop"])
        node.dispatchEvent(new DragEvent(kind, {
            dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_backbone(tiny_vit(), tmp_path_factory.mktemp("own") / "mine.safetensors")


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    return visitors(strict=False)  # a refusal is an answer of 422, which a browser's console names


def drop(page: Page, name: str, content: bytes, place: str) -> None:
    """A file that somebody drops on a part of the page."""
    page.evaluate(DROP, [name, b64encode(content).decode(), place])


def wait_for(page: Page, view: str, words: str) -> None:
    page.wait_for_function(
        f"(() => {{ const it = document.querySelector('[data-view={view}]')?.inside;"
        f" return it && ({words}); }})()",
        timeout=60_000,
    )


def test_a_dropped_checkpoint_is_a_model_like_any_other(
    page: Page, weights: Path, shown: Shown
) -> None:
    before = shown(page, "attention")["key"]
    drop(page, "odd.pth", b"nothing but words", "#picture")
    refused = page.locator("#checkpoint [role=alert]")
    expect(refused).to_contain_text("odd.pth is no checkpoint.")
    assert shown(page, "attention")["key"] == before, "what is shown stays"
    assert "Preview" in page.locator("#model input").input_value()

    drop(page, weights.name, weights.read_bytes(), "#model")
    wait_for(page, "attention", f"it.key !== '{before}' && it.layer === 1")
    expect(page.locator("#model input")).to_have_value("mine.safetensors (yours)")
    expect(refused).to_have_count(0)
    badge = page.locator("#badge details")
    expect(badge.locator("summary")).to_have_text("Your checkpoint: width 48, 2 blocks, patch 14")
    expect(badge).to_contain_text("SHA-256: ")

    page.reload()
    wait_for(page, "attention", "it.layer === 1")
    expect(page.locator("#model input")).to_have_value("mine.safetensors (yours)")


def test_it_is_compared_with_the_preview(page: Page, shown: Shown) -> None:
    page.click("#tab-features")
    page.locator("[data-view=features]").get_by_role("button", name="Compare").click()
    page.locator("#view-features").get_by_label("Second model").select_option("preview_vits14")
    wait_for(page, "features", "it.model === 'preview_vits14' && it.secondLayer !== undefined")
    captions = page.locator(".inside-compare figcaption")
    expect(captions.nth(0)).to_contain_text("mine.safetensors, layer ")
    expect(captions.nth(1)).to_contain_text("preview_vits14, layer ")
    wait_for(page, "features", "it.likeness?.length === 2 * 12")
    page.locator("[data-view=features]").get_by_role("button", name="Python").click()
    code = page.locator("[data-view=features] .inside-code")
    expect(code).to_contain_text('load_backbone(weights="mine.safetensors")')
    expect(code).to_contain_text('load_backbone("preview_vits14")')


def test_when_it_is_removed_the_page_goes_back_to_the_preview(page: Page) -> None:
    link = page.evaluate("location.hash")
    assert "model=checkpoint-" in link
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#model input")).to_have_value(
        "Preview ViT-S/14 (not the official weights)"
    )
    expect(page.get_by_role("button", name="Remove", exact=True)).to_be_hidden()
    assert "mine" not in page.locator("#model").inner_text()
    address = page.url.split("#")[0]
    page.goto("about:blank")
    page.goto(address + link)
    expect(page.locator("#status")).to_contain_text("is not here: it was somebody else's")
    expect(page.locator("#model input")).to_have_value(
        "Preview ViT-S/14 (not the official weights)"
    )


def test_what_it_does_not_tell_is_asked_and_it_is_not_sent_again(
    page: Page, tmp_path: Path
) -> None:
    torch.save(tiny_vit().state_dict(), tmp_path / "silent.pth")
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    drop(page, "silent.pth", (tmp_path / "silent.pth").read_bytes(), "#model")
    question = page.locator("#checkpoint .inside-question")
    expect(question).to_contain_text("The number of heads cannot be read off weights of width 48.")
    heads = question.get_by_label("Attention heads")
    expect(heads).to_be_focused()
    expect(question.get_by_role("button", name="Open it so")).to_be_disabled()
    heads.select_option(label="3")
    question.get_by_role("button", name="Open it so").click()
    expect(page.locator("#model input")).to_have_value("silent.pth (yours)")
    expect(question).to_have_count(0)
    page.click("#tab-attention")
    wait_for(page, "attention", "it.layer === 1")
    page.click("#tab-attention")
    view = page.locator("[data-view=attention]")
    view.get_by_role("button", name="Python", exact=True).click()
    expect(view.locator(".inside-code")).to_contain_text('weights="silent.pth", heads=3)')
    uploads = [url for url in sent if "/checkpoints" in url]
    assert [("/asked/" in url) for url in uploads] == [False, True]


def test_a_classifier_beside_the_backbone_is_tried(page: Page, tmp_path: Path) -> None:
    """Its names come from a person's file: they are text, whatever they look like."""
    markup = "<img src=x onerror=alert(1)>"
    made = Classifier(tiny_vit(), ("cat", markup, "dog"), 56)
    shake(made.head, 3)
    made.head.std.copy_(made.head.std.abs() + 1)
    save_classifier(made, tmp_path / "named.safetensors", "a test")
    tried = page.get_by_role("button", name="Try its classifier")
    expect(tried).to_be_hidden()
    content = (tmp_path / "named.safetensors").read_bytes()
    drop(page, "named.safetensors", content, "#model")
    expect(page.locator("#model input")).to_have_value("named.safetensors (yours)")
    tried.click()
    trial = page.locator("[data-view=training] .inside-try:visible")
    expect(trial.locator("h2").first).to_have_text("Try named.safetensors")
    expect(trial).to_contain_text("A linear classifier of 3 classes, made here: it reads the class")
    expect(trial.locator(".inside-classes button")).to_have_count(3)
    expect(trial.locator(".inside-classes")).to_contain_text(markup)
    expect(trial.locator("tbody")).to_contain_text("16 patches")
    expect(trial).to_contain_text("no nearest can be named")
    drop(page, "one.png", picture(3), "[data-view=training] .inside-try:not([hidden])")
    expect(trial.locator(".inside-thumbs figcaption")).to_contain_text("%")


def test_a_map_of_many_pictures_is_made_with_it(page: Page, tmp_path: Path) -> None:
    page.click("#tab-gallery")
    wait_for(page, "gallery", "it.seen")
    view = page.locator("[data-view=gallery]")
    page.evaluate(
        "document.querySelectorAll('[data-view=gallery] details').forEach((one) => one.open = true)"
    )
    view.get_by_label("Model", exact=True).select_option(label="silent.pth (yours)")
    view.get_by_label("Input size", exact=True).select_option("98")
    path = zipped(tmp_path / "few.zip", {f"{i}.png": picture(i) for i in range(5)})
    drop(page, path.name, path.read_bytes(), "[data-view=gallery]")
    wait_for(page, "gallery", "it.gallery !== 'samples' && it.seen && it.count === 5")
    wait_for(page, "gallery", "it.made[1] === 1 && it.near.neighbours")  # of two layers the last
    name = page.evaluate("document.querySelector('[data-view=gallery]').inside.gallery")
    gallery = f"{page.url.split('#')[0]}galleries/{name}"
    assert page.request.get(gallery).json()["model"] == "silent.pth"
    page.request.post(f"{gallery}/steer?action=stop")
    while page.request.get(gallery).json()["alive"]:
        time.sleep(0.2)
