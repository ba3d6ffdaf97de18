"""The screen What if in a real browser: brush, grid, chips, the four values, the link."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect
from screening_answers import READY, answer_screenings, running
from tiny_models import tiny_vit

from dino_core import Inspection, fit_to_patches, inspect, load_backbone, open_picture, to_tensor
from dino_core.scenes.whatif import changed, parse_changes, sources_of, whatif_scene
from dino_core.weights import save_backbone

pytestmark = pytest.mark.browser
CAT = Path(__file__).resolve().parents[2] / "static" / "samples" / "cat.jpg"
VIEW = '[data-view="whatif"]'
STATE = f"document.querySelector('{VIEW}')?.inside"
OTHER = ["abc", "Holiday", 64]  # a gallery: its name, its title, how many of it are looked at
LONG = 60_000  # ms, for the first mean of a size on a busy machine


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    return visitors("#screen=whatif&whatif.value=zero&layer=11")


@pytest.fixture(scope="module")
def cat() -> Inspection:
    vit = load_backbone("preview_vits14").vit
    return inspect(vit, to_tensor(fit_to_patches(open_picture(CAT), 14, 224).picture))


@pytest.fixture(autouse=True)
def unchanged(page: Page) -> None:
    """Every test begins without a change."""
    clear = page.locator(VIEW).get_by_role("button", name="Remove all")
    if clear.is_enabled():
        clear.click()
    wait(page, "s.texts.length === 0 && s.edits.length === 0")


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(
        f"(() => {{ const s = {STATE}; return s && s.texts && ({condition}); }})()", timeout=LONG
    )


def state(page: Page, name: str) -> Any:
    return page.evaluate(f"{STATE}.{name}")


def cell(page: Page, place: str) -> Any:
    return page.locator(f'{VIEW} [data-place="{place}"]')


def centre(page: Page, row: int, col: int) -> tuple[float, float]:
    box = page.locator(f"{VIEW} .inside-brush").bounding_box()
    assert box
    return box["x"] + (col + 0.5) * box["width"] / 24, box["y"] + (row + 0.5) * box["height"] / 16


def scene_of(cat: Inspection, texts: list[str], layer: int = 11) -> Any:
    backbone, changes = load_backbone("preview_vits14"), parse_changes(texts)
    sources = sources_of(backbone, cat, changes)
    return whatif_scene(changed(backbone.vit, cat, changes, sources), changes, layer)


def test_a_head_is_switched_off_and_on(page: Page, cat: Inspection) -> None:
    cell(page, "head:9.4").click()
    wait(page, "s.texts.join() === 'head:9.4=zero'")
    expect(cell(page, "head:9.4")).to_have_attribute("aria-pressed", "true")
    wanted = scene_of(cat, ["head:9.4=zero"])
    assert state(page, "cls") == pytest.approx(wanted.cls_cosine, abs=1e-5)
    found = np.array(page.evaluate(f"[...{STATE}.cosines]")).reshape(16, 24)
    np.testing.assert_allclose(found, wanted.patch_cosine, atol=1e-4)
    page.keyboard.press("ArrowRight")
    expect(cell(page, "head:9.5")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    wait(page, "s.texts.join() === 'head:9.4=zero,mlp:9=zero'")
    assert page.locator(f"{VIEW} .inside-parts [tabindex='0']").count() == 1
    cell(page, "head:9.4").click()
    wait(page, "s.texts.join() === 'mlp:9=zero'")


def test_a_stroke_chooses_patches_and_is_undone_as_one(page: Page, cat: Inspection) -> None:
    page.mouse.move(*centre(page, 5, 3))
    page.mouse.down()
    page.mouse.move(*centre(page, 5, 8))  # in one leap
    page.mouse.up()
    wait(page, "s.texts.join() === 'tokens:0[5,3-8]=zero'")
    wanted = scene_of(cat, ["tokens:0[5,3-8]=zero"])
    assert state(page, "cls") == pytest.approx(wanted.cls_cosine, abs=1e-5)
    page.mouse.move(*centre(page, 5, 4))
    page.mouse.down()  # on a patch that is held: a stroke that wipes
    page.mouse.up()
    wait(page, "s.texts.join() === 'tokens:0[5,3;5,5-8]=zero'")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    wait(page, "s.texts.join() === 'tokens:0[5,3;5,5-8;6,4]=zero'")
    page.keyboard.press("Shift+ArrowRight")
    wait(page, "s.texts.join() === 'tokens:0[5,3;5,5-8;6,4-5]=zero'")
    for _ in range(3):
        page.keyboard.press("Control+z")
    wait(page, "s.texts.join() === 'tokens:0[5,3-8]=zero'")
    page.keyboard.press("Control+Shift+z")
    wait(page, "s.texts.join() === 'tokens:0[5,3;5,5-8]=zero'")


def test_changes_are_ordered_switched_and_come_back_with_the_link(page: Page) -> None:
    cell(page, "attention:4").click()
    cell(page, "head:2.0").click()
    wait(page, "s.texts.join() === 'attention:4=zero,head:2.0=zero'")
    chips = page.locator(f"{VIEW} .inside-change")
    chips.nth(1).get_by_label("Earlier").click()
    wait(page, "s.texts.join() === 'head:2.0=zero,attention:4=zero'")
    chips.nth(0).locator(".name").click()
    wait(page, "s.texts.join() === 'attention:4=zero' && s.edits.length === 2")
    before = state(page, "cls")
    page.wait_for_function(
        "new URLSearchParams(location.hash.slice(1)).get('whatif')"
        " === '!head:2.0=zero*attention:4=zero'"
    )
    page.reload()
    wait(page, "s.texts.join() === 'attention:4=zero' && s.edits.length === 2")
    assert state(page, "cls") == before
    expect(chips.nth(0).locator(".name")).to_have_attribute("aria-pressed", "false")


def test_who_does_not_see_whom(page: Page, cat: Inspection) -> None:
    view = page.locator(VIEW)
    view.locator("[data-value=whom]").click()
    cut = view.get_by_role("button", name="Cut off")
    expect(cut).to_be_disabled()
    page.mouse.move(*centre(page, 2, 2))
    page.mouse.down()
    page.mouse.move(*centre(page, 3, 2))
    page.mouse.up()
    wait(page, "s.whom.length === 2")
    view.get_by_label("From block").select_option("8")
    cut.click()
    wait(page, "s.texts.join() === 'scores:8-11=cls!2-3,2'")
    attention = np.array(page.evaluate(f"[...{STATE}.attention]")).reshape(6, 16, 24)
    assert (attention[:, 2:4, 2] == 0).all()
    np.testing.assert_allclose(
        attention, scene_of(cat, ["scores:8-11=cls!2-3,2"]).attention_after, atol=1e-5
    )
    view.get_by_role("button", name="Change", exact=True).click()


def test_the_same_changes_in_another_model(page: Page, tmp_path: Path) -> None:
    """Before and after in both; what the other one has no place for is left out and said."""
    save_backbone(tiny_vit(), tmp_path / "mine.safetensors")
    home = page.evaluate("location.origin")
    data = (tmp_path / "mine.safetensors").read_bytes()
    sent = page.request.post(f"{home}/checkpoints?name=mine.safetensors", data=data)
    name = sent.json()["name"]
    page.click("#tab-attention")
    page.click("#tab-whatif")  # what there is to ask is asked again
    cell(page, "head:1.2").click()
    cell(page, "head:9.4").click()
    page.locator(VIEW).get_by_label("The same changes in").select_option(name)
    wait(page, f"s.texts.length === 2 && s.beside?.[0] === '{name}' && s.beside[2] === 1")
    _, cosine, left = state(page, "beside")
    mine = load_backbone(weights=tmp_path / "mine.safetensors")
    seen = inspect(mine.vit, to_tensor(fit_to_patches(open_picture(CAT), 14, 224).picture))
    changes = parse_changes(["head:1.2=zero"])
    sources = sources_of(mine, seen, changes)
    wanted = whatif_scene(changed(mine.vit, seen, changes, sources), changes, 1)
    assert (cosine, left) == (pytest.approx(wanted.cls_cosine, abs=1e-5), 1)
    beside = page.locator(f"{VIEW} .inside-two-models figure")
    expect(beside).to_have_count(2)
    expect(beside.nth(0)).to_contain_text("preview_vits14")
    expect(beside.nth(1)).to_contain_text("mine.safetensors")
    expect(page.locator(f"{VIEW} .inside-other")).to_contain_text(
        "mine.safetensors has no place for 1 of the changes"
    )
    cell(page, "head:9.4").click()
    wait(page, "s.texts.length === 1 && s.beside?.[2] === 0")
    page.locator(VIEW).get_by_label("The same changes in").select_option("")
    expect(beside.first).to_be_hidden()


def test_the_four_values_side_by_side(page: Page, cat: Inspection) -> None:
    cell(page, "mlp:10").click()
    wait(page, "s.texts.length === 1")
    page.locator(VIEW).get_by_role("button", name="All four side by side").click()
    wait(page, "s.four.length === 4")
    found = dict(state(page, "four"))
    for kind in ("zero", "mean", "noise", "other"):
        wanted = scene_of(cat, [f"mlp:10={kind}"]).cls_cosine
        assert found[kind] == pytest.approx(wanted, abs=1e-4), kind
    page.locator(f"{VIEW} .inside-four [data-value=mean] button").click()
    wait(page, "s.texts.join() === 'mlp:10=mean' && s.kind === 'mean'")
    page.locator(VIEW).get_by_role("button", name="All four side by side").click()
    page.locator(f"{VIEW} [aria-label='What is put there'] [data-value=zero]").click()


def test_what_follows_when_it_rests(page: Page) -> None:
    cell(page, "attention:11").click()
    wait(page, "s.texts.length === 1 && s.hasChart && s.prototypes && s.dino && s.nearest")
    before, after = state(page, "dino")
    assert before != after
    assert "cat.jpg" not in state(page, "nearest")[0], "the picture itself is none of them"
    page.locator(f"{VIEW} .inside-through-layers").scroll_into_view_if_needed()
    page.wait_for_selector(f"{VIEW} .inside-through-layers[data-drawn]")
    expect(page.locator("#lesson-whatif .live-changes")).to_have_text("Attention, block 11 → zero")


def test_a_change_in_words_and_one_that_is_refused(page: Page) -> None:
    view = page.locator(VIEW)
    view.get_by_text("Another change, in words").click()
    words = view.get_by_label("A change in words")
    words.fill("neuron:4.120=zero")
    words.press("Enter")
    wait(page, "s.texts.join() === 'neuron:4.120=zero'")


def test_what_the_server_does_not_take_is_said(visitor: Callable[..., Page]) -> None:
    page = visitor("#screen=whatif&whatif=head:40.0=zero*head:3.0=zero", strict=False)
    wait(page, "s.texts.join() === 'head:3.0=zero' && s.edits.length === 2")
    expect(page.locator(f"{VIEW} .inside-change").first).to_contain_text("not in this model")
    view = page.locator(VIEW)
    view.get_by_text("Another change, in words").click()
    view.get_by_label("A change in words").fill("neuron:4.99999=zero")
    view.get_by_role("button", name="Add").click()
    refused = view.locator(".inside-words + .inside-note")
    expect(refused).to_contain_text("there is no unit 99999")
    assert state(page, "edits") == ["head:40.0=zero", "head:3.0=zero"]
    slider = view.get_by_label("Temperature", exact=True)
    view.get_by_text("Temperature of attention").click()
    slider.focus()
    slider.press("ArrowLeft")
    wait(page, "s.texts.includes('scores:11=temperature 0.891')")
    slider.press("ArrowLeft")
    wait(page, "s.texts.includes('scores:11=temperature 0.794')")
    view.get_by_role("button", name="Undo").click()
    wait(page, "s.texts.join() === 'head:3.0=zero'")


def test_a_screening_colours_the_grid(page: Page) -> None:
    """The server's part is tried without a browser, in test_whatif.py."""
    asked = answer_screenings(page, [running(96), running(96), READY])
    view = page.locator(VIEW)
    view.get_by_role("button", name="Screen them all").click()
    expect(view.get_by_text("96 of 384 changed forwards.")).to_be_visible()
    wait(page, "s.effects?.length === 4 * 12 * 6")
    assert asked[0][0] == "POST"
    cells = {place: cell(page, place) for place in ("head:0.0", "head:11.5", "mlp:11")}
    expect(cells["head:11.5"]).to_have_attribute("title", "Head 5, block 11: 0.143")
    colour = "getComputedStyle(node).backgroundColor"
    dark, bright, branch = (one.evaluate(f"(node) => {colour}") for one in cells.values())
    assert dark != bright == branch, "the strongest of either has the last colour"
    view.get_by_label("of", exact=True).select_option("shock")
    expect(cells["mlp:11"]).to_have_attribute("title", "MLP, block 11: -0.0240")
    view.get_by_role("button", name="Patches", exact=True).click()
    expect(cells["mlp:11"]).to_have_attribute("title", "MLP, block 11: -0.0120")
    page.wait_for_function("location.hash.includes('whatif.screening=patches+shock')")
    view.get_by_role("button", name="No colours").click()
    expect(cells["mlp:11"]).to_have_attribute("title", "MLP, block 11")
    page.unroute_all()


