"""Many pictures in a real browser: a zip becomes a map to hover, search and lasso."""

import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect
from tiny_runs import coloured, picture, zipped

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
VIEW = '[data-view="gallery"]'
MAP = ".inside-gallery-map"
PICTURES = coloured(6)
NAMES = sorted(PICTURES)
LABELS = [("blue", "green", "red").index(name.split("/")[0]) for name in NAMES]


IT = f"const it = document.querySelector('{VIEW}')?.inside"


def look(page: Page, words: str):  # type: ignore[no-untyped-def]
    """Something about what the screen says it shows, called `it`."""
    return page.evaluate(f"(() => {{ {IT}; return {words}; }})()")


def wait_for(page: Page, words: str, seconds: int = 60) -> None:
    code = f"(() => {{ {IT}; return it && ({words}); }})()"
    page.wait_for_function(code, timeout=1000 * seconds)


def ask(page: Page, path: str, method: str = "GET"):  # type: ignore[no-untyped-def]
    """A request of this page's visitor."""
    home = page.evaluate("location.origin")
    return page.request.fetch(f"{home}/galleries/{path}", method=method)


def upload(page: Page, path: Path) -> None:
    """Drops a zip on the screen; 98 px are quick."""
    page.evaluate(f"document.querySelectorAll('{VIEW} details').forEach((one) => one.open = true)")
    page.locator(VIEW).get_by_label("Input size", exact=True).select_option("98")
    page.evaluate(
        """([view, name, bytes]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([Uint8Array.from(bytes)], name));
            for (const type of ["dragenter", "dragover", "drop"])
                document.querySelector(view).dispatchEvent(
                    new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        [VIEW, path.name, list(path.read_bytes())],
    )


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A visitor's page with the map of three colours, six pictures of each."""
    page = visitors("#screen=gallery")
    wait_for(page, "it.seen && it.near.neighbours")
    contents = PICTURES | {"green/notes.txt": b"no picture"}
    upload(page, zipped(tmp_path_factory.mktemp("zips") / "colours.zip", contents))
    wait_for(page, "it.gallery !== 'samples' && it.seen && it.near.neighbours", 180)
    yield page
    name = look(page, "it.gallery")
    page.click("#tab-attention")  # behind another screen it asks no more how far it is
    ask(page, f"{name}/steer?action=stop", "POST")
    while ask(page, name).json()["alive"]:
        time.sleep(0.2)
    ask(page, name, "DELETE")


@pytest.fixture
def whole(page: Page) -> Page:
    """The same page, with nothing selected and the whole map in sight."""
    page.click("#tab-gallery")
    page.locator(MAP).press("Escape")
    page.locator(MAP).press("0")
    page.mouse.move(0, 0)
    wait_for(page, "!it.map.moving && it.map.hovered === null && !it.selection.length")
    return page


@pytest.fixture
def folder(page: Page, server_home: Path) -> Path:
    """Where the server keeps this gallery."""
    return server_home / "galleries" / look(page, "it.gallery")


def place(page: Page, index: int) -> tuple[float, float]:
    box = page.locator(MAP).bounding_box()
    assert box is not None
    x, y = look(page, f"it.place({index})")
    return box["x"] + x, box["y"] + y


def directions(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=-1, keepdims=True)


def test_the_samples_are_there_at_once(visitor: Callable[..., Page]) -> None:
    page = visitor("#screen=gallery")
    wait_for(page, "it.seen && it.near.neighbours && it.own !== null")
    assert look(page, "it.names[it.own]") == "cat.jpg", "the explorer's picture is marked"
    page.get_by_role("button", name="Shows the explorer's picture on this map").click()
    wait_for(page, "it.chosen === it.own")
    page.get_by_role("button", name="Open in the explorer").click()
    expect(page.locator("#tab-attention")).to_have_attribute("aria-selected", "true")


def test_a_zip_becomes_a_map_with_its_labels(whole: Page) -> None:
    assert look(whole, "it.names") == NAMES
    assert look(whole, "it.labels") == LABELS
    assert look(whole, "it.classes") == ["blue", "green", "red"]
    assert look(whole, "it.made") == ["cls", 11, "pca"]
    legend = whole.locator(".inside-gallery-legend button")
    assert legend.all_inner_texts() == ["blue\n6", "green\n6", "red\n6"]
    expect(whole.locator(".inside-gallery-words")).to_contain_text("PCA")
    expect(whole.locator(".inside-gallery-state")).to_contain_text("18 pictures · 3 classes")


def test_its_pictures_are_learned_from_without_sending_them_again(whole: Page) -> None:
    whole.click("#tab-training")
    form = whole.locator(".inside-form")
    for kind in ("Distil", "With labels"):
        form.get_by_text(kind, exact=True).click()
        form.get_by_label("Pictures", exact=True).select_option(
            "colours.zip, of Many pictures (18)"
        )
        expect(form).to_contain_text("colours.zip: 18 pictures in 3 classes: blue 6, green 6, red")
        expect(form.locator(".inside-start")).to_be_enabled()
    form.get_by_label("Pictures", exact=True).select_option("None yet: labels are needed")
    expect(form.locator(".inside-why")).to_contain_text("Choose or upload a zip first")
    form.get_by_text("Without labels", exact=True).click()


def test_hover_shows_the_right_thumbnail(whole: Page) -> None:
    for index in (1, 8, 16):
        if not look(whole, "it.map.pictures"):
            whole.get_by_role("button", name="Pictures instead of points").click()
        for _ in range(4):  # near enough that no other picture lies on it
            zoom = look(whole, "it.map.zoom")
            whole.mouse.move(*place(whole, index))
            whole.mouse.wheel(0, -300)
            wait_for(whole, f"it.map.zoom > {zoom}")
        whole.mouse.move(*place(whole, index))
        wait_for(whole, f"it.map.hovered === {index}")
        assert look(whole, "it.map.tip").split("\n")[:2] == [
            NAMES[index],
            NAMES[index].split("/")[0],
        ]
        pixels = whole.evaluate(
            "() => { const face = document.querySelector('.inside-scatter-tip canvas');"
            " return [...face.getContext('2d').getImageData(0, 0, 64, 64).data]; }"
        )
        shown = np.array(pixels).reshape(64, 64, 4)[..., :3]
        file = Image.open(io.BytesIO(PICTURES[NAMES[index]])).convert("RGB").crop((2, 0, 22, 20))
        wanted = np.asarray(file.resize((64, 64), Image.Resampling.BICUBIC), dtype=float)
        assert np.corrcoef(shown.ravel(), wanted.ravel())[0, 1] > 0.9
        assert np.abs(shown.mean((0, 1)) - wanted.mean((0, 1))).max() < 6
        whole.locator(MAP).press("0")


def test_a_lasso_selects_what_lies_in_it(whole: Page) -> None:
    places = np.array([look(whole, f"it.place({i})") for i in range(len(NAMES))])
    x0, y0 = places.min(0) - 8
    x1, y1 = np.median(places, axis=0) + 0.37
    wanted = [i for i, (x, y) in enumerate(places) if x0 < x < x1 and y0 < y < y1]
    assert 0 < len(wanted) < len(NAMES)
    box = whole.locator(MAP).bounding_box()
    assert box is not None
    whole.get_by_role("button", name="Draw around pictures").click()
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    whole.mouse.move(box["x"] + x0, box["y"] + y0)
    whole.mouse.down()
    for x, y in [*corners[1:], corners[0]]:
        whole.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    whole.mouse.up()
    whole.get_by_role("button", name="Draw around pictures").click()
    wait_for(
        whole, "it.selection.length && it.sheet.kind === 'selection' && it.sheet.indices.length"
    )
    assert look(whole, "it.selection") == look(whole, "it.sheet.indices") == wanted
    assert whole.locator(".inside-gallery-sheet .inside-tiles button").count() == len(wanted)
    with whole.expect_download() as download:
        whole.locator(VIEW).get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()[1:]
    assert [int(line.split(",")[0]) for line in lines] == wanted, "the selection is taken along"


def test_search_and_legend_select(whole: Page) -> None:
    search = whole.get_by_label("Search by file name or label")
    search.fill("GREEN")
    wait_for(whole, "it.selection.length === 6")
    assert look(whole, "it.selection") == list(range(6, 12))
    search.fill("03.png")
    wait_for(whole, "it.selection.length === 3")
    assert look(whole, "it.selection") == [3, 9, 15]
    search.fill("")
    wait_for(whole, "it.selection.length === 0")
    whole.locator(".inside-gallery-legend button").nth(2).click()
    wait_for(whole, "it.selection.length === 6")
    assert look(whole, "it.selection") == list(range(12, 18))


def test_neighbours_are_those_of_the_features(whole: Page, folder: Path) -> None:
    chosen = look(whole, "it.chosen")
    features = directions(np.load(folder / "arrays" / "cls.npy"))
    similar = features @ features[chosen]
    similar[chosen] = -2
    order = np.argsort(-similar, kind="stable")[:10]
    assert look(whole, "it.near.neighbours") == order.tolist() == look(whole, "it.map.near")
    np.testing.assert_allclose(look(whole, "it.near.similarities"), similar[order], atol=1e-5)
    weights = np.exp(similar[order] / 0.07)
    votes = {c: weights[np.array(LABELS)[order] == c].sum() / weights.sum() for c in range(3)}
    for name, share in look(whole, "it.near.votes"):
        assert share == pytest.approx(votes[("blue", "green", "red").index(name)], rel=1e-3)
    expect(whole.locator("#lesson-gallery .live-vote")).to_contain_text("The vote:")


def test_patches_like_one_of_its(whole: Page, folder: Path) -> None:
    chosen = look(whole, "it.chosen")
    chooser = whole.locator(".inside-gallery-picture")
    box = chooser.bounding_box()
    assert box is not None
    chooser.click(position={"x": box["width"] * 2.5 / 7, "y": box["height"] * 4.5 / 7})
    wait_for(whole, "it.near.patches")
    assert look(whole, "it.near.patch") == [4, 2], "98 px are seven patches a side"
    patches = directions(np.load(folder / "arrays" / "patches.npy")[:18].astype(np.float32))
    similar = patches @ patches[chosen, 4 * 7 + 2]  # [n, P]
    best = similar.max(1)
    best[chosen] = -2
    found = look(whole, "it.near.patches")
    assert len({index for index, *_ in found}) == 10, "one of each picture"
    np.testing.assert_allclose(best[[one[0] for one in found]], np.sort(best)[:-11:-1], atol=2e-3)
    for index, row, col, value in found:
        assert similar[index, row * 7 + col] == pytest.approx(similar[index].max(), abs=2e-3)
        assert value == pytest.approx(similar[index].max(), abs=2e-3)
    chooser.press("Escape")
    wait_for(whole, "!it.near.patches")


def test_another_layer_moves_the_same_points(whole: Page) -> None:
    before = look(whole, "it.place(0)")
    slider = whole.locator(VIEW).get_by_label("Layer", exact=True)
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    wait_for(whole, "it.made[1] === 8 && !it.map.moving")
    assert look(whole, "it.place(0)") != before
    wait_for(whole, "it.near.neighbours")
    slider.press("End")
    wait_for(whole, "it.made[1] === 11 && !it.map.moving")
    assert look(whole, "it.place(0)") == pytest.approx(before)


def test_the_second_map_is_half_way_where_the_slider_is(whole: Page) -> None:
    name = look(whole, "it.gallery")
    node = whole.locator(VIEW).locator("details", has_text="A second map of the same pictures")
    if not node.evaluate("(one) => one.open"):
        node.locator("summary").click()
    layer = node.get_by_label("Its layer")
    layer.focus()
    layer.press("Home")
    wait_for(whole, "it.second.open && it.second.layer === 0")
    expect(node.locator(".inside-note")).to_contain_text("layer 0")
    ends = []
    for key in ("Home", "End"):
        node.get_by_label("From the first to the second").press(key)
        wait_for(whole, f"it.second.share === {int(key == 'End')}")
        ends.append(look(whole, "it.place(5)"))
    node.get_by_label("From the first to the second").fill("0.5")
    wait_for(whole, "it.second.share === 0.5")
    middle = [(a + b) / 2 for a, b in zip(*ends, strict=True)]
    assert look(whole, "it.place(5)") == pytest.approx(middle, abs=1e-3)
    assert ends[0] != ends[1]
    node.get_by_label("From the first to the second").press("Home")
    assert name == look(whole, "it.gallery")


def test_the_keyboard_goes_from_picture_to_picture(whole: Page) -> None:
    plane = whole.locator(MAP)
    plane.focus()
    start = look(whole, "it.chosen")
    here = np.array(look(whole, f"it.place({start})"))
    moved = False
    for key, way in (("ArrowRight", (1, 0)), ("ArrowLeft", (-1, 0)), ("ArrowUp", (0, -1))):
        plane.press("Escape")
        wait_for(whole, "it.map.hovered === null")
        plane.press(key)
        reached = look(whole, "it.map.hovered")
        if reached is not None:
            there = np.array(look(whole, f"it.place({reached})"))
            assert np.dot(there - here, way) > 0
            moved = True
            plane.press("Enter")
            wait_for(whole, f"it.chosen === {reached} && it.near.neighbours && it.map.near.length")
            break
    assert moved
    plane.press("Space")
    wait_for(whole, "it.selection.length === 1")
    plane.press("+")
    wait_for(whole, "it.map.zoom > 1")
    plane.press("-")
    wait_for(whole, "it.map.zoom === 1")
    plane.press("Escape")
    wait_for(whole, "it.selection.length === 0")


def test_probes_and_predictions(whole: Page) -> None:
    last = "it.probe.accuracy?.slice(6 * 11).every(Number.isFinite)"  # kinds come one by one
    wait_for(whole, f"{last} && it.predicted", 240)
    accuracy = np.array(look(whole, "it.probe.accuracy.map((one) => one ?? -1)")).reshape(12, 3, 2)
    assert accuracy[11, :, 1].min() > 0.9, "blue, green and red are told apart"
    whole.locator(VIEW).get_by_text("Predictions", exact=True).click()
    wait_for(whole, "it.colour === 'prediction' && it.groups.length === 18")
    share = np.mean(np.array(look(whole, "it.groups")) == LABELS)
    assert share == pytest.approx(accuracy[11, 0, 0], abs=1e-6), "k-NN of the class token"
    whole.locator(VIEW).get_by_text("Mistakes", exact=True).click()
    wait_for(whole, "it.sheet.kind === 'mistakes' && it.sheet.words.includes('wrong')")
    assert len(look(whole, "it.sheet.indices")) == round((1 - share) * 18)
    plot = whole.locator(f"{VIEW} .inside-probe-chart")
    plot.scroll_into_view_if_needed()
    expect(plot).to_have_attribute("data-drawn", "")
    plot.focus()
    plot.press("ArrowLeft")
    plot.press("Enter")
    wait_for(whole, "it.layer === 10 && it.made[1] === 10")
    slider = whole.locator(VIEW).get_by_label("Layer", exact=True)
    slider.press("End")
    wait_for(whole, "it.layer === 11 && it.made[1] === 11")
    whole.locator(VIEW).get_by_text("Labels", exact=True).click()


@contextmanager
def held(page: Page, pattern: str) -> Iterator[None]:
    """Answers to these requests wait until the end."""
    waiting: list[Route] = []
    page.route(pattern, lambda route: waiting.append(route))
    try:
        yield
    finally:
        for route in waiting:
            route.continue_()
        page.unroute(pattern)


def test_no_header_stands_over_another_gallery_s_map(whole: Page) -> None:
    name, place_before = look(whole, "it.gallery"), look(whole, "it.place(3)")
    choose = whole.locator(VIEW).get_by_role("combobox", name="Pictures", exact=True)
    header, side = whole.locator(".inside-gallery-state"), whole.locator(".inside-gallery-side h2")
    legend = whole.locator(".inside-gallery-legend button")
    chosen = side.first.inner_text()
    with held(whole, "**/galleries/samples/points*"):
        choose.select_option("samples")
        expect(header).to_contain_text("Opening The samples")
        expect(header).to_contain_text("still colours.zip")
        expect(header).not_to_contain_text("8 pictures")
        assert look(whole, "it.gallery") == name, "what is exported is what is shown"
        assert look(whole, "it.place(3)") == place_before
        assert side.first.inner_text() == chosen
        expect(legend).to_have_text([re.compile(rf"{c}\s*6") for c in ("blue", "green", "red")])
        busy = whole.locator(f"{VIEW} > .inside-columns.map")
        expect(busy).to_have_attribute("aria-busy", "true")
        expect(busy).to_have_css("opacity", "0.35")
    wait_for(whole, "it.gallery === 'samples'")
    expect(header).to_contain_text("8 pictures")
    expect(busy).to_have_attribute("aria-busy", "false")
    assert "Cluster 0" in legend.first.inner_text()
    assert look(whole, "it.near.neighbours.length") == 7
    choose.select_option(name)
    wait_for(whole, f"it.gallery === '{name}'")
    expect(header).to_contain_text("18 pictures")
    expect(legend, "labels again").to_have_text(
        [re.compile(rf"{c}\s*6") for c in ("blue", "green", "red")]
    )


def test_mistakes_are_no_list_of_unusual_pictures(whole: Page) -> None:
    wait_for(whole, "it.probe.complete", 240)
    kinds = whole.get_by_role("group", name="Which pictures")
    kinds.get_by_text("Unusual").click()
    wait_for(whole, "it.sheet.kind === 'unusual' && it.sheet.indices.length")
    slider = whole.locator(VIEW).get_by_label("Layer", exact=True)
    slider.press("ArrowLeft")
    wait_for(whole, "it.made[1] === 10 && it.predicted")
    with held(whole, "**/predictions*"):
        whole.reload()  # nothing is remembered of what was asked before
        wait_for(whole, "it.seen && it.sheet.kind === 'unusual' && it.sheet.indices.length", 120)
        kinds.get_by_text("Mistakes").click()
        wait_for(whole, "it.sheet.kind === 'mistakes'")
        expect(whole.locator(".inside-gallery-sheet .inside-tiles button")).to_have_count(0)
        assert look(whole, "it.sheet.indices") == []
    wait_for(whole, "it.sheet.words.includes('wrong')")
    slider.press("End")
    wait_for(whole, "it.made[1] === 11")


def test_a_label_is_told_from_what_is_predicted(whole: Page) -> None:
    wait_for(whole, "it.probe.complete && it.predicted", 240)
    chosen = look(whole, "it.chosen")
    names = whole.locator(".inside-gallery-kind")
    expect(names).to_contain_text("Label" + NAMES[chosen].split("/")[0], use_inner_text=False)
    expect(names).to_contain_text("Predicted")
    expect(names).to_contain_text("by k-NN on the class token of layer 11")
    side = whole.locator(".inside-gallery-side")
    expect(side).to_contain_text("How these 10 vote by their labels")


def test_beside_a_verdict_stand_the_weights_and_what_does_best(whole: Page) -> None:
    wait_for(whole, "it.probe.complete && it.predicted", 240)
    accuracy = np.array(look(whole, "it.probe.accuracy")).reshape(12, 3, 2)
    worst = int(accuracy[:, 0, 0].argmin())
    slider = whole.locator(VIEW).get_by_label("Layer", exact=True)
    slider.fill(str(worst))
    wait_for(whole, f"it.made[1] === {worst} && it.predicted")
    whole.get_by_role("group", name="Which pictures").get_by_text("Mistakes").click()
    verdict = whole.locator(".inside-gallery-sheet .inside-gallery-verdict")
    expect(verdict).to_contain_text("Weights: Preview ViT-S/14 (not the official weights).")
    expect(verdict).to_contain_text("a third party fine-tuned them for saliency")
    expect(verdict).to_contain_text(f"of layer {worst}: {100 * accuracy[worst, 0, 0]:.1f} % right")
    assert accuracy[worst, 0, 0] < accuracy.max(), "there is something better"
    expect(verdict).to_contain_text("Best:")
    verdict.get_by_role("button", name="Go there").click()
    layer, kind, method = np.unravel_index(accuracy.argmax(), accuracy.shape)
    wait_for(whole, f"it.made[1] === {layer} && it.predicted")
    assert look(whole, "[it.features, it.probe.method]") == [
        ("cls", "mean_patch", "both")[kind],
        ("knn", "logistic")[method],
    ]
    expect(verdict).to_contain_text("Nothing does better")
    whole.evaluate(f"document.querySelectorAll('{VIEW} details').forEach((it) => it.open = true)")
    whole.get_by_role("group", name="Classifier").get_by_text("k-NN").click()
    whole.get_by_role("group", name="Features", exact=True).get_by_text("Class token").click()
    slider.fill("11")
    wait_for(whole, "it.made[0] === 'cls' && it.made[1] === 11")


def test_what_a_zip_leaves_out_is_counted_and_named(whole: Page) -> None:
    expect(whole.locator(".inside-gallery-state")).to_contain_text("1 file was left out")
    omitted = whole.locator(".inside-omitted")
    expect(omitted.locator("summary")).to_have_text("1 file was left out")
    omitted.evaluate("(it) => it.open = true")
    expect(omitted.locator("li")).to_contain_text("green/notes.txt: ")
    omitted.evaluate("(it) => it.open = false")


def test_a_grid_is_one_stop_of_the_tab_key(whole: Page) -> None:
    for grid in (".inside-tiles.near", ".inside-gallery-legend"):
        buttons = whole.locator(f"{VIEW} {grid}").first.locator("button")
        stops = buttons.evaluate_all("(all) => all.map((it) => it.tabIndex)")
        assert stops.count(0) == 1, grid
        buttons.first.focus()
        whole.keyboard.press("ArrowRight")
        expect(buttons.nth(1)).to_be_focused()
    expect(whole.locator(f"{VIEW} .inside-keys").first).to_contain_text("next picture")


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (390, 844)])
def test_what_was_touched_and_what_came_of_it_are_in_sight(
    whole: Page, size: tuple[int, int]
) -> None:
    width, height = size
    before = whole.viewport_size
    assert before is not None
    whole.set_viewport_size({"width": width, "height": height})
    plane = whole.locator(MAP)
    plane.scroll_into_view_if_needed()
    whole.locator(".inside-gallery-chosen").scroll_into_view_if_needed()
    wait_for(whole, "!it.map.moving")
    box = plane.bounding_box()
    side = whole.locator(".inside-gallery-picture").bounding_box()
    assert box is not None
    assert side is not None
    assert box["height"] <= 0.62 * height + 1
    for one in (box, side):
        assert one["y"] >= -1
        assert one["y"] + one["height"] <= height + 1
    assert whole.evaluate("document.documentElement.scrollWidth") <= width
    whole.set_viewport_size(before)


