"""A hundred thousand pictures in a real browser: points, pointer, lasso, thumbnails, search."""

import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from benchmarks.synthetic import CLASSES, write_gallery
from dino_core.gallery.build import make
from dino_core.gallery.folder import GalleryFolder
from dino_core.scenes import gallery_parts
from tests.app.conftest import Contexts, opening
from tests.app.servers import free_port, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
COUNT = 100_000
VIEW = '[data-view="gallery"]'
MAP = ".inside-gallery-map"
IT = f"const it = document.querySelector('{VIEW}')?.inside"
LINK = "#screen=gallery&gallery=shown-0-many"


def look(page: Page, words: str):  # type: ignore[no-untyped-def]
    """Something about what the screen says it shows, called `it`."""
    return page.evaluate(f"(() => {{ {IT}; return {words}; }})()")


def wait_for(page: Page, words: str) -> None:
    code = f"(() => {{ {IT}; return it && ({words}); }})()"
    page.wait_for_function(code, timeout=60_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn rows and their PCA map; nothing else has been made of them."""
    folder = write_gallery(tmp_path_factory.mktemp("large") / "many", COUNT, width=16)
    make(GalleryFolder(folder), "cls", 1, "pca")
    return folder


class Held:
    """Requests for the second part of the map, which wait until they are let go."""

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.free = False

    def __call__(self, route: Route) -> None:
        if self.free:
            route.continue_()
        else:
            self.routes.append(route)

    def let_go(self) -> None:
        self.free = True
        for route in self.routes:
            route.continue_()


@pytest.fixture(scope="module")
def held() -> Held:
    return Held()


@pytest.fixture(scope="module")
def page(
    browser: Browser, folder: Path, held: Held, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    home = tmp_path_factory.mktemp("home")
    with (
        serving(home, free_port(), "--gallery", str(folder)) as url,
        opening(Contexts(browser, url)) as visit,
    ):
        faults: list[str] = []

        def prepare(page: Page) -> None:
            page.route("**/part/1?*", held)
            page.on("pageerror", lambda error: faults.append(str(error)))

        # What is asked of pictures that never were is refused, and that is no fault.
        yield visit(LINK, strict=False, prepare=prepare)
        assert faults == []


# The places of all pictures in one string: two hundred thousand numbers would be read one by one.
PLACES = """(count) => {
    const { place } = document.querySelector(VIEW).inside;
    const flat = Float64Array.from(Array.from({ length: count }, (_, i) => place(i)).flat());
    const bytes = new Uint8Array(flat.buffer), letters = [];
    for (let at = 0; at < bytes.length; at += 8192)
        letters.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
    return btoa(letters.join(""));
}""".replace("VIEW", f"'{VIEW}'")


def places(page: Page) -> np.ndarray:
    """Where every picture is on the map: px [n, 2]."""
    return np.frombuffer(b64decode(page.evaluate(PLACES, COUNT))).reshape(-1, 2)


def corner(page: Page) -> np.ndarray:
    box = page.locator(MAP).bounding_box()
    assert box is not None
    return np.array([box["x"], box["y"]], float)


def test_the_first_part_is_shown_before_the_second_has_come(page: Page, held: Held) -> None:
    wait_for(page, f"it.gallery === 'shown-0-many' && it.map.there === {COUNT // 2}")
    assert look(page, "it.map.points") == COUNT
    assert look(page, "it.count") == COUNT
    held.let_go()
    wait_for(page, f"it.map.there === {COUNT}")
    expect(page.locator(".inside-gallery-words")).to_contain_text("PCA")
    expect(page.locator(".inside-gallery-state")).to_contain_text("100000 pictures")


def test_the_map_is_the_server_s(page: Page, folder: Path) -> None:
    with np.load(folder / "maps" / "cls-1-pca.npz") as stored:
        xy = stored["xy"]
    seen = places(page)
    scale = np.ptp(seen[:, 0]) / np.ptp(xy[:, 0])
    expected = (xy - xy[0]) * [scale, -scale] + seen[0]
    np.testing.assert_allclose(seen, expected, atol=0.05)


def test_the_pointer_means_the_nearest_and_says_its_name(page: Page, folder: Path) -> None:
    for index in (7, 99_999):
        page.locator(MAP).press("0")
        for _ in range(4):
            page.mouse.move(*(corner(page) + look(page, f"it.place({index})")))
            zoom = look(page, "it.map.zoom")
            page.mouse.wheel(0, -300)
            wait_for(page, f"it.map.zoom > {zoom}")
        at = np.round(look(page, f"it.place({index})")) + 1
        nearest = int(np.square(places(page) - at).sum(1).argmin())
        page.mouse.move(*(corner(page) + at))
        wait_for(page, f"it.map.hovered === {nearest}")
        name = f"class-{nearest % CLASSES:02}/{nearest:07}.jpg"
        wait_for(page, f"it.map.tip.startsWith({name!r})")
        tile = np.asarray(gallery_parts.tiles(folder, [nearest]), float)[32, 32]
        page.wait_for_function(
            "(rgb) => { const face = document.querySelector('.inside-scatter-tip canvas');"
            " const seen = face.getContext('2d').getImageData(32, 32, 1, 1).data;"
            " return rgb.every((one, i) => Math.abs(one - seen[i]) < 8); }",
            arg=tile.tolist(),
        )
    page.locator(MAP).press("0")
    page.mouse.move(0, 0)


def test_a_lasso_selects_what_lies_in_it(page: Page) -> None:
    seen = places(page)
    (x0, y0), (x1, y1) = np.quantile(seen, 0.4, 0), np.quantile(seen, 0.6, 0)
    inside = ((seen > [x0, y0]) & (seen < [x1, y1])).all(1)
    wanted = np.flatnonzero(inside).tolist()
    assert 100 < len(wanted) < COUNT
    left, top = corner(page)
    page.get_by_role("button", name="Draw around pictures").click()
    page.mouse.move(left + x0, top + y0)
    page.mouse.down()
    for x, y in ((x1, y0), (x1, y1), (x0, y1), (x0, y0)):
        page.mouse.move(left + x, top + y, steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Draw around pictures").click()
    wait_for(page, "it.selection.length && it.sheet.kind === 'selection'")
    found = set(look(page, "it.selection"))
    edge = np.abs(seen - [x0, y0]).min(1).clip(max=1) + np.abs(seen - [x1, y1]).min(1).clip(max=1)
    on_edge = set(np.flatnonzero(edge < 1.05).tolist())  # a pointer stands on whole pixels
    assert found ^ set(wanted) <= on_edge
    assert len(found ^ set(wanted)) < 0.1 * len(wanted)
    page.locator(MAP).press("Escape")
    wait_for(page, "!it.selection.length")


def test_thumbnails_come_as_one_zooms_in(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: "tiles.jpg" in request.url and asked.append(request.url))
    page.get_by_role("button", name="Pictures instead of points").click()
    for _ in range(3):
        page.locator(MAP).press("+")
    wait_for(page, "it.map.shown > 10")
    with page.expect_response("**/tiles.jpg*"):
        page.locator(MAP).press("+")
    assert 0 < len(asked) < 12, "many on one sheet"
    page.get_by_role("button", name="Pictures instead of points").click()
    page.locator(MAP).press("0")


def test_a_search_is_the_server_s_and_neighbours_say_how_they_were_found(page: Page) -> None:
    search = page.get_by_label("Search by file name or label")
    search.fill("CLASS-07")
    wait_for(page, f"it.selection.length === {COUNT // CLASSES}")
    assert look(page, "it.selection.slice(0, 3)") == [7, 47, 87]
    search.fill("")
    wait_for(page, "!it.selection.length")
    expect(page.locator(".inside-gallery-side")).to_contain_text("compared with every picture")


def test_what_would_take_hours_says_so_and_what_stands_in_its_place(page: Page) -> None:
    choose = lambda value: page.locator(f"{VIEW} [data-value={value}]").click()  # noqa: E731
    choose("tsne")
    expect(page.locator(".inside-gallery-words")).to_have_text(
        "t-SNE of 100,000 pictures would take hours, so it stops at 20,000: use UMAP. This is PCA."
    )
    expect(page.locator(f"{VIEW} [data-value=pca]")).to_have_attribute("aria-pressed", "true")
    choose("cluster")
    page.locator(f"{VIEW} summary").get_by_text("More", exact=True).click()
    choose("hdbscan")
    expect(page.locator(".inside-gallery-legend")).to_have_attribute(
        "data-waiting", re.compile(r"20,000: use k-means. These groups are of k-means.$")
    )
    choose("pca")
    expect(page.locator(".inside-gallery-words")).to_contain_text("of the variance")
    choose("label")


def test_how_long_frames_take(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    """Told and not judged: machines differ."""
    page.evaluate(
        """() => { window.frames_seen = []; let last = performance.now();
            const step = (now) => { window.frames_seen.push(now - last); last = now;
                if (window.frames_seen.length < 400) requestAnimationFrame(step); };
            requestAnimationFrame(step); }"""
    )
    x, y = corner(page) + 250
    page.mouse.move(x, y)
    for i in range(60):
        page.mouse.wheel(0, -30 if i < 30 else 30)
    taken = np.array(page.evaluate("window.frames_seen"))
    with capsys.disabled():
        print(
            f"\nzooming {COUNT:,} points: a frame takes {np.median(taken):.0f} ms, "
            f"{np.percentile(taken, 95):.0f} at the 95th percentile, {taken.max():.0f} at most"
        )
