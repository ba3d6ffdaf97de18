"""The first picture does not wait for Gradio, and its views move into Gradio's places unchanged."""

import json
from collections.abc import Callable

import pytest
import torch
from page_modules import selected
from playwright.sync_api import Browser, Page, Route, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as Path
from starlette.testclient import TestClient

from app.first_visit.document import head, needed_modules, stage
from app.middleware.first_visit import FirstDocument
from app.state.models import Models, read_sample
from app.state.script_version import page_scripts

PAGE = (
    "<html><head><title>x</title></head><body><head></head><gradio-app></gradio-app></body></html>"
)
DRAWN = "!!document.querySelector('[data-view=welcome]')?.inside"
DRAWN_AGAIN = "!!document.querySelector('[data-view=attention]')?.inside?.rows"
GRID = "document.querySelector('[data-view=welcome]').inside.grid"
# Where the views lie, in whole pixels.
PLACES = """() => ["strip", "welcome"].map((name) => {
    const { x, y, width } = document.querySelector(`[data-view=${name}]`).getBoundingClientRect();
    return [x, y, width].map(Math.round);
})"""


def words(view: dict | None) -> str:
    return head({"magma": [[0, 0, 0]]}, {"crops": "Crops"}, view, "abc", identity={})


def site(early: str, above: str) -> TestClient:
    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE)

    inner = Starlette(routes=[Path("/", page), Path("/other", page)])
    return TestClient(FirstDocument(inner, page_scripts(), early, above))


def test_head_and_stage_stand_in_the_page_and_nowhere_else() -> None:
    early = words({"key": "first"})
    client = site(early, stage())
    found = client.get("/")
    early = page_scripts().with_versions(early.encode()).decode()
    assert early.count("inside/js/@") == early.count("inside/js/") > 1
    assert found.text.startswith(f"<html><head>{early}<title>")
    assert f"{stage()}<gradio-app>" in found.text
    assert found.text.count(early) == found.text.count(stage()) == 1
    assert int(found.headers["content-length"]) == len(found.content)
    assert client.get("/other").text == PAGE
    assert '"crops", "Crops"' in early
    assert "view/first/strip?seed=0" in early


@pytest.mark.parametrize("view", [None, {"key": "first"}])
def test_who_is_welcomed_is_said_before_anything_is_fetched(view: dict | None) -> None:
    early = words(view)
    opening = early.partition("const opening = ")[2].partition(";")[0]
    opens = json.loads(opening)
    assert opens["first"] == (view is not None)
    assert bool(opens["ahead"]) == (view is not None)


def test_no_name_ends_the_script_it_stands_in_and_no_module_is_named_twice() -> None:
    early = words({"key": "first", "model": "</script><b>my weights"})
    assert "</script><b>" not in early
    assert "\\u003c/script>\\u003cb>my weights" in early
    begun = set(needed_modules())
    ahead = json.loads(early.split("const opening = ")[1].split(";\n")[0])["ahead"]
    assert set(ahead) == {"welcome", "attention"}
    for one in ahead.values():
        assert one["modules"]
        assert not begun & set(one["modules"])
        assert not [name for name in one["modules"] if ".." in name]


def test_nothing_is_fetched_ahead_for_a_page_that_begins_with_another_model() -> None:
    assert "view/first/" not in words(None)
    assert site(words(None), "").get("/").text.count("inside-stage") == 0


@pytest.fixture
def held(browser: Browser, server: str) -> Callable[..., tuple[Page, Callable[[], None]]]:
    """Opens a page without Gradio, which arrives when the function that comes with it is called."""
    pages: list[Page] = []

    def open_page(link: str = "", width: int = 1440) -> tuple[Page, Callable[[], None]]:
        page = browser.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        waiting: list[Route] = []
        page.route("**/assets/index-*.js", lambda route: waiting.append(route))

        def release() -> None:
            for route in waiting:
                route.continue_()
            page.unroute("**/assets/index-*.js")

        page.goto(server + link, wait_until="commit")
        return page, release

    yield open_page
    for page in pages:
        page.context.close()