def test_any_picture_opens_in_the_explorer(whole: Page) -> None:
    whole.locator(".inside-tiles.near button").first.click()
    wait_for(whole, "it.chosen === it.map.near[0] || it.near.neighbours")
    chosen = look(whole, "it.chosen")
    key = whole.evaluate("document.querySelector('[data-view=strip]').inside.key")
    whole.get_by_role("button", name="Open in the explorer").click()
    whole.wait_for_function(
        "(old) => { const it = document.querySelector('[data-view=attention]').inside;"
        " return it?.key && it.key !== old; }",
        arg=key,
        timeout=60_000,
    )
    expect(whole.locator("#status")).to_contain_text(NAMES[chosen].split("/")[-1])
    whole.click("#tab-gallery")
    wait_for(whole, f"it.own === {chosen}", 60)


def test_a_selection_becomes_the_rows_of_the_tray(whole: Page) -> None:
    search = whole.get_by_label("Search by file name or label")
    search.fill("03.png")
    wait_for(whole, "it.selection.length === 3 && it.sheet.indices.length === 3")
    whole.get_by_role("button", name="To the tray").click()
    rows = [f"gallery/{look(whole, 'it.gallery')}/{index}" for index in (3, 9, 15)]
    whole.wait_for_function(
        "(rows) => { const it = document.querySelector('[data-view=tray]')?.inside;"
        " return it && !it.busy && rows.every((row, at) => it.shown[at] === row); }",
        arg=rows,
        timeout=60_000,
    )
    expect(whole.locator('[data-view="tray"]').get_by_text("3 pictures put here.")).to_be_visible()
    whole.click("#tab-gallery")
    search.fill("")


