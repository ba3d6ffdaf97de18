"""The page in a real browser: a photo goes in, every view follows, nothing leaves the machine."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hostile import CASES, write_files
from page_modules import ask_page
from playwright.sync_api import Page, expect

from dino_core import fit_to_patches, inspect, load_backbone, open_picture, to_tensor

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
VIEWS = ("crops", "masks", "attention", "features")
LINK = "#screen=features&sample=photographer.jpg&layer=4&head=2&row=15&col=3&seed=9"
Shown = Callable[[Page, str], dict]


@pytest.fixture(scope="module")
def shared(visitors: Callable[..., Page]) -> Page:
    return visitors(LINK)


@pytest.fixture
def page(shared: Page) -> Page:
    """One page for all tests, which begin on Attention with whatever picture was open last."""
    open_tab(shared, "attention")
    return shared


def open_tab(page: Page, name: str) -> None:
    page.click(f"#tab-{name}")
    page.wait_for_selector(f'[data-view="{name}"][data-ready]')


def open_sample(page: Page, sample: str) -> None:
    if f"sample={sample}" not in page.url:
        before = page.evaluate("document.querySelector('[data-view=attention]').inside.key")
        page.click(f'#samples button[data-file="{sample}"]')
        wait_for_key(page, "attention", before)


def select(page: Page, layer: int, row: int | None, col: int | None) -> None:
    chosen = json.dumps({"layer": layer, "row": row, "col": col, "head": None})
    ask_page(page, "page/selection.js", f"it.select({chosen})")


def upload(page: Page, file: Path) -> None:
    page.set_input_files("#picture input[type=file]", str(file))


def wait_for_key(page: Page, name: str, old: str) -> str:
    """Waits until a view shows another picture than `old`, and returns its key."""
    page.wait_for_function(
        """([name, old]) => {
            const view = document.querySelector(`[data-view="${name}"]`);
            return view?.hasAttribute("data-ready") && view.inside && view.inside.key !== old;
        }""",
        arg=[name, old],
        timeout=30_000,
    )
    return page.evaluate(
        '(name) => document.querySelector(`[data-view="${name}"]`).inside.key', name
    )


def test_upload_changes_all_four_views(visitor: Callable[..., Page], shown: Shown) -> None:
    page = visitor(ahead=True)
    before = {}
    for name in VIEWS:
        open_tab(page, name)
        before[name] = shown(page, name)
    assert {state["key"] for state in before.values()} == {"first"}
    upload(page, SAMPLES / "rocket.jpg")
    keys = {name: wait_for_key(page, name, "first") for name in VIEWS}
    assert len(set(keys.values())) == 1
    assert shown(page, "crops")["crops"] != before["crops"]["crops"]
    expect(page.locator("#status")).to_contain_text("Your picture")


def test_a_link_brings_everything_back(shared: Page, shown: Shown) -> None:
    """A patch far outside the grid of the sample that greets, in a picture of another shape."""
    page = shared
    wait_for_key(page, "features", "first")
    page.wait_for_function("document.querySelector('[data-view=features]').inside.row === 15")
    assert page.locator("#tab-features").get_attribute("aria-selected") == "true"
    open_tab(page, "attention")
    state = shown(page, "attention")
    assert (state["layer"], state["head"], state["row"], state["col"]) == (4, 2, 15, 3)
    open_tab(page, "crops")
    assert shown(page, "crops")["seed"] == 9
    assert "sample=photographer.jpg" in page.evaluate("location.hash")


def set_seed(page: Page, seed: int) -> None:
    page.fill("#seed input", str(seed))
    page.keyboard.press("Tab")
    page.wait_for_function(f"document.querySelector('[data-view=crops]').inside.seed === {seed}")


def test_layer_patch_and_seed(page: Page, shown: Shown) -> None:
    open_sample(page, "cat.jpg")
    select(page, 11, None, None)
    page.wait_for_function("document.querySelector('[data-view=attention]').inside.layer === 11")
    picture = page.locator('[data-view="attention"] .inside-picture').first
    picture.focus()
    page.keyboard.press("[")
    page.wait_for_function("document.querySelector('[data-view=attention]').inside.layer === 10")
    box = picture.bounding_box()
    assert box
    picture.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.6})
    page.wait_for_function("document.querySelector('[data-view=attention]').inside.row !== null")
    state = shown(page, "attention")
    assert (state["row"], state["col"]) == (9, 7)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('[data-view=attention]').inside.col === 8")
    page.keyboard.press("2")
    page.wait_for_function("document.querySelector('[data-view=attention]').inside.head === 2")
    open_tab(page, "crops")
    set_seed(page, 0)
    crops = shown(page, "crops")
    page.click("#again")
    page.wait_for_function("document.querySelector('[data-view=crops]').inside.seed === 1")
    assert shown(page, "crops")["crops"] != crops["crops"]
    set_seed(page, 0)
    assert shown(page, "crops")["crops"] == crops["crops"], "the same seed shows the same crops"


@pytest.mark.parametrize("sample", ["cat.jpg", "rocket.jpg", "astronaut.jpg"])
def test_numbers_on_the_page_are_the_library_s(page: Page, shown: Shown, sample: str) -> None:
    """Attention rows, similarities and PCA as the components hold them, against dino_core."""
    from dino_core.analysis.pca import colour_features
    from dino_core.config import PCA_PRESETS

    open_sample(page, sample)
    select(page, layer=8, row=5, col=6)
    page.wait_for_function(
        "(({ layer, row, rows }) => layer === 8 && row === 5 && rows)"
        "(document.querySelector('[data-view=attention]').inside)"
    )
    rows = page.evaluate("[...document.querySelector('[data-view=attention]').inside.rows]")
    open_tab(page, "features")
    page.wait_for_function("document.querySelector('[data-view=features]').inside?.layer === 8")
    keys = [shown(page, name)["key"] for name in ("attention", "features")]
    assert keys[0] == keys[1]
    similar, scores = (
        page.evaluate(f"[...document.querySelector('[data-view=features]').inside.{name}]")
        for name in ("similar", "scores")
    )

    vit = load_backbone("preview_vits14").vit
    fitted = fit_to_patches(open_picture(SAMPLES / sample), 14, 224)
    seen = inspect(vit, to_tensor(fitted.picture))
    with torch.inference_mode():
        wanted = seen.rows(seen.token_at(5, 6))[8].flatten()
        assert torch.allclose(torch.tensor(rows), wanted, atol=1e-5)
        directions = torch.nn.functional.normalize(seen.patches(8), dim=-1)
        patch = 5 * seen.grid[1] + 6
        assert torch.allclose(torch.tensor(similar), directions @ directions[patch], atol=1e-5)
        pca = colour_features([seen.patches(8)], [seen.grid], PCA_PRESETS["paper"])
        assert torch.allclose(torch.tensor(scores), pca.pictures[0].scores.flatten(), atol=1e-2)


def test_two_visitors_see_their_own_pictures(
    page: Page, visitor: Callable[..., Page], shown: Shown, server: str
) -> None:
    one, two = page, visitor(strict=False)
    before = shown(one, "attention")["key"]
    upload(one, SAMPLES / "coffee.jpg")
    upload(two, SAMPLES / "flower.jpg")
    keys = [wait_for_key(one, "attention", before), wait_for_key(two, "attention", "first")]
    assert keys[0] != keys[1]
    for path in ("source.jpg", "attention/11", "patches/3", "view.json"):
        foreign = two.request.get(f"{server}/view/{keys[0]}/{path}")
        assert foreign.status == 404, "a foreign key is as unknown as any other"
        own = one.request.get(f"{server}/view/{keys[0]}/{path}")
        assert own.status == 200


def test_reload_finds_the_picture_again(page: Page, shown: Shown) -> None:
    before = shown(page, "attention")["key"]
    upload(page, SAMPLES / "flower.jpg")
    key = wait_for_key(page, "attention", before)
    page.reload()
    assert wait_for_key(page, "attention", "first") == key
    expect(page.locator("#status")).to_contain_text("Welcome back")


REFUSED = ["corrupt.png", "empty.png", "truncated.png", "huge.png", "drawing.svg", "text_named.png"]
READ = ["cmyk.jpg", "grey16.png", "orientation_6.jpg", "animated.gif", "rgba.png", "rgb16.tif"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_files(tmp_path_factory.mktemp("odd"))


def test_hostile_files_get_a_sentence_and_leave_the_screen(
    page: Page, shown: Shown, files: dict[str, Path]
) -> None:
    key = shown(page, "attention")["key"]
    errors = {case.name: case.error for case in CASES}
    for name in REFUSED:
        upload(page, files[name])
        expect(page.locator("#status .alarm")).to_contain_text(errors[name] or "", timeout=15_000)
        words = page.locator("#status").inner_text()
        assert "Traceback" not in words
        assert str(files[name].parent) not in words
        assert shown(page, "attention")["key"] == key, f"{name}: what was shown stays"
    page.click('#samples button[data-file="coffee.jpg"]')
    expect(page.locator("#status .calm")).to_contain_text("coffee", timeout=15_000)
    wait_for_key(page, "attention", key)


def test_odd_files_give_the_right_picture(page: Page, shown: Shown, files: dict[str, Path]) -> None:
    key = shown(page, "attention")["key"]
    for name in READ:
        if name not in files:
            continue
        upload(page, files[name])
        key = wait_for_key(page, "attention", key)
        url = f"view/{key}/view.json"
        size = page.evaluate("(url) => fetch(url).then((r) => r.json())", url)["source_size"]
        assert tuple(size) == open_picture(files[name]).size, name