def places(page: Page) -> dict[int, list[list[int]]]:
    """Where the views lie in a window of each width: px, by the width."""
    found = {}
    for width in (1440, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        found[width] = page.evaluate(PLACES)
    return found


def test_the_first_picture_is_there_before_gradio_and_stays_where_it_is(held) -> None:
    page, release = held(width=390)
    page.wait_for_function(DRAWN)
    page.locator("[data-view=welcome] .inside-picture").click(position={"x": 90, "y": 60})
    page.wait_for_function("document.querySelector('[data-view=welcome]').inside.patch")
    page.mouse.move(0, 0)
    kept = page.evaluate("document.querySelector('[data-view=welcome]').inside.patch")
    page.evaluate("window.root = document.querySelector('[data-view=welcome]')")
    before = places(page)

    release()
    page.wait_for_selector("#inside-stage", state="detached")
    assert page.evaluate("root === document.querySelector('#screen-welcome [data-view]')")
    expect(page.locator("[data-view=welcome]")).to_have_count(1)
    assert page.evaluate("root.inside.patch") == kept
    page.wait_for_function("document.fonts.status === 'loaded'")
    after = places(page)
    for width, old in before.items():
        for was, now in zip(old, after[width], strict=True):
            assert was == pytest.approx(now, abs=2), (width, before, after)
    leads_past_the_welcome(page)


def leads_past_the_welcome(page: Page) -> None:
    """A picture that somebody opens."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("#samples [data-file='coffee.jpg']").click()
    page.wait_for_selector("#screen-attention.open [data-view=attention][data-ready]")
    expect(page.locator("[data-view=welcome]")).to_be_hidden()


def test_a_screen_that_is_asked_for_early_opens_when_it_is_there(held) -> None:
    page, release = held()
    page.wait_for_function(DRAWN)
    page.click("#tab-features")
    release()
    page.wait_for_selector("#screen-features.open")
    page.wait_for_selector('[data-view="features"][data-ready]')
    assert page.locator("#tab-features").get_attribute("aria-selected") == "true"
    assert page.locator("#inside-stage").count() == 0


@pytest.mark.slow
def test_whoever_reloads_the_page_finds_the_same_patch_at_once(held) -> None:
    page, release = held("/#screen=attention&sample=cat.jpg&size=224&seed=0&row=3&col=4&head=2")
    page.wait_for_function(DRAWN_AGAIN)
    assert selected(page, "row", "col", "head") == [3, 4, 2]
    release()
    page.wait_for_selector("#inside-stage", state="detached")
    page.wait_for_function("location.hash.includes('model=')")  # Python has answered the link
    assert selected(page, "row", "col", "head") == [3, 4, 2]


def test_whoever_follows_a_link_has_no_stage(held) -> None:
    page, release = held("/#screen=crops&sample=coffee.jpg")
    page.wait_for_function("!!window.Inside?.mount")
    assert page.locator("#inside-stage").count() == 0
    release()
    page.wait_for_selector('[data-view="crops"][data-ready]')
    assert page.locator("#tab-crops").get_attribute("aria-selected") == "true"


def assert_likeness_is_the_cosine_of_the_features(page: Page) -> None:
    """Of the patch under the pointer."""
    from dino_core.analysis.similarity import cosine_similarity

    page.locator("[data-view=welcome] .inside-picture").hover(position={"x": 200, "y": 130})
    page.wait_for_function("document.querySelector('[data-view=welcome]').inside.similar")
    row, col, *similar = page.evaluate("""() => {
        const { patch, similar } = document.querySelector("[data-view=welcome]").inside;
        return [...patch, ...similar];
    }""")
    models = Models("preview_vits14", None, "cpu")
    features = models.inspect(read_sample("cat.jpg"), models.default, 518).seen.patches(11)
    index = 56 * row + col
    wanted = cosine_similarity(features[[index]], features)[0]
    assert wanted.min() < 0.5, "not all patches are alike"
    off = (torch.tensor(similar) - wanted).abs()
    assert off.max() < 0.03, off.max()
    assert off.mean() < 0.005


def test_a_newcomer_is_told_what_this_is_before_gradio_and_has_two_doors(held) -> None:
    page, release = held()
    page.wait_for_function(DRAWN)
    welcome = page.locator("[data-view=welcome]")
    expect(welcome.locator(".inside-greeting p").first).to_contain_text("DINOv2")
    # A pixel is a patch: the sample at 518 px, a finer look than the page's own.
    assert page.evaluate(GRID) == [37, 56]
    assert_likeness_is_the_cosine_of_the_features(page)
    page.mouse.move(0, 0)
    release()
    page.wait_for_selector("#inside-stage", state="detached")
    welcome.get_by_text("Take the path").click()
    page.wait_for_selector("#inside-path[data-there=patches]")
    expect(welcome).to_be_hidden()


def test_later_visits_open_where_the_last_one_was(held) -> None:
    page, release = held()
    release()
    page.wait_for_selector("#inside-stage", state="detached")
    page.locator(".inside-welcome").get_by_text("Explore").click()
    page.wait_for_selector("#screen-attention.open [data-view=attention][data-ready]")
    page.click("#tab-masks")
    page.wait_for_selector("[data-view=masks][data-ready]")
    address = page.url.split("#")[0]
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("#screen-masks.open [data-view=masks][data-ready]")
    expect(page.locator(".inside-welcome, #inside-stage")).to_have_count(0)
    page.click("#tab-attention")
    page.wait_for_selector("[data-view=attention][data-ready]")
    expect(page.locator(".inside-welcome")).to_have_count(0)  # nor behind the others