def test_another_visitor_sees_nothing_of_it(whole: Page, visitor: Callable[..., Page]) -> None:
    name = look(whole, "it.gallery")
    other = visitor(f"#screen=gallery&gallery={name}")
    wait_for(other, "it.gallery === 'samples' && it.seen && it.problem")
    assert "another visitor's" in look(other, "it.problem")
    for path in ("", "/pictures", "/points", "/atlas/0.jpg", "/pictures/0.jpg", "/neighbours/0"):
        assert ask(other, f"{name}{path}").status == 404
        assert ask(whole, f"{name}{path}").ok


def test_it_is_found_again_after_a_reload(whole: Page) -> None:
    name, chosen = look(whole, "it.gallery"), look(whole, "it.chosen")
    whole.wait_for_function("location.hash.includes('gallery=')")
    whole.reload()
    wait_for(whole, "it.seen && it.near.neighbours", 120)
    assert (look(whole, "it.gallery"), look(whole, "it.chosen")) == (name, chosen)


def test_a_broken_zip_is_refused_in_words(visitor: Callable[..., Page], tmp_path: Path) -> None:
    page = visitor("#screen=gallery", strict=False)  # a refusal is an error to the browser
    wait_for(page, "it.seen")
    path = tmp_path / "holiday.zip"
    path.write_bytes(b"PK no zip at all")
    upload(page, path)
    wait_for(page, "it.problem")
    assert look(page, "it.problem").startswith("holiday.zip is no zip")
    assert str(tmp_path) not in look(page, "it.problem")
    assert look(page, "it.gallery") == "samples"


