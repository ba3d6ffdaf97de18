"""The features' screen in a real browser: five ways of looking, each with the library's numbers."""

import contextlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from page_modules import ask_page
from PIL import Image
from playwright.sync_api import Page, Route, expect

from dino_core import Inspection, fit_to_patches, inspect, load_backbone, open_picture, to_tensor
from dino_core.analysis.clustering import kmeans
from dino_core.analysis.comparison import linear_cka
from dino_core.analysis.similarity import cosine_similarity, directions, match_patches
from dino_core.scenes.depth import depth_attention_scene, depth_scene
from dino_core.scenes.features import features_scene
from dino_core.scenes.matching import matches_scene

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "static" / "samples"
VIEW = '[data-view="features"]'
STATE = f"document.querySelector('{VIEW}')?.inside"
WAY = f"{VIEW} .inside-way:not([hidden])"


@pytest.fixture(scope="module")
def seen() -> Callable[[str], Inspection]:
    vit = load_backbone("preview_vits14").vit

    def look(sample: str) -> Inspection:
        return inspect(
            vit, to_tensor(fit_to_patches(open_picture(SAMPLES / sample), 14, 224).picture)
        )

    return look


@pytest.fixture(scope="module")
def page(visitors) -> Page:
    """One page for all tests that say themselves where they begin; what its link says holds."""
    extras = "features=depth&features.k=4&features.layer=4"
    page = visitors(f"#screen=features&layer=3&row=4&col=9&head=2&{extras}")
    wait(page, "s.mode === 'depth' && s.layer === 3 && s.row === 4 && s.col === 9")
    return page


def begin(page: Page, mode: str, **selected: int | None) -> None:
    """Opens a way of looking at the sample with this selection, and the pointer out of the way."""
    page.mouse.move(0, 0)
    page.set_viewport_size({"width": 1440, "height": 1000})
    if "sample=cat.jpg" not in page.url:
        page.click('#samples button[data-file="cat.jpg"]')
        page.wait_for_function("location.hash.includes('sample=cat.jpg')")
    page.click(f"{VIEW} [data-value={mode}]")
    chosen = {"row": 3, "col": 4, "layer": 9, "head": None} | selected
    ask_page(page, "page/selection.js", f"it.select({json.dumps(chosen)})")
    wait(page, f"s.mode === '{mode}' && s.layer === {chosen['layer']}")
    page.wait_for_selector(f"{WAY}[aria-busy=false]:not(.inside-late)")  # and has its answers


def wait(page: Page, condition: str) -> None:
    """Until the state of the screen, `s`, is as wanted."""
    page.wait_for_function(
        f"(() => {{ const s = {STATE}; return s && ({condition}); }})()", timeout=60_000
    )


def numbers(page: Page, name: str) -> torch.Tensor:
    return torch.tensor(page.evaluate(f"Array.from({STATE}.{name})"))


def state(page: Page, name: str) -> Any:
    return page.evaluate(f"{STATE}.{name}")


def point_at(page: Page, which: int, across: float, down: float) -> None:
    """Moves the pointer over a picture of the open way of looking."""
    box = page.locator(f"{WAY} .inside-picture").nth(which).bounding_box()
    assert box
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])


