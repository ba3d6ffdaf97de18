"""`webpage`: one file in a real browser without a network, whose numbers are the library's."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from dino_core.__main__ import main
from dino_core.analysis.depth import layers_in_colours
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.assets import SAMPLES
from dino_core.config import PCA_PRESETS
from dino_core.draw.pictures import to_bytes
from dino_core.figures.offline_page import needed_modules
from dino_core.images import to_tensor
from dino_core.weights import load_backbone

STATE = """() => ({...document.body.inside, weights: Array.from(document.body.inside.weights)})"""
PCA = """() => {
    const canvas = document.querySelectorAll(".inside-overlay")[1];
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return [canvas.height, canvas.width, ...data.filter((_, i) => i % 4 !== 3)];
}"""


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """224 x 224 px, under a name that could be markup."""
    path = tmp_path_factory.mktemp("page") / "a <b>&.png"
    Image.open(SAMPLES / "cat.jpg").convert("RGB").resize((224, 224)).save(path)
    return path


@pytest.fixture(scope="module")
def file(picture: Path) -> Path:
    target = picture.with_name("page.html")
    line = ["webpage", str(picture), "--model", "preview_vits14", "--output", str(target)]
    assert main(line) == 0
    return target


@pytest.fixture(scope="module")
def seen(picture: Path) -> Inspection:
    vit = load_backbone("preview_vits14").vit
    return inspect(vit, to_tensor(Image.open(picture).convert("RGB")))


@pytest.fixture
def page(browser: Browser, file: Path) -> Page:
    context = browser.new_context(offline=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "data:")) else faults.append(request.url)
        ),
    )
    page.goto(file.as_uri())
    page.wait_for_function("document.body.inside")
    yield page
    context.close()
    assert faults == []


def test_it_is_small_and_names_nothing_from_elsewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.encode()) <= 4_000_000
    assert not re.findall(r"""(?:src|href)=["']?(?!data:)\w+:""", text)
    assert "default-src 'none'" in text
    assert "<b>" not in text.split("<body>")[1]


@pytest.mark.slow
def test_the_longest_picture_is_small_as_well(picture: Path) -> None:
    """448 x 224 px: as many patches as 224 px allow, whatever the aspect."""
    long, target = picture.with_name("long.png"), picture.with_name("long.html")
    Image.open(SAMPLES / "cat.jpg").convert("RGB").resize((448, 224)).save(long)
    line = ["webpage", str(long), "--model", "preview_vits14", "--output", str(target)]
    assert main(line) == 0
    assert target.stat().st_size <= 4_000_000


def test_modules_are_the_page_s_own_with_names_that_are_explained() -> None:
    modules = needed_modules()
    assert {"inside/standalone/page.js", "inside/screens/attention/attend.js"} <= set(modules)
    for text in modules.values():
        assert not re.search(r'\b(?:from|import)\s*"\.', text)
        assert set(re.findall(r'\bfrom\s*"([^"]+)"', text)) <= set(modules)


def test_hovering_shows_the_library_s_attention(page: Page, seen: Inspection) -> None:
    found = re.search(r"more than ([\d.e-]+) percentage points", page.inner_text("p"))
    assert found
    error = 0.0105 * float(found[1])  # it is rounded there
    assert error < 0.02
    rows = seen.rows(0)[-1].mean(0).numpy()
    np.testing.assert_allclose(page.evaluate(STATE)["weights"], rows, rtol=0, atol=error + 1e-6)
    page.select_option("select", "3")
    box = page.locator(".inside-picture").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 10.5 / 16, box["y"] + box["height"] * 4.5 / 16)
    page.wait_for_function("document.body.inside.row === 4")
    state = page.evaluate(STATE)
    assert (state["column"], state["head"], state["layer"]) == (10, 3, 11)
    wanted = seen.rows(seen.token_at(4, 10))[11, 3].numpy()
    np.testing.assert_allclose(state["weights"], wanted, rtol=0, atol=error + 1e-6)
    own = state["weights"][seen.token_at(4, 10)]
    tip = page.locator(".inside-tip").first
    tip.wait_for()
    assert tip.text_content() == f"row 4, column 10: {100 * own:.2f} %"


def test_layers_of_the_pca_are_the_family_s(page: Page, seen: Inspection) -> None:
    family = layers_in_colours(seen, PCA_PRESETS["paper"])
    for layer in (11, 4):
        page.locator("input[type=range]").fill(str(layer))
        h, w, *pixels = page.evaluate(PCA)
        wanted = to_bytes(family.maps[layer].colours.numpy())
        assert np.abs(np.reshape(pixels, (h, w, 3)).astype(int) - wanted).max() <= 1
    assert "PCA of layer 4, " in page.locator("figcaption").nth(1).text_content()


def test_pinned_by_keyboard_and_let_go(page: Page) -> None:
    page.locator(".inside-picture").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.body.inside.pinned") == [9, 8]
    page.get_by_role("button", name="Class token").click()
    assert page.evaluate("document.body.inside.row") is None
    assert "the class token attends to" in page.locator("figcaption").first.text_content()