def test_a_folder_that_was_passed_over_can_be_taken(
    visitor: Callable[..., Page], tmp_path: Path
) -> None:
    """What is asked of the server, and that what it makes of that is opened."""
    page = visitor("#screen=gallery", prepare=pretend_gallery)
    wait_for(page, "it.gallery === 'samples' && it.seen")
    page.locator(VIEW).get_by_role("combobox", name="Pictures", exact=True).select_option("mine")
    which = page.locator(VIEW).locator(".inside-picture-choice")
    expect(which.locator("summary")).to_have_text(
        "Passed over: masks (2 files), gt (1 file). Take them?"
    )
    which.locator("summary").click()
    which.get_by_label("Take masks").check()
    which.get_by_label("Leave out").fill("*.bmp, thumbs")
    which.get_by_label("Stretch").check()
    with page.expect_request("**/galleries/mine/choice") as asked:
        which.get_by_role("button", name="Build it anew").click()
    assert json.loads(asked.value.post_data or "") == {
        "include": ["masks"],
        "exclude": ["*.bmp", "thumbs"],
        "stretch": True,
    }
    expect(which.locator("summary")).to_have_text("Which pictures: chosen by you")
    expect(page.locator(VIEW).get_by_role("combobox", name="Pictures", exact=True)).to_have_value(
        "anew"
    )
    page.locator(VIEW).get_by_role("combobox", name="Pictures", exact=True).select_option("samples")
    expect(which).to_be_hidden()  # everybody's