def test_through_depth_is_the_library_s_plays_to_the_end_and_is_saved(page: Page, seen) -> None:
    begin(page, "depth", layer=3, row=4, col=9, head=2)
    wait(page, "s.colours && s.attention")
    scene = depth_scene(seen("cat.jpg"))
    off = numbers(page, "colours") - torch.tensor(scene.colours).flatten().int()
    assert off.abs().max() <= 1, "rounding"
    rows = depth_attention_scene(seen("cat.jpg"), 4, 9, 2).attention
    shares = rows / rows.max((1, 2), keepdims=True)
    torch.testing.assert_close(
        numbers(page, "attention"), torch.tensor(shares).flatten(), atol=1e-3, rtol=0
    )
    ask_page(page, "page/selection.js", "it.select({ layer: 9 })")
    wait(page, "s.layer === 9")
    page.click(f"{WAY} button:has-text('Play through the layers')")
    wait(page, "s.at !== null && s.at > 9 && s.at % 1 !== 0")
    wait(page, "s.at === null && s.layer === 11")

    page.click(f"{WAY} button:has-text('Swap foreground and background')")
    wait(page, "s.flip")
    swapped = depth_scene(seen("cat.jpg"), flip=True).colours
    off = numbers(page, "colours") - torch.tensor(swapped).flatten().int()
    assert off.abs().max() <= 1
    page.wait_for_function("location.hash.includes('features.flip=1')")
    page.click(f"{WAY} [data-value=gif]")
    with page.expect_download() as download:
        page.click(f"{WAY} button:has-text('Save film')")
    with Image.open(download.value.path()) as film:
        assert (film.format, film.size, film.n_frames) == ("GIF", (336, 224 + 20), 89)
    page.click(f"{WAY} button:has-text('Swap foreground and background')")
    wait(page, "!s.flip")


def test_the_workbench_colours_as_the_library_does(page: Page, seen) -> None:
    begin(page, "colours")
    wait(page, "s.config")
    page.click(f"{WAY} .inside-more summary")
    page.select_option(f"{WAY} select[aria-label=Red]", label="4")
    wait(page, "s.config.components[0] === 4")
    slider = page.locator(f"{WAY} input[aria-label=Threshold]")
    slider.fill("0.5")
    wait(page, "s.config.threshold === 0.5")
    page.click(f"{WAY} button:has-text('Whiten')")
    wait(page, "s.config.whiten")
    changes = {"components": (4, 1, 2), "threshold": 0.5, "whiten": True}
    wanted = features_scene(seen("cat.jpg"), 9, "paper", False, **changes)
    off = numbers(page, "scores") - torch.tensor(wanted.scores).flatten()
    assert off.abs().max() < 1e-2
    assert torch.equal(numbers(page, "foreground"), torch.tensor(wanted.foreground).flatten().int())
    more = page.locator(f"{WAY} .inside-more summary")
    expect(more).to_contain_text("3 settings differ")
    page.click(f"{VIEW} [data-value='all-patches']")
    wait(page, "s.preset === 'all-patches' && !s.config.foreground")
    expect(more, "another preset starts afresh").to_have_text("More")
    page.click(f"{VIEW} [data-value='paper']")
    wait(page, "s.preset === 'paper' && s.config.foreground")


def test_matches_with_a_second_picture(page: Page, seen) -> None:
    begin(page, "pair", layer=10, row=5, col=9)
    page.click(f"{WAY} .inside-samples button >> nth=1")
    wait(page, "s.forward && s.layer === 10")
    cat = seen("cat.jpg")
    page.wait_for_function("location.hash.includes('features.second')")
    sample = page.evaluate("new URLSearchParams(location.hash.slice(1)).get('features.second')")
    other = seen(sample)
    matches = match_patches(cat.patches(10), other.patches(10))
    assert torch.equal(numbers(page, "forward"), matches.forward)
    assert torch.equal(numbers(page, "backward"), matches.backward)
    assert state(page, "count") == matches.mutual.sum()
    similar = cosine_similarity(cat.patches(10)[[5 * 24 + 9]], other.patches(10))[0]
    torch.testing.assert_close(numbers(page, "secondSimilar"), similar, atol=1e-5, rtol=0)
    lines = matches_scene(cat, other, 10).lines
    assert state(page, "drawn") == min(20, len(lines))

    h, w = other.grid
    point_at(page, 1, 3.5 / w, 2.5 / h)
    wait(page, f"s.pointed === {2 * w + 3}")
    similar = cosine_similarity(other.patches(10)[[2 * w + 3]], cat.patches(10))[0]
    torch.testing.assert_close(numbers(page, "similar"), similar, atol=1e-5, rtol=0)
    words = page.locator(f"{WAY} .inside-details").first.inner_text()
    best = int(matches.backward[2 * w + 3])
    assert f"row {best // 24}, column {best % 24}, cosine {similar[best]:.3f}" in words

    page.reload()
    wait(page, f"s.mode === 'pair' && s.forward && s.layer === 10 && s.secondGrid[0] === {h}")
    assert torch.equal(numbers(page, "forward"), matches.forward), "the link brings it all back"