def test_several_pictures_with_their_spread_and_k_nn(page: Page) -> None:
    """Over the samples, as the server would answer for a labelled gallery: the card of a part."""
    asked = answer_screenings(page, [running(96), READY], pictures=3, labelled=True)
    view = page.locator(VIEW)
    view.get_by_label("Over", exact=True).select_option("samples")
    view.get_by_role("button", name="Screen them all").click()
    wait(page, "s.effects?.length === 4 * 12 * 6")
    assert "over=samples&most=8" in asked[0][1]
    card = view.locator(".inside-part-card")
    cell(page, "head:11.5").hover()
    expect(card).to_contain_text("Head 5, block 11")
    expect(card).to_contain_text("n = 3 pictures")
    row = card.locator("tbody tr", has_text="Another picture").locator("td")
    # Effects of 287, 288 and 289 thousandths; patches half of that.
    expect(row).to_have_text(["0.288 ± 8.16e−4", "0.144 ± 4.08e−4", "75.0 % ±0.0 points"])
    zero = card.locator("tbody tr", has_text="Zero").locator("td").last
    expect(zero).to_have_text("50.0 % −25.0 points")
    expect(card).to_contain_text("k-NN accuracy before: 75.0 %")
    cell(page, "head:11.5").focus()
    page.keyboard.press("ArrowRight")
    expect(card, "the keyboard points, too").to_contain_text("Attention, block 11")
    view.get_by_role("button", name="k-NN accuracy").click()
    view.get_by_label("of", exact=True).select_option("zero")
    expect(cell(page, "mlp:0")).to_have_attribute("title", "MLP, block 0: −25.0 points")
    page.wait_for_function("location.hash.includes('whatif.over=samples+8')")
    view.get_by_role("button", name="No colours").click()
    view.get_by_label("Over", exact=True).select_option("")
    wait(page, "s.effects === null && s.over.name === ''")
    page.unroute_all()