def pretend_gallery(page: Page) -> None:
    """A server with a gallery of this visitor's that could not be made, and no model at work."""
    card = {"title": "pets.zip", "mine": True, "pictures": 6, "classes": 2, "state": "failed"}
    card |= {"words": "Stopped.", "alive": False, "seen": False, "actions": [], "notes": []}
    card |= {"broken": [], "broken_count": 0, "left_out": [], "left_out_count": 3, "doing": ""}
    plain = {"include": [], "exclude": [], "stretch": False}
    galleries = [card | {"name": "mine", "aside": {"masks": 2, "gt": 1}, "choice": plain}]

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.endswith("/choice"):
            choice = json.loads(route.request.post_data or "")
            galleries[0] = card | {"name": "anew", "aside": {}, "choice": choice}
            return route.fulfill(json=galleries[0])
        if path.endswith("/galleries"):
            values = route.fetch().json()
            return route.fulfill(json=values | {"galleries": [*galleries, *values["galleries"]]})
        return route.fallback()

    page.route(re.compile(r"/galleries($|\?|/mine/|/anew)"), answer)


def test_a_folder_is_packed_by_the_browser(visitor: Callable[..., Page], tmp_path: Path) -> None:
    """What it makes is a zip that Python reads; nothing but the pictures is in it."""
    folder = tmp_path / "holiday"
    contents = {"sea/ä.png": picture(1), "hills/b.png": picture(2), "notes.txt": b"words"}
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    page = visitor("#screen=gallery")
    wait_for(page, "it.seen")
    sent: list[tuple[str, bytes]] = []

    def take(route) -> None:  # type: ignore[no-untyped-def]
        if route.request.method != "POST":
            route.fallback()
            return
        sent.append((route.request.url, route.request.post_data_buffer or b""))
        card = {"name": "none", "title": "holiday.zip", "pictures": 2, "classes": 2, "notes": []}
        card |= {"broken": [], "broken_count": 0, "left_out": [], "left_out_count": 0}
        route.fulfill(body=json.dumps(card | {"seen": False, "alive": False, "actions": []}))

    page.route("**/galleries?*", take)
    page.locator(VIEW).locator("input[webkitdirectory]").set_input_files(folder)
    wait_for(page, "it.problem")  # there is no such gallery
    (url, data), *more = sent
    assert not more
    assert "name=holiday.zip" in url
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"holiday/{name}": data for name, data in contents.items() if name.endswith(".png")
        }