@pytest.fixture(scope="module")
def pairs(visitors) -> Page:
    """One page for all second pictures; some are refused, which the browser takes for an error."""
    page = visitors("#screen=features&features=pair", strict=False)
    page.evaluate(COUNT_BYTES)
    return page


def choose_second(page: Page, file: Path) -> None:
    another = page.locator(f"{WAY} button:has-text('Another second picture')")
    if another.is_visible():
        another.click()
    with page.expect_file_chooser() as chooser:
        page.click(f"{WAY} button:has-text('Upload a picture')")
    assert not chooser.value.element.get_attribute("accept"), "a picture without an ending, too"
    chooser.value.set_files(str(file))


def shows_second(page: Page, name: str, before: str | None) -> None:
    """Until the second picture is another than `before`, by its key; it goes by its name."""
    wait(page, f"s.forward && s.second !== {json.dumps(before)}")
    expect(page.locator(f"{WAY} figcaption").nth(1)).to_have_text(re.compile(f"{name}$"))
    expect(page.locator(f"{VIEW} .inside-problem")).to_have_count(0)


def test_an_uploaded_second_picture_and_one_that_is_refused(pairs: Page, tmp_path: Path) -> None:
    broken = tmp_path / "notes.txt"
    broken.write_text("no picture")
    choose_second(pairs, broken)
    expect(pairs.locator(f"{VIEW} .inside-problem")).to_contain_text("a picture is wanted")
    before = state(pairs, "second")
    choose_second(pairs, SAMPLES / "flower.jpg")
    shows_second(pairs, "flower.jpg", before)


# How large the bodies are that the page posts, in `bytesSent`.
COUNT_BYTES = """() => {
    const plain = window.fetch;
    window.bytesSent = [];
    window.fetch = (url, options) => {
        if (options?.body instanceof Blob) window.bytesSent.push(options.body.size);
        return plain(url, options);
    };
}"""


def deep_png(path: Path) -> None:
    """16 bits a channel, of which only the lowest hundredth is used; larger than is shrunk."""
    noise = np.random.default_rng(0).integers(0, 655, (1400, 1300), dtype=np.uint16)
    Image.fromarray(noise).save(path, compress_level=0)