def test_a_gallery_is_the_reference_and_the_words_say_so(page: Page) -> None:
    """The server is asked about its samples instead: it has no other gallery here."""

    def with_another(route: Route) -> None:
        around = route.fetch().json()
        route.fulfill(json={**around, "references": [*around["references"], OTHER]})

    page.route("**/whatif/around", with_another)
    page.route(
        "**/*reference=abc*",
        lambda route: route.continue_(url=route.request.url.replace("=abc", "=samples")),
    )
    page.locator("#tab-attention").click()
    page.locator("#tab-whatif").click()  # comes back, and looks what there is
    wait(page, "s.references?.length === 2")
    view = page.locator(VIEW)
    cell(page, "mlp:11").click()
    wait(page, "s.texts.join() === 'mlp:11=zero' && s.reference === 'samples'")
    source = view.locator(".inside-source")
    expect(source, "zero is taken from no picture").to_have_text("")
    view.locator("[aria-label='What is put there'] [data-value=mean]").click()
    cell(page, "mlp:11").click()
    cell(page, "mlp:11").click()
    expect(source).to_have_text("Means and noise are those of the samples (8 pictures).")
    with page.expect_request(lambda request: "reference=abc" in request.url):
        view.get_by_label("Reference pictures").select_option("abc")
    wait(page, "s.reference === 'abc'")
    expect(source).to_have_text("Means and noise are those of Holiday (64 pictures).")
    expect(page.locator("#lesson-whatif .live-reference")).to_have_text("Holiday (64 pictures)")
    page.wait_for_function("location.hash.includes('whatif.reference=abc')")
    view.get_by_label("Reference pictures").select_option("samples")
    wait(page, "s.reference === 'samples' && s.hasChart")
    view.locator("[aria-label='What is put there'] [data-value=zero]").click()
    page.unroute_all()