def turned_jpeg(path: Path) -> None:
    """Landscape pixels, held upright by EXIF, and more than 25 MB of them."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (1200, 600), "teal").save(path, exif=exif)
    path.write_bytes(path.read_bytes() + bytes(26 * 2**20))


def large_png(path: Path) -> None:
    Image.new("RGB", (2800, 3300), "teal").save(path, compress_level=0)
    assert path.stat().st_size > 25 * 2**20


def no_ending(path: Path) -> None:
    Image.new("RGB", (320, 240), "teal").save(path, format="PNG")


def heic(path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.new("RGB", (320, 240), "teal")).save(str(path.with_suffix(".heif")))
    path.with_suffix(".heif").rename(path)


@pytest.mark.parametrize(
    ("name", "write", "grid"),
    [
        ("turned.jpg", turned_jpeg, [32, 16]),  # rows, columns: upright
        ("large.png", large_png, [19, 16]),
        ("deep.png", deep_png, [17, 16]),
        ("picture", no_ending, [16, 21]),
        ("IMG_0002.HEIC", heic, [16, 21]),
    ],
)
def test_a_second_picture_of_any_kind_and_size_is_taken(
    pairs: Page, tmp_path: Path, name: str, write: Callable[[Path], None], grid: list[int]
) -> None:
    write(tmp_path / name)
    before = state(pairs, "second")
    choose_second(pairs, tmp_path / name)
    shows_second(pairs, name, before)
    assert state(pairs, "secondGrid") == grid
    size = (tmp_path / name).stat().st_size
    whole = pairs.evaluate("bytesSent.at(-1)") == size
    assert whole == (name not in ("turned.jpg", "large.png")), "shrunk where it can be"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("film.mp4", b"\0\0\0\x18ftypmp42" + bytes(2000), "MP4 video"),
        ("noise.jpg", b"\xff\xd8\xff" + b"0123456789" * (26 * 2**17), "more than the 25 MB"),
    ],
)
def test_a_second_picture_that_cannot_be_shrunk_gets_our_words(
    pairs: Page, tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    choose_second(pairs, tmp_path / name)
    expect(pairs.locator(f"{VIEW} .inside-problem")).to_contain_text(words)


def test_clusters_and_map_are_linked(page: Page, seen) -> None:
    begin(page, "map", layer=8)
    wait(page, "s.mode === 'map' && s.k === 4 && s.places.length && !s.moving")
    found = kmeans(directions(seen("cat.jpg").patches(8)).numpy(), 4, 0)
    assert (numbers(page, "labels").numpy() == found.labels).mean() > 0.99
    assert state(page, "method") == "pca"
    page.click(f"{WAY} [data-cluster='1']")
    wait(page, "s.alone === 1")

    places = numbers(page, "places").reshape(-1, 2)
    labels = numbers(page, "labels")
    patch = int((labels == 1).nonzero()[0])
    box = page.locator(f"{WAY} .inside-plane").bounding_box()
    assert box
    x, y = places[patch].tolist()  # px of the map
    page.mouse.move(box["x"] + x, box["y"] + y)
    wait(page, "s.labels[s.row * 24 + s.col] === 1")
    at = int(state(page, "row")) * 24 + int(state(page, "col"))
    assert (places[at] - places[patch]).norm() < 6, "the nearest point is marked in the picture"
    tip = page.locator(f"{WAY} .inside-plane .inside-scatter-tip").inner_text()
    assert f"row {at // 24}, column {at % 24}" in tip
    assert "cluster 1" in tip
    point_at(page, 0, 0.5 / 24, 0.5 / 16)
    wait(page, "s.row === 0 && s.col === 0")
    assert f"cluster {int(labels[0])}, " in page.locator(f"{WAY} .inside-details").inner_text()
    page.click(f"{WAY} [data-cluster='1']")
    wait(page, "s.alone === null")


def test_two_layers_side_by_side(page: Page, seen) -> None:
    begin(page, "compare", layer=11)
    wait(page, "s.mode === 'compare' && s.secondLayer === 4 && s.layer === 11")
    cat = seen("cat.jpg")
    assert state(page, "cka") == pytest.approx(
        linear_cka(cat.patches(11), cat.patches(4)), abs=1e-4
    )
    table = page.locator(f"{WAY} .inside-likeness")
    box = table.bounding_box()
    assert box
    table.click(position={"x": box["width"] * 2.5 / 12, "y": box["height"] * 7.5 / 12})
    wait(page, "s.layer === 7 && s.secondLayer === 2")
    assert state(page, "cka") == pytest.approx(linear_cka(cat.patches(7), cat.patches(2)), abs=1e-4)
    table.focus()
    page.keyboard.press("ArrowRight")
    wait(page, "s.secondLayer === 3")


# What the lines of one way of looking have, and of no other.
IN_PYTHON = {
    "colours": "result = colour_features(",
    "pair": "match_patches(",
    "map": "kmeans(",
    "compare": "linear_cka(",
}


@pytest.mark.parametrize("way", ["colours", "pair", "map", "compare"])
def test_the_python_of_every_way_runs(
    page: Page, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    begin(page, way)
    if way == "pair":
        if "features.second=" not in page.url:
            page.click(f"{WAY} .inside-samples button >> nth=1")
        wait(page, "s.forward")
    shown = page.locator(f"{VIEW} .inside-code")
    if not shown.is_visible():
        page.locator(VIEW).get_by_role("button", name="Python", exact=True).click()
    expect(shown).to_contain_text(IN_PYTHON[way])
    code = shown.inner_text()
    monkeypatch.chdir(ROOT)
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "snippet", "exec"), names)
    assert printed.getvalue().strip()
    if way == "colours":
        torch.testing.assert_close(numbers(page, "similar"), names["similar"], atol=1e-5, rtol=0)
    if way == "pair":
        assert torch.equal(numbers(page, "forward"), names["matches"].forward)
        assert state(page, "lines") == min(20, len(names["lines"]))
    if way == "map":
        assert state(page, "sizes") == names["clusters"].sizes.tolist()
    if way == "compare":
        assert f"{state(page, 'cka'):.3f}" in f"{float(printed.getvalue().split()[1]):.3f}"


def test_what_is_shown_and_taken_is_one_layer(page: Page) -> None:
    """While another layer is computed, the old one is dimmed, and files are of what is seen."""
    begin(page, "colours")
    wait(page, "s.config")
    held: list[Route] = []
    page.route(re.compile(r"/features/2\?"), lambda route: held.append(route))
    page.locator(f"{VIEW} .inside-ways input[type=range]").fill("2")
    page.wait_for_selector(f"{WAY}.inside-late[aria-busy=true]")
    assert state(page, "layer") == 9
    with page.expect_download() as download:
        page.locator(VIEW).get_by_role("button", name="NPZ", exact=True).click()
    assert "/features/9?" in download.value.url
    code = page.locator(f"{VIEW} .inside-code")
    if not code.is_visible():
        page.locator(VIEW).get_by_role("button", name="Python", exact=True).click()
    assert "layer=9" in code.inner_text()
    for route in held:
        route.continue_()
    page.unroute_all()
    wait(page, "s.layer === 2")
    page.wait_for_selector(f"{WAY}[aria-busy=false]:not(.inside-late)")
    assert "layer=2" in code.inner_text()


def test_explained_variance_is_a_chart(page: Page, seen) -> None:
    begin(page, "colours")
    wait(page, "s.ratio")
    page.wait_for_selector(f"{WAY} .inside-variance[data-drawn]")
    heights = page.evaluate(f"document.querySelector('{WAY} .inside-variance').data[0].y")
    wanted = 100 * torch.tensor(features_scene(seen("cat.jpg"), 9, "paper", False).ratio)
    torch.testing.assert_close(torch.tensor(heights), wanted, atol=0.1, rtol=0)


def test_clusters_are_one_stop_of_the_tab_key(page: Page) -> None:
    begin(page, "map")
    wait(page, "s.labels")
    chips = page.locator(f"{WAY} .inside-chips button")
    stops = chips.evaluate_all("(all) => all.filter((one) => one.tabIndex === 0).length")
    assert stops == 1
    chips.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    wait(page, "s.alone === 1")


def test_a_telephone_shows_what_a_touch_did(page: Page) -> None:
    begin(page, "colours")
    page.set_viewport_size({"width": 390, "height": 1000})
    for way in ("colours", "map"):
        page.click(f"{VIEW} [data-value={way}]")
        wait(page, f"s.mode === '{way}' && s.layer === 9")
        page.wait_for_function(  # nothing stands between the two, once they have their size
            """(way) => { const boxes = [...document.querySelectorAll(`${way} figure`)]
                    .map((figure) => figure.getBoundingClientRect());
                return boxes.length === 2 && boxes.every(({ height }) => height > 100)
                    && boxes[1].top - boxes[0].bottom < 40; }""",
            arg=WAY,
        )


def test_a_tall_picture_leaves_the_controls_in_sight(page: Page) -> None:
    begin(page, "colours")
    key = state(page, "key")
    page.click('#samples button[data-file="photographer.jpg"]')
    wait(page, f"s.key !== '{key}' && s.config")
    for way in ("colours", "map"):
        page.click(f"{VIEW} [data-value={way}]")
        wait(page, f"s.mode === '{way}' && s.layer === 9")
        tall = page.locator(f"{WAY} .inside-picture, {WAY} .inside-plane").evaluate_all(
            "(all) => Math.max(...all.map((one) => one.offsetHeight))"
        )
        assert tall <= 0.62 * 1000 + 1
